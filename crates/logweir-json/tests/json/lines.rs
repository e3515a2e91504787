//! Lines.

use logweir_json::{content, is_blank, lines};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

#[test]
fn an_ending_belongs_to_its_line() {
    let bytes = b"a\r\n\n\r\nb\rc";
    let found: Vec<&[u8]> = lines(bytes).map(|line| &bytes[line.range()]).collect();
    assert_eq!(found, [&b"a\r\n"[..], b"\n", b"\r\n", b"b\rc"]);
    let contents: Vec<&[u8]> = found.into_iter().map(content).collect();
    assert_eq!(contents, [&b"a"[..], b"", b"", b"b\rc"]);
    assert_eq!(lines(b"").count(), 0);
    assert_eq!(content(b"a\r"), b"a\r");
}

#[test]
fn blank_is_space_tab_and_line_ending_alone() {
    assert!([&b""[..], b"\n", b" \t\r\n", b"\r"].into_iter().all(is_blank));
    assert!(![&b"\x0c"[..], b"\x0b\n", b"{", b"\0", "\u{a0}".as_bytes()].into_iter().any(is_blank));
}

proptest! {
    #[test]
    fn lines_cover_all_bytes(bytes in vec(select(b"ab \r\n".to_vec()), 0..60)) {
        let expected: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
        let found: Vec<&[u8]> = lines(&bytes).map(|line| &bytes[line.range()]).collect();
        prop_assert_eq!(found, expected);
    }
}
