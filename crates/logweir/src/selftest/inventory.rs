//! What has been written, and where it lies.
//!
//! A *content* is what is written to a log from one rotation to the next. It keeps its identity when its file is renamed,
//! copied or compressed, and a checkpoint knows it by the bytes before a place in it, so that is how it is told here, too,
//! what of it the checkpoint covers.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use logweir_pipeline::{Checkpoint, FileCheckpoint, Fingerprint};

use super::event::write_event;

/// All that has been written and may still matter.
#[derive(Debug)]
pub(super) struct Inventory {
    seed: u64,
    /// How many events have been written: the number of the next one.
    pub(super) n_events: u64,
    /// Their bytes.
    pub(super) n_bytes: u64,
    contents: BTreeMap<u64, Content>,
    next_content: u64,
}

/// What is written to a log from one rotation to the next.
#[derive(Debug)]
pub(super) struct Content {
    /// Where it was written to.
    written_to: PathBuf,
    /// Where it lies now; `None` once it is deleted.
    pub(super) path: Option<PathBuf>,
    /// Whether more may come.
    is_open: bool,
    /// The ends of its events, in bytes of content.
    ends: Vec<u64>,
    /// The numbers of its events, in order, in runs.
    runs: Vec<Range<u64>>,
}

/// What the checkpoint did not cover when the pipeline was killed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub(super) struct InFlight {
    /// How many events.
    pub(super) n_events: u64,
    /// Their bytes.
    pub(super) n_bytes: u64,
}

impl Inventory {
    /// Returns that of a run of `seed`, which has written nothing.
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, n_events: 0, n_bytes: 0, contents: BTreeMap::new(), next_content: 0 }
    }

    /// Adds a content that is going to be written to the file at `path`, and returns its key.
    pub(super) fn begin(&mut self, path: PathBuf) -> u64 {
        let key = self.next_content;
        self.next_content += 1;
        let (written_to, path) = (path.clone(), Some(path));
        let content = Content { written_to, path, is_open: true, ends: Vec::new(), runs: Vec::new() };
        self.contents.insert(key, content);
        key
    }

    /// Makes up the next `n` events of a content, and returns their bytes, which are to be written to its file.
    pub(super) fn add(&mut self, key: u64, n: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let content = self.contents.get_mut(&key).expect("only deleted contents are forgotten");
        let start = content.n_bytes();
        for number in self.n_events..self.n_events + n {
            write_event(self.seed, number, &mut bytes);
            content.ends.push(start + bytes.len() as u64);
        }
        content.runs.push(self.n_events..self.n_events + n);
        self.n_events += n;
        self.n_bytes += bytes.len() as u64;
        bytes
    }

    /// Says that no more comes to a content.
    pub(super) fn close(&mut self, key: u64) {
        self.change(key, |content| content.is_open = false);
    }

    /// Says that a content lies somewhere else now.
    pub(super) fn moved(&mut self, key: u64, path: PathBuf) {
        self.change(key, |content| content.path = Some(path));
    }

    /// Says that a content's file has been deleted.
    pub(super) fn deleted(&mut self, key: u64) {
        self.change(key, |content| {
            content.path = None;
            content.ends = Vec::new();
        });
    }

    fn change(&mut self, key: u64, change: impl FnOnce(&mut Content)) {
        if let Some(content) = self.contents.get_mut(&key) {
            change(content);
        }
    }

    /// Returns where a content lies, unless it is deleted.
    pub(super) fn path_of(&self, key: u64) -> Option<PathBuf> {
        self.contents.get(&key)?.path.clone()
    }

    /// Returns the bytes of all contents that are not deleted, as if none was compressed.
    pub(super) fn bytes_on_disk(&self) -> u64 {
        self.contents.values().map(Content::n_bytes).sum()
    }

    /// Returns whether a checkpoint covers all of a content to which no more comes.
    pub(super) fn is_covered(&self, key: u64, checkpoint: &Checkpoint) -> bool {
        self.contents.get(&key).is_some_and(|content| {
            !content.is_open && content.covered(self.seed, checkpoint) == content.ends.len()
        })
    }

    /// Returns what has been delivered and is not covered by a checkpoint, so that it may be delivered again.
    pub(super) fn in_flight(&self, checkpoint: &Checkpoint, is_delivered: impl Fn(u64) -> bool) -> InFlight {
        let mut in_flight = InFlight::default();
        for content in self.contents.values().filter(|content| content.path.is_some()) {
            let covered = content.covered(self.seed, checkpoint);
            let numbers = content.runs.iter().cloned().flatten();
            let events = numbers.enumerate().skip(covered);
            for (index, _) in events.filter(|(_, number)| is_delivered(*number)) {
                in_flight.n_events += 1;
                in_flight.n_bytes += content.ends[index] - content.start_of(index);
            }
        }
        in_flight
    }

    /// Forgets contents that are deleted and whose events, all of numbers below `delivered`, nobody will ask for.
    pub(super) fn forget(&mut self, delivered: u64) {
        self.contents.retain(|_, content| {
            content.path.is_some() || content.runs.iter().any(|run| run.end > delivered)
        });
    }

    /// Returns the file that an event was written to, and where it is now, for people.
    pub(super) fn tell(&self, number: u64) -> String {
        let holds = |content: &&Content| content.runs.iter().any(|run| run.contains(&number));
        let Some(content) = self.contents.values().find(holds) else { return "?".to_owned() };
        let written_to = content.written_to.display();
        match &content.path {
            Some(path) if *path == content.written_to => written_to.to_string(),
            Some(path) => format!("{written_to}, now {}", path.display()),
            None => format!("{written_to}, deleted since"),
        }
    }
}

