//! What is to change in one event.

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

    /// Returns where a place that no edit removes lies after the changes, `place` and result counted from the same
    /// origin. The edits must be sorted.
    pub fn moved(&self, place: usize) -> usize {
        let before = self.list.iter().take_while(|edit| edit.removed.end() <= place);
        before.fold(place, |moved, edit| moved - edit.removed.len() + edit.text.len())
    }
}
