//! Syncs what was written, many payloads at a time.
//!
//! To bring a payload to the disk takes milliseconds, however small it is; so those that come meanwhile are synced
//! together. The thread that writes goes on writing and hands over only what is to be told once the bytes are safe; a
//! thread of the sink's own syncs the file, and then tells. After a sync that failed the system may have dropped what
//! it could not write, and a second one that succeeds says nothing about it: so nothing is acked from then on, and
//! the sink ends.
//!
//! The same goes for a file that somebody has removed meanwhile: it takes every sync, and is gone with all that was
//! written to it since.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use logweir_event::Pending;
use tokio_util::sync::CancellationToken;

use crate::disk::{Disk, DiskFile, leads_nowhere};

/// The bytes that may wait to be synced while others are being synced; more, and writing waits. Enough to keep a fast
/// disk busy, and little enough to be synced within a second or two by a slow one.
const MAX_WAITING_BYTES: u64 = 256 << 20;

/// The bytes that are synced without waiting for their time. While the system brings many bytes to the disk it lets
/// nobody add to the file for tens of milliseconds, and all that is before the sink stands still; so at a rate at which
/// a second has many times as much, less is synced at once and more often. That costs no more CPU, and a slow disk has
/// to do for this much far more than for one sync more.
const SYNC_AT_BYTES: u64 = 16 << 20;

/// The payloads that may wait; at a hundred bytes each they take few MiB.
const MAX_WAITING: usize = 1 << 16;

/// What lies between the thread that writes and the one that syncs.
#[derive(Debug)]
pub(super) struct GroupCommit<'a> {
    disk: &'a dyn Disk,
    state: Mutex<State>,
    /// Told of every change of the state that somebody may wait for.
    changed: Condvar,
    failed: CancellationToken,
}

#[derive(Default, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each holds without the others")]
struct State {
    /// What waits to be synced.
    waiting: Group,
    /// Whether what waits is to be synced at once.
    is_urgent: bool,
    /// Whether a group is being synced.
    is_syncing: bool,
    /// Whether nothing more will come.
    is_closed: bool,
    /// Where in the file that is written the last payload ends that is on the disk and was acked.
    acked_end: u64,
    /// Where what was handed over last ends.
    handed_end: u64,
    /// Whether somebody has made the file shorter since the group that is being synced was handed over.
    is_shortened: bool,
    /// Whether a sync has failed; nothing is synced from then on.
    has_failed: bool,
    /// Why, until somebody has asked.
    failure: Option<io::Error>,
}

/// What is synced at once.
#[derive(Default, Debug)]
struct Group {
    /// `None` where only directories are to be synced.
    file: Option<Arc<dyn DiskFile>>,
    /// Where a name has changed.
    dirs: Vec<PathBuf>,
    /// Who is to be told, in order.
    pendings: Vec<Pending>,
    n_bytes: u64,
    /// Where in the file the last of them ends; `None` while there is nobody.
    end: Option<u64>,
    /// When it is to be synced at the latest; `None` while it is empty.
    due: Option<Instant>,
}

/// Something that has been written.
#[derive(Debug)]
pub(super) struct Handed {
    /// Who is to be told; several where they share a compressed member, nobody where only a part has been written.
    pub(super) pendings: Vec<Pending>,
    /// Where in the file it begins.
    pub(super) start: u64,
    /// Where it ends.
    pub(super) end: u64,
    /// When it is to be synced at the latest.
    pub(super) due: Instant,
}

/// Says that a sync has failed; [`GroupCommit::failure`] has why.
#[derive(Debug)]
pub(super) struct SyncFailed;

impl<'a> GroupCommit<'a> {
    pub(super) fn new(disk: &'a dyn Disk) -> Self {
        let failed = CancellationToken::new();
        Self { disk, state: Mutex::default(), changed: Condvar::new(), failed }
    }

    /// Says that from now on `file` is written, which has `n_bytes` bytes, and that names in `dirs` have changed.
    /// Everything of the file before must be on the disk.
    pub(super) fn begin(&self, file: Arc<dyn DiskFile>, n_bytes: u64, dirs: Vec<PathBuf>) {
        let mut state = self.lock();
        (state.acked_end, state.handed_end) = (n_bytes, n_bytes);
        state.waiting.file = Some(file);
        state.waiting.dirs.extend(dirs);
        state.waiting.dirs.sort_unstable();
        state.waiting.dirs.dedup();
    }

    /// Hands over what has been written to the file; waits while too much waits to be synced.
    pub(super) fn hand_over(&self, handed: Handed) -> Result<(), SyncFailed> {
        let mut state = self.lock();
        while state.waiting.is_full() && !state.has_failed {
            state.is_urgent = true;
            self.changed.notify_all();
            state = self.wait(state);
        }
        if state.has_failed {
            return Err(SyncFailed);
        }
        // Somebody may have emptied the file, and then what was on the disk no longer is.
        if handed.start < state.handed_end {
            state.is_shortened = true;
            state.acked_end = state.acked_end.min(handed.start);
        }
        state.handed_end = handed.end;
        state.waiting.add(handed);
        self.changed.notify_all();
        Ok(())
    }

