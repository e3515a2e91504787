//! What is to change in one event.

use std::ops::Range;

use crate::span::Span;

/// One change: the bytes of `removed` give way to the bytes `text` of the new texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Edit {
    /// What goes, counted like the spans of the event's columns.
    removed: Span,
    /// What comes, a span of the new texts; may be empty.
    text: Span,
}

/// The changes to one event, in order of place, none touching another.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    list: Vec<Edit>,
    /// The new texts, one after the other.
    text: Vec<u8>,
}

impl Edits {
    /// Forgets all changes, keeping the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.text.clear();
    }

    /// Adds a change; `write` appends the new text to the buffer it gets.
    pub fn push(&mut self, removed: Span, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.text.len();
        write(&mut self.text);
        self.list.push(Edit { removed, text: Span::new(start, self.text.len()) });
    }

    /// Puts the changes in order of place.
    ///
    /// # Panics
    ///
    /// If two of them overlap, which is an error of the stage that made them.
    pub fn sort(&mut self) {
        self.list.sort_unstable_by_key(|edit| edit.removed.start());
        let apart = self.list.windows(2).all(|pair| pair[0].removed.end() <= pair[1].removed.start());
        assert!(apart, "edits of one event overlap");
    }

    /// Returns whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Returns the changes in the order they were added, or of place after [`sort`](Edits::sort).
    pub fn iter(&self) -> impl Iterator<Item = (Span, &[u8])> {
        self.list.iter().map(|edit| (edit.removed, &self.text[edit.text.range()]))
    }

    /// Returns where a span whose ends no edit removes lies after the changes, counted from the same origin. It takes
    /// in what is changed inside; text that is only added before its start or behind its end stays outside. The edits
    /// must be sorted.
    pub fn moved(&self, span: Span) -> Range<usize> {
        let (start, end) = (span.start(), span.end());
        let new_start = self.shifted(start, |removed| removed.end() <= start);
        let new_end = self.shifted(end, |removed| removed.end() <= end && removed.start() < end);
        new_start..new_end
    }

    /// Returns where a place lies after the first changes, those for which `is_before` holds.
    fn shifted(&self, place: usize, is_before: impl Fn(Span) -> bool) -> usize {
        let before = self.list.iter().take_while(|edit| is_before(edit.removed));
        before.fold(place, |moved, edit| moved - edit.removed.len() + edit.text.len())
    }
}
