//! Learns that something has changed, without looking.
//!
//! What the system tells of changes is only a hint: where to look again. It may come late, twice, for files that do not
//! matter, or not at all, as when too much changes at once or a file lies on another machine. So everything is looked
//! at again now and then anyway, often where no hints can be expected.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write, pipe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use logweir_event::FileId;
use notify::event::{EventKind, ModifyKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionbio;

use crate::thread::Alarm;

/// More changed paths than this are not kept apart: everything is looked at then.
const MAX_MODIFIED: usize = 4096;

/// What may have changed since somebody asked last.
#[derive(Default)]
pub(super) struct Changes {
    /// Files that may have other bytes or other rights.
    pub(super) modified: HashSet<PathBuf>,
    /// Whether files may have come, gone or been renamed.
    pub(super) rescan: bool,
    /// What is gone from where it was, directories that were watched among them.
    gone: HashSet<PathBuf>,
}

/// Watches directories.
pub(super) struct Watch {
    /// `None` where the system has nothing to watch with, or no more of it.
    watcher: Option<RecommendedWatcher>,
    /// The directories that are watched, by the paths that are given.
    watched: BTreeMap<PathBuf, Watched>,
    /// Whether all changes in all directories can be expected to be told.
    is_complete: bool,
    hints: Arc<Hints>,
    /// Readable when there are hints.
    woken: PipeReader,
}

/// A directory that is watched.
struct Watched {
    /// Its path as the watcher tells it.
    told_as: PathBuf,
    id: FileId,
    /// Whether all that happens in it can be expected to be told.
    is_local: bool,
}

/// Where the watcher's thread leaves what it is told.
struct Hints {
    changes: Mutex<Changes>,
    wake: PipeWriter,
}

impl Watch {
    /// Returns one that watches nothing yet, and never will unless the system `is_told` to.
    ///
    /// # Errors
    ///
    /// If the process may open no more files.
    pub(super) fn new(is_told: bool) -> io::Result<Self> {
        let (woken, wake) = pipe()?;
        ioctl_fionbio(&woken, true)?;
        ioctl_fionbio(&wake, true)?;
        let hints = Arc::new(Hints { changes: Mutex::default(), wake });
        let told = hints.clone();
        let watcher = is_told.then(|| notify::recommended_watcher(move |event| told.take_in(event)));
        let watcher = watcher.and_then(|watcher| {
            let complain = |error: &_| {
                tracing::warn!(%error, "changes cannot be watched for: files are looked at every second");
            };
            watcher.inspect_err(complain).ok()
        });
        Ok(Self { is_complete: false, watcher, watched: BTreeMap::new(), hints, woken })
    }

    /// Watches these directories and no others; returns whether one has been added, in which something may have
    /// changed before it was.
    pub(super) fn set(&mut self, directories: BTreeSet<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else {
            return false;
        };
        self.watched.retain(|path, watched| {
            // Where it lay there may be another one by now.
            let is_same = fs::metadata(path).is_ok_and(|metadata| FileId::from(&metadata) == watched.id);
            let is_kept = is_same && directories.contains(path);
            if !is_kept {
                // It is no longer there, most likely, and then it is no longer watched either.
                watcher.unwatch(&watched.told_as).ok();
            }
            is_kept
        });
        let n_before = self.watched.len();
        let n_wanted = directories.len();
        for path in directories {
            if self.watched.contains_key(&path) {
                continue;
            }
            match watch(watcher, &path) {
                Ok(added) => {
                    self.watched.insert(path, added);
                }
                Err(error) => tracing::debug!(directory = %path.display(), %error, "cannot be watched"),
            }
        }
        self.is_complete =
            self.watched.len() == n_wanted && self.watched.values().all(|watched| watched.is_local);
        self.watched.len() > n_before
    }

    /// Returns whether all changes can be expected to be told.
    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Takes what has been told since the last time.
    pub(super) fn take(&mut self) -> Changes {
        let mut changes = std::mem::take(&mut *self.hints.lock());
        let Some(watcher) = &mut self.watcher else { return changes };
        if !changes.gone.is_empty() {
            self.watched.retain(|_, watched| {
                let is_gone = changes.gone.contains(&watched.told_as);
                if is_gone {
                    // It does not know of it any more, or still watches what was renamed.
                    watcher.unwatch(&watched.told_as).ok();
                }
                !is_gone
            });
        }
        if !changes.modified.is_empty() {
            self.translate(&mut changes.modified);
        }
        changes
    }

    /// Gives paths in directories that were given as relative ones the form in which they are found there.
    fn translate(&self, paths: &mut HashSet<PathBuf>) {
        let relative = self.watched.iter().filter(|(given, watched)| **given != watched.told_as);
        let given: HashMap<_, _> =
            relative.map(|(given, watched)| (watched.told_as.as_path(), given)).collect();
        if given.is_empty() {
            return;
        }
        let translated = paths.drain().map(|path| {
            let directory = path.parent().and_then(|parent| given.get(parent));
            match (directory, path.file_name()) {
                (Some(directory), Some(name)) => directory.join(name),
                _ => path,
            }
        });
        *paths = translated.collect();
    }

    /// Waits until something is told, or `alarm` goes off, or for `patience`.
    pub(super) fn wait(&self, alarm: &Alarm, patience: Duration) {
        let mut polled =
            [PollFd::new(&self.woken, PollFlags::IN), PollFd::new(alarm.as_ref(), PollFlags::IN)];
        let timeout = Timespec::try_from(patience).ok();
        // An interrupted wait is just a short one.
        if poll(&mut polled, timeout.as_ref()).is_ok() && !polled[0].revents().is_empty() {
            // What is left of a full pipe wakes again, for nothing.
            let _n_read = (&self.woken).read(&mut [0; 1024]);
        }
    }
}

impl Hints {
    fn lock(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, event: notify::Result<Event>) {
        let mut changes = self.lock();
        match event {
            Ok(event) if event.need_rescan() => changes.rescan = true,
            Ok(event) => match event.kind {
                // Reading is no change; it is us, most of the time.
                EventKind::Access(_) => return,
                EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_)) => {
                    if changes.modified.len() < MAX_MODIFIED {
                        changes.modified.extend(event.paths);
                    } else {
                        changes.rescan = true;
                    }
                }
                kind => {
                    changes.rescan = true;
                    let is_gone =
                        matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)));
                    if is_gone && changes.gone.len() < MAX_MODIFIED {
                        changes.gone.extend(event.paths);
                    }
                }
            },
            Err(error) => {
                tracing::debug!(%error, "watching failed: everything is looked at again");
                changes.rescan = true;
            }
        }
        drop(changes);
        // A full pipe wakes as well as one more byte would.
        let _n_written = (&self.wake).write(&[0]);
    }
}

