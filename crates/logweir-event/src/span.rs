//! Where something lies in a run of bytes.

use std::ops::Range;

/// A half-open range of bytes, 32 bits a side: chunks are far below 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The span of a field that an event does not have.
    pub const MISSING: Self = Self { start: u32::MAX, end: u32::MAX };

    /// Returns the span from `start` up to, not including, `end`.
    ///
    /// # Panics
    ///
    /// If `start` is behind `end`, or `end` needs more than 32 bits; sources keep chunks below that.
    #[inline]
    pub fn new(start: usize, end: usize) -> Self {
        assert!(start <= end && end < u32::MAX as usize, "span {start}..{end} does not fit");
        Self { start: start as u32, end: end as u32 }
    }

    /// Returns where it starts.
    #[inline]
    pub fn start(self) -> usize {
        self.start as usize
    }

    /// Returns where it ends (exclusive).
    #[inline]
    pub fn end(self) -> usize {
        self.end as usize
    }

    /// Returns its length in bytes.
    #[inline]
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    /// Returns whether it covers no byte.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Returns whether it is [`Span::MISSING`].
    #[inline]
    pub fn is_missing(self) -> bool {
        self.start == u32::MAX
    }

    /// Returns the range to index a slice with.
    #[inline]
    pub fn range(self) -> Range<usize> {
        self.start()..self.end()
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}
