//! The lines of one input, for whoever looks at single events.

use std::fs;

use logweir_sources::{InputLine, InputLines};
use logweir_testkit::compress::gzip;
use logweir_testkit::oracle::decode::{Line, decode};
use logweir_testkit::scratch::Scratch;
use logweir_testkit::strategies::any_stream;
use proptest::prelude::*;

/// Returns the lines of a file; what is too long is `None`.
fn lines_of(content: &[u8], max_event_bytes: usize) -> Vec<Option<Vec<u8>>> {
    let scratch = Scratch::new();
    let path = scratch.path("events");
    fs::write(&path, content).unwrap();
    let mut lines = InputLines::open(&path, max_event_bytes).unwrap();
    let mut found = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        found.push(match line {
            InputLine::Whole(line) => Some(line.to_vec()),
            InputLine::Oversized => None,
        });
    }
    found
}

proptest! {
    #[test]
    fn they_are_those_that_a_source_would_cut(
        stream in any_stream(),
        long in prop::option::of(100_000..300_000usize),
        max_event_bytes in 10..400usize,
        is_compressed in any::<bool>(),
    ) {
        // Longer than what is read at once.
        let input = [stream.clone(), vec![b'x'; long.unwrap_or(0)], b"\n".to_vec(), stream].concat();
        let file = if is_compressed { gzip(&input) } else { input.clone() };
        let lines = lines_of(&file, max_event_bytes);
        let expected = decode(&input, max_event_bytes);
        prop_assert_eq!(lines.len(), expected.len());
        let mut at = usize::from(input.starts_with(b"\xef\xbb\xbf")) * 3;
        for (line, expected) in lines.into_iter().zip(expected) {
            let n_bytes = input[at..].iter().position(|&byte| byte == b'\n').map_or(input.len() - at, |n| n + 1);
            match line {
                Some(line) => prop_assert_eq!(&line[..], &input[at..at + n_bytes]),
                None => prop_assert!(matches!(expected, Line::Oversized(_))),
            }
            at += n_bytes;
        }
        prop_assert_eq!(at, input.len());
    }
}

#[test]
fn a_directory_is_no_input() {
    let scratch = Scratch::new();
    let read = InputLines::open(scratch.dir(), 100).and_then(|mut lines| lines.next_line());
    assert!(read.is_err(), "{read:?}");
    assert!(InputLines::open(&scratch.path("none"), 100).is_err());
}
