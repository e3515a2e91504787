//! Finds the place of a part of a text within the scalar that the text is written as.

use std::ops::Range;

use super::Walk;
use crate::config::text::{Doc, Place};
use crate::config::tree::{Kind, Node};

/// The text of a scalar, and where each of its characters is written.
pub(in crate::config) struct Inside {
    /// Where the scalar begins.
    start: usize,
    /// Each character's offset in the text, and where it is written from the scalar's beginning on; in order.
    pieces: Vec<(usize, Range<usize>)>,
}

impl Walk<'_, '_> {
    /// Returns where the characters of a scalar are written; `None` if its lines are folded.
    pub(super) fn inside(&self, node: &Node) -> Option<Inside> {
        let Kind::Scalar { text, .. } = &node.kind else { return None };
        Inside::of(self.doc, node.place, text)
    }
}

impl Inside {
    /// Returns where the characters of the scalar at `place` are written; `None` if its lines are folded.
    pub(in crate::config) fn of(doc: &Doc, place: Place, text: &str) -> Option<Self> {
        let written = doc.slice(place);
        let pieces = match written.as_bytes().first() {
            Some(b'"') => double_quoted(written),
            Some(b'\'') => single_quoted(written),
            // A block scalar begins with `|` or `>` and is on other lines, so that it cannot be the same.
            _ => written.char_indices().map(|(at, c)| Piece::of_char(at, c)).collect(),
        };
        // What is folded over lines, or was written in a way that is not known here, does not come out the same.
        let is_same = text.chars().eq(pieces.iter().map(|piece| piece.means));
        let offsets = text.char_indices().map(|(at, _)| at);
        is_same.then(|| Self {
            start: place.start,
            pieces: offsets.zip(pieces.into_iter().map(|piece| piece.at)).collect(),
        })
    }

    /// Returns where a stretch of the text, in bytes, is written.
    pub(in crate::config) fn place(&self, part: Range<usize>) -> Place {
        let written_at = |offset: usize| {
            let next = self.pieces.partition_point(|(at, _)| *at < offset);
            let behind = self.pieces.last().map_or(0, |(_, last)| last.end);
            self.start + self.pieces.get(next).map_or(behind, |(_, written)| written.start)
        };
        let start = written_at(part.start);
        Place { start, end: written_at(part.end).max(start) }
    }
}

/// A character and where it is written, escape and all.
struct Piece {
    at: Range<usize>,
    means: char,
}

impl Piece {
    fn of_char(at: usize, c: char) -> Self {
        Self { at: at..at + c.len_utf8(), means: c }
    }
}

fn single_quoted(written: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = written.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != '\'' {
            pieces.push(Piece::of_char(at, c));
        } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
            pieces.push(Piece { at: at..at + 2, means: c });
        } else {
            break;
        }
    }
    pieces
}

fn double_quoted(written: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 1;
    while let Some(c) = written[at..].chars().next().filter(|c| *c != '"') {
        let piece = if c == '\\' { escape(written, at) } else { Some(Piece::of_char(at, c)) };
        let Some(piece) = piece else { break };
        at = piece.at.end;
        pieces.push(piece);
    }
    pieces
}

/// Returns the escape at an offset (YAML 1.2 section 5.7, and JSON's surrogate pairs), if it is one.
fn escape(written: &str, at: usize) -> Option<Piece> {
    let code = |start: usize, len: usize| u32::from_str_radix(written.get(start..start + len)?, 16).ok();
    let letter = written[at + 1..].chars().next()?;
    let (means, len) = match letter {
        'x' => (char::from_u32(code(at + 2, 2)?)?, 4),
        'U' => (char::from_u32(code(at + 2, 8)?)?, 10),
        'u' => {
            let first = code(at + 2, 4)?;
            if let Some(c) = char::from_u32(first) {
                (c, 6)
            } else {
                let units = [first, code(at + 8, 4)?].map(|unit| unit as u16);
                (char::decode_utf16(units).next()?.ok()?, 12)
            }
        }
        '0' => ('\0', 2),
        'a' => ('\x07', 2),
        'b' => ('\x08', 2),
        't' | '\t' => ('\t', 2),
        'n' => ('\n', 2),
        'v' => ('\x0b', 2),
        'f' => ('\x0c', 2),
        'r' => ('\r', 2),
        'e' => ('\x1b', 2),
        'N' => ('\u{85}', 2),
        '_' => ('\u{a0}', 2),
        'L' => ('\u{2028}', 2),
        'P' => ('\u{2029}', 2),
        ' ' | '"' | '/' | '\\' => (letter, 2),
        _ => return None,
    };
    Some(Piece { at: at..at + len, means })
}
