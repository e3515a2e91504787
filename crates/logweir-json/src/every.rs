//! Every value that a path leads to, for who must not miss one.

use std::ops::Range;

use crate::string::Text;
use crate::value::Value;
use crate::walk::{elements, members};

/// How many arrays directly in one another are gone into. Each level is gone over once more, so that without a bound a
/// short text of brackets would cost a long time.
const MAX_ARRAYS: usize = 16;

/// Adds to `found` where the values lie that the names lead to from the top of an event: through every duplicate of a
/// name, however it is spelled, and through every element of an array on the way. A string on the way is found itself: it may
/// hold what is looked for as text. Returns whether these are all: false if
/// more than 16 arrays lie directly in one another, into which nobody has looked.
///
/// The event is legal text from its `{` to its `}`; ranges count from the `{`.
///
/// This is for hiding what must not be seen; to read a field, ask a [`Projection`](crate::Projection).
pub fn every_value_at(event: &[u8], names: &[&str], found: &mut Vec<Range<usize>>) -> bool {
    let mut is_all = true;
    // The values to look into, each with how many names have led there and the arrays it is directly in.
    let mut todo = vec![(0..event.len(), 0, 0)];
    while let Some((range, n_names, n_arrays)) = todo.pop() {
        let Some(name) = names.get(n_names) else {
            found.push(range);
            continue;
        };
        match Value::of(&event[range.clone()]) {
            Value::Object(object) => {
                for member in members(object) {
                    if Text::new(&object[member.name]).decodes_to(name.as_bytes()) {
                        let value = range.start + member.value.start..range.start + member.value.end;
                        todo.push((value, n_names + 1, 0));
                    }
                }
            }
            Value::Array(_) if n_arrays == MAX_ARRAYS => is_all = false,
            Value::Array(array) => {
                let inside =
                    elements(array).map(|element| range.start + element.start..range.start + element.end);
                todo.extend(inside.map(|element| (element, n_names, n_arrays + 1)));
            }
            // It may hold the text of an object, which nobody has looked into.
            Value::String(_) => found.push(range),
            _ => {}
        }
    }
    is_all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(event: &str, path: &str) -> (Vec<String>, bool) {
        let names: Vec<_> = path.split('.').collect();
        let mut ranges = Vec::new();
        let is_all = every_value_at(event.as_bytes(), &names, &mut ranges);
        ranges.sort_by_key(|range| range.start);
        (ranges.into_iter().map(|range| event[range].to_owned()).collect(), is_all)
    }

    #[test]
    fn duplicates_spellings_and_elements_are_all_found() {
        let event = r#"{"a":{"b":1,"\u0062":[2]},"a":[{"b":3},[{"b":4}],5,{"c":6}],"b":7,"A":{"b":8}}"#;
        let all = ["1", "[2]", "3", "4"].map(String::from).to_vec();
        assert_eq!(found(event, "a.b"), (all, true));
        assert_eq!(found(event, "b"), (vec![String::from("7")], true));
        assert_eq!(found(event, "a.b.c"), (vec![], true));
        assert_eq!(found(r#"{"a":"{\"b\":1}","a":["b",2]}"#, "a.b").0, [r#""{\"b\":1}""#, r#""b""#]);
        assert_eq!(found("{}", "a"), (vec![], true));
    }

    #[test]
    fn arrays_too_deep_in_one_another_are_told() {
        let nested = |n: usize| format!(r#"{{"a":{}{{"b":1}}{}}}"#, "[".repeat(n), "]".repeat(n));
        assert_eq!(found(&nested(16), "a.b"), (vec![String::from("1")], true));
        assert_eq!(found(&nested(17), "a.b"), (vec![], false));
        assert_eq!(found(&nested(100_000), "a.b"), (vec![], false));
    }
}
