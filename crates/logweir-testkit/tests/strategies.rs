//! Made-up input is what it is said to be, and varied enough to be worth it.

use std::collections::BTreeSet;

use logweir_event::Malformed;
use logweir_testkit::oracle::decode::{Line, decode};
use logweir_testkit::oracle::json::{Kind, Node, Text, parse};
use logweir_testkit::oracle::truncate::{Unit, truncate};
use logweir_testkit::strategies::{
    any_event, any_json, any_line, any_number, any_stream, any_string, mutated,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Gives this many values, always the same.
fn values<S: Strategy>(strategy: &S, n: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..n).map(|_| strategy.new_tree(&mut runner).expect("a value").current()).collect()
}

#[test]
fn any_json_is_legal_and_of_every_kind() {
    let mut seen = BTreeSet::new();
    for text in values(&any_json(), 2_000) {
        let node = parse(text.as_bytes()).unwrap_or_else(|illegal| panic!("{illegal}: {text}"));
        assert!(!text.contains('\n'));
        seen.insert(format!("{:?}", node.kind()));
        let names: Vec<Text> = node.members().into_iter().map(|(name, _)| name).collect();
        if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
            seen.insert("duplicates".to_owned());
        }
        if text.contains("[[[[[[[[[[") {
            seen.insert("depth".to_owned());
        }
        if text.contains("\t,") || text.contains(", ") || text.contains(",\r") {
            seen.insert("space".to_owned());
        }
    }
    assert_eq!(seen.len(), 9, "{seen:?}");
}

#[test]
fn strings_and_numbers_take_all_forms() {
    let strings: Vec<Node> =
        values(&any_string(), 2_000).iter().map(|text| parse(text.as_bytes()).unwrap()).collect();
    assert!(strings.iter().all(|node| node.kind() == Kind::String));
    let has = |test: &dyn Fn(u32, usize) -> bool| {
        strings.iter().flat_map(|node| node.characters().unwrap()).any(|c| test(c.code, c.spelled.len()))
    };
    assert!(has(&|code, _| (0xd800..0xe000).contains(&code)), "no lone surrogate");
    assert!(has(&|_, len| len == 12), "no pair");
    assert!(has(&|code, len| code == 0x0a && len == 2), "no short escape");
    assert!(has(&|code, len| code < 0x80 && len == 6), "no needless escape");
    assert!(has(&|code, len| code > 0xffff && len == 4), "no raw character beyond the first plane");

    let numbers = values(&any_number(), 2_000);
    assert!(numbers.iter().all(|text| parse(text.as_bytes()).unwrap().kind() == Kind::Number));
    assert!(numbers.iter().any(|text| text.len() > 40 && text.bytes().all(|byte| byte.is_ascii_digit())));
    assert!(numbers.iter().any(|text| text.contains('.') && text.contains("E-")));
}

#[test]
fn any_event_is_an_object_that_is_often_cut() {
    let events: Vec<String> = values(&any_event(), 1_000);
    let n_cut = events.iter().filter(|text| {
        let lines = decode(text.as_bytes(), usize::MAX);
        let [Line::Event(event)] = lines.as_slice() else { panic!("{text}") };
        truncate(event, 10, Unit::Chars).cut
    });
    assert!((300..950).contains(&n_cut.count()));
}

#[test]
fn any_line_is_one_line_of_every_kind() {
    let mut seen = [0; 5];
    for line in values(&any_line(), 2_000) {
        assert!(line.ends_with(b"\n") && !line[..line.len() - 1].contains(&b'\n'));
        let lines = decode(&line, usize::MAX);
        seen[match lines.as_slice() {
            [Line::Event(_)] => 0,
            [Line::Blank(_)] => 1,
            [Line::Malformed(Malformed::NotUtf8, _)] => 2,
            [Line::Malformed(Malformed::NotJson, _)] => 3,
            [Line::Malformed(Malformed::NotObject, _)] => 4,
            _ => panic!("{lines:?}"),
        }] += 1;
    }
    assert!(seen[0] > 1_000 && seen.iter().all(|&n| n > 40), "{seen:?}");
}

#[test]
fn any_stream_ends_in_both_ways() {
    let streams = values(&any_stream(), 300);
    assert!(streams.iter().any(|stream| stream.starts_with(b"\xef\xbb\xbf")));
    assert!(streams.iter().any(|stream| stream.ends_with(b"}")));
    assert!(streams.iter().any(|stream| stream.ends_with(b"}\r\n")));
    assert!(streams.iter().any(|stream| decode(stream, usize::MAX).len() > 5));
}

proptest! {
    #[test]
    fn damage_never_breaks_the_parser(bytes in any_event().prop_flat_map(|event| mutated(event.into_bytes()))) {
        if let Ok(node) = parse(&bytes) {
            prop_assert!(bytes.len() >= node.span().len());
        }
        decode(&bytes, 100);
    }
}
