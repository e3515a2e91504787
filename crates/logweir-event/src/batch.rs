//! What the stages work on.

use bytes::Bytes;

use crate::columns::{ColumnId, Columns};
use crate::edit::Edits;
use crate::selection::Selection;
use crate::span::Span;

/// Why a line is no event. The reasons are tested in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Malformed {
    /// It is not UTF-8.
    NotUtf8,
    /// It is not JSON as of RFC 8259.
    NotJson,
    /// It is JSON, but no object.
    NotObject,
}

/// A line that is no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reject {
    /// The line with its ending.
    pub line: Span,
    /// What is wrong with it.
    pub reason: Malformed,
}

/// Where an event lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    /// All that is written of it: with the white space around it and its line ending.
    line: Span,
    /// From its `{` to its `}`.
    body: Span,
    /// The same in the chunk, as the source gave it.
    body_as_read: Span,
    /// Where the line ends in the chunk, with its ending, as the source gave it.
    read_end: u32,
}

/// The events of a chunk: its bytes, untouched, and what is known of them.
///
/// Spans count through the chunk and on into the edited lines behind it, so that an event's bytes are found the same
/// way whether a stage has edited it or not. A batch is reused for chunk after chunk: nothing is allocated for a
/// single event.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    chunk: Bytes,
    /// The lines of edited events as they are now, one after the other.
    edited: Vec<u8>,
    places: Vec<Place>,
    columns: Columns,
    selection: Selection,
    rejects: Vec<Reject>,
    n_oversized: u64,
}

impl Batch {
    /// Empties it for the lines of another chunk, with `width` asked fields an event, keeping the memory.
    pub fn reset(&mut self, chunk: Bytes, width: usize) {
        self.chunk = chunk;
        self.edited.clear();
        self.places.clear();
        self.columns.reset(width);
        self.selection.select_all(0);
        self.rejects.clear();
        self.n_oversized = 0;
    }

    /// Lets go of the chunk's bytes, keeping the memory of all else.
    pub fn release(&mut self) {
        self.reset(Bytes::new(), 0);
    }

    /// Adds the event on `line`; `find` fills the row of asked fields and returns the span from `{` to `}`.
    /// If it finds no event, the line becomes a reject.
    pub fn push_line(
        &mut self,
        line: Span,
        find: impl FnOnce(&[u8], &mut [Span]) -> Result<Span, Malformed>,
    ) {
        match find(&self.chunk, self.columns.push_row()) {
            Ok(body) => {
                let read_end = line.end() as u32;
                self.places.push(Place { line, body, body_as_read: body, read_end });
            }
            Err(reason) => {
                self.columns.pop_row();
                self.rejects.push(Reject { line, reason });
            }
        }
    }

    /// Counts `n` more lines that were too long to be events.
    pub fn add_oversized(&mut self, n: u64) {
        self.n_oversized += n;
    }

    /// Selects all events; to be called once all lines are in.
    pub fn select_all(&mut self) {
        self.selection.select_all(self.places.len());
    }

    /// Returns the bytes of the chunk it was made of.
    pub fn chunk(&self) -> &Bytes {
        &self.chunk
    }

    /// Returns the number of events, selected or not.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether it has no events.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns the lines that are no events, in order.
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// Returns how many lines were too long to be events.
    pub fn n_oversized(&self) -> u64 {
        self.n_oversized
    }

    /// Returns which events are still on their way.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Keeps the selected events for which `keep` holds; returns how many went.
    pub fn retain(&mut self, mut keep: impl FnMut(&Self, usize) -> bool) -> usize {
        let mut selection = std::mem::take(&mut self.selection);
        let n_removed = selection.retain(|event| keep(self, event));
        self.selection = selection;
        n_removed
    }

    /// Returns the bytes of a span of this batch.
    ///
    /// # Panics
    ///
    /// If the span is missing, or of another batch.
    #[inline]
    pub fn bytes(&self, span: Span) -> &[u8] {
        match span.start().checked_sub(self.chunk.len()) {
            Some(start) if !span.is_empty() => &self.edited[start..start + span.len()],
            _ => &self.chunk[span.range()],
        }
    }

