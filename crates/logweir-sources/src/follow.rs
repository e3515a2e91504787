//! Follows files that others write, rotate and delete.
//!
//! One thread does it all, in turns: it searches for files, reads a little of one that has something new, sends it on,
//! and rests when there is nothing to do. It never waits for long in one place, since while somebody downstream is slow,
//! files are still rotated, and one that nobody holds open can be gone before it is read.
//!
//! What is known of a file survives its name: the inode, what it begins with, and what comes right before the place up
//! to which it has been read ([`guarded`]). By these a file is known again after it was renamed, after a restart, and
//! where only a copy of it is left ([`kin`], [`relatives`]); and it is noticed when it was emptied, even if it has grown
//! since, or has as many bytes as before. A number that the file system gives again, or a clock that is set, decides
//! nothing. Of an unfinished line nothing is kept: it is read again once it is finished ([`line_end`]).
//!
//! Zeros that a file begins with are skipped and counted: they are the hole that is left where somebody empties a file
//! and its writer, who does not append, goes on where they were.

mod begin;
mod begin_compressed;
mod checkpointer;
mod compressed;
mod files;
mod followed;
mod ghosts;
mod guarded;
mod kin;
mod line_end;
mod pace;
mod positions;
mod read;
mod read_compressed;
mod registry;
mod relatives;
mod search;
mod stats;
mod trouble;
mod watch;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Instant;

use futures::FutureExt;
use futures::future::BoxFuture;
use logweir_event::{Chunk, Condition, FileId};
use tokio_util::sync::CancellationToken;

use crate::Source;
use crate::buffer::BufferPool;
use crate::checkpoint::{Checkpoint, CheckpointStore};
use crate::chunker::{ChunkLimits, Chunker};
use crate::context::SourceContext;
use crate::error::SourceError;
use crate::file::{FileSourceConfig, Globs};
use crate::progress::Progress;
use crate::sender::ChunkSender;
use crate::thread::{Alarm, on_thread};
use crate::tracker::AckTracker;
use files::Files;
use ghosts::Ghost;
use guarded::Place;
use registry::Registry;
use watch::Watch;

pub use checkpointer::Checkpointer;
pub use pace::Pace;
pub use stats::{FollowStats, Rotation};

/// The configuration of `source.file` with `read: follow`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FollowConfig {
    /// Globs of the files to follow, or plain paths.
    pub include: Vec<String>,
    /// Globs of files to leave out, matched with the path as `include` leads to it.
    pub exclude: Vec<String>,
    /// Where reading begins in files that are there at the very first start.
    pub start_at: StartAt,
    /// The most files that are open at once, and never more than half of those that the process may open. Files that are gone and not read to their end are open beyond it.
    pub open_files: usize,
}

/// Where reading begins in files that are there when a source starts for the very first time. Files that come later are
/// read from their beginning, and known ones from where they were left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum StartAt {
    /// At their beginning.
    #[default]
    Beginning,
    /// Behind their last whole line.
    End,
}

/// Follows files: reads what they hold and what is added to them, until it is told to stop.
///
/// Each file is read in order, and files take turns. A file that is renamed is read on; one that is emptied is read from
/// its beginning; one that is deleted is read to its end, if it was open by then. Gzip and Zstandard files, recognised
/// by how they begin, are read once, as they are not added to. Pipes and devices are not followed.
pub struct FollowSource {
    globs: Globs,
    config: FollowConfig,
    checkpoint: Option<Checkpoint>,
    registry: Registry,
    stats: FollowStats,
    pace: Pace,
}

impl FollowSource {
    /// Returns a source that goes on where `checkpoint` says, with what keeps its checkpoints in `store`. Without a
    /// checkpoint this is the very first start.
    ///
    /// # Errors
    ///
    /// [`SourceError::Pattern`] if one of the globs cannot be understood.
    pub fn new(
        config: &FollowConfig,
        store: CheckpointStore,
        checkpoint: Option<Checkpoint>,
    ) -> Result<(Self, Checkpointer), SourceError> {
        Self::with_pace(config, store, checkpoint, Pace::default())
    }

    /// Returns a source like [`new`](FollowSource::new) does, one that waits as long as `pace` says.
    ///
    /// # Errors
    ///
    /// As [`new`](FollowSource::new).
    pub fn with_pace(
        config: &FollowConfig,
        store: CheckpointStore,
        checkpoint: Option<Checkpoint>,
        pace: Pace,
    ) -> Result<(Self, Checkpointer), SourceError> {
        let FollowConfig { include, exclude, .. } = config.clone();
        let globs = Globs::new(&FileSourceConfig { include, exclude })?;
        let registry = Registry::default();
        let checkpointer = Checkpointer::new(store, registry.clone(), pace);
        let (config, stats) = (config.clone(), FollowStats::default());
        Ok((Self { globs, config, checkpoint, registry, stats, pace }, checkpointer))
    }

    /// Returns what it has to tell, to be read while it runs.
    pub fn stats(&self) -> FollowStats {
        self.stats.clone()
    }
}

impl Source for FollowSource {
    fn run(self: Box<Self>, context: SourceContext) -> BoxFuture<'static, Result<(), SourceError>> {
        on_thread(context, move |context, alarm| {
            Follower::new(*self, context, alarm)?.run();
            Ok(())
        })
        .boxed()
    }
}

