//! Strings and their characters.
//!
//! A string's characters are counted and cut as they stand in the text, escapes unresolved, so that what is kept
//! keeps its spelling. The text falls into *runs* of plain UTF-8, which go many bytes at a time, and escapes, which go
//! one by one; a pair of surrogate escapes is one escape here, so nothing can ever fall between its halves.

mod escape;
mod run;

use memchr::memchr;

use self::escape::Escape;
pub(crate) use self::escape::escape_at;
pub use self::escape::escape_into;

/// What a budget counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Unit {
    /// Unicode code points; a lone surrogate is one.
    #[default]
    Chars,
    /// UTF-16 code units, as JavaScript's `length`.
    Utf16,
    /// Bytes of UTF-8 (of WTF-8 for a lone surrogate).
    Bytes,
}

/// A string of legal JSON: the text between its quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Text<'a> {
    raw: &'a [u8],
}

/// A part of a string.
enum Piece<'a> {
    /// UTF-8 without a backslash, not empty.
    Run(&'a [u8]),
    Escape(Escape),
}

impl<'a> Text<'a> {
    /// Returns the string that stands between its quotes as `raw`.
    #[inline]
    pub fn new(raw: &'a [u8]) -> Self {
        Self { raw }
    }

    /// Returns it as it stands between its quotes.
    #[inline]
    pub fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// Returns whether it has no escapes, so that it means what it shows.
    #[inline]
    pub fn is_plain(&self) -> bool {
        memchr(b'\\', self.raw).is_none()
    }

    /// Appends what it means to `out`: UTF-8, and WTF-8 for lone surrogates (three bytes each; a pair of surrogate
    /// escapes is the one character it stands for, four bytes).
    pub fn decode_into(&self, out: &mut Vec<u8>) {
        for piece in self.pieces() {
            match piece {
                Piece::Run(run) => out.extend_from_slice(run),
                Piece::Escape(escape) => out.extend_from_slice(escape.wtf8().as_bytes()),
            }
        }
    }

    /// Appends what it means to `out`, with U+FFFD for each lone surrogate.
    pub fn decode_lossy_into(&self, out: &mut String) {
        for piece in self.pieces() {
            match piece {
                Piece::Run(run) => out.push_str(&String::from_utf8_lossy(run)),
                Piece::Escape(escape) => out.push(escape.char().unwrap_or(char::REPLACEMENT_CHARACTER)),
            }
        }
    }

    /// Gives `write` what it means, piece by piece, in UTF-8; a lone surrogate, which has none, as the escape it is
    /// spelled with. A quote is always a piece of its own.
    pub fn decode_with(&self, mut write: impl FnMut(&[u8])) {
        let mut at = 0;
        for piece in self.pieces() {
            match piece {
                Piece::Run(run) => {
                    write(run);
                    at += run.len();
                }
                Piece::Escape(escape) => {
                    let spelled = &self.raw[at..at + escape.n_bytes];
                    if escape.is_lone_surrogate() {
                        write(spelled);
                    } else {
                        write(escape.wtf8().as_bytes());
                    }
                    at += escape.n_bytes;
                }
            }
        }
    }

    /// Returns whether it means `decoded`, in the form of [`decode_into`](Text::decode_into); allocates nothing.
    pub fn decodes_to(&self, decoded: &[u8]) -> bool {
        let mut rest = Some(decoded);
        for piece in self.pieces() {
            rest = match (piece, rest) {
                (Piece::Run(run), Some(rest)) => rest.strip_prefix(run),
                (Piece::Escape(escape), Some(rest)) => rest.strip_prefix(escape.wtf8().as_bytes()),
                (_, None) => return false,
            };
        }
        rest.is_some_and(<[u8]>::is_empty)
    }

    /// Returns its length in units.
    pub fn count(&self, unit: Unit) -> u64 {
        let units = |piece| match piece {
            Piece::Run(run) => run::count(run, unit),
            Piece::Escape(escape) => escape.units(unit),
        };
        self.pieces().map(units).sum()
    }

    /// Returns how many bytes of [`raw`](Text::raw) the longest prefix with at most `n` units takes. It ends between
    /// two characters: never within a code point, an escape or a surrogate pair, in whatever unit.
    pub fn prefix(&self, n: u64, unit: Unit) -> usize {
        self.fit(n, unit).0
    }

    /// Returns how many bytes and how many units the [`prefix`](Text::prefix) takes. No more is read than that.
    pub fn fit(&self, n: u64, unit: Unit) -> (usize, u64) {
        let (mut at, mut left) = (0, n);
        for piece in self.pieces() {
            let (n_bytes, n_units) = match piece {
                Piece::Run(run) => {
                    let (n_bytes, n_units) = run::prefix(run, left, unit);
                    if n_bytes < run.len() {
                        return (at + n_bytes, n - left + n_units);
                    }
                    (n_bytes, n_units)
                }
                Piece::Escape(escape) => (escape.n_bytes, escape.units(unit)),
            };
            if n_units > left {
                break;
            }
            at += n_bytes;
            left -= n_units;
        }
        (at, n - left)
    }

    fn pieces(&self) -> impl Iterator<Item = Piece<'a>> {
        let mut rest = self.raw;
        std::iter::from_fn(move || {
            if rest.first() == Some(&b'\\') {
                let escape = escape_at(rest);
                rest = &rest[escape.n_bytes..];
                return Some(Piece::Escape(escape));
            }
            let (run, behind) = rest.split_at(memchr(b'\\', rest).unwrap_or(rest.len()));
            rest = behind;
            (!run.is_empty()).then_some(Piece::Run(run))
        })
    }
}

/// Returns the length in units of UTF-8 that is not inside a string: a backslash is a character like any other.
pub fn count_text(text: &[u8], unit: Unit) -> u64 {
    run::count(text, unit)
}

/// Returns how many bytes the longest prefix with at most `n` units takes, of UTF-8 that is not inside a string. It
/// ends between two code points.
pub fn prefix_of_text(text: &[u8], n: u64, unit: Unit) -> usize {
    run::prefix(text, n, unit).0
}
