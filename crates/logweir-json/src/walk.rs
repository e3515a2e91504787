//! Into arrays and objects whose text is known to be legal.
//!
//! On legal text brackets are always balanced and a value ends where its syntax says, so going over a value needs no
//! stack and no grammar: a string ends at its first unescaped quote, an array or object where as many brackets have
//! closed as have opened, everything else before the next comma, bracket or white space.

use std::ops::Range;

use memchr::memchr;

use crate::lines::skip_space;
use crate::string::Text;

/// How much of a string is looked at a word at a time, before a vectored search pays for its call.
const SHORT_BYTES: usize = 32;

/// Returns the members of an object, in order, duplicates and all. `object` goes from its `{` to its `}`.
pub fn members(object: &[u8]) -> Members<'_> {
    Members { text: object, at: 1 }
}

/// Returns the elements of an array, in order: ranges of `array`, which goes from its `[` to its `]`.
pub fn elements(array: &[u8]) -> Elements<'_> {
    Elements { text: array, at: 1 }
}

/// Returns the elements of an array, in order, each with the value that its field `name` has if it is an object. As
/// fast as [`elements`] alone: an object is gone over once. `array` goes from its `[` to its `]`.
pub fn entries<'a>(array: &'a [u8], name: &'a str) -> Entries<'a> {
    Entries { text: array, at: 1, name }
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
    /// Behind the `{` or the comma before the next member; behind the `}` after the last one.
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

/// One element of an array and a value in it; the ranges count from the array's `[`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The element, without white space around it.
    pub element: Range<usize>,
    /// The value that the field asked for has in it, the last one if the name stands there more than once; `None` if
    /// the element is no object or lacks the field.
    pub value: Option<Range<usize>>,
}

/// The elements of an array, each with a value in it; see [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    text: &'a [u8],
    /// Behind the `[` or the comma before the next element.
    at: usize,
    name: &'a str,
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    #[inline]
    fn next(&mut self) -> Option<Entry> {
        let start = skip_space(self.text, self.at);
        let (end, value) = match self.text.get(start) {
            Some(b'{') => self.look_into(start),
            _ => (behind_value(self.text, start), None),
        };
        if start >= end {
            return None;
        }
        self.at = skip_space(self.text, end) + 1;
        Some(Entry { element: start..end, value })
    }
}

impl Entries<'_> {
    /// Returns the place behind the object that starts at `start`, and the value asked for in it.
    #[inline]
    fn look_into(&self, start: usize) -> (usize, Option<Range<usize>>) {
        let mut value = None;
        // The text goes on behind the object, so what follows a member tells whether it is the last.
        let mut members = Members { text: self.text, at: start + 1 };
        let mut end = skip_space(self.text, start + 1) + 1;
        while let Some(member) = members.next() {
            if is_called(&self.text[member.name], self.name) {
                value = Some(member.value.clone());
            }
            end = members.at;
            if self.text.get(end - 1) != Some(&b',') {
                break;
            }
        }
        (end.min(self.text.len()), value)
    }
}

/// Returns whether a name, as it stands between its quotes, means `name`.
#[inline]
fn is_called(raw: &[u8], name: &str) -> bool {
    raw == name.as_bytes() || (raw.contains(&b'\\') && Text::new(raw).decodes_to(name.as_bytes()))
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
/// Most strings are short and plain, and end within a few words looked at one by one. In a long one it looks for quotes
/// alone and then back over the backslashes before one, an odd number of which escapes it: so a string full of escapes
/// that are no quotes costs no more than a plain one.
#[inline]
pub(crate) fn behind_string(text: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < quote + SHORT_BYTES
        && let Some(word) = text.get(at..).and_then(<[u8]>::first_chunk)
    {
        let word = u64::from_le_bytes(*word);
        let (quotes, escapes) = (bytes_equal(word, b'"'), bytes_equal(word, b'\\'));
        if quotes.trailing_zeros() < escapes.trailing_zeros() {
            return at + quotes.trailing_zeros() as usize / 8 + 1;
        }
        if escapes != 0 {
            break;
        }
        at += size_of::<u64>();
    }
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

/// Returns a word whose lowest set bit is in the lowest byte of `word` that equals `byte`, 0 if none does. Bits above
/// may be wrong: a borrow of the subtraction goes up.
#[inline]
fn bytes_equal(word: u64, byte: u8) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let zero_where_equal = word ^ (ONES * u64::from(byte));
    zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & (ONES << 7)
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
