//! Over what nobody looks into: the places that members and elements end at, compared with a walk byte by byte.

use std::ops::Range;

use logweir_json::{elements, entries, members};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Returns the parts of the inside of an array or object that commas outside of all strings and brackets divide.
fn parts(text: &[u8]) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 1, 0);
    let (mut in_string, mut is_escaped) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth -= 1;
                if depth == 0 {
                    parts.push(start..at);
                }
            }
            b',' if depth == 1 => {
                parts.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// Compares the elements of an array of these values, and the members of an object.
fn check(values: &[String]) {
    let array = format!("[{}]", values.join(","));
    let expected = parts(array.as_bytes());
    assert_eq!(expected.len(), values.len());
    assert_eq!(elements(array.as_bytes()).collect::<Vec<_>>(), expected, "{array}");
    let found = entries(array.as_bytes(), "no such name").map(|entry| entry.element);
    assert_eq!(found.collect::<Vec<_>>(), expected, "{array}");

    let named: Vec<String> = values.iter().map(|value| format!("\"n\":{value}")).collect();
    let object = format!("{{{}}}", named.join(","));
    let value = |part: Range<usize>| part.start + "\"n\":".len()..part.end;
    let found = members(object.as_bytes()).map(|member| member.value);
    assert_eq!(
        found.collect::<Vec<_>>(),
        parts(object.as_bytes()).into_iter().map(value).collect::<Vec<_>>(),
        "{object}"
    );
}

/// A string of what has a meaning outside of strings.
fn string() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "\\\"",
        "\\\\",
        "\\\\\\\"",
        "\\u005d",
        "x",
        "é",
        "yyyyyyyyyyyyyyyy",
    ]);
    vec(piece, 0..50).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

/// An array or object of such strings.
fn nested() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => string(), 1 => select(vec!["[]", "{}", "1", "null"]).prop_map(str::to_owned)];
    let inside = leaf.prop_recursive(5, 30, 5, |inner| {
        let member = (string(), inner.clone()).prop_map(|(name, value)| format!("{name}:{value}"));
        prop_oneof![
            vec(inner, 0..5).prop_map(|values| format!("[{}]", values.join(","))),
            vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    inside.prop_map(|inside| format!("[{inside}]"))
}

#[test]
fn a_row_of_backslashes_before_a_quote_at_every_place() {
    for n_backslashes in (0..=130).step_by(2) {
        for offset in 0..=64 {
            let (row, padding) = ("\\".repeat(n_backslashes), "x".repeat(offset));
            check(&[
                format!("[\"{padding}{row}\",\"]\"]"),
                format!("{{\"{row}\\\"]\":\"{padding}{row}\\\"}}\"}}"),
            ]);
        }
    }
}

#[test]
fn brackets_at_every_place() {
    for offset in 0..=200 {
        let (padding, spaces) = ("x".repeat(offset), "0".repeat(offset + 1));
        check(&[
            format!("[\"{padding}\"]"),
            format!("[[\"{padding}\",{{}}],[]]"),
            format!("{{\"[{padding}\":[1{spaces}]}}"),
            format!("[{}\"{}\"{}]", "[".repeat(offset), "]".repeat(offset), "]".repeat(offset)),
            format!("{}{}", "[".repeat(offset + 1), "]".repeat(offset + 1)),
        ]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nested_values_end_where_their_brackets_close(values in vec(nested(), 1..4), offsets in vec(0..=64_usize, 8)) {
        for offset in offsets {
            // The reader counts its blocks from the value's own bracket, so what moves is inside of it.
            let moved: Vec<String> =
                values.iter().map(|value| format!("[\"{}\",{}", "x".repeat(offset), &value[1..])).collect();
            check(&moved);
        }
    }

    #[test]
    fn what_stands_behind_a_value_does_not_matter(value in nested(), behind in "[\\[\\]{}\",\\\\]{0,100}") {
        let array = format!("[{value},{behind}");
        prop_assert_eq!(elements(array.as_bytes()).next(), Some(1..value.len() + 1));
    }
}
