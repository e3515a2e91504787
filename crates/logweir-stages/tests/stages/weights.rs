//! How many events a kept one is said to stand for.

use std::collections::HashMap;
use std::fmt::Write as _;

use logweir_testkit::oracle::Stage;
use logweir_testkit::oracle::json::parse;

use crate::run_whole;

/// The kinds of events, each with the rate of its stratum; the last has that of the rest.
const KINDS: [(&str, f64); 6] = [("a", 1.0), ("b", 0.25), ("c", 0.1), ("d", 0.01), ("e", 0.001), ("f", 0.3)];

/// Events of each kind.
const N_OF_A_KIND: usize = 50_000;

fn is_kind(kind: &str) -> String {
    format!(r#"{{"where":{{"key":"kind","operator":"eq","value":"{kind}"}}}}"#)
}

/// Returns the sample of all [`KINDS`], their rates times `factor`.
fn of_kinds(factor: f64, seed: u64, weight_field: &str) -> Stage {
    let (rest, kinds) = KINDS.split_last().unwrap();
    Stage::SampleStrata {
        rate: rest.1 * factor,
        rates: kinds.iter().map(|(kind, rate)| (is_kind(kind), rate * factor)).collect(),
        key: Some("id".to_owned()),
        seed,
        always_keep: None,
        weight_field: Some(weight_field.to_owned()),
    }
}

/// Returns the sample of one rate that writes weights.
fn weighed(rate: f64, seed: u64) -> Stage {
    Stage::SampleStrata {
        rate,
        rates: Vec::new(),
        key: Some("id".to_owned()),
        seed,
        always_keep: None,
        weight_field: Some("W".to_owned()),
    }
}

fn events() -> String {
    (0..N_OF_A_KIND).fold(String::new(), |mut input, i| {
        for (kind, _) in KINDS {
            writeln!(input, "{{\"id\":\"{kind}-{i}\",\"kind\":\"{kind}\"}}").unwrap();
        }
        input
    })
}

/// Returns the sum of the weights in some lines, by kind.
fn sums(lines: &[u8], weight_field: &str) -> HashMap<String, f64> {
    let mut sums = HashMap::new();
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        let event = parse(line).unwrap();
        let weight: f64 = event.get(weight_field).unwrap().raw().parse().unwrap();
        *sums.entry(event.get("kind").unwrap().raw().trim_matches('"').to_owned()).or_default() += weight;
    }
    sums
}

/// Returns what a stage makes of one event.
fn weigh(rate: f64, event: &str) -> String {
    let output = run_whole(&[weighed(rate, 0)], event.as_bytes()).output;
    String::from_utf8(output).unwrap()
}

/// Returns an id that a rate keeps with seed 0.
fn kept_id(rate: f64) -> String {
    let is_kept = |id: &String| !weigh(rate, &format!("{{\"id\":\"{id}\"}}\n")).is_empty();
    (0..1_000_000).map(|i: u32| i.to_string()).find(is_kept).unwrap()
}

/// The sum of what n events are said to be, each kept with probability r and then worth 1/r, has the variance n(1-r)/r.
/// Four deviations are exceeded by one sum in 16,000.
#[test]
fn the_sum_of_weights_estimates_the_number_of_events() {
    let input = events();
    for seed in [0, 1, 42] {
        let outcome = run_whole(&[of_kinds(1.0, seed, "W")], input.as_bytes());
        let sums = sums(&outcome.output, "W");
        let n = N_OF_A_KIND as f64;
        for (kind, rate) in KINDS {
            let deviation = (n * (1.0 - rate) / rate).sqrt();
            let sum = sums[kind];
            assert!((sum - n).abs() <= 4.0 * deviation, "{sum} of {n} at {rate}, deviation {deviation}");
        }
        let variance: f64 = KINDS.iter().map(|(_, rate)| n * (1.0 - rate) / rate).sum();
        let (sum, n) = (sums.values().sum::<f64>(), n * KINDS.len() as f64);
        assert!((sum - n).abs() <= 4.0 * variance.sqrt(), "{sum} of {n} in all");
    }
}

#[test]
fn samples_of_samples_estimate_it_if_their_seeds_differ() {
    let input = events();
    let n = (N_OF_A_KIND * KINDS.len()) as f64;
    let total = |second_seed: u64| {
        let output = run_whole(&[weighed(0.2, 0), weighed(0.1, second_seed)], input.as_bytes()).output;
        sums(&output, "W").values().sum::<f64>()
    };
    let rate: f64 = 0.2 * 0.1;
    let deviation = (n * (1.0 - rate) / rate).sqrt();
    assert!((total(1) - n).abs() <= 4.0 * deviation, "{} of {n}", total(1));
    // Whatever the first keeps of the lowest tenth, the second keeps again: five times too many.
    assert!((total(0) - 5.0 * n).abs() <= 20.0 * deviation, "{} of {n}", total(0));
}

