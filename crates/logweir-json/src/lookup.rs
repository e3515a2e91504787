//! Lookups: `${`, with which a logger of the reader's side may be made to fetch and run code (CVE-2021-44228).
//!
//! Whoever logs a string of JSON has decoded it before, so a lookup counts in each spelling that a string may have: `$`
//! or `\u0024`, then `{` or `\u007b`. An escape begins at a backslash that is not itself escaped.

use memchr::memchr2;

/// Returns where in rendered text the first lookup begins. `text` begins with no second half of an escape.
pub fn find_lookup(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(n_before) = memchr2(b'$', b'\\', &text[at..]) {
        at += n_before;
        at += match &text[at..] {
            [b'$', rest @ ..] | [b'\\', b'u', b'0', b'0', b'2', b'4', rest @ ..] if opens(rest) => {
                return Some(at);
            }
            [b'\\', b'\\', ..] => 2,
            _ => 1,
        };
    }
    None
}

/// Makes of each `${` in rendered text `x{`, of an escape again an escape, so that it keeps its length.
pub fn redact_lookups(text: &mut [u8]) {
    let mut from = 0;
    while let Some(n_before) = find_lookup(&text[from..]) {
        let at = from + n_before;
        // What follows is no second half of an escape: the dollar has been the first half of none.
        from = if text[at] == b'$' {
            text[at] = b'x';
            at + 1
        } else {
            text[at..at + 6].copy_from_slice(br"\u0078");
            at + 6
        };
    }
}

/// Returns whether text begins with a brace.
fn opens(rest: &[u8]) -> bool {
    matches!(rest, [b'{', ..] | [b'\\', b'u', b'0', b'0', b'7', b'b' | b'B', ..])
}
