//! Which events a sample keeps.

use std::fmt::Write as _;

use logweir_testkit::oracle::Stage;

use crate::{run_whole, truncate_to};

fn sample(rate: f64, key: Option<&str>, seed: u64) -> Stage {
    Stage::Sample { rate, key: key.map(str::to_owned), seed, always_keep: None }
}

/// Returns `n` events with distinct ids.
fn events(n: usize) -> String {
    (0..n).fold(String::new(), |mut input, i| {
        writeln!(input, "{{\"id\":\"{i}\",\"n\":{}}}", i % 7).unwrap();
        input
    })
}

/// Which of some keys rate and seed keep, worked out with the reference implementation of XXH3. Whoever changes these changes which events users keep.
#[test]
fn golden_vectors() {
    let keys =
        ["", "a", "10e897e3fad4fe7c", "ba2c83f145a74b34", "1e49b19e4d8ebc1d", "caf\u{e9}", "\u{1f600}"];
    let kept = |rate, seed| {
        let kept = |key: &&&str| {
            run_whole(&[sample(rate, Some("k"), seed)], format!("{{\"k\":\"{key}\"}}").as_bytes()).written
                == 1
        };
        keys.iter().filter(kept).copied().collect::<Vec<_>>()
    };
    assert_eq!(kept(1.0, 0), keys);
    assert_eq!(kept(0.5, 0), ["", "1e49b19e4d8ebc1d", "caf\u{e9}", "\u{1f600}"]);
    assert_eq!(kept(0.25, 0), ["", "1e49b19e4d8ebc1d", "\u{1f600}"]);
    assert_eq!(kept(0.5, 42), ["a", "1e49b19e4d8ebc1d", "\u{1f600}"]);
}

#[test]
fn the_share_kept_is_the_rate() {
    const N: usize = 1_000_000;
    let input = events(N);
    for rate in [0.001, 0.1, 0.5, 0.9] {
        let kept = run_whole(&[sample(rate, Some("id"), 0)], input.as_bytes()).written;
        assert!((kept as f64 / N as f64 - rate).abs() < 0.002, "{kept} at {rate}");
    }
}

#[test]
fn a_lower_rate_keeps_a_part_of_what_a_higher_one_keeps() {
    let input = events(10_000);
    let high = run_whole(&[sample(0.6, None, 7)], input.as_bytes());
    let low = run_whole(&[sample(0.2, None, 7)], input.as_bytes());
    let low_of_high = run_whole(&[sample(0.2, None, 7)], &high.output);
    assert_eq!(low.output, low_of_high.output);
    assert!(low.written > 1_000);
}

#[test]
fn a_key_keeps_events_together_however_it_is_spelled() {
    let input = "{\"k\":\"caf\u{e9}/\"}\n{\"k\":\"caf\\u00e9\\/\",\"x\":1}\n";
    for seed in 0..64 {
        let written = run_whole(&[sample(0.5, Some("k"), seed)], input.as_bytes()).written;
        assert!(written == 0 || written == 2, "seed {seed}");
    }
}

#[test]
fn without_a_value_of_the_key_the_event_decides() {
    let input = events(100);
    let by_event = run_whole(&[sample(0.5, None, 3)], input.as_bytes());
    let by_missing = run_whole(&[sample(0.5, Some("missing"), 3)], input.as_bytes());
    assert_eq!(by_event.output, by_missing.output);
    let padded = input.replace('{', "  {").replace('\n', " \r\n");
    let by_padded = run_whole(&[sample(0.5, None, 3)], padded.as_bytes());
    assert_eq!(by_padded.written, by_event.written, "white space around the event does not decide");
}

#[test]
fn what_is_exempt_is_kept_at_any_rate() {
    let always_keep = Some(r#"{"where":{"key":"n","operator":"eq","value":3}}"#.to_owned());
    let stage = Stage::Sample { rate: f64::MIN_POSITIVE, key: None, seed: 0, always_keep };
    let outcome = run_whole(&[stage], events(70).as_bytes());
    assert_eq!((outcome.written, outcome.sampled_out), (10, 60));
}

#[test]
fn an_event_that_was_cut_is_sampled_as_it_was_read() {
    let input: String = events(200).replace("}\n", ",\"Logs\":[{\"Message\":\"abcdef\"}]}\n");
    let cut_first = run_whole(&[truncate_to(3), sample(0.5, None, 0)], input.as_bytes());
    let sampled_first = run_whole(&[sample(0.5, None, 0), truncate_to(3)], input.as_bytes());
    assert_eq!(cut_first.output, sampled_first.output);
    assert!(cut_first.sampled_out > 50);
}
