//! Into arrays and objects, compared with the oracle.

use logweir_json::{Text, Value, elements, entries, members};
use logweir_testkit::oracle::json::{Kind, Node, parse};
use proptest::prelude::*;

use crate::strategy;

/// Walks through a whole legal text and compares every value with the oracle's.
fn check(text: &[u8]) {
    let mut open = vec![parse(text).unwrap()];
    while let Some(node) = open.pop() {
        let raw = node.raw().as_bytes();
        let inside =
            |range: std::ops::Range<usize>| node.span().start + range.start..node.span().start + range.end;
        match (Value::of(raw), node.kind()) {
            (Value::Null, Kind::Null) => assert_eq!(raw, b"null"),
            (Value::Bool(value), Kind::Bool) => assert_eq!(raw, value.to_string().as_bytes()),
            (Value::Number(number), Kind::Number) => assert_eq!(raw, number),
            (Value::String(text), Kind::String) => assert_eq!(raw, [b"\"", text.raw(), b"\""].concat()),
            (Value::Array(array), Kind::Array) => {
                let found: Vec<_> = elements(array).map(inside).collect();
                assert_eq!(found, node.elements().iter().map(Node::span).collect::<Vec<_>>());
                check_entries(array, &node);
            }
            (Value::Object(object), Kind::Object) => {
                let expected = node.members();
                assert_eq!(members(object).count(), expected.len());
                for (member, (name, value)) in members(object).zip(expected) {
                    assert!(Text::new(&object[member.name]).decodes_to(&name.to_wtf8()));
                    assert_eq!(inside(member.value), value.span());
                }
            }
            (value, kind) => panic!("{value:?} is {kind:?}"),
        }
        open.extend(node.elements());
        open.extend(node.members().into_iter().map(|(_, value)| value));
    }
}

/// Compares the entries of an array, for every name that an element has and for one that none has.
fn check_entries(array: &[u8], node: &Node) {
    let elements = node.elements();
    let names = elements.iter().flat_map(Node::members).map(|(name, _)| String::from_utf8(name.to_wtf8()));
    for name in names.flatten().chain(["no such name".to_owned()]).take(8) {
        let expected = elements
            .iter()
            .map(|element| (element.span(), element.get(name.as_str()).map(|value| value.span())));
        let inside =
            |range: std::ops::Range<usize>| node.span().start + range.start..node.span().start + range.end;
        let found = entries(array, &name).map(|entry| (inside(entry.element), entry.value.map(inside)));
        assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>(), "{name:?}");
    }
}

#[test]
fn real_events_are_walked_through() {
    strategy::events().into_iter().for_each(check);
}

#[test]
fn nothing_is_inside_what_is_empty() {
    assert_eq!((members(b"{ \t}").next(), elements(b"[\r\n]").next()), (None, None));
    assert_eq!((members(b"").next(), elements(b"").next()), (None, None));
    assert_eq!((entries(b"[ ]", "a").next(), entries(b"", "a").next()), (None, None));
}

proptest! {
    #[test]
    fn legal_text_is_walked_through(text in strategy::value()) {
        check(text.as_bytes());
    }

    #[test]
    fn illegal_text_does_no_harm(bytes in prop_oneof![
        strategy::damaged_event(),
        proptest::collection::vec(proptest::sample::select(b"\"\\{}[],: a0".to_vec()), 0..60),
    ]) {
        prop_assert!(members(&bytes).count() <= bytes.len());
        prop_assert!(elements(&bytes).count() <= bytes.len());
        prop_assert!(entries(&bytes, "a").count() <= bytes.len());
        for member in members(&bytes) {
            let _in_range = (&bytes[member.name], Value::of(&bytes[member.value]));
        }
        for element in elements(&bytes) {
            let _in_range = Value::of(&bytes[element]);
        }
        for entry in entries(&bytes, "a") {
            let _in_range = (&bytes[entry.element], entry.value.map(|value| Value::of(&bytes[value])));
        }
    }
}
