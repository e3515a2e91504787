//! Where lines end.

use logweir_event::Span;
use memchr::memchr;

/// Returns the span of each line with its ending, in order.
///
/// A line ends behind each `\n`; the last one may lack it. The spans cover `bytes` without a gap, so no byte is in
/// two lines or in none.
///
/// # Panics
///
/// If `bytes` is too long for a [`Span`], 4 GiB; sources keep chunks far below that.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = Span> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        at = start + memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
        Some(Span::new(start, at))
    })
}

/// Returns a line without its ending, `\n` or `\r\n`.
pub fn content(line: &[u8]) -> &[u8] {
    let Some(line) = line.strip_suffix(b"\n") else { return line };
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Returns whether a line holds nothing but space, tab, CR and LF, and so is no event at all.
pub fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|&byte| is_space(byte))
}

/// Returns whether a byte is white space (RFC 8259 section 2).
#[inline]
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Returns the first place from `at` on that holds no white space, at most the end of the text.
#[inline]
pub(crate) fn skip_space(text: &[u8], mut at: usize) -> usize {
    while text.get(at).is_some_and(|&byte| is_space(byte)) {
        at += 1;
    }
    at
}

/// Returns the place behind the last byte before `end` that is no white space.
#[inline]
pub(crate) fn trim_end(text: &[u8], mut end: usize) -> usize {
    while end > 0 && text.get(end - 1).is_some_and(|&byte| is_space(byte)) {
        end -= 1;
    }
    end
}
