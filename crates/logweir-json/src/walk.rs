//! Into arrays and objects whose text is known to be legal.
//!
//! On legal text brackets are always balanced and a value ends where its syntax says, so going over a value needs no
//! stack and no grammar: a string ends at its first unescaped quote, an array or object where as many brackets have
//! closed as have opened, everything else before the next comma, bracket or white space.

pub(crate) mod window;

use std::ops::Range;

use memchr::memchr;

use self::window::Window;
use crate::lines::{skip_space, trim_end};
use crate::simd::Instructions;
use crate::string::{Text, Unit};

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

/// Returns the elements of an array, in order, each with the value that its field `name` has if it is an object, and
/// how many characters that counts; [`Entries::counted_in`] counts another unit. All is gone over once, many bytes at a
/// time. `array` goes from its `[` to its `]`.
pub fn entries<'a>(array: &'a [u8], name: &'a str) -> Entries<'a> {
    Entries { text: array, at: 1, name, window: Window::new(array, Unit::Chars, Instructions::best()) }
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
    /// What the value counts: a string its decoded text, an array the sum of its elements, all else, an array in an
    /// array too, the text it is written with.
    pub units: u64,
}

/// The elements of an array, each with a value in it; see [`entries`].
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    text: &'a [u8],
    /// Behind the `[` or the comma before the next element.
    at: usize,
    name: &'a str,
    /// Never starts behind `at`.
    window: Window<'a>,
}

impl Iterator for Entries<'_> {
    type Item = Entry;

    #[inline]
    fn next(&mut self) -> Option<Entry> {
        let start = skip_space(self.text, self.at);
        let (end, value, units) = match self.text.get(start) {
            Some(b'{') => self.look_into(start),
            Some(b']') => return None,
            _ => (self.behind(start), None, 0),
        };
        if start >= end {
            return None;
        }
        self.at = skip_space(self.text, end) + 1;
        Some(Entry { element: start..end, value, units })
    }
}

impl Entries<'_> {
    /// Counts values in `unit`; to be called before the first entry is taken.
    #[must_use]
    pub fn counted_in(mut self, unit: Unit) -> Self {
        self.window.count_in(unit);
        self
    }

    /// Returns the place behind the object that starts at `start`, and in it the value asked for and what it counts.
    #[inline]
    fn look_into(&mut self, start: usize) -> (usize, Option<Range<usize>>, u64) {
        let (mut value, mut units) = (None, 0);
        let mut at = start + 1;
        loop {
            let quote = skip_space(self.text, at);
            if self.text.get(quote) != Some(&b'"') {
                return ((quote + 1).min(self.text.len()), value, units);
            }
            let behind_name = self.behind_string(quote);
            let colon = skip_space(self.text, behind_name);
            let start = skip_space(self.text, colon + 1).min(self.text.len());
            let name = &self.text[quote + 1..(behind_name - 1).max(quote + 1)];
            let end = if is_called(name, self.name) {
                let (end, counted) = self.count_value(start);
                (value, units) = (Some(start..end), counted);
                end
            } else {
                self.behind(start)
            };
            let comma = skip_space(self.text, end);
            if self.text.get(comma) != Some(&b',') {
                return ((comma + 1).min(self.text.len()), value, units);
            }
            at = comma + 1;
        }
    }

    /// Returns the place behind the value that starts at `start`, and what it counts.
    #[inline]
    fn count_value(&mut self, start: usize) -> (usize, u64) {
        if self.text.get(start) != Some(&b'[') {
            return self.count_element(start);
        }
        let (mut at, mut units) = (start + 1, 0);
        loop {
            let start = skip_space(self.text, at);
            if matches!(self.text.get(start), Some(b']') | None) {
                return ((start + 1).min(self.text.len()), units);
            }
            let (end, counted) = self.count_element(start);
            units += counted;
            let comma = skip_space(self.text, end);
            if self.text.get(comma) != Some(&b',') {
                return ((comma + 1).min(self.text.len()), units);
            }
            at = comma + 1;
        }
    }

    /// Returns the place behind the element of an array that starts at `start`, and what it counts.
    #[inline]
    fn count_element(&mut self, start: usize) -> (usize, u64) {
        self.window.reach(start);
        match self.text.get(start) {
            Some(b'"') => {
                let before = self.window.string_units(start);
                let end = self.behind_string(start);
                // Up to the quote that closes it, less the one that opens it.
                (end, self.window.string_units(end - 1).saturating_sub(before + 1))
            }
            Some(b'{' | b'[') => {
                let before = self.window.plain_units(start);
                let end = self.behind_nested(start);
                (end, (self.window.plain_units(end - 1) + 1).saturating_sub(before))
            }
            _ => {
                let end = self.behind(start);
                (end, (end - start) as u64)
            }
        }
    }

    /// Returns the place behind the value that starts at `start`: `start` itself if none does.
    #[inline]
    fn behind(&mut self, start: usize) -> usize {
        match self.text.get(start) {
            Some(b'"') => self.behind_string(start),
            Some(b'{' | b'[') => self.behind_nested(start),
            Some(_) => trim_end(self.text, self.window.find(start, |marks| marks.end)).max(start),
            None => self.text.len(),
        }
    }

    #[inline]
    fn behind_string(&mut self, quote: usize) -> usize {
        (self.window.find(quote + 1, |marks| marks.quote) + 1).min(self.text.len())
    }

    fn behind_nested(&mut self, start: usize) -> usize {
        let (mut at, mut depth) = (start, 0_usize);
        loop {
            at = self.window.find(at, |marks| marks.bracket);
            match self.text.get(at) {
                Some(b'{' | b'[') => depth += 1,
                Some(_) => depth = depth.saturating_sub(1),
                None => return self.text.len(),
            }
            at += 1;
            if depth == 0 {
                return at;
            }
        }
    }
}

