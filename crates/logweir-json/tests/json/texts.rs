//! Strings, compared with lists of code points.

use logweir_json::{Text, Unit, check, count_text, escape_into, prefix_of_text};
use logweir_testkit::oracle::json::{self, Character};
use proptest::prelude::*;

use crate::strategy;

const UNITS: [Unit; 3] = [Unit::Chars, Unit::Utf16, Unit::Bytes];

/// Returns a string's code points; places count from its first byte behind the quote.
fn characters(raw: &str) -> Vec<Character> {
    let quoted = json::parse(format!("\"{raw}\"").as_bytes()).unwrap();
    let unquoted = |character: &Character| Character {
        code: character.code,
        spelled: character.spelled.start - 1..character.spelled.end - 1,
    };
    quoted.characters().unwrap().iter().map(unquoted).collect()
}

fn units(code: u32, unit: Unit) -> u64 {
    match unit {
        Unit::Chars => 1,
        Unit::Utf16 => 1 + u64::from(code > 0xffff),
        Unit::Bytes => json::Text(vec![code]).to_wtf8().len() as u64,
    }
}

fn naive_prefix(characters: &[Character], n: u64, unit: Unit) -> usize {
    let (mut end, mut left) = (0, n);
    for character in characters {
        let cost = units(character.code, unit);
        if cost > left {
            break;
        }
        left -= cost;
        end = character.spelled.end;
    }
    end
}

/// Returns a string in UTF-8, lone surrogates in their spelling.
fn in_utf8(raw: &str, characters: &[Character]) -> String {
    let utf8 = |character: &Character| match char::from_u32(character.code) {
        Some(char) => char.to_string(),
        None => raw[character.spelled.clone()].to_owned(),
    };
    characters.iter().map(utf8).collect()
}

fn decoded_in_pieces(text: Text<'_>) -> String {
    let mut out = Vec::new();
    text.decode_with(|piece| {
        assert!(piece == b"\"" || !piece.contains(&b'"'), "a quote is a piece of its own");
        out.extend_from_slice(piece);
    });
    String::from_utf8(out).unwrap()
}

/// Compares everything a [`Text`] can tell with what the list of its code points tells, prefixes of so many units too.
fn check_text(raw: &str, prefixes: &[u64]) {
    let (text, expected) = (Text::new(raw.as_bytes()), characters(raw));
    let decoded = json::Text(expected.iter().map(|character| character.code).collect()).to_wtf8();
    let mut out = b"kept".to_vec();
    text.decode_into(&mut out);
    assert_eq!(out, [b"kept", &decoded[..]].concat());
    assert_eq!(decoded_in_pieces(text), in_utf8(raw, &expected));
    let mut lossy = String::from("kept");
    text.decode_lossy_into(&mut lossy);
    let shown = |character: &Character| char::from_u32(character.code).unwrap_or('\u{fffd}');
    assert_eq!(lossy, "kept".chars().chain(expected.iter().map(shown)).collect::<String>());
    assert!(text.decodes_to(&decoded));
    assert!(!text.decodes_to(&[&decoded[..], b"x"].concat()));
    assert!(decoded.is_empty() || !text.decodes_to(&decoded[..decoded.len() - 1]));
    assert_eq!(text.is_plain(), !raw.contains('\\'));
    for unit in UNITS {
        assert_eq!(text.count(unit), expected.iter().map(|character| units(character.code, unit)).sum());
        for &n in prefixes {
            assert_eq!(text.prefix(n, unit), naive_prefix(&expected, n, unit), "{n} {unit:?} of {raw}");
        }
    }
}

#[test]
fn every_prefix_of_awkward_strings() {
    let awkward = [
        "",
        "\\u0000",
        "é",
        "中",
        "😀",
        "\\ud83d\\ude00",
        "\\ude00\\ud83d",
        "\\ud83d\\ud83d\\ude00\\ude00",
        "\\ud800\\udc00\\udbff\\udfff",
        "\\udbff\\ue000\\ud7ff\\udc00",
        "a\\ud83db",
        "\\ud83d\\n",
        "\\\\ud83d\\\\ude00",
        "\\u00e9\\u4e2d",
        "\\\"\\/\\b\\f\\n\\r\\t",
    ];
    for raw in awkward {
        check_text(raw, &(0..30).chain([u64::MAX]).collect::<Vec<_>>());
    }
}

