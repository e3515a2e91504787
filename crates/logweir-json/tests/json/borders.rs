//! Every token on and across every border of blocks and stripes.

use logweir_event::Span;
use proptest::prelude::*;

use crate::corpus;
use crate::padding::{Padding, each, is_legal_everywhere, offsets};
use crate::readers::{HOSTILE, KEYS, Readers, oracle};
use crate::strategy;

/// Where the first block and the first stripe end.
const BORDERS: [usize; 2] = [64, 512];

/// Returns members of which this is one value, with others around it.
fn with_value(value: &[u8]) -> Vec<u8> {
    [b"\"b\":[-1],\"a\":", value, b",\"b\":\"\""].concat()
}

/// Asserts that events with one of these values are legal, or that none is, wherever the value stands.
#[track_caller]
fn check(values: &[&[u8]], is_legal: bool) {
    let mut readers = Readers::new(&["a", "b"]);
    for value in values {
        let shown = String::from_utf8_lossy(value);
        assert_eq!(is_legal_everywhere(&mut readers, &with_value(value)), is_legal, "{shown}");
    }
}

#[test]
fn legal_values() {
    check(
        &[
            b"\"\"",
            b"\"x\"",
            b"\"\\u00e9\\uD83D\\ude00\\ud800\"",
            b"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
            b"\"\x7f\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\"",
            b"\"{}[],:0 \\\"\"",
            b"-0",
            b"0",
            b"0.0",
            b"-10.25E-07",
            b"1e+10",
            b"9007199254740993",
            b"true",
            b"false",
            b"null",
            b"[]",
            b"{}",
            b"[ \t\r]",
            b"{ \n }",
            b"[[],[[]],{},{\"\":{}}]",
            b"[ 1 , \"2\" , true , [ ] , { } ]",
            b"{ \"b\" : 1 ,\t\"a\" : { \"b\" : [ ] } }",
            b"{\"a\":1,\"b\":\"\",\"a\":[{\"a\":{}}]}",
        ],
        true,
    );
}

#[test]
fn illegal_numbers_and_literals() {
    check(
        &[
            b"-",
            b"--1",
            b"+1",
            b"01",
            b"-01",
            b"00",
            b"0x1",
            b"1.",
            b".5",
            b"1.e1",
            b"1..2",
            b"1e",
            b"1e+",
            b"1e5.",
            b"1_0",
            b"1-",
            b"0-1",
            b"Infinity",
            b"NaN",
            b"truex",
            b"xtrue",
            b"tru",
            b"tru e",
            b"True",
            b"nul",
            b"nulll",
            b"null0",
            b"0null",
            b"falsetrue",
            b"f",
            b"\x00",
            b"\x0b",
            b"\x0c",
            b"\x80",
            b"'a'",
            b"a",
            b"/**/1",
            b"1;",
        ],
        false,
    );
}

#[test]
fn illegal_strings() {
    check(
        &[
            b"\"",
            b"\"\\\"",
            b"\"\\x\"",
            b"\"\\\x00\"",
            b"\"\\U0041\"",
            b"\"\\\xc3\xa9\"",
            b"\"\\u\"",
            b"\"\\u12\"",
            b"\"\\u123\"",
            b"\"\\u123g\"",
            b"\"\\u 123\"",
            b"\"\\u12\\u1234\"",
            b"\"\x00\"",
            b"\"\x1f\"",
            b"\"\t\"",
            b"\"\n\"",
            b"\"x\ry\"",
            b"\"\\\n\"",
            b"\\\"\"",
            b"\\\"a\\\"",
            b"\"\"\\",
            b"\\",
            b"\"\xc3\"",
            b"\"\xff\"",
            b"\"\xed\xa0\xbd\"",
            b"\"\xf4\x90\x80\x80\"",
            b"\"\xc0\xaf\"",
            b"\"\xe4\xb8\"",
            b"\"\x80\"",
            b"\"\"\"\"",
            b"\"a\" \"b\"",
            b"\"\"x",
            b"x\"\"",
            b"\"\"0",
        ],
        false,
    );
}