    /// Returns the span of an event's line as it is now, with its ending if it has one.
    #[inline]
    pub fn line(&self, event: usize) -> Span {
        self.places[event].line
    }

    /// Returns the span of an event as it is now, from its `{` to its `}`.
    #[inline]
    pub fn body(&self, event: usize) -> Span {
        self.places[event].body
    }

    /// Returns the span of an event as the source gave it, from its `{` to its `}`, whatever was edited since.
    #[inline]
    pub fn body_as_read(&self, event: usize) -> Span {
        self.places[event].body_as_read
    }

    /// Returns where an event's line ends in the chunk, with its ending, whatever was edited since.
    #[inline]
    pub fn read_end(&self, event: usize) -> u32 {
        self.places[event].read_end
    }

    /// Returns whether a stage has edited the event: its line is no longer the chunk's.
    #[inline]
    pub fn is_edited(&self, event: usize) -> bool {
        self.places[event].line.start() >= self.chunk.len()
    }

    /// Returns the bytes of an asked field of an event as it is now, `None` if the event lacks it.
    #[inline]
    pub fn field(&self, event: usize, column: ColumnId) -> Option<&[u8]> {
        let span = self.columns.get(event, column);
        (!span.is_missing()).then(|| self.bytes(span))
    }

    /// Returns the span of an asked field of an event as it is now.
    #[inline]
    pub fn field_span(&self, event: usize, column: ColumnId) -> Option<Span> {
        let span = self.columns.get(event, column);
        (!span.is_missing()).then_some(span)
    }

    /// Says where an asked field of an event is from now on, `None` if the event no longer has it.
    pub fn set_field_span(&mut self, event: usize, column: ColumnId, span: Option<Span>) {
        self.columns.row_mut(event)[column.index()] = span.unwrap_or(Span::MISSING);
    }

    /// Puts `line` in the place of an event's line; `edits` are what led from the old line to the new one, and
    /// tell where its asked fields have moved.
    pub fn replace_line(&mut self, event: usize, line: &[u8], edits: &Edits) {
        let old = self.places[event].line.start();
        let new = self.chunk.len() + self.edited.len();
        let moved = |span: Span| {
            let moved = edits.moved(span);
            Span::new(moved.start + new - old, moved.end + new - old)
        };

        let place = &mut self.places[event];
        place.line = Span::new(new, new + line.len());
        place.body = moved(place.body);
        for span in self.columns.row_mut(event).iter_mut().filter(|span| !span.is_missing()) {
            *span = moved(*span);
        }
        self.edited.extend_from_slice(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: ColumnId = ColumnId(0);
    const TAG: ColumnId = ColumnId(1);

    #[test]
    fn an_edited_line_takes_its_fields_along() {
        let chunk = Bytes::from_static(b"not an event\n {\"Name\":\"abcdef\",\"Tag\":7} \r\n");
        let mut batch = Batch::default();
        batch.reset(chunk, 2);
        batch.push_line(Span::new(0, 13), |_, _| Err(Malformed::NotJson));
        batch.push_line(Span::new(13, 42), |_, row| {
            (row[NAME.index()], row[TAG.index()]) = (Span::new(22, 30), Span::new(37, 38));
            Ok(Span::new(14, 39))
        });
        batch.select_all();
        assert_eq!(batch.rejects().len(), 1);

        let mut edits = Edits::default();
        edits.push(Span::new(25, 29), |text| text.extend_from_slice(b"..."));
        edits.push(Span::new(38, 38), |text| text.extend_from_slice(b",\"New\":8"));
        batch.replace_line(0, b" {\"Name\":\"ab...\",\"Tag\":7,\"New\":8} \r\n", &edits);

        assert!(batch.is_edited(0));
        assert_eq!(batch.read_end(0), 42);
        assert_eq!(batch.bytes(batch.body(0)), b"{\"Name\":\"ab...\",\"Tag\":7,\"New\":8}");
        assert_eq!(batch.field(0, NAME), Some(&b"\"ab...\""[..]));
        assert_eq!(batch.field(0, TAG), Some(&b"7"[..]));
    }
}
