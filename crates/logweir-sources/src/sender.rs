//! Hands chunks on.

use logweir_event::{Chunk, Position};
use tokio::sync::mpsc;

use crate::chunker::RawChunk;
use crate::tracker::AckTracker;

/// Nobody takes chunks any more.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
#[error("nobody takes chunks any more")]
pub struct Closed;

/// Hands chunks to several takers, strictly in turn; who collects from the takers in the same turn has their order
/// again.
#[derive(Debug)]
pub struct ChunkSender {
    senders: Vec<mpsc::Sender<Chunk>>,
    /// Whose turn it is.
    next: usize,
    tracker: AckTracker,
}

impl ChunkSender {
    /// Returns one that sends to `senders` in turn, beginning with the first, each chunk with an ack of `tracker`.
    pub fn new(senders: Vec<mpsc::Sender<Chunk>>, tracker: AckTracker) -> Self {
        Self { senders, next: 0, tracker }
    }

    /// Sends a chunk that ends at `position`; waits while the taker whose turn it is has no room. `n_source_bytes`
    /// is how many bytes of the source it stands for, as they lie there, compressed ones counted compressed.
    ///
    /// # Errors
    ///
    /// [`Closed`] if that taker is gone. The chunk is then dropped, and counts as not delivered.
    ///
    /// # Panics
    ///
    /// If called from asynchronous code, where it must not wait.
    pub fn blocking_send(
        &mut self,
        raw: RawChunk,
        position: Position,
        n_source_bytes: u64,
    ) -> Result<(), Closed> {
        let sender = self.senders.get(self.next).ok_or(Closed)?;
        let ack = self.tracker.ack(position, n_source_bytes);
        let chunk =
            Chunk { bytes: raw.bytes, n_bytes_read: raw.n_bytes_read, n_oversized: raw.n_oversized, ack };
        sender.blocking_send(chunk).map_err(|_| Closed)?;
        self.next = (self.next + 1) % self.senders.len();
        Ok(())
    }

    /// Counts `n_source_bytes` bytes before `position` as delivered once all before them is: they hold no line, like
    /// the check sum behind compressed data.
    pub fn pass(&mut self, position: Position, n_source_bytes: u64) {
        self.tracker.ack(position, n_source_bytes).deliver();
    }
}