#[test]
fn runs_of_any_length_around_the_block_size() {
    for character in ["x", "é", "中", "😀", "x😀"] {
        for n in [1, 31, 32, 42, 63, 64, 65, 127, 128, 129, 255, 256, 257, 300] {
            let raw = character.repeat(n);
            let total = raw.len() as u64;
            let around = [0, 1, 5, 128, 129, total / 4, total / 2, total.saturating_sub(3), total - 1, total];
            check_text(&raw, &around);
        }
    }
}

#[test]
fn real_strings_are_counted_as_by_hand() {
    let mut n_strings = 0;
    for event in strategy::events() {
        let mut open = vec![json::parse(event).unwrap()];
        while let Some(node) = open.pop() {
            if node.kind() == json::Kind::String {
                let raw = node.raw();
                check_text(&raw[1..raw.len() - 1], &[0, 1, 7, 100, 1000]);
                n_strings += 1;
            }
            open.extend(node.elements());
            open.extend(node.members().into_iter().map(|(_, value)| value));
        }
    }
    assert!(n_strings > 1000);
}

#[test]
fn damaged_escapes_do_no_harm() {
    for raw in
        ["\\", "\\u", "\\u12", "\\u12x4", "\\ud83d\\", "\\ud83d\\u", "\\ud83d\\ude0", "\\x", "\u{e9}\\"]
    {
        let text = Text::new(raw.as_bytes());
        let mut out = Vec::new();
        text.decode_into(&mut out);
        text.decode_with(|piece| out.extend_from_slice(piece));
        text.decode_lossy_into(&mut String::new());
        for unit in UNITS {
            assert!(text.count(unit) <= raw.len() as u64 && text.prefix(u64::MAX, unit) == raw.len());
        }
    }
}

#[test]
fn short_escapes_are_written_where_they_exist() {
    let mut out = Vec::new();
    escape_into(b"\"\\/\x08\x0c\n\r\t\x00\x1f\x7f\xc3\xa9\xed\x9f\xbf\xed\xa0\xbd", &mut out);
    assert_eq!(out, "\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}é\u{d7ff}\\ud83d".as_bytes());
}

proptest! {
    #[test]
    fn strings_are_counted_cut_and_decoded_as_by_hand(raw in strategy::string(), n in 0..700_u64) {
        check_text(&raw, &(0..20).chain([n, n + 1]).collect::<Vec<_>>());
    }

    #[test]
    fn plain_text_is_counted_and_cut_as_by_hand(text in "(\\PC|[\\\\\"é中😀]){0,300}", n in 0..700_u64) {
        for unit in UNITS {
            let cost = |char: char| units(u32::from(char), unit);
            prop_assert_eq!(count_text(text.as_bytes(), unit), text.chars().map(cost).sum::<u64>());
            let mut left = n;
            let fits = |char: &char| {
                let fits = cost(*char) <= left;
                left -= if fits { cost(*char) } else { 0 };
                fits
            };
            let expected: usize = text.chars().take_while(fits).map(char::len_utf8).sum();
            prop_assert_eq!(prefix_of_text(text.as_bytes(), n, unit), expected);
        }
    }

    #[test]
    fn what_is_escaped_decodes_to_what_it_was(raw in strategy::string()) {
        let mut decoded = Vec::new();
        Text::new(raw.as_bytes()).decode_into(&mut decoded);
        let mut escaped = Vec::new();
        escape_into(&decoded, &mut escaped);
        prop_assert!(Text::new(&escaped).decodes_to(&decoded));
        prop_assert!(check(&[b"\"", &escaped[..], b"\""].concat()).is_ok());
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300), n in 0..400_u64) {
        let text = Text::new(&bytes);
        for unit in UNITS {
            text.count(unit);
            prop_assert!(text.prefix(n, unit) <= bytes.len());
            prop_assert!(prefix_of_text(&bytes, n, unit) <= bytes.len());
        }
        escape_into(&bytes, &mut Vec::new());
        text.decode_with(|_| {});
        text.decode_lossy_into(&mut String::new());
    }
}
