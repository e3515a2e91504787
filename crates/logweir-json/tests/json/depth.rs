//! Depth costs no stack.

use std::thread;

use logweir_json::{Value, check, elements, lines, members};

use crate::readers::{Readers, oracle};

const DEEP: &[u8] = include_bytes!("../data/deep.ndjson");

/// Runs `test` on a stack that recursion, a few dozen bytes a level, would overflow after a few thousand levels.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(128 * 1024).spawn(test).unwrap().join().unwrap();
}

#[test]
fn the_deepest_events_are_read() {
    on_a_small_stack(|| {
        let keys = ["Outcome", "Logs", "Event.RayID", "a"];
        let mut readers = Readers::new(&keys);
        for line in lines(DEEP) {
            let answer = readers.read(DEEP, line);
            assert!(answer.0.is_ok());
            assert_eq!(answer, oracle(&DEEP[line.range()], line.start(), &keys));
        }
    });
}

#[test]
fn a_million_levels_are_read_and_walked_over() {
    on_a_small_stack(|| {
        let n_levels = 1_000_000;
        let (open, close) = ("[".repeat(n_levels), "]".repeat(n_levels));
        let line = format!("{{\"a\":{open}{close},\"b\":1}}");
        let mut readers = Readers::new(&["a", "b"]);
        let (body, row) = readers.read(line.as_bytes(), (0..line.len()).into());
        assert_eq!(body, Ok((0..line.len()).into()));
        assert_eq!(row, [(5..5 + 2 * n_levels).into(), (line.len() - 2..line.len() - 1).into()]);
        assert_eq!(members(line.as_bytes()).count(), 2);
        assert_eq!(elements(&line.as_bytes()[row[0].range()]).count(), 1);
        assert_eq!(check(&line.as_bytes()[..line.len() - 1]).unwrap_err().at, line.len() - 1);
    });
}

#[test]
fn one_level_after_the_other_can_be_walked_down() {
    on_a_small_stack(|| {
        for line in lines(DEEP) {
            let mut value = DEEP[line.range()].trim_ascii();
            let mut n_levels = 0;
            while let Some(inner) = deepest(value) {
                value = inner;
                n_levels += 1;
                if n_levels > 100 {
                    break;
                }
            }
            assert!(n_levels > 100);
        }
    });
}

/// Returns the longest value directly inside an array or object, `None` if there is none.
fn deepest(value: &[u8]) -> Option<&[u8]> {
    let inside = match Value::of(value) {
        Value::Array(array) => elements(array).max_by_key(std::ops::Range::len),
        Value::Object(object) => members(object).map(|member| member.value).max_by_key(std::ops::Range::len),
        _ => None,
    };
    inside.map(|range| &value[range])
}
