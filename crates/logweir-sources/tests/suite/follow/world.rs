//! A directory that is followed, run after run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use logweir_event::{Chunk, Condition, Positions};
use logweir_sources::{
    AckTracker, Checkpoint, CheckpointStore, Checkpointer, ChunkLimits, FollowConfig, FollowSource,
    FollowStats, Pace, StartAt, StateDir,
};
use logweir_testkit::process::poll_until;
use logweir_testkit::scratch::Scratch;
use tokio_util::sync::CancellationToken;

use crate::rig::{self, Rig};

/// Longer than anything takes on a machine that is busy with others.
const DEADLINE: Duration = Duration::from_secs(60);

/// A directory that is followed, run after run.
pub(super) struct World {
    pub(super) scratch: Scratch,
    pub(super) config: FollowConfig,
    pub(super) pace: Pace,
    pub(super) limits: ChunkLimits,
}

/// One run of the source.
pub(super) struct Run {
    pub(super) rig: Rig,
    pub(super) stats: FollowStats,
    pub(super) positions: Arc<dyn Positions>,
    keeper: Keeper,
    /// What has been delivered.
    pub(super) got: Vec<u8>,
    /// How many lines that is.
    n_lines: usize,
    pub(super) n_oversized: u64,
}

/// The thread that keeps checkpoints.
struct Keeper {
    done: CancellationToken,
    killed: CancellationToken,
    thread: JoinHandle<bool>,
}

/// Returns a pace at which nothing has to be waited for long.
pub(super) fn quick() -> Pace {
    Pace {
        patience: Duration::from_millis(5),
        is_told: true,
        search_every: Duration::from_millis(10),
        search_every_untold: Duration::from_millis(10),
        search_after: Duration::from_millis(2),
        tend_every: Duration::from_millis(5),
        settled_after: Duration::from_millis(20),
        compressed_after: Duration::from_millis(300),
        deleted_after: Duration::from_millis(50),
        moved_after: Duration::from_millis(300),
        lost_after: Duration::from_millis(200),
        retry_after: Duration::from_millis(5),
        retry_at_most: Duration::from_millis(50),
        commit_every: Duration::from_millis(20),
        look_every: Duration::from_millis(5),
        check_every: Duration::from_millis(50),
    }
}

impl World {
    /// Returns an empty directory, all of which is followed.
    pub(super) fn new() -> Self {
        let scratch = Scratch::new();
        fs::create_dir(scratch.path("logs")).unwrap();
        let include = vec![scratch.path("logs/*").display().to_string()];
        let config =
            FollowConfig { include, exclude: Vec::new(), start_at: StartAt::Beginning, open_files: 16 };
        let limits = ChunkLimits { max_event_bytes: rig::MAX_EVENT_BYTES, chunk_bytes: 1 << 16 };
        Self { scratch, config, pace: quick(), limits }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path("logs").join(name)
    }

    pub(super) fn append(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(bytes.as_ref()).unwrap();
    }

    /// Writes a file anew, in place.
    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(super) fn copy(&self, from: &str, to: &str) {
        fs::write(self.path(to), fs::read(self.path(from)).unwrap()).unwrap();
    }

    pub(super) fn empty(&self, name: &str) {
        File::options().write(true).open(self.path(name)).unwrap().set_len(0).unwrap();
    }

    pub(super) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).unwrap();
    }

    /// Starts a run that goes on where the last one was stopped.
    pub(super) fn start(&self) -> Run {
        self.start_from(None)
    }

    /// Starts a run that goes on where `checkpoint` says, if there is one.
    pub(super) fn start_from(&self, checkpoint: Option<Checkpoint>) -> Run {
        let dir = StateDir::open(&self.scratch.path("state")).unwrap();
        let (store, kept) = CheckpointStore::open(dir, "test").unwrap();
        let checkpoint = checkpoint.or(kept);
        let (source, checkpointer) =
            FollowSource::with_pace(&self.config, store, checkpoint, self.pace).unwrap();
        let stats = source.stats();
        let rig = rig::start_within(self.limits, source, 1 << 20);
        let positions = checkpointer.positions(rig.tracker.clone());
        let keeper = Keeper::start(checkpointer, rig.tracker.clone(), rig.condition.clone());
        Run { keeper, rig, positions, stats, got: Vec::new(), n_lines: 0, n_oversized: 0 }
    }
}

impl Keeper {
    fn start(checkpointer: Checkpointer, tracker: AckTracker, condition: Condition) -> Self {
        let (done, killed) = (CancellationToken::new(), CancellationToken::new());
        let (is_done, is_killed) = (done.clone(), killed.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    // Cancel safe or not, nothing is kept after it.
                    is_written = checkpointer.run(tracker, condition, is_done) => is_written,
                    () = is_killed.cancelled() => false,
                }
            })
        });
        Self { done, killed, thread }
    }
}

impl Run {
    /// Takes the next chunk if there is one, without saying what becomes of it.
    pub(super) fn next(&mut self) -> Option<Chunk> {
        self.rig.try_chunk()
    }

