//! What is shown of a text that may be long.

use std::fmt;

/// A text of at most this many bytes is shown whole: a line of a terminal, beside what is said of it.
const MAX_BYTES: usize = 96;

/// Bytes shown of the beginning of a longer one.
const HEAD_BYTES: usize = 60;

/// Bytes shown of its end.
const TAIL_BYTES: usize = 24;

/// A text, shortened in the middle if it is long.
///
/// What it is an excerpt of may have millions of bytes; the excerpt has a hundred.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Excerpt {
    text: String,
    n_bytes: usize,
}

impl Excerpt {
    /// Returns what is shown of a text. What is no UTF-8 in it becomes U+FFFD.
    pub fn new(text: &[u8]) -> Self {
        let n_bytes = text.len();
        if n_bytes <= MAX_BYTES {
            return Self { text: String::from_utf8_lossy(text).into_owned(), n_bytes };
        }
        let head = &text[..boundary(text, HEAD_BYTES)];
        let tail = &text[boundary(text, n_bytes - TAIL_BYTES)..];
        let text = [String::from_utf8_lossy(head), String::from_utf8_lossy(tail)].join("…");
        Self { text, n_bytes }
    }

    /// Returns the text, or its beginning and its end with `…` between them.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns how many bytes the whole text has.
    pub fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Returns whether nothing was left out.
    pub fn is_whole(&self) -> bool {
        self.n_bytes <= MAX_BYTES
    }
}

impl fmt::Display for Excerpt {
    /// Writes the text, and how long it is if something was left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.is_whole() { Ok(()) } else { write!(f, " ({} bytes)", self.n_bytes) }
    }
}

/// Returns the last place up to `at` where a character begins.
fn boundary(text: &[u8], at: usize) -> usize {
    // A character has at most three bytes behind its first.
    let is_inside = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    (at.saturating_sub(3)..=at).rev().find(|at| !is_inside(at)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_shortened_between_two_characters() {
        for n in 0..400 {
            for character in ["a", "é", "€", "😀"] {
                let text = character.repeat(n);
                let excerpt = Excerpt::new(text.as_bytes());
                assert!(!excerpt.text().contains('\u{fffd}'), "{excerpt}");
                assert!(excerpt.text().len() <= MAX_BYTES, "{excerpt}");
                assert_eq!(excerpt.is_whole(), excerpt.text() == text);
                assert_eq!(excerpt.n_bytes(), text.len());
            }
        }
        assert_eq!(Excerpt::new(&[0x80; 100]).text().matches('…').count(), 1);
    }
}
