//! A log that is written and rotated, each in one of the ways that logs are rotated.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use logweir_pipeline::Checkpoint;

use super::inventory::Inventory;

/// How many rotated files of a log are left before the oldest is deleted.
const N_KEPT: usize = 3;

/// How a log is rotated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// `x` becomes `x.1`, `x.1` becomes `x.2`, and so on; the writer goes on with the old file for a while.
    Renamed,
    /// `x` is copied to `x-7` and emptied.
    Copied,
    /// `x` becomes `x-7`, which at the next rotation is compressed to `x-7.gz` and removed.
    Compressed,
}

/// What a log is told to do next, chosen by chance.
#[derive(Clone, Debug)]
pub(super) struct Burst {
    /// How many events are written.
    pub(super) n_events: u64,
    /// The lengths of the writes, over and over.
    pub(super) write_bytes: Vec<usize>,
    /// How many bytes of the last event are left for the next burst.
    pub(super) n_left: usize,
}

impl Burst {
    /// Returns one that is chosen by chance.
    pub(super) fn random(rng: &mut Rng) -> Self {
        let n_left = if rng.u8(..4) == 0 { rng.usize(1..300) } else { 0 };
        let write_bytes = (0..3).map(|_| rng.usize(1..60_000)).collect();
        Self { n_events: rng.u64(1..50), write_bytes, n_left }
    }
}

/// A log that is written and rotated.
#[derive(Debug)]
pub(super) struct Log {
    style: Style,
    path: PathBuf,
    file: File,
    inventory: Arc<Mutex<Inventory>>,
    /// The content that is being written.
    content: u64,
    /// Its bytes that have been left for the next burst.
    left: Vec<u8>,
    /// Its bytes that have been written.
    n_bytes: u64,
    /// After how many bursts the old file is left for a new one, once it has been renamed.
    reopen_after: Option<u32>,
    /// The rotated contents that are not deleted, oldest first.
    rotated: VecDeque<u64>,
    n_rotations: u64,
}

impl Log {
    /// Returns a log that is written to the file at `path`, which is made.
    pub(super) fn create(path: PathBuf, style: Style, inventory: Arc<Mutex<Inventory>>) -> io::Result<Self> {
        let (file, content) = (create_new(&path)?, lock(&inventory).begin(path.clone()));
        Ok(Self {
            style,
            path,
            file,
            inventory,
            content,
            left: Vec::new(),
            n_bytes: 0,
            reopen_after: None,
            rotated: VecDeque::new(),
            n_rotations: 0,
        })
    }

    /// Returns how it is rotated.
    pub(super) fn style(&self) -> Style {
        self.style
    }

    /// Returns how many bytes have been written since the last rotation.
    pub(super) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Returns whether it was rotated and the writer still writes to the old file.
    pub(super) fn is_late(&self) -> bool {
        self.reopen_after.is_some()
    }

    /// Returns how often it was rotated.
    pub(super) fn n_rotations(&self) -> u64 {
        self.n_rotations
    }

    /// Writes events.
    pub(super) fn write(&mut self, burst: &Burst) -> io::Result<()> {
        match self.reopen_after {
            Some(0) => self.reopen()?,
            Some(n) => self.reopen_after = Some(n - 1),
            None => {}
        }
        let mut bytes = std::mem::take(&mut self.left);
        bytes.extend(lock(&self.inventory).add(self.content, burst.n_events));
        let n_now = bytes.len().saturating_sub(burst.n_left).max(1);
        self.left = bytes.split_off(n_now);
        let mut rest = bytes.as_slice();
        for n in burst.write_bytes.iter().cycle() {
            let (now, later) = rest.split_at(rest.len().min(*n));
            self.file.write_all(now)?;
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        self.n_bytes += n_now as u64;
        Ok(())
    }

    /// Writes the rest of the last event.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.file.write_all(&std::mem::take(&mut self.left))
    }

