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

#[test]
fn a_second_truncate_reads_what_the_first_wrote() {
    let once = run_whole(&[truncate_to(40)], samples::EVENTS);
    let twice = run_whole(&[truncate_to(20)], &once.output);
    let both = run_whole(&[truncate_to(40), truncate_to(20)], samples::EVENTS);
    assert_eq!(both.output, twice.output);
    assert_eq!(both.truncated, once.truncated + twice.truncated);
}
