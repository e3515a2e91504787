//! The oracle's sampling, encoding and whole pipelines.

use logweir_testkit::oracle::decode::Event;
use logweir_testkit::oracle::encode::quoted;
use logweir_testkit::oracle::sample::{Sample, is_kept};
use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{Outcome, Stage, run};
use logweir_testkit::samples;
use logweir_testkit::strategies::any_stream;
use proptest::prelude::*;

fn hashed(event: &str, key: Option<&str>) -> Vec<u8> {
    let sample = Sample {
        rate: 0.5,
        key: key.map(str::to_owned),
        seed: 0,
        always_keep: None,
        rates: Vec::new(),
        weight_field: None,
    };
    let event = Event::read(event.as_bytes()).expect("an event");
    sample.hashed(&event, event.body())
}

#[test]
fn what_is_hashed_is_the_field_or_else_the_event() {
    let event = " {\"a\":\"x\\u0079\\ud83d\",\"n\":1.0,\"o\":{ \"p\" : [] },\"z\":null} \r\n";
    assert_eq!(hashed(event, None), event.trim().as_bytes());
    assert_eq!(hashed(event, Some("a")), b"xy\xed\xa0\xbd");
    assert_eq!(hashed(event, Some("n")), b"1.0");
    assert_eq!(hashed(event, Some("o")), b"{ \"p\" : [] }");
    assert_eq!(hashed(event, Some("o.p")), b"[]");
    assert_eq!(hashed(event, Some("z")), event.trim().as_bytes());
    assert_eq!(hashed(event, Some("missing")), event.trim().as_bytes());
}

#[test]
fn a_hash_is_kept_below_the_rate() {
    assert!(is_kept(u64::MAX, 1.0));
    assert!(is_kept((1 << 63) - 1, 0.5));
    assert!(!is_kept(1 << 63, 0.5));
    assert!(is_kept(0, f64::MIN_POSITIVE.max(2f64.powi(-64))));
    assert!(!is_kept(1, 2f64.powi(-64)));
}

#[test]
fn the_hash_is_xxh3_with_64_bits() {
    // The values that the reference implementation gives for no bytes, under seeds 0 and 1.
    use twox_hash::XxHash3_64;
    assert_eq!(XxHash3_64::oneshot_with_seed(0, b""), 0x2d06_8005_38d3_94c2);
    assert_eq!(XxHash3_64::oneshot_with_seed(1, b""), 0x4dc5_b0cc_826f_6703);
}

#[test]
fn the_share_kept_is_the_rate_and_rates_nest() {
    let kept = |rate: f64| -> Vec<usize> {
        let sample = Sample {
            rate,
            key: Some("k".to_owned()),
            seed: 7,
            always_keep: None,
            rates: Vec::new(),
            weight_field: None,
        };
        let event = |i: usize| Event::read(format!("{{\"k\":\"key {i}\"}}").as_bytes()).unwrap();
        (0..20_000)
            .filter(|&i| {
                let event = event(i);
                sample.keeps(&event, event.body())
            })
            .collect()
    };
    let (few, more) = (kept(0.1), kept(0.3));
    assert!((few.len() as f64 / 20_000.0 - 0.1).abs() < 0.01, "{}", few.len());
    assert!((more.len() as f64 / 20_000.0 - 0.3).abs() < 0.01, "{}", more.len());
    assert!(few.iter().all(|i| more.binary_search(i).is_ok()));
}

#[test]
fn chosen_fields_are_written_compactly_as_they_were() {
    let event = br#"{ "b" : [ 1.0 , "\u0041" ] , "a.c":2, "a":{"c":3}, "b" : { "x":1 } }"#;
    let names = ["a.c", "nope", "b", "a", "q\"\n\u{1}"].map(str::to_owned);
    let expected = r#"{"a.c":2,"nope":null,"b":{ "x":1 },"a":{"c":3},"q\"\n\u0001":null}"#;
    let outcome = run(&[], Some(&names), event, 999);
    assert_eq!(String::from_utf8(outcome.output).unwrap(), format!("{expected}\n"));
    assert_eq!(quoted("/é\u{7f}\t\\"), "\"/é\u{7f}\\t\\\\\"");
}

