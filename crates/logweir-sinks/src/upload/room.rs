//! How much the spool holds, and waits until it holds less.

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::stats::UploadStats;

/// The payloads, and pieces of them, that may wait to be told; at some hundred bytes each they take few ten MiB.
const MAX_PAYLOADS: usize = 100_000;

/// What a batch may grow by besides the bytes of its events: what stands around them, and what a compressor adds to
/// what it cannot compress.
const SLACK_BYTES: u64 = 64 << 10;

/// How much the spool holds.
#[derive(Debug)]
pub(super) struct Room {
    max_bytes: u64,
    held: Mutex<Held>,
    /// Told whenever it holds less.
    freed: Notify,
    stats: UploadStats,
}

/// What the spool holds.
#[expect(clippy::struct_field_names, reason = "all are numbers of something")]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Held {
    /// The bytes of all batches whose files are there, the one that grows included.
    pub(super) n_bytes: u64,
    pub(super) n_batches: u64,
    pub(super) n_events: u64,
    /// The payloads that wait to be told.
    pub(super) n_payloads: usize,
}

impl Room {
    pub(super) fn new(max_bytes: u64, stats: UploadStats) -> Self {
        Self { max_bytes, held: Mutex::default(), freed: Notify::new(), stats }
    }

    /// Returns what the spool holds.
    pub(super) fn held(&self) -> Held {
        *self.lock()
    }

    /// Returns how many bytes it may hold.
    pub(super) fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Returns whether there is room for a payload of `n_bytes` bytes; while nothing is held, always.
    pub(super) fn is_enough_for(&self, n_bytes: u64) -> bool {
        let held = self.lock();
        let n_bytes = held.n_bytes.saturating_add(n_bytes).saturating_add(SLACK_BYTES);
        let has_bytes = held.n_bytes == 0 || n_bytes <= self.max_bytes;
        has_bytes && held.n_payloads < MAX_PAYLOADS
    }

    /// Waits until there is room for a payload of `n_bytes` bytes.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only looks.
    pub(super) async fn enough_for(&self, n_bytes: u64) {
        loop {
            let mut freed = pin!(self.freed.notified());
            // Before looking, so that nothing is missed in between.
            freed.as_mut().enable();
            if self.is_enough_for(n_bytes) {
                return;
            }
            freed.await;
        }
    }

    /// Changes what is held.
    pub(super) fn change(&self, change: impl FnOnce(&mut Held)) {
        let mut held = self.lock();
        change(&mut held);
        let Held { n_bytes, n_batches, .. } = *held;
        self.stats.change(|stats| (stats.spool_bytes, stats.spool_batches) = (n_bytes, n_batches));
        drop(held);
        self.freed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // Each change leaves it whole; a panic elsewhere ends the sink anyway.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_up_to_the_bounds_and_always_for_what_is_alone() {
        let room = Room::new(1 << 20, UploadStats::new());
        assert!(room.is_enough_for(u64::MAX));
        room.change(|held| held.n_bytes = 1);
        assert!(room.is_enough_for(900 << 10) && !room.is_enough_for(1 << 20));
        room.change(|held| held.n_payloads = MAX_PAYLOADS);
        assert!(!room.is_enough_for(0));
        room.change(|held| *held = Held { n_payloads: MAX_PAYLOADS - 1, ..Held::default() });
        assert!(room.is_enough_for(0));
    }
}
