//! Lookups, in every spelling.

use logweir_json::{find_lookup, redact_lookups};
use logweir_testkit::oracle::encode::redacted;
use proptest::prelude::*;
use proptest::sample::select;

fn check(text: &str, expected: &str) {
    let mut bytes = text.as_bytes().to_vec();
    redact_lookups(&mut bytes);
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    assert_eq!(find_lookup(text.as_bytes()).is_some(), text != expected);
}

#[test]
fn a_lookup_is_redacted_in_every_spelling() {
    check("${jndi:x}", "x{jndi:x}");
    check(r"\u0024{jndi:x}", r"\u0078{jndi:x}");
    check(r"$\u007b$\u007B", r"x\u007bx\u007B");
    check(r"\u0024\u007b", r"\u0078\u007b");
    check("$${${{$", "$x{x{{$");
    check("é${日${", "éx{日x{");
}

#[test]
fn an_escaped_backslash_begins_no_escape() {
    check(r"\\u0024{", r"\\u0024{");
    check(r"\\\u0024{", r"\\\u0078{");
    check(r"\\${", r"\\x{");
    check(r"\${", r"\x{");
    check(r"$\\u007b", r"$\\u007b");
}

#[test]
fn what_only_looks_like_a_lookup_stays() {
    for text in
        ["$ {", "$", "{", "$}", r"\u0024", r"\u0024}", r"\u002{", r"$\u007", r"$\u007c", r"\", "", "x{"]
    {
        check(text, text);
    }
}

proptest! {
    #[test]
    fn the_naive_version_redacts_the_same(
        pieces in prop::collection::vec(
            select(vec!["$", "{", "\\", r"\u0024", r"\u007b", r"\u007B", "u0024", "a", "\"", "é", r"\n"]), 0..40)
    ) {
        let text = pieces.concat();
        let mut bytes = text.as_bytes().to_vec();
        redact_lookups(&mut bytes);
        let expected = redacted(text.as_bytes());
        prop_assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&expected));
        prop_assert_eq!(find_lookup(&bytes), None);
    }
}
