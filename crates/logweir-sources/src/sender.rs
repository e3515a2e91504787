//! Hands chunks on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use logweir_event::{Chunk, Position};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

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
    waited_micros: Arc<AtomicU64>,
}

impl ChunkSender {
    /// Returns one that sends to `senders` in turn, beginning with the first, each chunk with an ack of `tracker`. It
    /// adds to `waited_micros` the microseconds it waits because a taker has no room.
    pub fn new(
        senders: Vec<mpsc::Sender<Chunk>>,
        tracker: AckTracker,
        waited_micros: Arc<AtomicU64>,
    ) -> Self {
        Self { senders, next: 0, tracker, waited_micros }
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
        match sender.try_send(chunk) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => return Err(Closed),
            Err(TrySendError::Full(chunk)) => {
                let since = Instant::now();
                let sent = sender.blocking_send(chunk);
                let waited = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.waited_micros.fetch_add(waited, Ordering::Relaxed);
                sent.map_err(|_| Closed)?;
            }
        }
        self.next = (self.next + 1) % self.senders.len();
        Ok(())
    }

    /// Counts `n_source_bytes` bytes before `position` as delivered once all before them is: they hold no line, like
    /// the check sum behind compressed data.
    pub fn pass(&mut self, position: Position, n_source_bytes: u64) {
        self.tracker.ack(position, n_source_bytes).deliver();
    }
}
