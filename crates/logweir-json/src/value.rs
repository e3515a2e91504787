//! What a value is.

use crate::string::Text;

/// A value of legal JSON, told apart by its first byte; nothing is copied or decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is written; [`Number`](crate::Number) knows what it means.
    Number(&'a [u8]),
    /// A string.
    String(Text<'a>),
    /// An array from its `[` to its `]`; [`elements`](crate::elements) walks into it.
    Array(&'a [u8]),
    /// An object from its `{` to its `}`; [`members`](crate::members) walks into it.
    Object(&'a [u8]),
}

impl<'a> Value<'a> {
    /// Returns what the text of one legal value, without white space around it, is.
    #[inline]
    pub fn of(raw: &'a [u8]) -> Self {
        match raw.first() {
            Some(b'"') => Self::String(Text::new(raw.get(1..raw.len() - 1).unwrap_or_default())),
            Some(b'[') => Self::Array(raw),
            Some(b'{') => Self::Object(raw),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'-' | b'0'..=b'9') => Self::Number(raw),
            _ => Self::Null,
        }
    }
}
