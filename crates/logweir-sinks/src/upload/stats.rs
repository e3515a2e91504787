//! What a sink that uploads batches has done, and how it fares.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// What a sink that uploads batches has done so far, and how it fares. A clone is the same.
#[derive(Clone, Default, Debug)]
pub struct UploadStats {
    state: Arc<Mutex<UploadSnapshot>>,
}

/// What [`UploadStats`] say at one moment; all of it fits together.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct UploadSnapshot {
    /// Attempts, by what came of them and by the status of the answer: that of HTTP, or one from 1101 to 1108.
    pub attempts: BTreeMap<(UploadOutcome, u16), u64>,
    /// Batches that were delivered.
    pub batches_uploaded: u64,
    /// Batches that were given up, since the destination refused them.
    pub batches_rejected: u64,
    /// Events that were delivered.
    pub events_uploaded: u64,
    /// Events that the destination refused for good.
    pub events_rejected: u64,
    /// Of the events that were delivered, those in batches that a former run had left in the spool.
    pub events_recovered: u64,
    /// Bytes of what was delivered, before it was compressed.
    pub bytes_raw: u64,
    /// Bytes of what was delivered, as it was sent.
    pub bytes_compressed: u64,
    /// How long attempts took, whatever came of them.
    pub durations: Durations,
    /// Batches in the spool now, the one that grows included.
    pub spool_batches: u64,
    /// Bytes in the spool now.
    pub spool_bytes: u64,
    /// Batches that were found damaged when the spool was opened, or behind one that was, and lie aside in it.
    pub spool_damaged: u64,
    /// Whether so many uploads have failed in a row that only the oldest batch is tried.
    pub is_circuit_open: bool,
    /// When the last event happened of the last batch that was delivered with all before it.
    pub last_complete: Option<SystemTime>,
    /// When an upload failed last; `None` once one has succeeded since.
    pub last_error: Option<SystemTime>,
    /// What went wrong then; `None` once an upload has succeeded since.
    pub error_message: Option<String>,
}

/// What came of an attempt to upload a batch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum UploadOutcome {
    /// It was taken.
    Ok,
    /// It was not, and is tried again.
    Retry,
    /// It was refused for good. With [`OnReject::Hold`](crate::OnReject::Hold) it is tried again all the same.
    Rejected,
}

impl UploadOutcome {
    /// Returns it in one word, for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Retry => "retry",
            Self::Rejected => "rejected",
        }
    }
}

/// How often something took how long.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Durations {
    /// For each bound, how often it took longer than the bound before and no longer than this; then how often longer
    /// than all.
    counts: [u64; Self::BOUNDS.len() + 1],
    total: Duration,
}

impl Durations {
    /// The bounds, in seconds: from an object store next door to a large batch over a slow line.
    pub const BOUNDS: [f64; 11] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

    /// Returns for each bound how often it took no longer, as Prometheus counts.
    pub fn cumulated(&self) -> [u64; Self::BOUNDS.len()] {
        let mut n = 0;
        std::array::from_fn(|i| {
            n += self.counts[i];
            n
        })
    }

    /// Returns how often it was measured.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns how long it took in all.
    pub fn total(&self) -> Duration {
        self.total
    }

    fn add(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        self.counts[Self::BOUNDS.partition_point(|&bound| bound < seconds)] += 1;
        self.total += duration;
    }
}

impl UploadSnapshot {
    /// Returns how many attempts failed and were, or are, followed by another.
    pub fn retries(&self) -> u64 {
        let retried = |(outcome, _): &(UploadOutcome, u16)| *outcome == UploadOutcome::Retry;
        self.attempts.iter().filter(|(kind, _)| retried(kind)).map(|(_, n)| n).sum()
    }
}

impl UploadStats {
    /// Returns those of a sink that has done nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns what they say now.
    pub fn snapshot(&self) -> UploadSnapshot {
        self.lock().clone()
    }

    /// Changes them.
    pub(super) fn change(&self, change: impl FnOnce(&mut UploadSnapshot)) {
        change(&mut self.lock());
    }

    /// Counts an attempt.
    pub(super) fn count(&self, outcome: UploadOutcome, status: u16, took: Duration) {
        let mut state = self.lock();
        *state.attempts.entry((outcome, status)).or_default() += 1;
        state.durations.add(took);
    }

    fn lock(&self) -> MutexGuard<'_, UploadSnapshot> {
        // Each change leaves it whole; a panic elsewhere ends the sink anyway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_below_their_bounds() {
        let mut durations = Durations::default();
        for millis in [10, 25, 26, 1000, 500_000] {
            durations.add(Duration::from_millis(millis));
        }
        assert_eq!(durations.cumulated(), [2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4]);
        assert_eq!((durations.count(), durations.total()), (5, Duration::from_millis(501_061)));
    }
}
