//! Workloads are what they are said to be.

use logweir_testkit::generate::{Workload, write, write_repeated};
use logweir_testkit::oracle::decode::{Event, Line, decode};
use logweir_testkit::oracle::json::{Node, Text};
use logweir_testkit::oracle::truncate::{Unit, truncate};
use logweir_testkit::samples;

fn generate(workload: Workload, seed: u64, n_bytes: u64) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(write(workload, seed, n_bytes, &mut out).expect("memory takes all"), out.len() as u64);
    out
}

fn events(bytes: &[u8]) -> Vec<Event> {
    let event = |line| match line {
        Line::Event(event) => event,
        _ => panic!("{line:?}"),
    };
    decode(bytes, usize::MAX).into_iter().map(event).collect()
}

fn is_over(event: &Event) -> bool {
    truncate(event, 16_384, Unit::Chars).cut
}

fn share(events: &[Event], test: impl Fn(&Event) -> bool) -> f64 {
    events.iter().filter(|event| test(event)).count() as f64 / events.len() as f64
}

fn has_outcome(event: &Event, outcome: &str) -> bool {
    event.object().get("Outcome").is_some_and(|value| value.raw() == format!("\"{outcome}\""))
}

#[test]
fn mix_has_its_sizes_and_outcomes() {
    let bytes = generate(Workload::Mix, 1, 12_000_000);
    let events = events(&bytes);
    let mean = bytes.len() as f64 / events.len() as f64;
    assert!((1_400.0..1_600.0).contains(&mean), "{mean}");
    let over = share(&events, is_over);
    assert!((0.007..0.013).contains(&over), "{over}");
    let not_ok = share(&events, |event| !has_outcome(event, "ok"));
    assert!((0.02..0.04).contains(&not_ok), "{not_ok}");
    let failed = share(&events, |event| has_outcome(event, "exception"));
    assert!((0.013..0.027).contains(&failed), "{failed}");
    let fields = events[0].object().members().len();
    assert_eq!(fields, 13);
}

#[test]
fn small_events_are_small_and_heavy_ones_over_the_limit() {
    let small = events(&generate(Workload::Small, 2, 3_000_000));
    let sizes = small.iter().map(|event| event.line().len());
    assert!(sizes.clone().min().unwrap() >= 300 && sizes.clone().max().unwrap() <= 600, "{:?}", sizes.max());
    assert!((0.013..0.027).contains(&share(&small, |event| has_outcome(event, "exception"))));
    assert!(events(&generate(Workload::Heavy, 3, 4_000_000)).iter().all(is_over));
}

#[test]
fn a_seed_always_gives_the_same_bytes() {
    for workload in [Workload::Mix, Workload::Small, Workload::Heavy] {
        let bytes = generate(workload, 5, 200_000);
        assert!(bytes.len() >= 200_000 && bytes.ends_with(b"\n"));
        assert_eq!(bytes, generate(workload, 5, 200_000));
        assert!(generate(workload, 5, 300_000).starts_with(&bytes));
        assert_ne!(bytes, generate(workload, 6, 200_000));
    }
}

#[test]
fn no_two_events_are_alike() {
    let bytes = generate(Workload::Small, 9, 10_000_000);
    let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let n = lines.len();
    lines.sort_unstable();
    lines.dedup();
    assert!(lines.len() * 1000 >= n * 999, "{} of {n}", lines.len());
}

#[test]
fn real_events_are_repeated_as_they_are() {
    let bytes = generate(Workload::Real, 0, 700_000);
    assert!(bytes.starts_with(&samples::EVENTS.repeat(2)));
    let mut out = Vec::new();
    write_repeated(b"a\nb", 7, &mut out).unwrap();
    assert_eq!(out, b"a\nb\na\nb\n");
    assert_eq!(write_repeated(b"", 7, &mut out).unwrap(), 0);
}

#[test]
fn the_sample_of_real_events_is_varied() {
    let real = events(samples::EVENTS);
    assert!(real.iter().filter(|event| is_over(event)).count() >= 3);
    let has = |part: &str| real.iter().any(|event| String::from_utf8_lossy(event.line()).contains(part));
    assert!(has("18446744073709552000") && has("e+308") && has("\\u0000"));
    assert!(real.iter().filter(|event| has_lone_surrogate(event.object())).count() >= 10);
    assert!(samples::EVENTS.len() <= 300 << 10);
}

fn has_lone_surrogate(root: &Node) -> bool {
    let is_in = |text: &Text| text.0.iter().any(|code| (0xd800..0xe000).contains(code));
    let mut todo = vec![root.clone()];
    while let Some(node) = todo.pop() {
        if node.text().is_some_and(|text| is_in(&text)) || node.members().iter().any(|(name, _)| is_in(name))
        {
            return true;
        }
        todo.extend(node.elements());
        todo.extend(node.members().into_iter().map(|(_, value)| value));
    }
    false
}
