//! The directory that checkpoints lie in.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use logweir_event::FileId;

use super::disk::{Disk as _, RealDisk};
use super::error::CheckpointError;

/// The name of the lock file. No other file in the directory can have it: all others have one of the endings below.
pub(super) const LOCK: &str = "lock";
/// What follows a pipeline's name in the name of its checkpoint.
pub(super) const SUFFIX: &str = ".checkpoint";
/// What follows it in the name of a checkpoint that is being written, and which no checkpoint's name ends in.
const NEW_SUFFIX: &str = ".checkpoint.new";
/// The longest name of a pipeline: a file's name may have 255 bytes, and a checkpoint that was reset has the longest
/// ending.
pub(super) const MAX_NAME_BYTES: usize = 200;

/// A state directory, locked for this process until the last store in it is gone.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// The lock file, locked. Another one only if somebody removed the first.
    lock: Mutex<File>,
    /// The names of the checkpoints that have a store.
    open: Mutex<BTreeSet<String>>,
}

impl StateDir {
    /// Locks a directory for this process and removes what an interrupted commit has left in it; makes the directory
    /// and its parents if they are missing, open to their owner only.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::InUse`] if another process works with it, or this one has opened it before;
    /// [`CheckpointError::Directory`] and [`CheckpointError::Lock`] if the directory or its lock file cannot be used.
    pub fn open(path: &Path) -> Result<Arc<Self>, CheckpointError> {
        make(path).map_err(|source| CheckpointError::Directory { directory: path.to_owned(), source })?;
        let lock = acquire(path)?;
        remove_temporaries(path);
        Ok(Arc::new(Self { path: path.to_owned(), lock: Mutex::new(lock), open: Mutex::default() }))
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that the lock is still the one that others would meet. Somebody who cleans up may have removed the
    /// lock file or the whole directory; then both are made anew, unless another process has been faster.
    pub(super) fn keep_locked(&self) -> Result<(), CheckpointError> {
        let mut lock = unpoisoned(&self.lock);
        let held = lock.metadata().map(|metadata| FileId::from(&metadata));
        let met = fs::symlink_metadata(self.path.join(LOCK)).map(|metadata| FileId::from(&metadata));
        if let (Ok(held), Ok(met)) = (held, met)
            && held == met
        {
            return Ok(());
        }
        tracing::warn!(state_dir = %self.path.display(), "the lock file was removed, and is made anew");
        let failed = |source| CheckpointError::Directory { directory: self.path.clone(), source };
        make(&self.path).map_err(failed)?;
        *lock = acquire(&self.path)?;
        Ok(())
    }

    /// Notes that a checkpoint has a store.
    pub(super) fn enter(&self, name: &str) -> Result<(), CheckpointError> {
        if unpoisoned(&self.open).insert(name.to_owned()) {
            return Ok(());
        }
        Err(CheckpointError::AlreadyOpen { name: name.to_owned() })
    }

    /// Forgets that a checkpoint has a store.
    pub(super) fn leave(&self, name: &str) {
        unpoisoned(&self.open).remove(name);
    }
}

/// Returns the names of the files of a pipeline's checkpoint: while it is written, and when it is.
///
/// # Errors
///
/// [`CheckpointError::Name`] if a pipeline of that name cannot have a checkpoint.
pub(super) fn file_names(pipeline: &str) -> Result<[String; 2], CheckpointError> {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_name = (1..=MAX_NAME_BYTES).contains(&pipeline.len()) && pipeline.bytes().all(is_legal);
    if !is_name || [".", ".."].contains(&pipeline) {
        return Err(CheckpointError::Name { name: pipeline.to_owned() });
    }
    Ok([NEW_SUFFIX, SUFFIX].map(|suffix| format!("{pipeline}{suffix}")))
}

/// Makes a directory and its missing parents so that they survive a loss of power.
fn make(path: &Path) -> io::Result<()> {
    let is_missing = |directory: &&Path| !directory.as_os_str().is_empty() && !directory.is_dir();
    let missing: Vec<_> = path.ancestors().take_while(is_missing).collect();
    for directory in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(directory) {
            // Somebody else makes the same one.
            Err(_) if directory.is_dir() => {}
            made => made?,
        }
        let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
        RealDisk.sync_directory(parent.unwrap_or(Path::new(".")))?;
    }
    Ok(())
}

/// Locks the lock file of a directory, making it if it is missing, and writes into it which process has it.
fn acquire(directory: &Path) -> Result<File, CheckpointError> {
    let path = directory.join(LOCK);
    let failed = |source| CheckpointError::Lock { path: path.clone(), source };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut lock = options.open(&path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(CheckpointError::InUse { directory: directory.to_owned(), pid: pid_in(&lock) });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // For people only; the lock holds without it, as on a full disk.
    let _ = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
    Ok(lock)
}

/// Returns the process that a lock file names.
fn pid_in(lock: &File) -> Option<u32> {
    let mut text = String::new();
    lock.take(20).read_to_string(&mut text).ok()?;
    text.trim_end().parse().ok()
}

/// Removes what commits that were interrupted have left; to be called with the lock.
fn remove_temporaries(directory: &Path) {
    for found in fs::read_dir(directory).into_iter().flatten().flatten() {
        if !found.file_name().as_encoded_bytes().ends_with(NEW_SUFFIX.as_bytes()) {
            continue;
        }
        if let Err(error) = fs::remove_file(found.path()) {
            tracing::warn!(path = %found.path().display(), %error, "cannot remove what a commit has left");
        }
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is whole after each change, even if somebody panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