    /// Syncs all that has been handed over, now; everybody has been told when it returns.
    pub(super) fn flush(&self) -> Result<(), SyncFailed> {
        let mut state = self.lock();
        while !state.has_failed && (state.is_syncing || !state.waiting.is_empty()) {
            state.is_urgent = true;
            self.changed.notify_all();
            state = self.wait(state);
        }
        state.is_urgent = false;
        if state.has_failed { Err(SyncFailed) } else { Ok(()) }
    }

    /// Returns why a sync has failed, if one has, to the first who asks.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.lock().failure.take()
    }

    /// Returns a token that is cancelled when a sync has failed.
    pub(super) fn failed(&self) -> &CancellationToken {
        &self.failed
    }

    /// Returns where what was acked ends in the file that is written.
    pub(super) fn acked_end(&self) -> u64 {
        self.lock().acked_end
    }

    /// Returns what, when dropped, says that nothing more will come: what was handed over is then synced at once.
    pub(super) fn closer(&self) -> Closer<'_, 'a> {
        Closer(self)
    }

    /// Syncs what is handed over, until nothing more comes or a sync has failed.
    pub(super) fn run(&self) {
        // Should a receipt panic, whoever waits for a sync must not wait for ever.
        let _guard = Guard(self);
        while let Some(group) = self.next() {
            let result = self.sync(&group);
            let mut state = match result {
                Ok(()) => {
                    let end = group.end;
                    group.pendings.into_iter().for_each(Pending::written);
                    let mut state = self.lock();
                    if let Some(end) = end.filter(|_| !state.is_shortened) {
                        state.acked_end = end;
                    }
                    state
                }
                Err(error) => {
                    drop(group);
                    let mut state = self.lock();
                    (state.has_failed, state.failure) = (true, Some(error));
                    state
                }
            };
            state.is_syncing = false;
            self.changed.notify_all();
            if state.has_failed {
                return;
            }
        }
    }

    /// Returns the next group once it is due; `None` when there is none and none will come.
    fn next(&self) -> Option<Group> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            match state.waiting.due {
                Some(due) if state.is_urgent || state.is_closed || state.waiting.is_large() || due <= now => {
                    (state.is_urgent, state.is_syncing, state.is_shortened) = (false, true, false);
                    return Some(state.waiting.take());
                }
                Some(due) => {
                    let waited = self.changed.wait_timeout(state, due - now);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                None if state.is_closed => return None,
                None => state = self.wait(state),
            }
        }
    }

    /// Brings to the disk what a group has, so that it can be found there.
    fn sync(&self, group: &Group) -> io::Result<()> {
        if let Some(file) = &group.file {
            file.sync()?;
        }
        group.dirs.iter().try_for_each(|dir| sync_names(self.disk, dir))?;
        match &group.file {
            Some(file) if !file.has_name()? => {
                Err(io::Error::new(ErrorKind::NotFound, "somebody has removed the file"))
            }
            _ => Ok(()),
        }
    }

    fn wait<'b>(&self, state: MutexGuard<'b, State>) -> MutexGuard<'b, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change leaves the state whole; a panic elsewhere ends the sink anyway.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    fn add(&mut self, handed: Handed) {
        self.n_bytes += handed.end.saturating_sub(handed.start);
        if !handed.pendings.is_empty() {
            self.end = Some(handed.end);
        }
        self.pendings.extend(handed.pendings);
        self.due = Some(self.due.map_or(handed.due, |due| due.min(handed.due)));
    }

    fn is_large(&self) -> bool {
        self.n_bytes >= SYNC_AT_BYTES
    }

    fn is_full(&self) -> bool {
        self.n_bytes >= MAX_WAITING_BYTES || self.pendings.len() >= MAX_WAITING
    }

    /// Returns whether nothing has been written.
    fn is_empty(&self) -> bool {
        self.due.is_none()
    }

    /// Returns what there is and leaves the file, to which more will be written.
    fn take(&mut self) -> Self {
        let next = Self { file: self.file.clone(), ..Self::default() };
        std::mem::replace(self, next)
    }
}

/// Brings to the disk which names are in a directory, unless somebody has moved that away: what is in it has gone with
/// it, and has its new name from them, as a file has that is moved by itself. Writing goes on under the old name as
/// soon as that is seen.
pub(super) fn sync_names(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    match disk.sync_dir(dir) {
        Err(error) if leads_nowhere(&error) => Ok(()),
        result => result,
    }
}

/// Closes a [`GroupCommit`] when dropped.
#[derive(Debug)]
pub(super) struct Closer<'b, 'a>(&'b GroupCommit<'a>);

impl Drop for Closer<'_, '_> {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.changed.notify_all();
    }
}

/// Makes sure that the end of the thread that syncs is seen, whatever its reason.
struct Guard<'b, 'a>(&'b GroupCommit<'a>);

impl Drop for Guard<'_, '_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_syncing = false;
        if std::thread::panicking() && !state.has_failed {
            let panicked = io::Error::other("the thread that syncs has panicked");
            (state.has_failed, state.failure) = (true, Some(panicked));
        }
        // Those who will not be told: to be dropped is to be not delivered.
        let dropped = state.has_failed.then(|| std::mem::take(&mut state.waiting));
        let has_failed = dropped.is_some();
        drop(state);
        drop(dropped);
        self.0.changed.notify_all();
        if has_failed {
            self.0.failed.cancel();
        }
    }
}
