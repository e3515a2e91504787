//! Escapes (RFC 8259 section 7), read and written.

use super::Unit;

/// What an escape, or a pair of surrogate escapes, stands for.
#[derive(Clone, Copy)]
pub(crate) struct Escape {
    /// A code point, or a lone surrogate.
    code: u32,
    /// The bytes it is written with.
    pub(crate) n_bytes: usize,
}

/// One code point or lone surrogate in WTF-8.
pub(super) struct Wtf8 {
    bytes: [u8; 4],
    len: usize,
}

impl Wtf8 {
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Escape {
    /// Returns it in UTF-8, or if it is a lone surrogate in the three bytes that UTF-8's rule would give it.
    pub(super) fn wtf8(self) -> Wtf8 {
        let mut bytes = [0; 4];
        if let Some(char) = self.char() {
            let len = char.encode_utf8(&mut bytes).len();
            return Wtf8 { bytes, len };
        }
        let tail = |shift: u32| 0x80 | (self.code >> shift & 0x3F) as u8;
        bytes[..3].copy_from_slice(&[0xE0 | (self.code >> 12) as u8, tail(6), tail(0)]);
        Wtf8 { bytes, len: 3 }
    }

    /// Returns the character it means; `None` for a surrogate without its other half, which no UTF-8 can say.
    pub(super) fn char(self) -> Option<char> {
        char::from_u32(self.code)
    }

    /// Returns whether it is a surrogate without its other half.
    pub(super) fn is_lone_surrogate(self) -> bool {
        self.char().is_none()
    }

    /// Returns its length in units.
    pub(crate) fn units(self, unit: Unit) -> u64 {
        match (unit, self.code) {
            (Unit::Chars, _) | (Unit::Utf16, ..0x1_0000) | (Unit::Bytes, ..0x80) => 1,
            (Unit::Utf16, _) | (Unit::Bytes, ..0x800) => 2,
            (Unit::Bytes, ..0x1_0000) => 3,
            (Unit::Bytes, _) => 4,
        }
    }
}

/// Reads the escape that `rest` starts with; a high surrogate takes a low one that follows along.
///
/// What is no legal escape stands for its backslash.
pub(crate) fn escape_at(rest: &[u8]) -> Escape {
    let code = match rest.get(1) {
        Some(b'u') => return unicode_at(rest),
        Some(b'b') => 0x08,
        Some(b't') => 0x09,
        Some(b'n') => 0x0A,
        Some(b'f') => 0x0C,
        Some(b'r') => 0x0D,
        Some(&byte @ (b'"' | b'\\' | b'/')) => u32::from(byte),
        _ => return Escape { code: u32::from(b'\\'), n_bytes: 1 },
    };
    Escape { code, n_bytes: 2 }
}

fn unicode_at(rest: &[u8]) -> Escape {
    let Some(code) = code_unit_at(rest) else { return Escape { code: u32::from(b'\\'), n_bytes: 1 } };
    let low = if (0xD800..0xDC00).contains(&code) { code_unit_at(&rest[6..]) } else { None };
    match low {
        Some(low @ 0xDC00..0xE000) => {
            Escape { code: 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00), n_bytes: 12 }
        }
        _ => Escape { code, n_bytes: 6 },
    }
}

/// Reads the code unit that `rest` starts with, if it starts with a `\u` escape.
fn code_unit_at(rest: &[u8]) -> Option<u32> {
    let digits = rest.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |code, &digit| Some(code << 4 | char::from(digit).to_digit(16)?))
}

/// Appends `text` to `out` as the inside of a JSON string: `"`, `\` and control characters escaped, in the short form
/// where there is one, all else as it is.
///
/// `text` is UTF-8 or WTF-8; a surrogate in it becomes a `\u` escape, so that the result is always UTF-8 if `text`
/// was WTF-8.
pub fn escape_into(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(i) = rest.iter().position(|&byte| matches!(byte, 0..0x20 | b'"' | b'\\' | 0xED)) {
        out.extend_from_slice(&rest[..i]);
        rest = &rest[i..];
        let n_bytes = match *rest {
            [0xED, high @ 0xA0..=0xBF, low @ 0x80..=0xBF, ..] => {
                unicode_into(0xD000 | u16::from(high & 0x3F) << 6 | u16::from(low & 0x3F), out);
                3
            }
            [byte, ..] => {
                byte_into(byte, out);
                1
            }
            [] => 0,
        };
        rest = &rest[n_bytes..];
    }
    out.extend_from_slice(rest);
}

fn byte_into(byte: u8, out: &mut Vec<u8>) {
    match byte {
        b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
        0x08 => out.extend_from_slice(b"\\b"),
        b'\t' => out.extend_from_slice(b"\\t"),
        b'\n' => out.extend_from_slice(b"\\n"),
        0x0C => out.extend_from_slice(b"\\f"),
        b'\r' => out.extend_from_slice(b"\\r"),
        0..0x20 => unicode_into(u16::from(byte), out),
        _ => out.push(byte),
    }
}

fn unicode_into(code_unit: u16, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digit = |shift: u16| HEX[usize::from(code_unit >> shift & 0xF)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}