/// Has a directory watched.
fn watch(watcher: &mut RecommendedWatcher, path: &Path) -> notify::Result<Watched> {
    // The watcher would do the same, and tells of it by this path.
    let told_as = std::env::current_dir()?.join(path);
    watcher.watch(&told_as, RecursiveMode::NonRecursive)?;
    let id = FileId::from(&fs::metadata(path)?);
    Ok(Watched { told_as, id, is_local: is_local(path) })
}

/// Returns whether what others do in a directory is told here: not on file systems that other machines, or other
/// programs, write to behind the kernel's back.
#[cfg(target_os = "linux")]
fn is_local(directory: &Path) -> bool {
    /// NFS, SMB in three generations, FUSE, 9P, Ceph, AFS, Coda, OCFS2, GFS2 and Lustre, by the numbers that statfs(2)
    /// names or their projects do.
    const REMOTE: [i64; 12] = [
        0x6969,
        0x517B,
        0xFF53_4D42,
        0xFE53_4D42,
        0x6573_5546,
        0x0102_1997,
        0x00C3_6400,
        0x5346_414F,
        0x7375_7245,
        0x7461_636F,
        0x0116_1970,
        0x0BD0_0BD0,
    ];
    // The kernel's type for it is signed here and there, and the numbers have 32 bits.
    let is_remote = |statfs: rustix::fs::StatFs| REMOTE.contains(&(statfs.f_type & 0xFFFF_FFFF));
    rustix::fs::statfs(directory).is_ok_and(|statfs| !is_remote(statfs))
}

#[cfg(not(target_os = "linux"))]
fn is_local(_directory: &Path) -> bool {
    true
}