impl Content {
    fn n_bytes(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Returns where the event of an index begins.
    fn start_of(&self, index: usize) -> u64 {
        index.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// Returns how many of the events a checkpoint covers.
    fn covered(&self, seed: u64, checkpoint: &Checkpoint) -> usize {
        checkpoint.files.iter().filter_map(|file| self.covered_by(seed, file)).max().unwrap_or(0)
    }

    /// Returns how many of the events a file's checkpoint covers; `None` if it speaks of another content.
    fn covered_by(&self, seed: u64, file: &FileCheckpoint) -> Option<usize> {
        let n_covered = self.ends.binary_search(&file.offset).ok()? + 1;
        (self.tail(seed, n_covered, file.tail.n_bytes as usize) == file.tail).then_some(n_covered)
    }

    /// Returns the fingerprint of up to `n_bytes` bytes at the end of the first `n` events, which are made again.
    fn tail(&self, seed: u64, n: usize, n_bytes: usize) -> Fingerprint {
        let numbers: Vec<u64> = self.runs.iter().cloned().flatten().take(n).collect();
        let mut bytes = Vec::new();
        for number in numbers.into_iter().rev() {
            if bytes.len() >= n_bytes {
                break;
            }
            let mut event = Vec::new();
            write_event(seed, number, &mut event);
            bytes.splice(0..0, event);
        }
        Fingerprint::of(&bytes[bytes.len().saturating_sub(n_bytes)..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: u64 = 5;

    fn checkpoint(content: &[u8], offset: usize) -> FileCheckpoint {
        FileCheckpoint {
            path: PathBuf::from("elsewhere"),
            device: 0,
            inode: 0,
            offset: offset as u64,
            head: Fingerprint::of(&content[..content.len().min(256)]),
            tail: Fingerprint::of(&content[offset.saturating_sub(256)..offset]),
            is_compressed: false,
            finished_bytes: None,
            gone_since: None,
        }
    }

    fn of(files: &[FileCheckpoint]) -> Checkpoint {
        Checkpoint { files: files.to_vec() }
    }

    #[test]
    fn what_is_in_flight_is_what_was_delivered_beyond_the_checkpoint() {
        let mut inventory = Inventory::new(SEED);
        let [a, b] = ["a", "b"].map(|path| inventory.begin(PathBuf::from(path)));
        let mut contents = [Vec::new(), Vec::new()];
        for _ in 0..10 {
            contents[0].extend(inventory.add(a, 3));
            contents[1].extend(inventory.add(b, 2));
        }
        let n_bytes = contents.iter().map(Vec::len).sum::<usize>() as u64;
        assert_eq!(
            (inventory.n_events, inventory.n_bytes, inventory.bytes_on_disk()),
            (50, n_bytes, n_bytes)
        );
        let all = InFlight { n_events: 50, n_bytes };
        assert_eq!(inventory.in_flight(&of(&[]), |_| true), all);
        assert_eq!(inventory.in_flight(&of(&[]), |_| false), InFlight::default());
        // Of the first content all of numbers below 25, of the second one all below 5.
        let end =
            |content: &[u8], n| content.split_inclusive(|&byte| byte == b'\n').take(n).map(<[u8]>::len).sum();
        let covering = of(&[
            checkpoint(&contents[0], end(&contents[0], 15)),
            checkpoint(&contents[1], end(&contents[1], 2)),
        ]);
        let in_flight = inventory.in_flight(&covering, |number| number < 30);
        // Of the 30, six blocks of five, 15 and 2 are covered.
        assert_eq!(in_flight.n_events, 13);
        let expected: usize = [(0, 15, 18), (1, 2, 12)]
            .map(|(i, from, to): (usize, usize, usize)| {
                let content = &contents[i];
                end(content, to) - end(content, from)
            })
            .iter()
            .sum();
        assert_eq!(in_flight.n_bytes, expected as u64);
    }

    #[test]
    fn a_content_is_covered_once_it_is_closed_and_delivered_to_its_end() {
        let mut inventory = Inventory::new(SEED);
        let [key, other] = ["a", "b"].map(|path| inventory.begin(PathBuf::from(path)));
        let content = inventory.add(key, 20);
        inventory.add(other, 20);
        let whole = of(&[checkpoint(&content, content.len())]);
        assert!(!inventory.is_covered(key, &whole), "more may come");
        inventory.close(key);
        inventory.close(other);
        assert!(inventory.is_covered(key, &whole) && !inventory.is_covered(other, &whole));
        let mut another = whole.clone();
        another.files[0].tail.hash ^= 1;
        assert!(!inventory.is_covered(key, &another), "something else comes before the place");
        assert!(!inventory.is_covered(key, &of(&[checkpoint(&content, content.len() - 1)])));
    }

    #[test]
    fn an_event_is_found_until_it_is_deleted_and_delivered() {
        let mut inventory = Inventory::new(SEED);
        let key = inventory.begin(PathBuf::from("a"));
        inventory.add(key, 10);
        assert_eq!(inventory.tell(9), "a");
        inventory.moved(key, PathBuf::from("a.1"));
        assert_eq!(
            (inventory.tell(0).as_str(), inventory.path_of(key)),
            ("a, now a.1", Some(PathBuf::from("a.1")))
        );
        inventory.forget(100);
        inventory.deleted(key);
        inventory.forget(9);
        assert_eq!((inventory.tell(0).as_str(), inventory.bytes_on_disk()), ("a, deleted since", 0));
        inventory.forget(10);
        assert_eq!(inventory.tell(0), "?");
    }
}
