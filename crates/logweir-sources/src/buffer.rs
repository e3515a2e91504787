//! Lends the memory that chunks are read into, and bounds it.
//!
//! A chunk's bytes live until the last slice of them has been written. So the pool counts every byte it has lent,
//! and a source that would take more waits until something comes back: this, not the channels, is what bounds the
//! memory of a pipeline. Buffers of the usual size come back to be used again; they are never zeroed again, since a
//! source only shows what it has read over.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

/// Lends buffers, and bounds how many bytes of them are held. A clone is the same pool.
#[derive(Clone)]
pub struct BufferPool {
    shared: Arc<Shared>,
}

struct Shared {
    max_held_bytes: usize,
    chunk_bytes: usize,
    state: Mutex<State>,
    /// Notified when a lent buffer comes back.
    returned: Condvar,
}

#[derive(Default)]
struct State {
    /// Bytes of all buffers that are not in `free`.
    held: usize,
    /// How many of those are frozen: chunks on their way.
    n_frozen: usize,
    /// Buffers of `chunk_bytes` bytes to be used again. With `held` they stay within `max_held_bytes`.
    free: Vec<Vec<u8>>,
}

impl BufferPool {
    /// Returns a pool of buffers of `chunk_bytes` bytes that holds about `max_held_bytes` at most: a source waits
    /// before it takes more, unless no chunk is on its way whose memory could come back.
    pub fn new(max_held_bytes: usize, chunk_bytes: usize) -> Self {
        let (state, returned) = (Mutex::default(), Condvar::new());
        let chunk_bytes = chunk_bytes.max(1);
        Self { shared: Arc::new(Shared { max_held_bytes, chunk_bytes, state, returned }) }
    }

    /// Returns how many bytes are held: the buffer that is being read into, and all chunks on their way.
    pub fn held(&self) -> usize {
        self.shared.lock().held
    }

    /// Returns how many bytes are held at most, one long line apart.
    pub fn limit(&self) -> usize {
        self.shared.max_held_bytes
    }

    /// Waits until `n_bytes` more may be held; returns false if `stop` came first.
    ///
    /// The wait ends by [`wake`](BufferPool::wake), which must follow the cancellation.
    pub(crate) fn wait(&self, n_bytes: usize, stop: &CancellationToken) -> bool {
        while !stop.is_cancelled() {
            if self.wait_within(n_bytes, stop, Duration::from_secs(3600)) {
                return true;
            }
        }
        false
    }

    /// Waits until `n_bytes` more may be held, no longer than `patience`; returns false if that, or `stop`, came
    /// first.
    pub(crate) fn wait_within(&self, n_bytes: usize, stop: &CancellationToken, patience: Duration) -> bool {
        let is_full = |state: &mut State| {
            !stop.is_cancelled() && state.n_frozen > 0 && state.held + n_bytes > self.shared.max_held_bytes
        };
        let state = self.shared.lock();
        let waited = self.shared.returned.wait_timeout_while(state, patience, is_full);
        let is_too_late = waited.unwrap_or_else(PoisonError::into_inner).1.timed_out();
        !is_too_late && !stop.is_cancelled()
    }

    /// Wakes everybody who waits, to look at their `stop` again.
    pub(crate) fn wake(&self) {
        // Under the lock, so that nobody is between looking and waiting.
        let _state = self.shared.lock();
        self.shared.returned.notify_all();
    }

    /// Lends a buffer of at least `n_bytes` bytes, and no less than `chunk_bytes`, without waiting.
    pub(crate) fn lend(&self, n_bytes: usize) -> Buffer {
        let n_bytes = n_bytes.max(self.shared.chunk_bytes);
        let mut state = self.shared.lock();
        let reused = if n_bytes == self.shared.chunk_bytes { state.free.pop() } else { None };
        self.shared.charge(&mut state, n_bytes);
        drop(state);
        Buffer { bytes: reused.unwrap_or_else(|| vec![0; n_bytes]), frozen: false, pool: self.clone() }
    }

    /// Returns a copy of `bytes`, which is held like a buffer of just that size.
    pub(crate) fn copy(&self, bytes: &[u8]) -> Bytes {
        if bytes.is_empty() {
            return Bytes::new();
        }
        self.shared.charge(&mut self.shared.lock(), bytes.len());
        Buffer { bytes: bytes.to_vec(), frozen: false, pool: self.clone() }.freeze(bytes.len())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The counts are changed by single additions, so they are right even if somebody panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts `n_bytes` more as held.
    fn charge(&self, state: &mut State, n_bytes: usize) {
        state.held += n_bytes;
        self.trim(state);
    }

    /// Gives memory back where held and free buffers together are more than the bound.
    fn trim(&self, state: &mut State) {
        let room = self.max_held_bytes.saturating_sub(state.held) / self.chunk_bytes;
        state.free.truncate(room);
    }
}

/// A buffer that is lent: initialised memory of a fixed length, to be read into and then frozen.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    /// Whether it has become a chunk.
    frozen: bool,
    pool: BufferPool,
}

impl Buffer {
    /// Returns all of it.
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Returns its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns whether it is larger than usual, and will not be kept.
    pub(crate) fn is_grown(&self) -> bool {
        self.bytes.len() > self.pool.shared.chunk_bytes
    }

    /// Makes it `n_bytes` bytes long, keeping what is in it, without waiting.
    pub(crate) fn grow(&mut self, n_bytes: usize) {
        let shared = &self.pool.shared;
        shared.charge(&mut shared.lock(), n_bytes.saturating_sub(self.bytes.len()));
        self.bytes.resize(n_bytes.max(self.bytes.len()), 0);
    }

    /// Returns its first `n_bytes` bytes as a chunk's; the memory comes back once the last slice of them is gone.
    pub(crate) fn freeze(mut self, n_bytes: usize) -> Bytes {
        self.pool.shared.lock().n_frozen += 1;
        self.frozen = true;
        Bytes::from_owner(Frozen { buffer: self, n_bytes })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let shared = &self.pool.shared;
        let mut state = shared.lock();
        state.held -= self.bytes.len();
        state.n_frozen -= usize::from(self.frozen);
        if self.bytes.len() == shared.chunk_bytes {
            state.free.push(std::mem::take(&mut self.bytes));
            shared.trim(&mut state);
        }
        shared.returned.notify_all();
    }
}

struct Frozen {
    buffer: Buffer,
    n_bytes: usize,
}

impl AsRef<[u8]> for Frozen {
    fn as_ref(&self) -> &[u8] {
        &self.buffer.bytes[..self.n_bytes]
    }
}

impl fmt::Debug for BufferPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferPool").field("held", &self.held()).finish_non_exhaustive()
    }
}
