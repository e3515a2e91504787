//! Into arrays and objects whose text is known to be legal.
//!
//! On legal text brackets are always balanced and a value ends where its syntax says, so going over a value needs no
//! stack and no grammar: a string ends at its first unescaped quote, an array or object where as many brackets have
//! closed as have opened, everything else before the next comma, bracket or white space.

use std::ops::Range;

use memchr::memchr;

use crate::lines::skip_space;

/// Returns the members of an object, in order, duplicates and all. `object` goes from its `{` to its `}`.
pub fn members(object: &[u8]) -> Members<'_> {
    Members { text: object, at: 1 }
}

/// Returns the elements of an array, in order: ranges of `array`, which goes from its `[` to its `]`.
pub fn elements(array: &[u8]) -> Elements<'_> {
    Elements { text: array, at: 1 }
}

/// One member of an object; the ranges count from the object's `{`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its name, between the quotes.
    pub name: Range<usize>,
    /// Its value, without white space around it.
    pub value: Range<usize>,
}

/// The members of an object; see [`members`].
#[derive(Clone, Debug)]
pub struct Members<'a> {
    text: &'a [u8],
    /// Behind the `{` or the comma before the next member.
    at: usize,
}

impl Iterator for Members<'_> {
    type Item = Member;

    #[inline]
    fn next(&mut self) -> Option<Member> {
        let quote = skip_space(self.text, self.at);
        if self.text.get(quote) != Some(&b'"') {
            return None;
        }
        let behind_name = behind_string(self.text, quote);
        let colon = skip_space(self.text, behind_name);
        let start = skip_space(self.text, colon + 1);
        let end = behind_value(self.text, start);
        self.at = skip_space(self.text, end) + 1;
        // Only on illegal text does the name lack its closing quote, or the value start behind the end.
        let value = start.min(self.text.len())..end;
        Some(Member { name: quote + 1..(behind_name - 1).max(quote + 1), value })
    }
}

/// The elements of an array; see [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    text: &'a [u8],
    /// Behind the `[` or the comma before the next element.
    at: usize,
}

impl Iterator for Elements<'_> {
    type Item = Range<usize>;

    #[inline]
    fn next(&mut self) -> Option<Range<usize>> {
        let start = skip_space(self.text, self.at);
        let end = behind_value(self.text, start);
        if start >= end {
            return None;
        }
        self.at = skip_space(self.text, end) + 1;
        Some(start..end)
    }
}

/// Returns the place behind the value that starts at `start`: `start` itself if none does, at most the text's end.
fn behind_value(text: &[u8], start: usize) -> usize {
    match text.get(start) {
        Some(b'"') => behind_string(text, start),
        Some(b'{' | b'[') => behind_nested(text, start),
        Some(_) => behind_word(text, start),
        None => text.len(),
    }
}

/// Returns the place behind the string whose opening quote is at `quote`.
///
/// Looks for quotes alone and then back over the backslashes before one, an odd number of which escapes it: so a
/// string full of escapes that are no quotes costs no more than a plain one.
#[inline]
pub(crate) fn behind_string(text: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while let Some(rest) = text.get(at..)
        && let Some(n_bytes) = memchr(b'"', rest)
    {
        let n_backslashes = rest[..n_bytes].iter().rev().take_while(|&&byte| byte == b'\\').count();
        at += n_bytes + 1;
        if n_backslashes.is_multiple_of(2) {
            return at;
        }
    }
    text.len()
}

/// Returns the place behind the array or object that starts at `start`.
fn behind_nested(text: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = behind_string(text, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// Returns the place behind the number or literal that starts at `start`.
fn behind_word(text: &[u8], start: usize) -> usize {
    let is_end = |&byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
    text[start..].iter().position(is_end).map_or(text.len(), |n| start + n)
}
