//! The fields that some stage asked for.

use crate::span::Span;

/// Names one asked field: its place in every event's row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ColumnId(pub u16);

impl ColumnId {
    /// Returns the index into a row.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// For each event of a batch a row with one span an asked field, [`Span::MISSING`] where the event lacks it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Columns {
    /// Fields in a row.
    width: usize,
    /// Row after row.
    spans: Vec<Span>,
}

impl Columns {
    /// Empties it and sets the number of fields a row, keeping the memory.
    pub fn reset(&mut self, width: usize) {
        self.width = width;
        self.spans.clear();
    }

    /// Adds a row in which every field is missing, and returns it.
    pub fn push_row(&mut self) -> &mut [Span] {
        let start = self.spans.len();
        self.spans.resize(start + self.width, Span::MISSING);
        &mut self.spans[start..]
    }

    /// Takes the last row away again.
    pub fn pop_row(&mut self) {
        self.spans.truncate(self.spans.len().saturating_sub(self.width));
    }

    /// Returns an event's span of a field.
    pub fn get(&self, event: usize, column: ColumnId) -> Span {
        debug_assert!(column.index() < self.width);
        self.spans[event * self.width + column.index()]
    }

    /// Returns an event's row.
    pub fn row_mut(&mut self, event: usize) -> &mut [Span] {
        &mut self.spans[event * self.width..(event + 1) * self.width]
    }
}
