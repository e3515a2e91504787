//! The law: each projector says what the scanner says, and the scanner says what the oracle says. And a second opinion on
//! what is legal: whatever simd-json, which is stricter, takes for an object is an event.

use logweir_event::{Malformed, Span};
use logweir_json::lines;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::readers::{KEYS, Readers, oracle};
use crate::strategy;

/// Returns whether simd-json takes a line for an object. It refuses halves of surrogate pairs and numbers beyond its own.
fn is_object_to_simd_json(line: &[u8]) -> bool {
    let mut scratch = line.to_vec();
    simd_json::to_tape(&mut scratch)
        .is_ok_and(|tape| matches!(tape.0.first(), Some(simd_json::Node::Object { .. })))
}

/// Reads all lines of a chunk with one set of readers and compares each answer with the oracle's.
fn check(chunk: &[u8]) {
    let mut readers = Readers::new(KEYS);
    let mut unasked = Readers::new(&[]);
    for line in lines(chunk) {
        let answer = readers.read(chunk, line);
        assert_eq!(answer, oracle(&chunk[line.range()], line.start(), KEYS), "scanner and oracle differ");
        assert_eq!(unasked.read(chunk, line).0, answer.0);
    }
}

fn joined(lines: Vec<Vec<u8>>) -> Vec<u8> {
    let ends_itself = |line: &Vec<u8>| line.ends_with(b"\n");
    lines.into_iter().fold(Vec::new(), |mut chunk, line| {
        let ending: &[u8] = if ends_itself(&line) { b"" } else { b"\n" };
        chunk.extend_from_slice(&line);
        chunk.extend_from_slice(ending);
        chunk
    })
}

#[test]
fn real_events_are_all_events() {
    check(strategy::EVENTS);
    let mut readers = Readers::new(KEYS);
    for line in lines(strategy::EVENTS) {
        let (body, row) = readers.read(strategy::EVENTS, line);
        assert!(body.is_ok());
        assert!(row[..5].iter().all(|span| !span.is_missing()), "a real event has all of {:?}", &KEYS[..5]);
    }
}

#[test]
fn simd_json_takes_most_real_events_for_objects() {
    // So that what follows from its consent is asked at all.
    let events = strategy::events();
    let n_objects = events.iter().filter(|event| is_object_to_simd_json(event)).count();
    assert!(n_objects > events.len() / 2, "{n_objects} of {}", events.len());
}

#[test]
fn every_prefix_of_a_real_event_is_refused() {
    let mut readers = Readers::new(KEYS);
    for event in strategy::events().into_iter().take(8) {
        for end in 0..event.len() - 1 {
            let (body, _) = readers.read(event, (0..end).into());
            assert_ne!(body.err(), None, "{}", String::from_utf8_lossy(&event[..end]));
        }
    }
}

#[test]
fn every_byte_at_every_place_of_a_small_event() {
    let event = b"{\"a\":[1,-0.5e1,\"x\\u00e9\\n\"] ,\"b\":{\"a\":true}}\n";
    let mut readers = Readers::new(&["a", "b", "b.a"]);
    for at in 0..event.len() - 1 {
        for byte in 0..=u8::MAX {
            let mut line = event.to_vec();
            line[at] = byte;
            let answer = readers.read(&line, (0..line.len()).into());
            assert_eq!(answer, oracle(&line, 0, &["a", "b", "b.a"]), "{}", String::from_utf8_lossy(&line));
        }
    }
}

#[test]
fn an_event_of_any_length_around_the_block_size() {
    // Readers go by blocks of 64 bytes: no place within one may make a difference.
    let mut readers = Readers::new(&["a", "b"]);
    for n_bytes in 0..200 {
        for filling in ["x", "\\\\", "é", "\\\"", "😀", " "] {
            let text = filling.repeat(n_bytes);
            let line = format!("{{\"b\":0,\"s\":\"{text}\",\"a\":\"{text}\\\\\"}}");
            let answer = readers.read(line.as_bytes(), (0..line.len()).into());
            assert_eq!(answer, oracle(line.as_bytes(), 0, &["a", "b"]));
            assert!(answer.0.is_ok());
        }
    }
}

#[test]
fn an_event_of_megabytes_is_read_all_the_same() {
    for n_bytes in [500_000, 512 * 1024 - 13, 512 * 1024 - 12, 600_000, 3_000_000] {
        let line = format!("{{\"a\":\"{}\",\"b\":1}}", "y".repeat(n_bytes));
        let mut readers = Readers::new(&["a", "b"]);
        let (body, row) = readers.read(line.as_bytes(), (0..line.len()).into());
        assert_eq!(body, Ok((0..line.len()).into()));
        assert_eq!(row, [(5..n_bytes + 7).into(), (n_bytes + 12..n_bytes + 13).into()]);
    }
}

#[test]
fn reasons_are_tested_in_their_order() {
    let mut readers = Readers::new(&["a"]);
    let cases: [(&[u8], Malformed); 6] = [
        (b"[1,\xff", Malformed::NotUtf8),
        (b"{\"a\":1}\xff", Malformed::NotUtf8),
        (b"[1,", Malformed::NotJson),
        (b" \t\r\n", Malformed::NotJson),
        (b"[{\"a\":1}]\n", Malformed::NotObject),
        (b"\"{}\"", Malformed::NotObject),
    ];
    for (line, reason) in cases {
        let answer = readers.read(line, (0..line.len()).into());
        assert_eq!(answer, (Err(reason), vec![Span::MISSING]));
    }
}

proptest! {
    #[test]
    fn on_legal_events(events in vec(strategy::event(), 1..5)) {
        let chunk = joined(events.into_iter().map(String::into_bytes).collect());
        check(&chunk);
        let mut readers = Readers::new(KEYS);
        for line in lines(&chunk) {
            prop_assert!(readers.read(&chunk, line).0.is_ok());
        }
    }

    #[test]
    fn on_damaged_real_events(events in vec(strategy::damaged_event(), 1..5)) {
        check(&joined(events));
    }

    #[test]
    fn what_simd_json_takes_for_an_object_is_an_event(lines in vec(prop_oneof![
        strategy::event().prop_map(String::into_bytes), strategy::damaged_event(),
    ], 1..9)) {
        let mut readers = Readers::new(KEYS);
        for line in lines.iter().filter(|line| is_object_to_simd_json(line)) {
            prop_assert!(readers.read_twice(line).0.is_ok(), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn on_any_bytes(bytes in vec(prop_oneof![
        proptest::sample::select(b"\"\\{}[],:01-.eEtrufalsn \t\r\n".to_vec()), any::<u8>(),
    ], 0..200)) {
        check(&bytes);
    }
}
