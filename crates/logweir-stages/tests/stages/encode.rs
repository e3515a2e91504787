//! What is written of an event.

use logweir_testkit::oracle as naive;
use logweir_testkit::oracle::encode::Options;

use crate::{MAX_EVENT_BYTES, run, truncate_to, whole};

/// The three events of the examples in Logpush's documentation.
const DOCUMENTED: &str = "\
{\"ClientIP\":\"89.163.242.206\",\"EdgeStartTimestamp\":1506702504433000200,\"RayID\":\"3a6050bcbe121a87\"}
{\"ClientIP\":\"89.163.242.207\",\"EdgeStartTimestamp\":1506702504433000300,\"RayID\":\"3a6050bcbe121a88\"}
{\"ClientIP\":\"89.163.242.208\",\"EdgeStartTimestamp\":1506702504433000400,\"RayID\":\"3a6050bcbe121a89\"}
";

fn check(field_names: &[&str], input: &str, expected: &str) {
    check_options(&Options::of_fields(field_names), input, expected);
}

fn check_csv(field_names: &[&str], input: &str, expected: &str) {
    check_options(&Options { is_csv: true, ..Options::of_fields(field_names) }, input, expected);
}

fn check_template(template: &str, input: &str, expected: &str) {
    let record_template = Some(template.to_owned());
    check_options(&Options { record_template, ..Options::of_fields(&["a", "b"]) }, input, expected);
}

/// Checks what is written of the events of an example in Logpush's documentation.
fn check_documented(options: Options, expected: &str) {
    let fields = Options::of_fields(&["ClientIP", "EdgeStartTimestamp", "RayID"]);
    check_options(&Options { field_names: fields.field_names, ..options }, DOCUMENTED, expected);
}

/// Checks what is written, by the product and by the naive implementation.
fn check_options(options: &Options, input: &str, expected: &str) {
    let outcome = run(&[], options, &whole(input.as_bytes()));
    assert_eq!(String::from_utf8_lossy(&outcome.output), expected);
    let naive = naive::run_as(&[], options, input.as_bytes(), MAX_EVENT_BYTES);
    assert_eq!(String::from_utf8_lossy(&naive.output), expected);
}

#[test]
fn documented_ndjson() {
    check_documented(Options::default(), DOCUMENTED);
    let defaults = Options {
        record_prefix: Some("{".into()),
        record_suffix: Some("}\n".into()),
        field_delimiter: Some(",".into()),
        record_template: Some(String::new()),
        batch_prefix: Some(String::new()),
        batch_suffix: Some(String::new()),
        record_delimiter: Some(String::new()),
        ..Options::default()
    };
    check_documented(defaults, DOCUMENTED);
}

#[test]
fn documented_ndjson_with_other_names() {
    let template = r#""client-ip":{{.ClientIP}},"timestamp":{{.EdgeStartTimestamp}},"ray-id":{{.RayID}}"#;
    let expected = DOCUMENTED
        .replace("ClientIP", "client-ip")
        .replace("EdgeStartTimestamp", "timestamp")
        .replace("RayID", "ray-id");
    check_documented(Options { record_template: Some(template.into()), ..Options::default() }, &expected);
}

#[test]
fn documented_braces_as_a_constant() {
    check_template("\"{{`double{{curly}}braces`}}\"", "{}", "{\"double{{curly}}braces\"}\n");
}

#[test]
fn documented_csv() {
    let expected = "\
\"89.163.242.206\",1506702504433000200,\"3a6050bcbe121a87\"
\"89.163.242.207\",1506702504433000300,\"3a6050bcbe121a88\"
\"89.163.242.208\",1506702504433000400,\"3a6050bcbe121a89\"
";
    let csv = Options { is_csv: true, ..Options::default() };
    check_documented(csv.clone(), expected);
    let header = "ClientIP,EdgeStartTimestamp,RayID\n";
    let with_header = Options { batch_prefix: Some(header.into()), ..csv.clone() };
    check_documented(with_header, &format!("{header}{expected}"));
    let header = "ClientIP\tEdgeStartTimestamp\tRayID\n";
    let tsv = Options { batch_prefix: Some(header.into()), field_delimiter: Some("\t".into()), ..csv };
    check_documented(tsv, &format!("{header}{}", expected.replace(',', "\t")));
}

#[test]
fn documented_json_with_nested_object() {
    let nested = Options {
        batch_prefix: Some("{\"events\":[".into()),
        batch_suffix: Some("\n]}\n".into()),
        record_prefix: Some("\n  {\"info\":{".into()),
        record_suffix: Some("}}".into()),
        record_delimiter: Some(",".into()),
        ..Options::default()
    };
    let expected = r#"{"events":[
  {"info":{"ClientIP":"89.163.242.206","EdgeStartTimestamp":1506702504433000200,"RayID":"3a6050bcbe121a87"}},
  {"info":{"ClientIP":"89.163.242.207","EdgeStartTimestamp":1506702504433000300,"RayID":"3a6050bcbe121a88"}},
  {"info":{"ClientIP":"89.163.242.208","EdgeStartTimestamp":1506702504433000400,"RayID":"3a6050bcbe121a89"}}
]}
"#;
    check_documented(nested, expected);
}

