//! The form in which a destination wants the events of a batch.

/// The form in which a destination wants the events of a batch.
///
/// A batch is written as [`begin`](Self::begin), [`event`](Self::event) for each event, [`end`](Self::end).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Envelope {
    /// As they were rendered.
    #[default]
    Plain,
}

/// An event that is put into its envelope.
#[derive(Clone, Copy, Debug)]
pub struct EnvelopedEvent<'a> {
    /// The event as it was rendered, with or without its line feed.
    pub bytes: &'a [u8],
    /// When it happened, or, if it does not say, when it was read, in milliseconds since 1970.
    pub time_ms: i64,
    /// What no other batch has: where it is taken again from a file, it stays the same.
    pub batch_id: u64,
    /// Which event of the batch it is, from 0.
    pub index: u64,
}

impl Envelope {
    /// Returns whether events stay as they were rendered, so that there is nothing to call for them.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }

    /// Adds what stands before the first event.
    pub fn begin(&self, _out: &mut Vec<u8>) {}

    /// Adds an event.
    pub fn event(&self, out: &mut Vec<u8>, event: &EnvelopedEvent<'_>) {
        out.extend_from_slice(event.bytes);
    }

    /// Adds what stands behind the last event.
    pub fn end(&self, _out: &mut Vec<u8>) {}
}
