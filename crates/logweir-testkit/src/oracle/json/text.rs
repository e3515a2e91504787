//! Decoded text, in which a surrogate may stand alone.

use std::ops::Range;

/// One code point of a string and where it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Character {
    /// The code point; a surrogate (`0xd800..=0xdfff`) that has no partner stands for itself.
    pub code: u32,
    /// The bytes of the parsed text that spell it: one escape, two for a pair of surrogates, or the character itself.
    pub spelled: Range<usize>,
}

/// Text as a list of code points, lone surrogates included, which no `str` could hold.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Text(
    /// The code points.
    pub Vec<u32>,
);

impl Text {
    /// Returns the text as WTF-8: UTF-8 in which a lone surrogate takes the three bytes its number asks for.
    pub fn to_wtf8(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for &code in &self.0 {
            push_wtf8(code, &mut bytes);
        }
        bytes
    }

    /// Returns whether `part` occurs in it. The empty text occurs in every text.
    pub fn contains(&self, part: &Self) -> bool {
        part.0.is_empty() || self.0.windows(part.0.len()).any(|window| window == part.0)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.chars().map(u32::from).collect())
    }
}

/// Appends the one to four bytes of a code point (RFC 3629 section 3, surrogates allowed).
fn push_wtf8(code: u32, bytes: &mut Vec<u8>) {
    let continuation = |shift: u32| 0x80 | (code >> shift & 0x3f) as u8;
    match code {
        0..0x80 => bytes.push(code as u8),
        0x80..0x800 => bytes.extend([0xc0 | (code >> 6) as u8, continuation(0)]),
        0x800..0x1_0000 => bytes.extend([0xe0 | (code >> 12) as u8, continuation(6), continuation(0)]),
        _ => bytes.extend([0xf0 | (code >> 18) as u8, continuation(12), continuation(6), continuation(0)]),
    }
}
