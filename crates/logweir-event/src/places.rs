//! Where the events of a payload lie: in its own bytes, and in the input they were read from.
//!
//! Who collects events in batches may end one anywhere between two events, so it has to know where each ends, and up to
//! which place of its input that covers everything.

use bytes::Bytes;

use crate::position::Position;

/// How many bytes before a place are told with it, at most.
const BEFORE_BYTES: usize = 256;

/// Where one event lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventPlace {
    /// Where it ends in the bytes of its payload.
    pub rendered_end: u32,
    /// Where its line ends in the chunk that it was read in.
    pub read_end: u32,
    /// When it happened, in milliseconds since the Unix epoch; `None` if it does not say.
    pub time_ms: Option<i64>,
}

/// Where the events of a payload lie.
#[derive(Clone, Debug)]
pub struct Places {
    /// The chunk they were read in.
    chunk: Bytes,
    /// Where the chunk ends in its input; its bytes are the last ones before that.
    end: Position,
    /// Of each event of the payload, in order.
    events: Vec<EventPlace>,
    /// Bytes at the beginning of each event that only separate it from the one before.
    n_delimiter_bytes: u32,
}

/// A place up to which everything in an input is covered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reached {
    /// The place.
    pub position: Position,
    /// The bytes of the input right before it, as many as are at hand, 256 at most.
    pub before: Bytes,
}

impl Places {
    /// Returns the places of `events`, which were read in `chunk`, which ends at `end`. Each begins with
    /// `n_delimiter_bytes` bytes that only separate it from the one before.
    pub fn new(chunk: Bytes, end: Position, events: Vec<EventPlace>, n_delimiter_bytes: u32) -> Self {
        Self { chunk, end, events, n_delimiter_bytes }
    }

    /// Returns the place of each event.
    pub fn events(&self) -> &[EventPlace] {
        &self.events
    }

    /// Returns how many bytes at the beginning of each event only separate it from the one before.
    pub fn n_delimiter_bytes(&self) -> u32 {
        self.n_delimiter_bytes
    }

    /// Returns the end of the chunk.
    pub(crate) fn end(&self) -> Reached {
        self.at(self.chunk.len())
    }

    /// Returns the end of the last of these events; `None` if there is none.
    pub(crate) fn last(&self) -> Option<Reached> {
        self.events.last().map(|event| self.at(event.read_end as usize))
    }

    /// Returns how many whole events the first `n_bytes` bytes of the payload hold, and where the last of those ends.
    pub(crate) fn whole_events_within(&self, n_bytes: u64) -> (u64, u64) {
        let n_events = self.events.partition_point(|event| u64::from(event.rendered_end) <= n_bytes);
        let end = self.events[..n_events].last().map_or(0, |event| u64::from(event.rendered_end));
        (n_events as u64, end)
    }

    /// Splits off the places of the first `n_events` events, whose bytes go elsewhere.
    pub(crate) fn take_first(&mut self, n_events: usize) -> Self {
        let rest = self.events.split_off(n_events);
        let first = std::mem::replace(&mut self.events, rest);
        let n_bytes = first.last().map_or(0, |event| event.rendered_end);
        for event in &mut self.events {
            event.rendered_end -= n_bytes;
        }
        Self { chunk: self.chunk.clone(), events: first, ..*self }
    }

    fn at(&self, end: usize) -> Reached {
        let n_behind = (self.chunk.len() - end) as u64;
        let position = Position { offset: self.end.offset - n_behind, ..self.end };
        Reached { position, before: self.chunk.slice(end.saturating_sub(BEFORE_BYTES)..end) }
    }
}

/// Who knows what the positions of a source mean beyond this process.
pub trait Positions: Send + Sync {
    /// Returns what tells an input from all others, here and in other processes, to make names of.
    fn identity(&self, input: u32) -> Vec<u8>;

    /// Returns, as bytes to be kept, from where the source is to read once all that has been delivered and all that
    /// these places cover is safe; `None` if it cannot read anything again. Of each input at most one place is given.
    fn covering(&self, reached: &[Reached]) -> Option<Vec<u8>>;

    /// Says that all is delivered that was covered when this run began. Until then the source keeps for good only what it
    /// had kept before: should what covers the rest be lost, that is read again.
    fn former_is_delivered(&self) {}

    /// Returns whether the source itself has kept for good that all before these positions is delivered. Of a source
    /// that cannot read anything again, always.
    fn is_committed(&self, positions: &[Position]) -> bool;
}