#[test]
fn every_event_is_accounted_for() {
    let input = b"\xef\xbb\xbf{\"n\":1}\r\n \n{\"n\":2}\n[1]\n{\"n\":\xff}\n{]\n{\"n\":3,\"Logs\":[{\"Message\":\"abcd\"}]}\n{\"longer than forty-eight bytes is too long\":1111}\n{\"n\":5}";
    let stages = [
        Stage::Filter(r#"{"where":{"key":"n","operator":"!eq","value":2}}"#.to_owned()),
        Stage::Truncate { limit: 1, unit: Unit::Chars },
        Stage::Sample {
            rate: 1e-18,
            key: None,
            seed: 0,
            always_keep: Some(r#"{"where":{"key":"n","operator":"leq","value":3}}"#.to_owned()),
        },
    ];
    let expected = Outcome {
        output: b"{\"n\":1}\r\n{\"n\":3,\"Logs\":[{\"Message\":\"a<<<Logpush: messages truncated>>>\"}]}\n"
            .to_vec(),
        read: 8,
        written: 2,
        filtered: 1,
        sampled_out: 1,
        malformed: [1, 1, 1],
        oversized: 1,
        truncated: 1,
        truncated_characters: [0, 0, 3],
        truncated_by_script: [(String::from("(none)"), (1, [0, 0, 3]))].into(),
    };
    assert_eq!(run(&stages, None, input, 48), expected);
}

#[test]
fn a_stage_sees_what_the_one_before_it_made() {
    let event = br#"{"Logs":[{"Message":"abcdef"}]}"#;
    let truncate = |limit| Stage::Truncate { limit, unit: Unit::Chars };
    let filter = |text: &str| {
        Stage::Filter(format!(r#"{{"where":{{"key":"Logs","operator":"contains","value":"{text}"}}}}"#))
    };
    let twice = run(&[truncate(4), truncate(2)], None, event, 99);
    assert_eq!(twice.output, b"{\"Logs\":[{\"Message\":\"ab<<<Logpush: messages truncated>>>\"}]}\n");
    // The first marker is text like any other for the second cut.
    assert_eq!(twice.truncated_characters, [0, 0, 2 + 2 + 33]);
    assert_eq!(twice.truncated, 2);
    assert_eq!(run(&[filter("a"), truncate(4)], None, event, 99).filtered, 1);
}

#[test]
fn encoded_events_end_in_a_line_feed() {
    let names = ["a".to_owned()];
    assert_eq!(run(&[], Some(&names), b" {\"a\" : 1 } \r\n{}", 99).output, b"{\"a\":1}\n{\"a\":null}\n");
    assert_eq!(run(&[], None, b" {\"a\" : 1 } \r\n{}", 99).output, b" {\"a\" : 1 } \r\n{}\n");
}

#[test]
fn real_events_pass_untouched() {
    assert_eq!(run(&[], None, samples::EVENTS, 4 << 20).output, samples::EVENTS);
    assert_eq!(run(&[], None, samples::DEEP, 4 << 20).output, samples::DEEP);
}

proptest! {
    #[test]
    fn the_books_balance(input in any_stream(), limit in 0..40usize, max_event_bytes in 10..400usize) {
        let stages = [
            Stage::Filter(r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#.to_owned()),
            Stage::Truncate { limit, unit: Unit::Chars },
            Stage::Sample { rate: 0.5, key: Some("Event.RayID".to_owned()), seed: 1, always_keep: None },
        ];
        let o = run(&stages, None, &input, max_event_bytes);
        let ended = o.written + o.filtered + o.sampled_out + o.malformed.iter().sum::<u64>() + o.oversized;
        prop_assert_eq!(o.read, ended);
        prop_assert_eq!(o.output.split_inclusive(|&byte| byte == b'\n').count() as u64, o.written);
        let again = run(&[], None, &o.output, usize::MAX);
        prop_assert_eq!(again.output, o.output);
    }
}