    /// Rotates it in its way. If the file is renamed, the writer goes on with it for `late` bursts.
    pub(super) fn rotate(&mut self, late: u32) -> io::Result<()> {
        self.n_rotations += 1;
        match self.style {
            Style::Renamed => {
                for (index, key) in
                    self.rotated.iter().rev().enumerate().collect::<Vec<_>>().into_iter().rev()
                {
                    self.rename(*key, self.numbered('.', index as u64 + 2))?;
                }
                self.rename(self.content, self.numbered('.', 1))?;
            }
            Style::Copied => {
                // The rest of an event that is written behind the emptying would be lost to everybody.
                self.finish()?;
                let copy = self.numbered('-', self.n_rotations);
                fs::copy(&self.path, &copy)?;
                self.file.set_len(0)?;
                lock(&self.inventory).moved(self.content, copy);
                self.next_content();
                return Ok(());
            }
            Style::Compressed => {
                if let Some(&last) = self.rotated.back() {
                    self.compress(last)?;
                }
                self.rename(self.content, self.numbered('-', self.n_rotations))?;
            }
        }
        self.reopen_after = Some(late);
        Ok(())
    }

    /// Deletes the oldest rotated files beyond those that are always left, as long as a checkpoint covers them.
    pub(super) fn delete_covered(&mut self, checkpoint: &Checkpoint) -> io::Result<()> {
        while self.rotated.len() > N_KEPT
            && let Some(&oldest) = self.rotated.front()
        {
            let mut inventory = lock(&self.inventory);
            let Some(path) = inventory.path_of(oldest).filter(|_| inventory.is_covered(oldest, checkpoint))
            else {
                break;
            };
            fs::remove_file(path)?;
            inventory.deleted(oldest);
            drop(inventory);
            self.rotated.pop_front();
        }
        Ok(())
    }

    /// Leaves the old file, its last event whole, for a new one.
    fn reopen(&mut self) -> io::Result<()> {
        self.finish()?;
        self.file = create_new(&self.path)?;
        self.reopen_after = None;
        self.next_content();
        Ok(())
    }

    fn next_content(&mut self) {
        let mut inventory = lock(&self.inventory);
        inventory.close(self.content);
        self.rotated.push_back(self.content);
        self.content = inventory.begin(self.path.clone());
        self.n_bytes = 0;
    }

    fn rename(&self, key: u64, to: PathBuf) -> io::Result<()> {
        let mut inventory = lock(&self.inventory);
        let from = inventory.path_of(key).expect("what is rotated and not deleted lies somewhere");
        fs::rename(from, &to)?;
        inventory.moved(key, to);
        Ok(())
    }

    /// Compresses a rotated file as `gzip` does: the new file grows beside the old one, which then goes.
    fn compress(&self, key: u64) -> io::Result<()> {
        let Some(from) = lock(&self.inventory).path_of(key) else { return Ok(()) };
        let to = with_ending(&from, ".gz");
        let mut encoder = GzEncoder::new(create_new(&to)?, Compression::fast());
        io::copy(&mut File::open(&from)?, &mut encoder)?;
        encoder.finish()?;
        lock(&self.inventory).moved(key, to);
        fs::remove_file(from)
    }

    fn numbered(&self, separator: char, number: u64) -> PathBuf {
        with_ending(&self.path, &format!("{separator}{number}"))
    }
}

