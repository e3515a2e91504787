//! Legal JSON in all its spellings, and real events with damage done to them.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// Real events, some with lone surrogates or integers beyond 64 bits.
pub(crate) const EVENTS: &[u8] = include_bytes!("../data/events.ndjson");

/// Returns the real events, each with its ending.
pub(crate) fn events() -> Vec<&'static [u8]> {
    EVENTS.split_inclusive(|&byte| byte == b'\n').collect()
}

/// The inside of a string, as it may stand in a text.
pub(crate) fn string() -> impl Strategy<Value = String> {
    let escape =
        select(vec!["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"]).prop_map(str::to_owned);
    let unicode = any::<u16>().prop_map(|unit| format!("\\u{unit:04X}"));
    let surrogate = (0xd7f0_u16..0xe010).prop_map(|unit| format!("\\u{unit:04x}"));
    let character =
        any::<char>().prop_filter("escaped ones apart", |&char| char >= ' ' && !"\"\\".contains(char));
    let piece = prop_oneof![
        4 => "[a-z{}\\[\\],: ]{0,9}",
        1 => "[ !#-\\[\\]-~]{100,300}",
        1 => "[é中😀\u{7f}\u{80}\u{10ffff}x]{0,200}",
        2 => character.prop_map(String::from),
        1 => escape,
        1 => unicode,
        2 => surrogate,
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A name, most often one that is asked for, spelled in one way or another.
fn name() -> impl Strategy<Value = String> {
    let asked =
        ["a", "b", "a.b", "\\u0061", "\\u0062", "a\\u002eb", "", "é", "\\u00E9", "\\ud83d\\ude00", "\\\""];
    let near = ["A", "aa", "\\ud800", "\\ude00\\ud83d", "Outcome", "Logs", "a\\n"];
    prop_oneof![
        6 => select(asked.to_vec()).prop_map(str::to_owned),
        2 => select(near.to_vec()).prop_map(str::to_owned),
        1 => string(),
    ]
}

/// A number by JSON's grammar.
pub(crate) fn number() -> impl Strategy<Value = String> {
    let edges = [
        "0",
        "-0",
        "1",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775809",
        "9007199254740993",
        "9007199254740992.0",
        "1e400",
        "-1e400",
        "1E-400",
        "0e999999",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "9223372036854775807.0",
        "18446744073709551616.0",
    ];
    prop_oneof![
        1 => select(edges.to_vec()).prop_map(str::to_owned),
        2 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<i8>().prop_map(|number| number.to_string()),
        2 => "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
    ]
}

fn space() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just(String::new()), 1 => "[ \t\r]{1,3}", 1 => "[ ]{60,70}"]
}

/// Any value.
pub(crate) fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(vec!["true", "false", "null"]).prop_map(str::to_owned),
        number(),
        string().prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![list("[", inner.clone().boxed(), "]"), list("{", member(inner.boxed()), "}")]
    })
}

/// An event without its line ending.
pub(crate) fn event() -> impl Strategy<Value = String> {
    let object = list("{", member(value().boxed()), "}");
    (space(), object, space()).prop_map(|(before, object, behind)| before + &object + &behind)
}

fn member(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    (name(), space(), space(), value)
        .prop_map(|(name, before, behind, value)| format!("\"{name}\"{before}:{behind}{value}"))
        .boxed()
}

fn list(open: &'static str, item: BoxedStrategy<String>, close: &'static str) -> BoxedStrategy<String> {
    let spaced = (space(), item, space()).prop_map(|(before, item, behind)| before + &item + &behind);
    (vec(spaced, 0..6), space())
        .prop_map(move |(items, space)| {
            let inside = if items.is_empty() { space } else { items.join(",") };
            format!("{open}{inside}{close}")
        })
        .boxed()
}

/// One way to damage a text.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Set(Index, u8),
    Delete(Index, usize),
    Insert(Index, Vec<u8>),
    /// Put a part of another event here.
    Splice(Index, Index, Index, usize),
}

/// A real event with some damage done to it; no line feed but perhaps the last.
pub(crate) fn damaged_event() -> impl Strategy<Value = Vec<u8>> {
    let byte = || prop_oneof![select(b"\"\\{}[],:0-.eEtfnu \t\r\x0c\x1f\x00\x7f".to_vec()), any::<u8>()];
    let damage = prop_oneof![
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, 1 << bit)),
        (any::<Index>(), byte()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        (any::<Index>(), 1..9_usize).prop_map(|(at, len)| Damage::Delete(at, len)),
        (any::<Index>(), vec(byte(), 1..5)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<Index>(), any::<Index>(), any::<Index>(), 1..80_usize)
            .prop_map(|(at, event, from, len)| Damage::Splice(at, event, from, len)),
    ];
    (select(events()), vec(damage, 0..4)).prop_map(|(event, damages)| {
        let mut line = event.to_vec();
        for damage in damages {
            apply(&damage, &mut line);
        }
        let end = line.len().saturating_sub(1);
        line.iter_mut().take(end).filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        line
    })
}

fn apply(damage: &Damage, line: &mut Vec<u8>) {
    let len_before = line.len();
    match damage {
        Damage::Flip(at, mask) => line[at.index(len_before)] ^= mask,
        Damage::Set(at, byte) => line[at.index(len_before)] = *byte,
        Damage::Delete(at, len) => {
            line.drain(part(*at, *len, line.len() - 1));
        }
        Damage::Insert(at, bytes) => {
            let at = at.index(line.len());
            line.splice(at..at, bytes.iter().copied());
        }
        Damage::Splice(at, event, from, len) => {
            let at = at.index(line.len());
            let other = event.get(&events()).to_owned();
            line.splice(at..at, other[part(*from, *len, other.len())].iter().copied());
        }
    }
}

fn part(at: Index, len: usize, of: usize) -> Range<usize> {
    let at = at.index(of);
    at..(at + len).min(of)
}