#[test]
fn illegal_structure() {
    check(
        &[
            b"",
            b" ",
            b",",
            b":",
            b"1,",
            b",1",
            b"1:",
            b":1",
            b"1 2",
            b"1,2",
            b"1\"b\"",
            b"\"b\":1",
            b"[",
            b"]",
            b"{",
            b"}",
            b"[}",
            b"{]",
            b"[1,]",
            b"[,1]",
            b"[,]",
            b"[1,,2]",
            b"[1 2]",
            b"[1:2]",
            b"[\"b\":1]",
            b"[\"b\" :1]",
            b"[\"b\":]",
            b"[:]",
            b"[{]}",
            b"[1}",
            b"[]]",
            b"[][]",
            b"[]{}",
            b"{}[]",
            b"{}1",
            b"1{}",
            b"{\"b\"}",
            b"{\"b\",\"a\"}",
            b"{\"b\":}",
            b"{\"b\":,}",
            b"{\"b\":1,}",
            b"{,\"b\":1}",
            b"{,}",
            b"{:}",
            b"{:1}",
            b"{1}",
            b"{1:2}",
            b"{null:2}",
            b"{[]:1}",
            b"{{}:1}",
            b"{[]}",
            b"{\"b\"1}",
            b"{\"b\"\"c\"}",
            b"{\"b\":1:2}",
            b"{\"b\"::1}",
            b"{\"b\":\"c\":1}",
            b"{\"b\":1 \"c\":2}",
            b"{\"b\":[],1}",
            b"{\"b\":1,{}}",
            b"{\"b\":1,[]}",
            b"{\"b\":1,\"c\"}",
            b"[1]\"b\"",
            b"[{\"b\":1,2}]",
            b"{\"b\":[1,\"c\":2]}",
        ],
        false,
    );
}

#[test]
fn rows_of_backslashes() {
    let mut readers = Readers::new(&["a", "b"]);
    for n_bytes in 1..=70 {
        let row = "\\".repeat(n_bytes);
        let is_even = n_bytes % 2 == 0;
        // An odd one escapes the quote: the string goes on to the next one, behind which nothing may stand then.
        for (value, is_legal) in [
            (format!("\"{row}\""), is_even),
            (format!("\"{row}\"\""), !is_even),
            (format!("\"{row}u00e9\""), true),
            (format!("\"{row}x\""), is_even),
        ] {
            let members = format!("\"a\":{value},\"b\":\"\"");
            let near_borders = (0..=64).step_by(3).chain(505..=515);
            each(&mut readers, members.as_bytes(), near_borders, |answer, _| {
                assert_eq!(answer.0.is_ok(), is_legal, "{members}");
            });
        }
    }
}

#[test]
fn all_texts_of_the_corpus() {
    let mut readers = Readers::new(KEYS);
    for folder in ["legal", "illegal"] {
        for (name, text) in corpus::files(folder) {
            // Longer ones are nested deeply; see `depth`.
            if text.len() < 300 {
                let is_legal = is_legal_everywhere(&mut readers, &with_value(&text));
                assert_eq!(is_legal, folder == "legal", "{name}");
            }
        }
    }
}

#[test]
fn every_byte_next_to_a_border() {
    let members = b"\"a\" :[1,-0.5e1,\"x\\u00e9\\n\"] ,\"b\":{\"a\":true}";
    let mut readers = Readers::new(&["a", "b", "b.a"]);
    for border in BORDERS {
        // Each byte of the members comes to stand before the border and behind it.
        for n_before in 1..members.len() {
            let mut event = Padding::Value.start(border - n_before - Padding::Value.start(0).len());
            event.extend_from_slice(members);
            event.push(b'}');
            for at in [border - 2, border - 1, border, border + 1] {
                let original = event[at];
                for byte in 0..=u8::MAX {
                    event[at] = byte;
                    let _agreed = readers.read(&event, Span::new(0, event.len()));
                }
                event[at] = original;
            }
            assert!(readers.read_twice(&event).0.is_ok());
        }
    }
}

