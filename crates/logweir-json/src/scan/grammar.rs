//! RFC 8259, one function a production.
//!
//! Each function takes the place where its production starts and returns the place behind it. The text is known to
//! be UTF-8.

use std::ops::Range;

use super::Illegal;
use crate::lines::skip_space;

/// The arrays and objects around a place: a bit a level, outermost first, set for an object.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    /// Level `n` is bit `n % 64` of word `n / 64`; bits from `depth` on mean nothing.
    words: Vec<u64>,
    depth: usize,
}

/// Words of [`Nesting`] kept from event to event: 8 KiB, enough for 65,536 levels, three times the deepest known.
const KEPT_WORDS: usize = 1024;

impl Nesting {
    fn push(&mut self, is_object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if word == self.words.len() {
            self.words.push(0);
        }
        self.words[word] = self.words[word] & !(1 << bit) | u64::from(is_object) << bit;
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth -= 1;
    }

    /// Returns whether the innermost level is an object, `None` outside of all.
    fn is_object(&self) -> Option<bool> {
        let level = self.depth.checked_sub(1)?;
        Some(self.words[level / 64] >> (level % 64) & 1 == 1)
    }

    /// Gives memory back that only a freak of an event needed.
    pub(super) fn shrink(&mut self) {
        if self.words.len() > KEPT_WORDS {
            self.words.truncate(KEPT_WORDS);
            self.words.shrink_to_fit();
        }
    }
}

/// A whole text (section 2): one value, white space around it.
pub(super) fn document(text: &[u8], nesting: &mut Nesting) -> Result<Range<usize>, Illegal> {
    let start = skip_space(text, 0);
    let end = value(text, start, nesting)?;
    let behind = skip_space(text, end);
    if behind < text.len() {
        return Err(Illegal { at: behind, expected: "nothing behind the value" });
    }
    Ok(start..end)
}

/// A value (sections 3 to 7), arrays and objects in it unrolled into one loop.
fn value(text: &[u8], start: usize, nesting: &mut Nesting) -> Result<usize, Illegal> {
    nesting.depth = 0;
    let mut at = start;
    loop {
        at = match text.get(at) {
            Some(b'{') => {
                let inside = skip_space(text, at + 1);
                if text.get(inside) != Some(&b'}') {
                    nesting.push(true);
                    at = name(text, inside)?;
                    continue;
                }
                inside + 1
            }
            Some(b'[') => {
                let inside = skip_space(text, at + 1);
                if text.get(inside) != Some(&b']') {
                    nesting.push(false);
                    at = inside;
                    continue;
                }
                inside + 1
            }
            Some(b'"') => string(text, at)?,
            _ => word(text, at)?,
        };
        match behind_value(text, at, nesting)? {
            Next::Value(next) => at = next,
            Next::End(end) => return Ok(end),
        }
    }
}

/// What comes behind a value inside the outermost one.
enum Next {
    /// Another value, starting there.
    Value(usize),
    /// Nothing: the outermost value ends there.
    End(usize),
}

/// Closes the arrays and objects that end behind a value, up to the next comma.
fn behind_value(text: &[u8], mut at: usize, nesting: &mut Nesting) -> Result<Next, Illegal> {
    while let Some(is_object) = nesting.is_object() {
        at = skip_space(text, at);
        match (text.get(at), is_object) {
            (Some(b','), true) => return name(text, skip_space(text, at + 1)).map(Next::Value),
            (Some(b','), false) => return Ok(Next::Value(skip_space(text, at + 1))),
            (Some(b'}'), true) | (Some(b']'), false) => nesting.pop(),
            (_, true) => return Err(Illegal { at, expected: "`,` or `}`" }),
            (_, false) => return Err(Illegal { at, expected: "`,` or `]`" }),
        }
        at += 1;
    }
    Ok(Next::End(at))
}

/// A member's name and the colon behind it (section 4), up to where its value starts.
fn name(text: &[u8], at: usize) -> Result<usize, Illegal> {
    if text.get(at) != Some(&b'"') {
        return Err(Illegal { at, expected: "a name in double quotes" });
    }
    let colon = skip_space(text, string(text, at)?);
    if text.get(colon) != Some(&b':') {
        return Err(Illegal { at: colon, expected: "`:`" });
    }
    Ok(skip_space(text, colon + 1))
}

/// A value that is neither a string nor has brackets.
#[inline]
pub(crate) fn word(text: &[u8], at: usize) -> Result<usize, Illegal> {
    match text.get(at) {
        Some(b'-' | b'0'..=b'9') => number(text, at),
        Some(b't') => literal(text, at, "true"),
        Some(b'f') => literal(text, at, "false"),
        Some(b'n') => literal(text, at, "null"),
        _ => Err(Illegal { at, expected: "a value" }),
    }
}

/// One of the three literal names (section 3).
#[inline]
fn literal(text: &[u8], at: usize, word: &'static str) -> Result<usize, Illegal> {
    if text[at..].starts_with(word.as_bytes()) {
        return Ok(at + word.len());
    }
    Err(Illegal { at, expected: word })
}

/// A number (section 6): no plus sign, no leading zero, digits on both sides of the point.
pub(crate) fn number(text: &[u8], at: usize) -> Result<usize, Illegal> {
    let mut at = at + usize::from(text.get(at) == Some(&b'-'));
    at = match text.get(at) {
        Some(b'0') => at + 1,
        _ => digits(text, at)?,
    };
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
        at = digits(text, at)?;
    }
    Ok(at)
}

/// One or more digits.
fn digits(text: &[u8], start: usize) -> Result<usize, Illegal> {
    let mut at = start;
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at == start {
        return Err(Illegal { at, expected: "a digit" });
    }
    Ok(at)
}

/// A string (section 7) with its quotes: control characters, the quote and the backslash are escaped. Any four hex
/// digits make an escape, halves of surrogate pairs too (section 8.2).
fn string(text: &[u8], start: usize) -> Result<usize, Illegal> {
    let mut at = start + 1;
    loop {
        while text.get(at).is_some_and(|&byte| IS_PLAIN[usize::from(byte)]) {
            at += 1;
        }
        match text.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => at = escape(text, at)?,
            Some(_) => return Err(Illegal { at, expected: "an escape in the place of a control character" }),
            None => return Err(Illegal { at, expected: "`\"` at the end of the string" }),
        }
    }
}

/// Whether a byte stands for itself in a string. A table, for this is asked of nearly every byte of an event.
const IS_PLAIN: [bool; 256] = {
    let mut table = [true; 256];
    let mut control = 0;
    while control < 0x20 {
        table[control] = false;
        control += 1;
    }
    table[b'"' as usize] = false;
    table[b'\\' as usize] = false;
    table
};

pub(crate) fn escape(text: &[u8], backslash: usize) -> Result<usize, Illegal> {
    let at = backslash + 1;
    match text.get(at) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
        Some(b'u') => {
            let is_hex = |at: &usize| text.get(*at).is_some_and(u8::is_ascii_hexdigit);
            match (at + 1..at + 5).find(|at| !is_hex(at)) {
                Some(at) => Err(Illegal { at, expected: "four hexadecimal digits" }),
                None => Ok(at + 5),
            }
        }
        _ => Err(Illegal { at, expected: "one of `\"\\/bfnrtu` behind the backslash" }),
    }
}
