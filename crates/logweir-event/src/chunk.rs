//! What a source gives.

use bytes::Bytes;

use crate::ack::Ack;
use crate::position::Position;

/// The whole lines that one read gave, and the ack that tells the source what became of them.
///
/// The bytes never change again. They start at the start of a line and end at the end of one; only the last chunk
/// of an input may lack the last line ending. A byte-order mark at the start of the input is already gone.
#[derive(Debug)]
pub struct Chunk {
    /// The lines with their endings; empty if all that was read was skipped.
    pub bytes: Bytes,
    /// Decompressed bytes this chunk stands for: its own, and those skipped since the last chunk.
    pub n_bytes_read: u64,
    /// Lines skipped since the last chunk because they are longer than `max_event_bytes`.
    pub n_oversized: u64,
    /// Where it ends in its input: its bytes are the last ones before that.
    pub end: Position,
    /// Resolved once all events in it have got where they had to go.
    pub ack: Ack,
}
