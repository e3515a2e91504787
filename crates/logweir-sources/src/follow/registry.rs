//! What a checkpoint is to say of each file, kept where both the source and the one who writes checkpoints see it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use logweir_event::FileId;

use crate::checkpoint::{Checkpoint, FileCheckpoint};
use crate::fingerprint::{Fingerprint, WINDOW_BYTES};
use crate::tracker::{AckTracker, Mark};

/// What a file begins with.
#[derive(Clone, Debug)]
pub(super) enum Head {
    /// Its first bytes, 256 or all that have been read.
    Bytes(Vec<u8>),
    /// All that is known of a file of which only the checkpoint tells.
    Fingerprint(Fingerprint),
}

impl Head {
    /// Returns whether what begins with `first`, a whole head or all there is, begins like this; `None` if it is too
    /// short to tell.
    pub(super) fn matches(&self, first: &[u8]) -> Option<bool> {
        let n_bytes = self.len() as usize;
        if first.len() >= n_bytes {
            return Some(match self {
                Self::Bytes(bytes) => first.starts_with(bytes),
                Self::Fingerprint(fingerprint) => Fingerprint::of(&first[..n_bytes]) == *fingerprint,
            });
        }
        match self {
            Self::Bytes(bytes) if !bytes.starts_with(first) => Some(false),
            _ => None,
        }
    }

    /// Returns how many bytes are known.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Fingerprint(fingerprint) => u64::from(fingerprint.n_bytes),
        }
    }

    /// Returns the fingerprint of all of them.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.before(u64::MAX)
    }

    /// Returns the fingerprint of the first bytes before `offset`.
    fn before(&self, offset: u64) -> Fingerprint {
        match self {
            Self::Bytes(bytes) => {
                Fingerprint::of(&bytes[..bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX))])
            }
            Self::Fingerprint(fingerprint) => *fingerprint,
        }
    }
}

/// What is known of one input: a file, from one emptying of it to the next.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    pub(super) head: Head,
    /// Where reading began; `None` for a copy, of which nothing is to be kept before what it was made of is delivered.
    pub(super) start: Option<Mark>,
    pub(super) is_compressed: bool,
    /// Of a compressed file that has been read to its end: where that is.
    pub(super) finished: Option<Finished>,
    /// Since when it is gone, in seconds since the Unix epoch.
    pub(super) gone_since: Option<u64>,
}

/// The end of a compressed file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finished {
    /// Bytes of its content.
    pub(super) offset: u64,
    /// Its size as it lies there.
    pub(super) n_bytes: u64,
}

/// The entries of all inputs. A clone is the same registry.
#[derive(Clone, Default, Debug)]
pub(super) struct Registry {
    entries: Arc<Mutex<BTreeMap<u32, Entry>>>,
    /// Grows with every change.
    version: Arc<AtomicU64>,
}

impl Registry {
    /// Adds an input, or replaces what is known of it.
    pub(super) fn insert(&self, input: u32, entry: Entry) {
        self.change().insert(input, entry);
    }

    /// Changes what is known of an input.
    pub(super) fn update(&self, input: u32, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.change().get_mut(&input) {
            change(entry);
        }
    }

    /// Says that an input is gone, now.
    pub(super) fn set_gone(&self, input: u32) {
        self.update(input, |entry| entry.gone_since = entry.gone_since.or(Some(now())));
    }

    /// Forgets an input.
    pub(super) fn remove(&self, input: u32) {
        self.change().remove(&input);
    }

    /// Returns the checkpoint: what of each input has been delivered.
    pub(super) fn checkpoint(&self, tracker: &AckTracker) -> Checkpoint {
        let entries = self.lock();
        let marks = tracker.marks();
        let files = entries.iter().filter_map(|(input, entry)| {
            let mark = marks.get(input).copied().or(entry.start)?;
            Some(FileCheckpoint {
                path: entry.path.clone(),
                device: entry.id.device(),
                inode: entry.id.inode(),
                offset: mark.position.offset,
                head: entry.head.before(mark.position.offset),
                tail: mark.tail,
                is_compressed: entry.is_compressed,
                finished_bytes: entry
                    .finished
                    .filter(|finished| finished.offset == mark.position.offset)
                    .map(|finished| finished.n_bytes),
                gone_since: entry.gone_since,
            })
        });
        Checkpoint { files: files.collect() }
    }

    /// Returns a number that is another whenever something has changed.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    /// Returns the entries, to change them.
    fn change(&self) -> MutexGuard<'_, BTreeMap<u32, Entry>> {
        let entries = self.lock();
        self.version.fetch_add(1, Ordering::Relaxed);
        entries
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the first bytes of a file that a head takes, of those that have been read.
pub(super) fn n_head_bytes(offset: u64) -> usize {
    offset.min(WINDOW_BYTES as u64) as usize
}

/// Returns the seconds since the Unix epoch.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