#[test]
fn telling_bytes_everywhere_in_a_moved_event() {
    let members = b"\"a\" :[1,-0.5e1,\"x\\u00e9\\n\"] ,\"b\":{\"a\":true}";
    let mut readers = Readers::new(&["a", "b", "b.a"]);
    for offset in offsets() {
        let mut event = Padding::Space.start(offset);
        let start = event.len();
        event.extend_from_slice(members);
        event.push(b'}');
        for at in start..event.len() {
            let original = event[at];
            for &byte in b"\"\\{}[],:0e \x01\xc3" {
                event[at] = byte;
                let _agreed = readers.read(&event, Span::new(0, event.len()));
            }
            event[at] = original;
        }
    }
}

#[test]
fn white_space_over_whole_blocks() {
    let mut readers = Readers::new(&["a", "b"]);
    // What stands before the white space, what behind it, and whether that is legal.
    let cases: &[(&str, &str, bool)] = &[
        ("{", "\"a\":1}", true),
        ("{", "}", true),
        ("{", ",\"a\":1}", false),
        ("{\"a\":[", "]}", true),
        ("{\"a\":[", "1]}", true),
        ("{\"a\":[", ",1]}", false),
        ("{\"a\":[1", "]}", true),
        ("{\"a\":[1", "1]}", false),
        ("{\"a\":[1,", "1]}", true),
        ("{\"a\":[1,", "]}", false),
        ("{\"a\":[1,", ",1]}", false),
        ("{\"a\"", ":1}", true),
        ("{\"a\"", "1}", false),
        ("{\"a\"", "}", false),
        ("{\"a\"", ",\"b\":1}", false),
        ("{\"a\":", "1}", true),
        ("{\"a\":", "\"\\\\\"}", true),
        ("{\"a\":", "}", false),
        ("{\"a\":", ":1}", false),
        ("{\"a\":", "\"b\":1}", false),
        ("{\"a\":\"x\"", "}", true),
        ("{\"a\":\"x\"", ":1}", false),
        ("{\"a\":\"x\"", ",\"b\":2}", true),
        ("{\"a\":1,", "\"b\":2}", true),
        ("{\"a\":1,", "}", false),
        ("{\"a\":1,", "b}", false),
        ("{\"a\":1,", "{}}", false),
        ("{\"a\":tru", "e}", false),
        ("{\"a\":-", "1}", false),
        ("{\"a\":{}", "}", true),
        ("{\"a\":{}", "{}}", false),
        ("{\"a\":1}", "", true),
        ("{\"a\":1}", "}", false),
    ];
    for &(before, behind, is_legal) in cases {
        // What stands before ends on either side of a border.
        for end in (61..=67).chain(509..=515) {
            let n_padding = end - before.len() - Padding::Value.start(0).len() + 1;
            for n_spaces in
                [1, 2, 60, 61, 62, 63, 64, 65, 66, 127, 128, 129, 447, 448, 449, 511, 512, 513, 1025]
            {
                for space in [" ", "\t", " \r \n"] {
                    let spaces = &space.repeat(n_spaces)[..n_spaces];
                    let mut event = Padding::Value.start(n_padding);
                    if before == "{" && behind.starts_with('}') {
                        // No comma may stand before the brace.
                        event.pop();
                    }
                    event.extend_from_slice(&before.as_bytes()[1..]);
                    event.extend_from_slice(spaces.as_bytes());
                    event.extend_from_slice(behind.as_bytes());
                    let answer = readers.read_twice(&event);
                    assert_eq!(answer.0.is_ok(), is_legal, "{}", String::from_utf8_lossy(&event));
                }
            }
        }
    }
}

#[test]
fn whatever_stands_behind() {
    let mut readers = Readers::new(&["a", "b"]);
    let endings = [
        "\"\\\\\"}",
        "1}",
        "[]}",
        "{}}",
        "\"\\\"}",
        "\"}",
        "\"é\"}",
        "1",
        "[}",
        "1}\r\n",
        "1} ",
        "01}",
        "-}",
        "tru}",
    ];
    for ending in endings {
        for offset in (0..=130).chain(500..=520) {
            let mut event = Padding::Value.start(offset);
            event.extend_from_slice(b"\"a\":");
            event.extend_from_slice(ending.as_bytes());
            let span = Span::new(0, event.len());
            let alone = readers.read(&event, span);
            for hostile in HOSTILE {
                for n_bytes in [1, 7, 63, 64] {
                    let chunk = [&event[..], &hostile[..n_bytes]].concat();
                    assert_eq!(readers.read(&chunk, span), alone, "{}", String::from_utf8_lossy(&chunk));
                }
            }
        }
    }
}

