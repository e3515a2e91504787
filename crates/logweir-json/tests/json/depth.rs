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

#[test]
fn as_deep_as_the_stack_of_the_projector_and_deeper() {
    // The projector keeps a bit a level in one word, and leaves what does not fit there to the scanner.
    let mut readers = Readers::new(&["a", "b", "a.b"]);
    for n_levels in (55..=70).chain([127, 128, 129, 2000]) {
        for (open, inside, close) in [
            ("[", "", "]"),
            ("[ ", "1", " ]"),
            ("{\"b\":", "{}", "}"),
            ("[{\"b\":", "[]", "}]"),
            ("{\"b\":[0,", "\"}\"", ",0]}"),
        ] {
            let n_pairs = n_levels / open.matches(['[', '{']).count();
            let (opened, closed) = (open.repeat(n_pairs), close.repeat(n_pairs));
            let all_other =
                closed.chars().map(|byte| if byte == ']' { '}' } else { ']' }).collect::<String>();
            for (value, is_legal) in [
                (format!("{opened}{inside}{closed}"), true),
                (format!("{opened}{inside}{}", &closed[..closed.len() - 1]), false),
                (format!("{opened}{inside}{closed}{}", &close[close.len() - 1..]), false),
                (format!("{opened}{inside}{closed},1"), false),
                (format!("{opened}{inside},{closed}"), false),
                (format!("{opened}{inside}{all_other}"), false),
            ] {
                for offset in [0, 1, 40, 50] {
                    let event = format!("{{{}\"a\":{value},\"b\":1}}", " ".repeat(offset));
                    assert_eq!(readers.read_twice(event.as_bytes()).0.is_ok(), is_legal, "{event}");
                }
            }
        }
    }
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
