//! What is written of an event.

use logweir_testkit::oracle as naive;

use crate::{MAX_EVENT_BYTES, run, truncate_to};

fn check(field_names: &[&str], input: &str, expected: &str) {
    let names: Vec<String> = field_names.iter().map(ToString::to_string).collect();
    let outcome = run(&[], Some(&names), input.as_bytes(), MAX_EVENT_BYTES, usize::MAX);
    assert_eq!(String::from_utf8_lossy(&outcome.output), expected);
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
    let names = ["Logs".to_owned(), "z".to_owned()];
    let input = b"{\"a\":0,\"Logs\":[{\"Message\":[\"abcdef\"]}],\"z\":1}\n";
    let outcome = run(&[truncate_to(3)], Some(&names), input, MAX_EVENT_BYTES, usize::MAX);
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
    let outcome = run(&[], Some(&names), &input, MAX_EVENT_BYTES, usize::MAX);
    assert_eq!(outcome.output, naive::run(&[], Some(&names), &input, MAX_EVENT_BYTES).output);
    assert!(outcome.output.len() > 6 * logweir_stages::PAYLOAD_BYTES);
}
