//! Truncate against worked cases; `oracle.rs` compares it with the naive one.

use logweir_testkit::oracle::{same_lines, same_tokens};
use logweir_testkit::samples;

use crate::{run_whole, truncate_to};

#[test]
fn worked_cases() {
    let cases = samples::truncate_cases();
    assert_eq!(cases.len(), 158);
    for case in cases {
        let outcome = run_whole(&[truncate_to(case.limit)], case.input.as_bytes());
        let expected = format!("{}\n", case.output);
        same_tokens(&outcome.output, expected.as_bytes())
            .unwrap_or_else(|why| panic!("{}: {why}", case.name));
    }
}

#[test]
fn the_documented_example() {
    let outcome = run_whole(&[truncate_to(50)], samples::EXAMPLE_IN);
    same_lines(&outcome.output, samples::EXAMPLE_OUT).unwrap();
    assert_eq!(outcome.truncated, 1);
    // 42 of the second message's 52 characters, "Hello " and "World!".
    assert_eq!(outcome.truncated_characters, [0, 42, 12]);
}

#[test]
fn the_rest_of_the_line_stays_byte_for_byte() {
    let line = b" {\"n\" : 1.0e3,\"Logs\": [ {\"Message\":[ \"\\u00e9bc\" , 7 , {} ] , \"Level\":\"l\\/og\"} , 5 ],\"x\":\"\\ud83d\"}\t\r\n";
    let cut = b" {\"n\" : 1.0e3,\"Logs\": [ {\"Message\":[ \"\\u00e9b<<<Logpush: messages truncated>>>\"  ] , \"Level\":\"l\\/og\"}  ],\"x\":\"\\ud83d\"}\t\r\n";
    let outcome = run_whole(&[truncate_to(2)], line);
    assert_eq!(String::from_utf8_lossy(&outcome.output), String::from_utf8_lossy(cut));
}

#[test]
fn what_is_not_over_the_limit_passes_untouched() {
    let outcome = run_whole(&[truncate_to(usize::MAX)], samples::EVENTS);
    assert_eq!(outcome.output, samples::EVENTS);
    assert_eq!(outcome.truncated, 0);
}

/// Checks under which name an event is counted whose script is this JSON.
#[track_caller]
fn check_script(json: &str, shown: &str) {
    let event = format!(r#"{{"Logs":[{{"Message":"long"}}],"ScriptName":{json}}}"#);
    let outcome = run_whole(&[truncate_to(1)], event.as_bytes());
    let by_script: Vec<_> = outcome.truncated_by_script.into_iter().collect();
    assert_eq!(by_script, [(shown.to_owned(), (1, [0, 0, 3]))], "{json}");
}

#[test]
fn cuts_are_counted_by_what_the_scripts_name_means() {
    check_script(r#""shop""#, "shop");
    check_script(r#""\u0073h\u006fp""#, "shop");
    check_script(r#""a\"b\\c\nd\ud83d\ude00e\ud83d""#, "a\"b\\c\nd\u{1f600}e\u{fffd}");
    check_script(r#""(other)""#, "(other)");
    for none in ["\"\"", "null", "7", "[\"shop\"]", "\"shop\",\"ScriptName\":{}"] {
        check_script(none, "(none)");
    }
}

#[test]
fn a_long_name_of_a_script_is_counted_by_its_beginning() {
    let quoted = |name: &str| format!("\"{name}\"");
    let fits = "x".repeat(128);
    check_script(&quoted(&fits), &fits);
    check_script(&quoted(&"x".repeat(1 << 20)), &format!("{}…", "x".repeat(125)));
    // 41 times three bytes; the next character would begin at the 124th and not fit.
    check_script(&quoted(&"中".repeat(43)), &format!("{}…", "中".repeat(41)));
    check_script(&quoted(r"\ud83d".repeat(50).as_str()), &format!("{}…", "\u{fffd}".repeat(41)));
}

#[test]
fn an_event_without_a_script_is_counted_too() {
    let outcome = run_whole(&[truncate_to(1)], br#"{"Logs":[{"Message":"long"}]}"#);
    assert_eq!(outcome.truncated_by_script["(none)"], (1, [0, 0, 3]));
}

#[test]
fn a_second_truncate_reads_what_the_first_wrote() {
    let once = run_whole(&[truncate_to(40)], samples::EVENTS);
    let twice = run_whole(&[truncate_to(20)], &once.output);
    let both = run_whole(&[truncate_to(40), truncate_to(20)], samples::EVENTS);
    assert_eq!(both.output, twice.output);
    assert_eq!(both.truncated, once.truncated + twice.truncated);
}