#[test]
fn a_batch_without_events_is_what_stands_around_it() {
    let options = Options {
        batch_prefix: Some("[".into()),
        batch_suffix: Some("]\n".into()),
        record_delimiter: Some(",".into()),
        ..Options::of_fields(&["a"])
    };
    check_options(&options, "", "[]\n");
    check_options(
        &Options { record_suffix: Some("}".into()), ..options },
        "{}\n\n{}",
        "[{\"a\":null},{\"a\":null}]\n",
    );
}

#[test]
fn csv_of_each_kind_of_value() {
    check_csv(
        &["a", "x", "b"],
        "{\"a\":null,\"b\":true}\n{\"a\":1.50e1,\"b\":false}",
        ",,true\n1.50e1,,false\n",
    );
    check_csv(
        &["a"],
        r#"{"a":"say \"hi\"\n\u0022 é\u00e9\ud83d\ude42, \/\\"}"#,
        "\"say \"\"hi\"\"\n\"\" éé🙂, /\\\"\n",
    );
    check_csv(
        &["a", "b"],
        r#"{"a":[1, "x\"y"],"b":{"c":"\u0022"}}"#,
        "\"[1, \"\"x\\\"\"y\"\"]\",\"{\"\"c\"\":\"\"\\u0022\"\"}\"\n",
    );
    check_csv(&["a", "b"], r#"{"a":"","b":[]}"#, "\"\",\"[]\"\n");
}

#[test]
fn a_lone_surrogate_keeps_its_spelling_in_csv() {
    check_csv(&["a"], r#"{"a":"x\uD83Dy\udE42\ud83d\ude42"}"#, "\"x\\uD83Dy\\udE42🙂\"\n");
}

#[test]
fn a_template_stands_between_prefix_and_suffix() {
    let input = r#"{"a":"x","b":[1],"c":2}"#;
    check_template("\"A\": {{ .a }}{{/* not b */}}, \"C\": {{.c}}", input, "{\"A\": \"x\", \"C\": null}\n");
    check_template("{{.b}}{{.b}}{{.a}}", "{}", "{nullnullnull}\n");
    check_template("{{/* nothing */}}", input, "{}\n");
    check_template("", input, "{\"a\":\"x\",\"b\":[1]}\n");
    let csv = Options {
        is_csv: true,
        record_template: Some("{{.a}};{{.b}};{{.c}}".into()),
        field_delimiter: Some("ignored".into()),
        ..Options::of_fields(&["a", "b"])
    };
    check_options(&csv, r#"{"a":"\"","c":2}"#, "\"\"\"\";;null\n");
}

#[test]
fn fields_are_written_in_the_order_asked_for() {
    check(&["b", "a"], "{\"a\" : 1.0 , \"b\":[1, 2]}\r\n", "{\"b\":[1, 2],\"a\":1.0}\n");
}

#[test]
fn a_missing_field_is_null() {
    check(&["x", "a"], "{\"a\":null}", "{\"x\":null,\"a\":null}\n");
}

#[test]
fn the_last_of_equal_keys_is_written() {
    check(&["a"], "{\"a\":1,\"\\u0061\":2}\n", "{\"a\":2}\n");
}

#[test]
fn a_dotted_name_is_a_top_level_name() {
    check(&["a.b"], "{\"a\":{\"b\":1}}\n{\"a.b\":2}\n", "{\"a.b\":null}\n{\"a.b\":2}\n");
}

#[test]
fn names_are_escaped() {
    check(&["say \"hi\"\n"], "{\"say \\\"hi\\\"\\u000a\":1}\n", "{\"say \\\"hi\\\"\\n\":1}\n");
}

#[test]
fn a_cut_field_is_written_as_it_was_cut() {
    let options = Options::of_fields(&["Logs", "z"]);
    let input = b"{\"a\":0,\"Logs\":[{\"Message\":[\"abcdef\"]}],\"z\":1}\n";
    let outcome = run(&[truncate_to(3)], &options, &whole(input));
    let expected = "{\"Logs\":[{\"Message\":[\"abc<<<Logpush: messages truncated>>>\"]}],\"z\":1}\n";
    assert_eq!(String::from_utf8_lossy(&outcome.output), expected);
}

#[test]
fn runs_of_every_length_keep_their_order() {
    // Long runs leave as slices, short ones are copied, edited lines come between.
    let long = format!("{{\"Logs\":[],\"pad\":\"{}\"}}\n", "x".repeat(20_000));
    let input =
        [&long, &long, "{\"Logs\":[{\"Message\":\"abcdef\"}]}\n", &long, "[]\n", "{}\n", &long, "{\"z\":1}"]
            .concat();
    let outcome = crate::run_whole(&[truncate_to(3)], input.as_bytes());
    let expected =
        input.replace("abcdef", "abc<<<Logpush: messages truncated>>>").replace("[]\n{}", "{}") + "\n";
    assert_eq!(String::from_utf8_lossy(&outcome.output), expected);
}

#[test]
fn what_is_rendered_much_longer_than_it_was_comes_in_pieces() {
    let names: Vec<String> = (0..50).map(|i| format!("a field that no event has {i}")).collect();
    let input = b"{}\n".repeat(2_000);
    let options = Options { field_names: Some(names.clone()), ..Options::default() };
    let outcome = run(&[], &options, &whole(&input));
    assert_eq!(outcome.output, naive::run(&[], Some(&names), &input, MAX_EVENT_BYTES).output);
    assert!(outcome.output.len() > 6 * logweir_stages::PAYLOAD_BYTES);
}