/// Locks an inventory.
pub(super) fn lock(inventory: &Mutex<Inventory>) -> MutexGuard<'_, Inventory> {
    // If somebody panicked with it, the run ends, and all that is left is to tell what there was.
    inventory.lock().unwrap_or_else(PoisonError::into_inner)
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).open(path)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use logweir_pipeline::{FileCheckpoint, Fingerprint};
    use logweir_testkit::scratch::Scratch;
    use proptest::prelude::*;

    use super::super::event::{number_of, write_event};
    use super::*;

    const SEED: u64 = 11;

    /// Returns what is in the files of a directory, decompressed.
    fn contents_of(dir: &Path) -> Vec<Vec<u8>> {
        let read = |path: PathBuf| {
            let mut bytes = Vec::new();
            let mut file = File::open(&path).unwrap();
            match path.extension() {
                Some(ending) if ending == "gz" => GzDecoder::new(file).read_to_end(&mut bytes),
                _ => file.read_to_end(&mut bytes),
            }
            .unwrap();
            bytes
        };
        fs::read_dir(dir).unwrap().map(|found| read(found.unwrap().path())).collect()
    }

    /// Returns the numbers of the events in a directory, all of which must be whole and in order in each file.
    pub(in crate::selftest) fn numbers_in(dir: &Path, seed: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        for content in contents_of(dir) {
            let n_before = numbers.len();
            for line in content.split_inclusive(|&byte| byte == b'\n') {
                let number = number_of(line).expect("an event");
                let mut expected = Vec::new();
                write_event(seed, number, &mut expected);
                assert_eq!(line, expected, "event {number}");
                numbers.push(number);
            }
            assert!(numbers[n_before..].is_sorted());
        }
        numbers
    }

    /// Returns the checkpoint of a pipeline that has delivered what there is in a directory.
    fn all_delivered(dir: &Path) -> Checkpoint {
        let files = contents_of(dir).into_iter().map(|content| FileCheckpoint {
            path: PathBuf::new(),
            device: 0,
            inode: 0,
            offset: content.len() as u64,
            head: Fingerprint::default(),
            tail: Fingerprint::of(&content[content.len().saturating_sub(256)..]),
            is_compressed: false,
            finished_bytes: None,
            gone_since: None,
        });
        Checkpoint { files: files.collect() }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Write(Burst),
        Rotate(u32),
        Delete,
    }

    fn step() -> impl Strategy<Value = Step> {
        let burst = (1..8u64, proptest::collection::vec(1..3_000usize, 1..4), 0..400usize);
        prop_oneof![
            6 => burst.prop_map(|(n_events, write_bytes, n_left)| Step::Write(Burst { n_events, write_bytes, n_left })),
            3 => (0..3u32).prop_map(Step::Rotate),
            1 => Just(Step::Delete),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_rotation_loses_or_doubles_an_event(
            style in prop_oneof![Just(Style::Renamed), Just(Style::Copied), Just(Style::Compressed)],
            steps in proptest::collection::vec(step(), 1..60),
        ) {
            let scratch = Scratch::new();
            let inventory = Arc::new(Mutex::new(Inventory::new(SEED)));
            let mut log = Log::create(scratch.path("x"), style, inventory.clone()).unwrap();
            let mut deleted = BTreeSet::new();
            for step in steps {
                match step {
                    Step::Write(burst) => log.write(&burst).unwrap(),
                    Step::Rotate(late) if !log.is_late() => log.rotate(late).unwrap(),
                    Step::Rotate(_) => {}
                    Step::Delete => {
                        log.finish().unwrap();
                        let before: BTreeSet<_> = numbers_in(scratch.dir(), SEED).into_iter().collect();
                        log.delete_covered(&Checkpoint::default()).unwrap();
                        assert_eq!(numbers_in(scratch.dir(), SEED).len(), before.len(), "nothing is covered");
                        log.delete_covered(&all_delivered(scratch.dir())).unwrap();
                        let after = numbers_in(scratch.dir(), SEED).into_iter().collect();
                        deleted.extend(before.difference(&after).copied());
                        assert!(log.rotated.len() <= N_KEPT);
                    }
                }
            }
            log.finish().unwrap();
            let mut numbers = numbers_in(scratch.dir(), SEED);
            numbers.extend(deleted);
            numbers.sort_unstable();
            assert_eq!(numbers, (0..lock(&inventory).n_events).collect::<Vec<_>>());
        }
    }
}
