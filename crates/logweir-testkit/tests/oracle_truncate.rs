//! The oracle's cutting against worked cases and the rules for cutting.

use logweir_testkit::oracle::decode::Event;
use logweir_testkit::oracle::json::parse;
use logweir_testkit::oracle::same_tokens;
use logweir_testkit::oracle::truncate::{Truncated, Unit, truncate};
use logweir_testkit::samples::{self, truncate_cases};
use logweir_testkit::strategies::any_event;
use proptest::prelude::*;

fn cut(event: &str, limit: usize, unit: Unit) -> Truncated {
    truncate(&Event::read(event.as_bytes()).expect("an event"), limit, unit)
}

/// Checks what becomes of an event byte for byte, with the short `<n>`, `<e>` and `<m>` for the three markers.
fn check(event: &str, limit: usize, unit: Unit, expected: &str, lost: [u64; 3]) {
    let truncated = cut(event, limit, unit);
    let expected = expected
        .replace("<n>", "<<<Logpush: exception names truncated>>>")
        .replace("<e>", "<<<Logpush: exception messages truncated>>>")
        .replace("<m>", "<<<Logpush: messages truncated>>>");
    assert_eq!(String::from_utf8_lossy(&truncated.line), expected, "{event} at {limit}");
    assert_eq!(truncated.lost, lost, "{event} at {limit}");
    assert_eq!(truncated.cut, event != expected);
}

#[test]
fn the_worked_cases_come_out_as_worked() {
    let cases = truncate_cases();
    assert_eq!(cases.len(), 158);
    for case in cases {
        let truncated = cut(&case.input, case.limit, Unit::Chars);
        same_tokens(&truncated.line, case.output.as_bytes()).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    }
}

#[test]
fn the_documented_example_comes_out_as_documented() {
    let event = Event::read(samples::EXAMPLE_IN).unwrap();
    let truncated = truncate(&event, 50, Unit::Chars);
    same_tokens(&truncated.line, samples::EXAMPLE_OUT).unwrap();
    let n_cut = "unable to process request authentication from client".len() as u64 - 10;
    assert_eq!(truncated.lost, [0, n_cut, "Hello World!".len() as u64]);
}

#[test]
fn all_but_what_is_cut_stays_byte_for_byte() {
    check(
        " { \"Exceptions\" : [ { \"Name\" : \"a\\u0062c\" , \"x\" : 1.0 } , {} , 3 ] , \"Logs\" :\t[ ] } \r\n",
        2,
        Unit::Chars,
        " { \"Exceptions\" : [ { \"Name\" : \"a\\u0062<n>\" , \"x\" : 1.0 }  ] , \"Logs\" :\t[ ] } \r\n",
        [1, 0, 0],
    );
    check(
        "{\"Logs\":[ {\"Message\":[ \"ab\" , \"c\" , \"d\" ] } , { \"Message\" : \"e\" } , 1 ] }",
        1,
        Unit::Chars,
        "{\"Logs\":[ {\"Message\":[ \"a<m>\"  ] }  ] }",
        [0, 0, 4],
    );
}

#[test]
fn what_two_cuts_drop_is_one_run() {
    check(
        r#"{"Exceptions":[{"Name":"a","Message":"m"} , {"Name":"bcd"} , {"Name":"e","Message":"fg"} ]}"#,
        2,
        Unit::Chars,
        r#"{"Exceptions":[{"Name":"a","Message":"<e>"}  ]}"#,
        [4, 3, 0],
    );
}

#[test]
fn an_empty_array_reached_after_the_cut_gets_the_marker() {
    check(
        r#"{"Exceptions":[{"Name":"ab"}],"Logs":[{},{"Message":[ ]},{"Message":"x"}]}"#,
        1,
        Unit::Chars,
        r#"{"Exceptions":[{"Name":"a<n>"}],"Logs":[{},{"Message":["<m>"]}]}"#,
        [1, 0, 1],
    );
}