/// The thread that follows.
struct Follower {
    globs: Globs,
    /// Whether files found by the first search begin at their end.
    starts_at_end: bool,
    watch: Watch,
    alarm: Alarm,
    stop: CancellationToken,
    files: Files,
    /// Files that are gone or were emptied, and those of the checkpoint that have not been found yet.
    ghosts: Vec<Ghost>,
    /// Files with something to read, each once.
    ready: VecDeque<u32>,
    turn: Turn,
    /// The chunk that waits for a taker.
    pending: Option<Chunk>,
    chunks: ChunkSender,
    pool: BufferPool,
    limits: ChunkLimits,
    registry: Registry,
    tracker: AckTracker,
    outputs: Arc<HashSet<FileId>>,
    /// What was found and is not followed, to say so once.
    refused: HashSet<FileId>,
    condition: Condition,
    progress: Arc<Progress>,
    stats: FollowStats,
    pace: Pace,
    n_searches: u64,
    next_search: Instant,
    /// No search begins before, except those that are due anyway.
    not_before: Instant,
    next_tend: Instant,
    /// Whether there may be files that need to be looked at often.
    is_tending: bool,
    /// Whether nothing has happened since how things are was told last, at `published`.
    is_published: bool,
    published: Instant,
    next_input: u32,
}

/// The turn of one file.
struct Turn {
    /// Which file; `None` between turns.
    key: Option<u32>,
    /// Of an uncompressed file: how far it has been read, whole lines or not.
    place: Place,
    /// Holds what has been read of an uncompressed file; between turns nothing.
    chunker: Chunker,
    /// Bytes sent in this turn.
    n_sent: u64,
    /// The number of the turn.
    number: u64,
}

impl Follower {
    fn new(source: FollowSource, context: SourceContext, alarm: Alarm) -> Result<Self, SourceError> {
        let FollowSource { globs, config, checkpoint, registry, stats, pace } = source;
        let starts_at_end = checkpoint.is_none() && config.start_at == StartAt::End;
        let watch = Watch::new(pace.is_told).map_err(|source| SourceError::Thread { source })?;
        let chunker = Chunker::new(context.pool.clone(), context.limits);
        let now = Instant::now();
        context.progress.set_total(0);
        let mut follower = Self {
            globs,
            starts_at_end,
            watch,
            alarm,
            stop: context.stop,
            files: Files::new(config.open_files.min(half_of_all_files())),
            ghosts: Vec::new(),
            ready: VecDeque::new(),
            turn: Turn { key: None, place: Place::start(), chunker, n_sent: 0, number: 0 },
            pending: None,
            tracker: context.chunks.tracker().clone(),
            chunks: context.chunks,
            pool: context.pool,
            limits: context.limits,
            registry,
            outputs: context.outputs,
            refused: HashSet::new(),
            condition: context.condition,
            progress: context.progress,
            stats,
            pace,
            n_searches: 0,
            next_search: now,
            not_before: now,
            next_tend: now,
            is_tending: false,
            is_published: false,
            published: now,
            next_input: 0,
        };
        follower.remember(checkpoint.unwrap_or_default());
        Ok(follower)
    }

    /// Follows until it is told to stop, or nobody takes chunks any more.
    fn run(mut self) {
        while !self.stop.is_cancelled() {
            self.look_around();
            if let Some(chunk) = self.pending.take() {
                match self.chunks.send_within(chunk, self.pace.patience) {
                    Ok(unsent) => self.pending = unsent,
                    // Whoever went has a reason to tell.
                    Err(_) => return,
                }
            } else if self.turn.key.is_none() && !self.begin_turn() {
                self.rest();
            } else if self.turn.key.is_some() {
                self.read_on();
            }
        }
        if let Some(chunk) = self.pending.take() {
            self.chunks.blocking_send(chunk).ok();
        }
    }

    /// Looks after all that is not reading, as far as it is time.
    fn look_around(&mut self) {
        self.take_hints();
        let now = Instant::now();
        if now >= self.next_search {
            // First, since a search may find that another is due soon.
            self.next_search = now + self.pace.search_every;
            self.search();
            self.is_published = false;
            if !self.watch.is_complete() {
                self.next_search = self.next_search.min(Instant::now() + self.pace.search_every_untold);
            }
        }
        if now >= self.next_tend {
            self.tend();
            self.next_tend = Instant::now() + self.pace.tend_every;
        }
        if !self.is_published && now >= self.published + self.pace.patience {
            self.publish();
        }
    }

    /// Waits until something happens or something is to be done.
    fn rest(&mut self) {
        let mut until = self.next_search;
        if self.is_tending {
            until = until.min(self.next_tend);
        }
        if !self.is_published {
            until = until.min(self.published + self.pace.patience);
        }
        self.watch.wait(&self.alarm, until.saturating_duration_since(Instant::now()));
    }

    /// Tells how things are.
    fn publish(&mut self) {
        (self.is_published, self.published) = (true, Instant::now());
        self.stats.set_files(self.files.len(), self.files.n_open());
        let queued = self.ready.iter().filter_map(|key| self.files.get(*key));
        self.stats.set_unread_since(queued.map(|file| file.changed).min());
        let n_behind = self.files.iter().filter(|(_, file)| file.is_behind()).count();
        self.stats.set_looked(self.n_searches, n_behind as u64);
        let n_unread: u64 = self.files.iter().map(|(_, file)| file.n_unread()).sum();
        self.progress.set_total(self.progress.n_read() + n_unread);
    }

    /// Returns whether the source is to stop, for work that takes long.
    fn stopping(&self) -> impl Fn() -> bool + use<> {
        let stop = self.stop.clone();
        move || stop.is_cancelled()
    }
}

/// Returns half of the files that the process may have open: sinks, checkpoints and whoever asks how things are need the
/// others.
fn half_of_all_files() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit / 2).ok()).unwrap_or(usize::MAX)
}

impl std::fmt::Debug for FollowSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FollowSource").field("config", &self.config).finish_non_exhaustive()
    }
}