    /// Delivers a chunk. An unfinished line at its end is a line, too.
    pub(super) fn deliver(&mut self, chunk: Chunk) {
        self.got.extend_from_slice(&chunk.bytes);
        self.n_lines += chunk.bytes.split_inclusive(|byte| *byte == b'\n').count();
        if !chunk.bytes.is_empty() && !chunk.bytes.ends_with(b"\n") {
            self.got.push(b'\n');
        }
        self.n_oversized += chunk.n_oversized;
        chunk.ack.deliver();
    }

    /// Takes and delivers what there is.
    pub(super) fn deliver_all(&mut self) {
        let mut n_looks = 0;
        // The source is given the time to send more, as the channel holds little.
        while n_looks < 20 {
            if let Some(chunk) = self.next() {
                self.deliver(chunk);
                n_looks = 0;
            } else {
                n_looks += 1;
                std::thread::yield_now();
            }
        }
    }

    /// Takes and delivers chunks until `is_enough`.
    pub(super) fn take_until(&mut self, what: &str, mut is_enough: impl FnMut(&mut Self) -> bool) {
        poll_until(what, DEADLINE, || {
            self.deliver_all();
            is_enough(self).then_some(())
        });
    }

    /// Takes and delivers chunks until `n_lines` lines have come in all.
    pub(super) fn take(&mut self, n_lines: usize) {
        let until = Instant::now() + DEADLINE;
        self.take_until("lines come", |run| run.n_lines >= n_lines || Instant::now() > until);
        assert!(self.n_lines >= n_lines, "{n_lines} lines, but only {} came", self.n_lines);
    }

    /// Takes and delivers all there is, until all files have been looked at once more and nothing is left.
    pub(super) fn settle(&mut self) {
        let (n_before, _) = self.stats.looked();
        let mut n_begun = u64::MAX;
        self.take_until("all is read", |run| {
            let (n_searches, n_behind) = run.stats.looked();
            // What is told may be late by several searches; but those behind what is told next begin after this.
            if n_begun == u64::MAX && n_searches > n_before {
                n_begun = n_searches;
            }
            n_searches > n_begun && n_behind == 0 && run.rig.tracker.unresolved() == 0
        });
    }

    /// Stops, writing a checkpoint; returns all that was delivered.
    pub(super) fn stop(self) -> String {
        let ran = self.rig.stop();
        let mut got = self.got;
        got.extend(ran.bytes);
        if !got.is_empty() && !got.ends_with(b"\n") {
            got.push(b'\n');
        }
        self.keeper.done.cancel();
        assert!(self.keeper.thread.join().unwrap(), "the last checkpoint is written");
        assert!(ran.result.is_ok(), "{:?}", ran.result);
        String::from_utf8(got).unwrap()
    }

    /// Ends it so that nothing more is delivered and no checkpoint is written; returns what was delivered.
    pub(super) fn crash(self) -> String {
        self.keeper.killed.cancel();
        self.keeper.thread.join().unwrap();
        self.rig.stop.cancel();
        assert!(self.rig.hang_up().is_ok());
        String::from_utf8(self.got).unwrap()
    }
}

/// Returns a line with a number, of `n_bytes` bytes at least, no part of which is in any other line.
pub(super) fn line(id: u32, n_bytes: usize) -> String {
    let mut line = format!("{{\"id\":{id},\"pad\":\"");
    while line.len() + 12 < n_bytes {
        write!(line, "{id:x}.").unwrap();
    }
    writeln!(line, "\",\"end\":{id}}}").unwrap();
    line
}

/// Returns lines with these numbers.
pub(super) fn lines(ids: std::ops::Range<u32>) -> String {
    ids.map(|id| line(id, id as usize % 97)).collect()
}

/// Returns the number of a line that is whole.
pub(super) fn id_of(line: &str) -> Option<u32> {
    let id = line.strip_prefix("{\"id\":")?.split(',').next()?.parse().ok()?;
    line.ends_with(&format!("\"end\":{id}}}")).then_some(id)
}

/// Returns how often each whole line came, and what else came.
pub(super) fn counts(got: &str) -> (BTreeMap<u32, usize>, Vec<&str>) {
    let (mut counts, mut others) = (BTreeMap::new(), Vec::new());
    for line in got.lines() {
        match id_of(line) {
            Some(id) => *counts.entry(id).or_default() += 1,
            None => others.push(line),
        }
    }
    (counts, others)
}

/// Checks that each line of `expected` came once, and nothing else did.
#[track_caller]
pub(super) fn assert_once(got: &str, expected: &str) {
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let (got, expected) = (sorted(got), sorted(expected));
    if got != expected {
        let missing: Vec<_> = expected.iter().filter(|line| !got.contains(line)).collect();
        let extra: Vec<_> = got.iter().filter(|line| !expected.contains(line)).collect();
        panic!("missing {missing:?}\nnot expected {extra:?}\nor some came twice");
    }
}