#[test]
fn numbers_longer_than_blocks() {
    let mut readers = Readers::new(&["a", "b"]);
    for n_digits in [1, 30, 62, 63, 64, 65, 128, 447, 510, 511, 512, 513, 700] {
        let digits = "1234567890".repeat(71);
        let digits = &digits[..n_digits];
        for (number, is_legal) in [
            (digits.to_owned(), true),
            (format!("-{digits}"), true),
            (format!("{digits}.{digits}"), true),
            (format!("{digits}e{digits}"), true),
            (format!("-{digits}.{digits}E-{digits}"), true),
            (format!("0.{digits}"), true),
            (format!("0{digits}"), false),
            (format!("-0{digits}"), false),
            (format!("{digits}."), false),
            (format!("{digits}.e{digits}"), false),
            (format!("{digits}e"), false),
            (format!("{digits}e+"), false),
            (format!("{digits}.{digits}.{digits}"), false),
            (format!("{digits}-{digits}"), false),
            (format!("{digits}x"), false),
            (format!("x{digits}"), false),
            (format!("{digits} {digits}"), false),
            (format!("{digits}\x0c"), false),
            (format!("true{digits}"), false),
            (format!("{digits}null"), false),
        ] {
            let members = format!("\"a\":{number},\"b\":1");
            let offsets = [
                0, 1, 17, 40, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 497, 500, 503,
                506,
            ];
            each(&mut readers, members.as_bytes(), offsets.into_iter(), |answer, _| {
                assert_eq!(answer.0.is_ok(), is_legal, "{members}");
            });
        }
    }
}

#[test]
fn values_and_names_longer_than_stripes() {
    let mut readers = Readers::new(&["a", "b"]);
    for piece in ["x", "\\\\", "\\\"", "\\u00e9", "é", "中", "😀", "[", "}", ":,", "\\n \\\"a\\\":"] {
        for n_bytes in [63, 64, 65, 127, 511, 512, 513, 1023, 1024, 1025, 5000] {
            let long = piece.repeat(n_bytes / piece.len() + 1);
            let odd_spaces = " ".repeat(n_bytes % 7);
            for event in [
                format!("{{{odd_spaces}\"a\":\"{long}\",\"b\":{{\"a\":\"{long}\"}}}}"),
                format!("{{{odd_spaces}\"{long}\":\"{long}\",\"a\":[\"{long}\"]}}"),
                format!("{{{odd_spaces}\"b\":{{\"{long}\":[]}},\"b\":0}}"),
            ] {
                let answer = readers.read_twice(event.as_bytes());
                assert_eq!(answer, oracle(event.as_bytes(), 0, &["a", "b"]));
                assert!(answer.0.is_ok(), "{event}");
                for broken in [event.replacen("\":", ":", 1), event.replace(&long, &format!("{long}\x01"))] {
                    assert!(readers.read_twice(broken.as_bytes()).0.is_err(), "{broken}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn generated_events_are_legal_everywhere(event in strategy::event()) {
        let event = event.trim().as_bytes();
        let members = &event[1..event.len() - 1];
        prop_assume!(!members.trim_ascii().is_empty());
        prop_assert!(is_legal_everywhere(&mut Readers::new(KEYS), members));
    }

    #[test]
    fn damaged_events_mean_the_same_everywhere(event in strategy::damaged_event()) {
        let event = event.trim_ascii();
        prop_assume!(event.len() > 2);
        let members = &event[1..event.len() - 1];
        prop_assume!(!members.trim_ascii().is_empty());
        is_legal_everywhere(&mut Readers::new(KEYS), members);
    }
}
