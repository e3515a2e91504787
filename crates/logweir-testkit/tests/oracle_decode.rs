//! The oracle's lines against the rules for decoding.

use logweir_event::Malformed;
use logweir_testkit::oracle::decode::{Line, decode};
use logweir_testkit::samples;

/// Says in a word what each line is.
fn check(input: &[u8], max_event_bytes: usize, expected: &[&str]) {
    let lines = decode(input, max_event_bytes);
    let words: Vec<&str> = lines
        .iter()
        .map(|line| match line {
            Line::Blank(_) => "blank",
            Line::Event(_) => "event",
            Line::Malformed(Malformed::NotUtf8, _) => "not_utf8",
            Line::Malformed(Malformed::NotJson, _) => "not_json",
            Line::Malformed(Malformed::NotObject, _) => "not_object",
            Line::Oversized(_) => "oversized",
        })
        .collect();
    assert_eq!(words, expected, "{:?}", String::from_utf8_lossy(input));
    let joined: Vec<u8> = lines.iter().flat_map(|line| line.raw().to_vec()).collect();
    assert_eq!(joined, input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input));
}

#[test]
fn a_line_ends_with_a_line_feed_or_the_stream() {
    check(b"", 99, &[]);
    check(b"{}", 99, &["event"]);
    check(b"{}\n", 99, &["event"]);
    check(b"{}\r\n{}", 99, &["event", "event"]);
    check(b"{}\r", 99, &["event"]);
    check(b"\n\n", 99, &["blank", "blank"]);
}

#[test]
fn only_space_tab_and_cr_make_a_line_blank() {
    check(b" \t\r\r\n \t", 99, &["blank", "blank"]);
    check(b"\x0b\n\x0c\n\xc2\xa0\n\0\n", 99, &["not_json"; 4]);
}

#[test]
fn only_the_first_byte_order_mark_is_skipped() {
    check(b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n", 99, &["event", "not_json"]);
    check(b"\xef\xbb\xbf", 99, &[]);
    check(b"\xef\xbb\xbf\xef\xbb\xbf{}", 99, &["not_json"]);
    check(b"\xef\xbb{}", 99, &["not_utf8"]);
}

#[test]
fn reasons_are_tested_in_order() {
    check(b"{\"\xff\":\n", 99, &["not_utf8"]);
    check(b"[1,\n", 99, &["not_json"]);
    check(b"[1]\n1\n\"{}\"\nnull\n", 99, &["not_object"; 4]);
    check(b"{\"a\":1,}\n{\"a\":NaN}\n{} {}\n{\"a\":01}\n", 99, &["not_json"; 4]);
    check(b"{\"a\":1e400,\"b\":\"\\ud83d\",\"c\":123456789012345678901234567890}", 99, &["event"]);
}

#[test]
fn a_length_is_measured_without_the_ending_and_before_all_else() {
    check(b"{   }\n{   }\r\n{   }", 5, &["event"; 3]);
    check(b"{   }\n{   }\r\n{   }", 4, &["oversized"; 3]);
    check(b"     \n\xff\xff\xff\xff\xff\n", 4, &["oversized"; 2]);
    check(b"    \n", 4, &["blank"]);
    check(b"{}\r\r\n", 3, &["event"]);
    check(b"{}\r", 2, &["oversized"]);
}

#[test]
fn real_events_are_events() {
    for line in decode(samples::EVENTS, 4 << 20).iter().chain(&decode(samples::DEEP, 4 << 20)) {
        let Line::Event(event) = line else { panic!("{}", String::from_utf8_lossy(line.raw())) };
        assert_eq!(event.body(), line.raw().strip_suffix(b"\n").unwrap());
    }
}

#[test]
fn the_body_is_without_the_white_space_around_it() {
    let lines = decode(b" \t{ \"a\":1 } \r\r\n", 99);
    let [Line::Event(event)] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(event.body(), b"{ \"a\":1 }");
}
