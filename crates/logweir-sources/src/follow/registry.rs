//! What a checkpoint is to say of each file, kept where both the source and the one who writes checkpoints see it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use logweir_event::{FileId, Position};

use crate::checkpoint::{Checkpoint, FileCheckpoint};
use crate::fingerprint::{Fingerprint, WINDOW_BYTES};
use crate::tracker::Mark;

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
    /// Inputs that have been forgotten since the last checkpoint that was written.
    forgotten: Arc<Mutex<BTreeSet<u32>>>,
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

    /// Forgets an input, all of which has been delivered.
    pub(super) fn remove(&self, input: u32) {
        if self.change().remove(&input).is_some() {
            self.lock_forgotten().insert(input);
        }
    }

    /// Returns the inputs that have been forgotten and that a checkpoint still tells of.
    pub(super) fn forgotten(&self) -> BTreeSet<u32> {
        self.lock_forgotten().clone()
    }

    /// Says that a checkpoint has been written without these.
    pub(super) fn is_written_without(&self, forgotten: &BTreeSet<u32>) {
        self.lock_forgotten().retain(|input| !forgotten.contains(input));
    }

    /// Returns the checkpoint in which each input that has a mark is delivered up to there.
    pub(super) fn checkpoint(&self, marks: &BTreeMap<u32, Mark>) -> Checkpoint {
        let entries = self.lock();
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

    /// Returns what tells an input from all others, in this process and in others; nothing if it is not known.
    pub(super) fn identity(&self, input: u32) -> Vec<u8> {
        let entries = self.lock();
        let Some(entry) = entries.get(&input) else { return Vec::new() };
        let numbers = [entry.id.device(), entry.id.inode(), entry.head.fingerprint().hash];
        numbers.into_iter().flat_map(u64::to_be_bytes).collect()
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

    fn lock_forgotten(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.forgotten.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the last checkpoint that was written says is delivered. A clone is the same.
#[derive(Clone, Default, Debug)]
pub(super) struct Committed {
    state: Arc<Mutex<CommittedState>>,
}

/// How many of the inputs that were forgotten last are known to be. Who asks, asks within seconds.
const MAX_FORGOTTEN: usize = 10_000;

#[derive(Default, Debug)]
struct CommittedState {
    /// How much of each input is delivered.
    offsets: BTreeMap<u32, u64>,
    /// Inputs that have been forgotten, with all of them delivered, the last ones.
    forgotten: BTreeSet<u32>,
}

impl Committed {
    /// Keeps what a checkpoint says: how far each input is delivered, and which are forgotten.
    pub(super) fn set(&self, marks: &BTreeMap<u32, Mark>, forgotten: BTreeSet<u32>) {
        let mut state = self.lock();
        state.offsets = marks.iter().map(|(input, mark)| (*input, mark.position.offset)).collect();
        state.forgotten.extend(forgotten);
        while state.forgotten.len() > MAX_FORGOTTEN {
            state.forgotten.pop_first();
        }
    }

    /// Returns whether all before these positions is committed as delivered.
    pub(super) fn covers(&self, positions: &[Position]) -> bool {
        let state = self.lock();
        let is_delivered = |position: &Position| {
            state.offsets.get(&position.input).is_some_and(|offset| *offset >= position.offset)
        };
        let is_covered =
            |position: &Position| is_delivered(position) || state.forgotten.contains(&position.input);
        positions.iter().all(is_covered)
    }

    fn lock(&self) -> MutexGuard<'_, CommittedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn position(input: u32, offset: u64) -> Position {
        Position { input, offset }
    }

    #[test]
    fn only_what_a_checkpoint_said_is_committed() {
        let committed = Committed::default();
        assert!(!committed.covers(&[position(1, 0)]), "there is no checkpoint");
        committed.set(&BTreeMap::from([(1, Mark::from(position(1, 10)))]), BTreeSet::new());
        assert!(committed.covers(&[position(1, 10), position(1, 3)]));
        assert!(!committed.covers(&[position(1, 10), position(1, 11)]));
        assert!(!committed.covers(&[position(2, 0)]), "it may be one that no checkpoint has told of yet");
        committed.set(&BTreeMap::new(), BTreeSet::from([1]));
        assert!(committed.covers(&[position(1, 11)]), "it was forgotten, with all of it delivered");
    }

    #[test]
    fn what_is_forgotten_is_kept_until_a_checkpoint_is_written_without_it() {
        let registry = Registry::default();
        let entry = Entry {
            path: PathBuf::from("a"),
            id: FileId::new(1, 2),
            head: Head::Bytes(Vec::new()),
            start: None,
            is_compressed: false,
            finished: None,
            gone_since: None,
        };
        for input in 1..4 {
            registry.insert(input, entry.clone());
        }
        registry.remove(1);
        let written_without = registry.forgotten();
        registry.remove(3);
        registry.remove(9);
        registry.is_written_without(&written_without);
        assert_eq!(registry.forgotten(), BTreeSet::from([3]));
    }
}
