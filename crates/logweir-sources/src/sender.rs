//! Hands chunks on.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use logweir_event::Chunk;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::chunker::RawChunk;
use crate::tracker::{AckTracker, Mark};

/// How long a wait may be before it is counted although it is not over.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

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

    /// Returns what keeps the acks of the chunks.
    pub fn tracker(&self) -> &AckTracker {
        &self.tracker
    }

    /// Returns a chunk that ends at `mark`, with its ack. `n_source_bytes` is how many bytes of the source it stands
    /// for, as they lie there, compressed ones counted compressed. It must be sent before the next one is made.
    pub fn chunk(&self, raw: RawChunk, mark: Mark, n_source_bytes: u64) -> Chunk {
        let RawChunk { bytes, n_bytes_read, n_oversized } = raw;
        let ack = self.tracker.ack(mark, n_source_bytes);
        Chunk { bytes, n_bytes_read, n_oversized, end: mark.position, ack }
    }

    /// Sends a chunk; waits while the taker whose turn it is has no room.
    ///
    /// # Errors
    ///
    /// [`Closed`] if that taker is gone. The chunk is then dropped, and counts as not delivered.
    ///
    /// # Panics
    ///
    /// If called from asynchronous code, where it must not wait.
    pub fn blocking_send(&mut self, chunk: Chunk) -> Result<(), Closed> {
        let mut unsent = Some(chunk);
        while let Some(chunk) = unsent {
            // In parts, so that what is waited shows while it is: where nobody takes anything no wait ever ends.
            unsent = self.send_within(chunk, SHOWN_AFTER)?;
        }
        Ok(())
    }

    /// Sends a chunk, waiting no longer than `patience` for room; returns the chunk if there was none.
    ///
    /// # Errors
    ///
    /// As [`blocking_send`](ChunkSender::blocking_send).
    pub fn send_within(&mut self, chunk: Chunk, patience: Duration) -> Result<Option<Chunk>, Closed> {
        let Some(chunk) = self.try_send(chunk)? else {
            return Ok(None);
        };
        let since = Instant::now();
        let unsent = match within(patience, self.senders[self.next].reserve()) {
            None => Some(chunk),
            Some(permit) => {
                permit.map_err(|_| Closed)?.send(chunk);
                None
            }
        };
        self.add_wait(since);
        if unsent.is_none() {
            self.turn();
        }
        Ok(unsent)
    }

    /// Sends a chunk if there is room; returns it if there is none.
    fn try_send(&mut self, chunk: Chunk) -> Result<Option<Chunk>, Closed> {
        let sender = self.senders.get(self.next).ok_or(Closed)?;
        match sender.try_send(chunk) {
            Ok(()) => {
                self.turn();
                Ok(None)
            }
            Err(TrySendError::Closed(_)) => Err(Closed),
            Err(TrySendError::Full(chunk)) => Ok(Some(chunk)),
        }
    }

    fn turn(&mut self) {
        self.next = (self.next + 1) % self.senders.len();
    }

    fn add_wait(&self, since: Instant) {
        let waited = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(waited, Ordering::Relaxed);
    }

    /// Counts `n_source_bytes` bytes before `mark` as delivered once all before them is: they hold no line, like the
    /// check sum behind compressed data.
    pub fn pass(&self, mark: Mark, n_source_bytes: u64) {
        self.tracker.ack(mark, n_source_bytes).deliver();
    }
}

/// Drives a future on this thread for at most `patience`; returns `None` if it was not ready by then.
fn within<T>(patience: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let waker = Arc::new(Unpark(thread::current())).into();
    let until = Instant::now() + patience;
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

/// Wakes a thread that is parked.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
