//! How much there is to read, and how much has been read.

use std::sync::atomic::{AtomicU64, Ordering};

/// The value of [`Progress::total`] that stands for "not known".
const UNKNOWN: u64 = u64::MAX;

/// How far reading has come, in bytes as they lie in the source: of a compressed file, the compressed ones.
#[derive(Debug)]
pub struct Progress {
    total: AtomicU64,
    n_read: AtomicU64,
}

impl Progress {
    /// Returns one that knows nothing yet.
    pub fn new() -> Self {
        Self { total: AtomicU64::new(UNKNOWN), n_read: AtomicU64::new(0) }
    }

    /// Returns the bytes there are to read, read ones included; `None` where that is not known, as of a pipe.
    pub fn total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Relaxed)).filter(|&total| total != UNKNOWN)
    }

    /// Returns the bytes read so far.
    pub fn n_read(&self) -> u64 {
        self.n_read.load(Ordering::Relaxed)
    }

    /// Returns how many bytes there are beyond `n_delivered`: of the known total, or of what has been read so far.
    pub fn lag(&self, n_delivered: u64) -> u64 {
        self.total().unwrap_or_else(|| self.n_read()).saturating_sub(n_delivered)
    }

    /// Makes the total known.
    pub(crate) fn set_total(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    /// Corrects a known total by an input that was thought to have `expected` bytes and turned out to have `actual`
    /// that can be read.
    pub(crate) fn correct(&self, expected: u64, actual: u64) {
        if let Some(total) = self.total() {
            self.set_total((total - total.min(expected)).saturating_add(actual));
        }
    }

    pub(crate) fn add_read(&self, n_bytes: u64) {
        self.n_read.fetch_add(n_bytes, Ordering::Relaxed);
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
