//! What becomes of `${` with the option `CVE-2021-44228`.

use logweir_testkit::oracle as naive;
use logweir_testkit::oracle::encode::Options;

use crate::{MAX_EVENT_BYTES, WithPlaces, encoded, run, truncate_to, whole};

fn check(stages: &[naive::Stage], options: &Options, input: &str, expected: &str) {
    let options = Options { is_redacted: true, ..options.clone() };
    let outcome = run(stages, &options, &whole(input.as_bytes()));
    assert_eq!(String::from_utf8_lossy(&outcome.output), expected);
    let naive = naive::run_as(stages, &options, input.as_bytes(), MAX_EVENT_BYTES);
    assert_eq!(String::from_utf8_lossy(&naive.output), expected);
}

#[test]
fn events_as_they_are_are_redacted() {
    let input = "{\"a\":\"${jndi\"}\n{ \"b$\" : {} }\n{\"\\u0024{\":\"\\\\u0024{$\\u007B\"}";
    let expected = "{\"a\":\"x{jndi\"}\n{ \"b$\" : {} }\n{\"\\u0078{\":\"\\\\u0024{x\\u007B\"}\n";
    check(&[], &Options::default(), input, expected);
}

#[test]
fn nothing_is_redacted_unasked() {
    let input = "{\"a\":\"${\"}\n";
    assert_eq!(run(&[], &Options::default(), &whole(input.as_bytes())).output, input.as_bytes());
    let options = Options { batch_prefix: Some("${".to_owned()), ..Options::of_fields(&["a"]) };
    assert_eq!(run(&[], &options, &whole(input.as_bytes())).output, [b"${", input.as_bytes()].concat());
}

#[test]
fn rendered_text_of_every_origin_is_redacted() {
    let text = |text: &str| Some(text.to_owned());
    let options = Options {
        batch_prefix: text("${"),
        batch_suffix: text(r"\u0024{$"),
        record_prefix: text("$"),
        record_suffix: text("}$\n"),
        record_delimiter: text("${"),
        record_template: text("{{.a}}${{`{`}}${{.a}}"),
        ..Options::of_fields(&["a"])
    };
    check(
        &[],
        &options,
        "{\"a\":{\"b\":\"\\u0024{\"}}",
        "x{x{\"b\":\"\\u0078{\"}x{x{\"b\":\"\\u0078{\"}}$\n\\u0078{$",
    );
    let named = Options { field_delimiter: text("$"), ..Options::of_fields(&["a${", "b"]) };
    check(&[], &named, "{\"b\":1}", "{\"a${\":null$\"b\":1}\n".replace("${", "x{").as_str());
}

#[test]
fn csv_is_redacted_as_it_is_written() {
    let csv = Options { is_csv: true, ..Options::of_fields(&["a", "b"]) };
    let input = r#"{"a":"\u0024\u007b ${ \\","b":["\u0024{","$"]}"#;
    check(&[], &csv, input, "\"x{ x{ \\\",\"[\"\"\\u0078{\"\",\"\"$\"\"]\"\n");
}

#[test]
fn a_lookup_that_lies_between_two_pieces_is_left_to_who_joins_them() {
    let text = |text: &str| Some(text.to_owned());
    let options = Options {
        batch_prefix: text("$"),
        record_suffix: text("}$"),
        batch_suffix: text("{"),
        ..Options::of_fields(&["a"])
    };
    check(&[], &options, "{}\n{}", "x{\"a\":null}x{\"a\":null}x{");
}

#[test]
fn an_edited_event_is_redacted_too() {
    let input = "{\"Logs\":[{\"Message\":\"${bcdef\"}]}\n";
    let expected = "{\"Logs\":[{\"Message\":\"x{b<<<Logpush: messages truncated>>>\"}]}\n";
    check(&[truncate_to(3)], &Options::default(), input, expected);
}

#[test]
fn long_runs_without_a_lookup_stay_slices_of_the_chunk() {
    let clean = format!("{{\"pad\":\"{}\"}}\n", "x".repeat(200)).repeat(200);
    let lookup = "{\"a\":\"${\"}\n";
    let input = [&clean, lookup, &clean, lookup, lookup, &clean].concat();
    let options = Options { is_redacted: true, ..Options::default() };
    let encoded = encoded(&[], &options, WithPlaces::Yes, &whole(input.as_bytes()));
    let (chunk, payload) = &encoded.payloads[0];
    assert_eq!(payload.parts().concat(), input.replace("${", "x{").as_bytes());
    let is_slice = |part: &&bytes::Bytes| chunk.as_ptr_range().contains(&part.as_ptr());
    let slices: usize = payload.parts().iter().filter(is_slice).map(bytes::Bytes::len).sum();
    assert_eq!(slices, 3 * clean.len());
}