#[test]
fn in_every_stratum_a_lower_rate_keeps_a_part_of_what_a_higher_one_keeps() {
    let input = events();
    let ids = |factor: f64| -> Vec<Vec<u8>> {
        let output = run_whole(&[of_kinds(factor, 7, "W")], input.as_bytes()).output;
        let id = |line: &[u8]| parse(line).unwrap().get("id").unwrap().raw().as_bytes().to_vec();
        output.split_inclusive(|&byte| byte == b'\n').map(id).collect()
    };
    let (few, more) = (ids(0.5), ids(1.0));
    assert!(few.len() > 10_000 && few.len() < more.len() * 6 / 10);
    let more: std::collections::HashSet<_> = more.into_iter().collect();
    assert!(few.iter().all(|id| more.contains(id)));
}

#[test]
fn the_first_rate_that_matches_counts() {
    let input =
        "{\"kind\":\"a\",\"x\":1}\n{\"kind\":\"b\",\"x\":1}\n{\"kind\":\"c\",\"x\":1}\n{\"kind\":\"c\"}\n";
    let x = r#"{"where":{"key":"x","operator":"eq","value":1}}"#;
    let stage = Stage::SampleStrata {
        rate: f64::MIN_POSITIVE,
        rates: vec![
            (is_kind("a"), f64::MIN_POSITIVE),
            (x.to_owned(), 1.0),
            (is_kind("b"), f64::MIN_POSITIVE),
        ],
        key: None,
        seed: 0,
        always_keep: None,
        weight_field: None,
    };
    let outcome = run_whole(&[stage], input.as_bytes());
    assert_eq!(outcome.output, b"{\"kind\":\"b\",\"x\":1}\n{\"kind\":\"c\",\"x\":1}\n");
    assert_eq!(outcome.sampled_out, 2);
}

#[test]
fn what_is_always_kept_stands_for_itself() {
    let Stage::SampleStrata { rates, key, seed, weight_field, .. } = of_kinds(0.5, 0, "W") else {
        unreachable!()
    };
    let always_keep = Some(is_kind("f"));
    let stage = Stage::SampleStrata { rate: 0.5, rates, key, seed, always_keep, weight_field };
    let output = run_whole(&[stage], events().as_bytes()).output;
    let n =
        String::from_utf8(output).unwrap().lines().filter(|line| line.ends_with("\"f\",\"W\":1}")).count();
    assert_eq!(n, N_OF_A_KIND);
}

#[test]
fn weights_are_written_as_short_as_can_be() {
    for (rate, weight) in [
        (1.0, "1"),
        (0.5, "2"),
        (0.25, "4"),
        (0.3, "3.3333333333333335"),
        (0.1, "10"),
        (0.07, "14.285714285714285"),
        (0.01, "100"),
        (0.001, "1000"),
    ] {
        let id = kept_id(rate);
        assert_eq!(
            weigh(rate, &format!("{{\"id\":\"{id}\"}}\n")),
            format!("{{\"id\":\"{id}\",\"W\":{weight}}}\n")
        );
    }
}

#[test]
fn a_weight_that_is_there_is_multiplied_where_it_stands() {
    let id = kept_id(0.1);
    for (before, after) in [
        ("1", "10"),
        ("7.5", "75"),
        ("1e2", "1000"),
        ("0.5", "5"),
        ("1e300", "1e301"),
        ("1e308", "1.7976931348623157e308"),
        ("0", "10"),
        ("-3", "10"),
        ("-0.0", "10"),
        ("1e400", "10"),
        ("1e-400", "10"),
        ("\"7\"", "10"),
        ("null", "10"),
        ("true", "10"),
        ("[2]", "10"),
        ("{\"W\":2}", "10"),
        ("18446744073709551616", "184467440737095500000"),
    ] {
        let line = |weight: &str| format!(" {{\"W\" : {weight} ,\"id\":\"{id}\",\"x\":[\"W\"]}}\r\n");
        assert_eq!(weigh(0.1, &line(before)), line(after), "{before}");
    }
}

#[test]
fn an_event_whose_weight_stays_is_not_touched() {
    for weight in ["10", "10.0", "1e1", "0.5", "1E-300"] {
        let line = format!("{{\"W\":{weight},\"id\":\"a\"}}\n");
        assert_eq!(weigh(1.0, &line), line);
    }
    assert_eq!(weigh(1.0, "{\"W\":\"10\"}\n"), "{\"W\":1}\n");
    assert_eq!(weigh(1.0, "{}"), "{\"W\":1}\n");
}

#[test]
fn later_stages_and_encode_see_the_weight() {
    let heavy = r#"{"where":{"key":"W","operator":"geq","value":100}}"#.to_owned();
    let strata = of_kinds(1.0, 0, "W");
    let output = run_whole(&[strata, Stage::Filter(heavy)], events().as_bytes()).output;
    let kinds = sums(&output, "W");
    let mut kinds: Vec<_> = kinds.keys().map(String::as_str).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["d", "e"]);
}
