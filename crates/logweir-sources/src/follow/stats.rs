//! What a source that follows files has to tell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What can happen to a file that is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// It has another name.
    Renamed,
    /// It was emptied, or written anew from its beginning.
    Truncated,
    /// A name leads to another file than before.
    Replaced,
    /// It was deleted.
    Deleted,
    /// It was moved to where nobody looks for files.
    MovedAway,
    /// A copy of it was made, which was recognised.
    Copied,
    /// A compressed copy of it was made, which was recognised.
    Compressed,
}

impl Rotation {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Renamed,
        Self::Truncated,
        Self::Replaced,
        Self::Deleted,
        Self::MovedAway,
        Self::Copied,
        Self::Compressed,
    ];

    /// Returns its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Renamed => "renamed",
            Self::Truncated => "truncated",
            Self::Replaced => "replaced",
            Self::Deleted => "deleted",
            Self::MovedAway => "moved_away",
            Self::Copied => "copied",
            Self::Compressed => "compressed",
        }
    }
}

/// What a [`FollowSource`](super::FollowSource) is doing and has done. A clone tells the same.
#[derive(Clone, Default, Debug)]
pub struct FollowStats {
    shared: Arc<Shared>,
}

#[derive(Default, Debug)]
struct Shared {
    n_files: AtomicU64,
    n_open: AtomicU64,
    rotations: [AtomicU64; Rotation::ALL.len()],
    n_reread: AtomicU64,
    n_lost: AtomicU64,
    n_lost_bytes: AtomicU64,
    n_unfinished: AtomicU64,
    n_skipped_nuls: AtomicU64,
    looked: Mutex<Looked>,
    /// Since when the file that has waited longest has had something to read.
    unread_since: Mutex<Option<Instant>>,
}

/// How far it has looked around.
#[derive(Clone, Copy, Default, Debug)]
struct Looked {
    n_searches: u64,
    n_behind: u64,
}

impl FollowStats {
    /// Returns how often all files have been searched for, and how many of those found then, or later, had something that
    /// is to be read.
    pub fn looked(&self) -> (u64, u64) {
        let Looked { n_searches, n_behind } =
            *self.shared.looked.lock().unwrap_or_else(PoisonError::into_inner);
        (n_searches, n_behind)
    }

    /// Returns how many files are followed.
    pub fn n_files(&self) -> u64 {
        self.shared.n_files.load(Ordering::Relaxed)
    }

    /// Returns how many of them are open.
    pub fn n_open(&self) -> u64 {
        self.shared.n_open.load(Ordering::Relaxed)
    }

    /// Returns how often something has happened to files.
    pub fn rotations(&self, rotation: Rotation) -> u64 {
        self.shared.rotations[rotation as usize].load(Ordering::Relaxed)
    }

    /// Returns how many files were read again from their beginning although some of what they hold may have been read
    /// before, because nothing told which.
    pub fn n_reread(&self) -> u64 {
        self.shared.n_reread.load(Ordering::Relaxed)
    }

    /// Returns how many files were gone, or had been emptied, before they were read to their end.
    pub fn n_lost(&self) -> u64 {
        self.shared.n_lost.load(Ordering::Relaxed)
    }

    /// Returns how many bytes those files held, as far as is known, that were not read.
    pub fn n_lost_bytes(&self) -> u64 {
        self.shared.n_lost_bytes.load(Ordering::Relaxed)
    }

    /// Returns how many lines were cut off before they were finished, because their file was emptied.
    pub fn n_unfinished(&self) -> u64 {
        self.shared.n_unfinished.load(Ordering::Relaxed)
    }

    /// Returns how many zero bytes were skipped that files began with. Whoever goes on writing to a file that was emptied
    /// behind their back, where they were, leaves a hole before it, which reads as zeros.
    pub fn n_skipped_nuls(&self) -> u64 {
        self.shared.n_skipped_nuls.load(Ordering::Relaxed)
    }

    /// Returns how long the file that has waited longest has had something to read; zero if all is read.
    pub fn oldest_unread(&self) -> Duration {
        let since = *self.shared.unread_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    pub(super) fn set_files(&self, n_files: usize, n_open: usize) {
        self.shared.n_files.store(n_files as u64, Ordering::Relaxed);
        self.shared.n_open.store(n_open as u64, Ordering::Relaxed);
    }

    pub(super) fn count(&self, rotation: Rotation) {
        self.shared.rotations[rotation as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_reread(&self) {
        self.shared.n_reread.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_lost(&self, n_bytes: u64) {
        self.shared.n_lost.fetch_add(1, Ordering::Relaxed);
        self.shared.n_lost_bytes.fetch_add(n_bytes, Ordering::Relaxed);
    }

    pub(super) fn count_unfinished(&self) {
        self.shared.n_unfinished.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_skipped_nuls(&self, n_bytes: u64) {
        self.shared.n_skipped_nuls.fetch_add(n_bytes, Ordering::Relaxed);
    }

    pub(super) fn set_looked(&self, n_searches: u64, n_behind: u64) {
        let looked = Looked { n_searches, n_behind };
        *self.shared.looked.lock().unwrap_or_else(PoisonError::into_inner) = looked;
    }

    pub(super) fn set_unread_since(&self, since: Option<Instant>) {
        *self.shared.unread_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}