#[test]
fn what_is_no_array_of_messages_is_charged_as_it_is_written() {
    check(r#"{"Logs":[{"Message":12345}]}"#, 3, Unit::Chars, r#"{"Logs":[{"Message":"123<m>"}]}"#, [0, 0, 2]);
    check(
        "{\"Logs\":[{\"Message\":{\"\\n\":\t[]}}]}",
        7,
        Unit::Chars,
        r#"{"Logs":[{"Message":"{\"\\n\":\t<m>"}]}"#,
        [0, 0, 3],
    );
    check(
        r#"{"Logs":[{"Message":[[1,"é"],2]}]}"#,
        5,
        Unit::Chars,
        r#"{"Logs":[{"Message":["[1,\"é<m>"]}]}"#,
        [0, 0, 3],
    );
    check(r#"{"Logs":[{"Message":true}]}"#, 4, Unit::Chars, r#"{"Logs":[{"Message":true}]}"#, [0, 0, 0]);
}

#[test]
fn units_count_differently_and_split_no_character() {
    let event = r#"{"Logs":[{"Message":["aé\u00e9\ud83d🙂\ud83d\ude42z"]}]}"#;
    let kept = |unit, limit| {
        let truncated = cut(event, limit, unit);
        let text = String::from_utf8(truncated.line).unwrap();
        let kept = text["{\"Logs\":[{\"Message\":[\"".len()..].split("<<<").next().unwrap().to_owned();
        (kept, truncated.lost[2])
    };
    assert_eq!(kept(Unit::Chars, 4), (r"aé\u00e9\ud83d".to_owned(), 3));
    assert_eq!(kept(Unit::Chars, 6), (r"aé\u00e9\ud83d🙂\ud83d\ude42".to_owned(), 1));
    assert_eq!(kept(Unit::Utf16, 5), (r"aé\u00e9\ud83d".to_owned(), 5));
    assert_eq!(kept(Unit::Utf16, 7), (r"aé\u00e9\ud83d🙂".to_owned(), 3));
    assert_eq!(kept(Unit::Bytes, 2), ("a".to_owned(), 16));
    assert_eq!(kept(Unit::Bytes, 7), (r"aé\u00e9".to_owned(), 12));
    assert_eq!(kept(Unit::Bytes, 8), (r"aé\u00e9\ud83d".to_owned(), 9));
    assert_eq!(kept(Unit::Bytes, 16), (r"aé\u00e9\ud83d🙂\ud83d\ude42".to_owned(), 1));
    for (unit, size) in [(Unit::Chars, 7), (Unit::Utf16, 9), (Unit::Bytes, 17)] {
        assert!(!cut(event, size, unit).cut);
        assert!(cut(event, size - 1, unit).cut);
    }
}

#[test]
fn what_does_not_count_is_never_touched() {
    for event in [
        r#"{"logs":[{"Message":["abc"]}],"Exceptions":[{"name":"abc","message":"abc","Stack":"abc"}]}"#,
        r#"{"Logs":"abc","Exceptions":{"Name":"abc"}}"#,
        r#"{"Logs":[{"Level":"abc"},"abc",{"message":"abc"}],"Exceptions":["abc",{"Name":5,"Message":["abc"]}]}"#,
        r#"{"Logs":[{"Message":["abc"]}],"Logs":[]}"#,
        r#"{"Logs":[{"Message":["abc"],"Message":[]}]}"#,
    ] {
        check(event, 0, Unit::Chars, event, [0; 3]);
    }
}

/// Counts the units of all texts that count, markers left out, in another way than the code under test: by hand on
/// the parsed output.
fn counted(line: &[u8], unit: Unit) -> [u64; 3] {
    let event = parse(line).expect("an event");
    let list = |name: &str| event.get(name).map(|list| list.elements()).unwrap_or_default();
    let size = |text: &[u32]| -> u64 {
        let text: String = text.iter().map(|&c| char::from_u32(c).unwrap_or('\u{fffd}')).collect();
        match unit {
            Unit::Chars => text.chars().count() as u64,
            Unit::Utf16 => text.encode_utf16().count() as u64,
            Unit::Bytes => text.len() as u64,
        }
    };
    let mut sums = [0; 3];
    for exception in list("Exceptions") {
        for (sum, field) in sums.iter_mut().zip(["Name", "Message"]) {
            *sum += exception.get(field).and_then(|text| text.text()).map_or(0, |text| size(&text.0));
        }
    }
    for message in list("Logs").iter().filter_map(|log| log.get("Message")) {
        let elements = if message.raw().starts_with('[') { message.elements() } else { vec![message] };
        for element in elements {
            let raw = || element.raw().chars().map(u32::from).collect();
            sums[2] += size(&element.text().map_or_else(raw, |text| text.0));
        }
    }
    sums
}

fn any_unit() -> impl Strategy<Value = Unit> {
    prop::sample::select(vec![Unit::Chars, Unit::Utf16, Unit::Bytes])
}

proptest! {
    #[test]
    fn the_budget_is_kept_and_every_lost_unit_counted(event in any_event(), limit in 0..60usize, unit in any_unit()) {
        let truncated = cut(&event, limit, unit);
        let before: u64 = counted(event.as_bytes(), unit).iter().sum();
        prop_assert_eq!(truncated.cut, before > limit as u64);
        if !truncated.cut {
            prop_assert_eq!(String::from_utf8(truncated.line).unwrap(), event);
            prop_assert_eq!(truncated.lost, [0; 3]);
            return Ok(());
        }
        // Markers are ASCII, so that each of their characters is one unit.
        let text = String::from_utf8(truncated.line.clone()).unwrap();
        let markers = ["<<<Logpush: exception names truncated>>>", "<<<Logpush: exception messages truncated>>>", "<<<Logpush: messages truncated>>>"];
        let n_marker_units: usize = markers.iter().map(|marker| text.matches(marker).count() * marker.len()).sum();
        let after: u64 = counted(&truncated.line, unit).iter().sum::<u64>() - n_marker_units as u64;
        prop_assert!(after <= limit as u64, "{} left of {}", after, text);
        prop_assert_eq!(before - after, truncated.lost.iter().sum::<u64>());
    }

    #[test]
    fn an_event_no_longer_than_the_limit_is_never_cut(event in any_event(), unit in any_unit()) {
        prop_assert!(!cut(&event, event.len(), unit).cut);
    }
}
