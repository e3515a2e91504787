//! Skeleton.

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