/// Returns whether a name, as it stands between its quotes, means `name`.
#[inline]
fn is_called(raw: &[u8], name: &str) -> bool {
    // However it is written, it starts as the name does, or with an escape.
    let starts_so = raw.first().is_some_and(|&byte| byte == b'\\' || name.as_bytes().first() == Some(&byte));
    let has_escape = || memchr(b'\\', raw).is_some();
    raw == name.as_bytes() || (starts_so && has_escape() && Text::new(raw).decodes_to(name.as_bytes()))
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
    Instructions::best().skip(text, start)
}

/// Returns the place behind the number or literal that starts at `start`.
fn behind_word(text: &[u8], start: usize) -> usize {
    let is_end = |&byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
    text[start..].iter().position(is_end).map_or(text.len(), |n| start + n)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::string::count_text;
    use crate::value::Value;

    /// Strings of all that counts in its own way, long enough to lie across blocks and windows.
    fn any_string() -> impl Strategy<Value = String> {
        let part = select(vec![
            "a",
            r#"plain text, {\"in\": [brackets]}"#,
            "é",
            "中文",
            "🙂",
            r"\n",
            r"\\",
            r#"\""#,
            r"\u00e9",
            r"\u4e2d",
            r"\u0041",
            r"\ud83d\ude42",
            r"\ud83d",
            r"\ude42",
            r"\\ud83d",
        ]);
        let run = (part, prop_oneof![1..4_usize, 1..90_usize]).prop_map(|(part, n)| part.repeat(n));
        prop::collection::vec(run, 0..8).prop_map(|runs| format!("\"{}\"", runs.concat()))
    }

    /// Values, some with white space around them.
    fn any_value() -> impl Strategy<Value = String> {
        let word = select(vec!["0", "-1.5e+300", "true", "null", "1794870000002"]).prop_map(str::to_owned);
        let leaf = prop_oneof![3 => any_string(), 1 => word];
        leaf.prop_recursive(3, 12, 4, |value| {
            let list =
                prop::collection::vec(value.clone(), 0..4).prop_map(|list| format!("[{}]", list.join(",")));
            let object =
                (any_string(), value.clone()).prop_map(|(name, value)| format!("{{ {name} : {value}}}"));
            let spaced = (value, 0..80_usize).prop_map(|(value, n)| format!("{:n$}{value}\n{:n$}", "", ""));
            prop_oneof![2 => list, 1 => object, 1 => spaced]
        })
    }

    fn any_array() -> impl Strategy<Value = String> {
        let name = select(vec!["m", r"\u006d", "n", "mm", r"\\m", ""]);
        let member = (name, any_value()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        let object =
            prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(" ,")));
        let entry = prop_oneof![4 => object, 1 => any_value()];
        prop::collection::vec(entry, 0..6).prop_map(|entries| format!("[{}]", entries.join(",")))
    }

    /// Finds what [`entries`] finds, element by element and member by member.
    fn plainly(array: &[u8], name: &str, unit: Unit) -> Vec<Entry> {
        let count_element = |raw| match Value::of(raw) {
            Value::String(text) => text.count(unit),
            _ => count_text(raw, unit),
        };
        let count = |raw| match Value::of(raw) {
            Value::Array(array) => elements(array).map(|element| count_element(&array[element])).sum(),
            _ => count_element(raw),
        };
        let value_in = |object: &Range<usize>| {
            let bytes = &array[object.clone()];
            let is_asked =
                |member: &Member| Text::new(&bytes[member.name.clone()]).decodes_to(name.as_bytes());
            let member = members(bytes).filter(is_asked).last()?;
            Some(object.start + member.value.start..object.start + member.value.end)
        };
        let entry = |element: Range<usize>| {
            let is_object = array[element.start] == b'{';
            let value = is_object.then(|| value_in(&element)).flatten();
            let units = value.clone().map_or(0, |value| count(&array[value]));
            Entry { element, value, units }
        };
        elements(array).map(entry).collect()
    }

    fn check(array: &[u8]) {
        for instructions in Instructions::available() {
            for unit in [Unit::Chars, Unit::Utf16, Unit::Bytes] {
                let window = Window::new(array, unit, instructions);
                let found: Vec<_> = Entries { window, ..entries(array, "m") }.collect();
                assert_eq!(found, plainly(array, "m", unit), "{instructions} {unit:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn entries_are_found_and_counted_as_one_by_one(array in any_array()) {
            prop_assert!(crate::check(array.as_bytes()).is_ok(), "{}", array);
            check(array.as_bytes());
        }
    }

    #[test]
    fn what_lies_across_blocks_and_windows_is_counted() {
        let texts = [r"\ud83d\ude42", r"\u4e2d", r"\ud83d\ud83d\ude42", r#"\\\""#, "🙂é"];
        for n in 0..600 {
            let before = "x".repeat(n);
            for text in texts {
                check(format!("[{{\"m\":[\"{before}{text}\",{{\"k\":\"{text}\"}}]}}]").as_bytes());
            }
        }
    }
}
