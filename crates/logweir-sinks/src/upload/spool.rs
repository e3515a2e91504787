//! Where batches wait to be uploaded: a directory with two files a batch.
//!
//! `00000000000000000007.log.gz` is what will be uploaded, and `00000000000000000007.json`, the *entry*, what that is. A
//! batch exists once it has an entry: before, nobody counts on it, and its events are read again; from then on it is
//! whole, and what is in the entry says from where to go on behind it. So the order of what is done is what matters:
//!
//! 1. The file is written, synced, and its name too.
//! 2. The entry is written under another name, synced, renamed, and its name synced.
//! 3. Once the batch is uploaded, the entry is renamed to `00000000000000000007.done`, and that is synced.
//! 4. The file is removed; and the entry, once a later one is done, or the source knows by itself that all before it is.
//!
//! A crash leaves what lies between two of these steps, and the next run goes on from there: a file without an entry is
//! removed, one whose entry is done too; a batch that is not marked as done is uploaded again, under the same key. An
//! entry whose file is missing or changed *breaks* the spool: its events, and those behind it, are read again, so it
//! and all behind it are put aside. Where nothing can be read again only itself is.

mod recover;

use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::error::SpoolError;
use super::key::ending;
use super::manifest::{Entry, Owner, encode};
use crate::disk::{Disk, DiskFile, FollowingDisk};
use crate::file::Compression;

pub(super) use recover::Recovered;

/// The name of the file that is locked by who works with the spool.
const LOCK: &str = "lock";
/// What follows the number of a batch in the name of its entry.
const ENTRY: &str = ".json";
/// The same while it is written.
const NEW: &str = ".json.new";
/// The same once the batch needs nothing more.
const DONE: &str = ".done";
/// What follows the name of a file that was put aside.
const DAMAGED: &str = ".damaged";

/// The directory in which batches wait to be uploaded.
pub struct Spool {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    /// The lock file, locked, once it is.
    lock: OnceLock<Box<dyn DiskFile>>,
}

/// A batch that has an entry.
#[derive(Debug)]
pub(super) struct Spooled {
    pub(super) seq: u64,
    pub(super) entry: Entry,
    /// Whether it needs nothing more.
    pub(super) is_done: bool,
}

impl Spool {
    /// Returns from where the source is to read on, as the last whole batch in a spool says; `None` where there is no
    /// batch, or nothing can be read again. It is to be asked before the source is opened, and while no sink runs on the
    /// spool. What the source itself has kept may be further on.
    ///
    /// What is broken is put aside first, so that the sink finds the same batches.
    ///
    /// # Errors
    ///
    /// Why it cannot be known.
    pub fn covered(dir: &Path) -> Result<Option<Vec<u8>>, SpoolError> {
        Self::covered_on(Arc::new(FollowingDisk), dir)
    }

    /// Returns what [`covered`](Spool::covered) does, of a spool on another disk than the system's.
    ///
    /// # Errors
    ///
    /// As [`covered`](Spool::covered).
    pub fn covered_on(disk: Arc<dyn Disk>, dir: &Path) -> Result<Option<Vec<u8>>, SpoolError> {
        let spool = Self::new(disk, dir.to_owned());
        if spool.files()?.is_empty() {
            return Ok(None);
        }
        spool.take()?;
        let chain = spool.examine(None)?;
        spool.put_aside(&chain.broken)?;
        Ok(chain.whole.into_iter().next_back().and_then(|last| last.entry.covering))
    }

    /// Removes what a spool that nobody uses any more still has, save what was put aside for people to see.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Abandoned`] if batches wait in it that were not delivered: nobody would deliver them any more.
    pub fn abandon(dir: &Path) -> Result<(), SpoolError> {
        let files = Self::new(Arc::new(FollowingDisk), dir.to_owned()).files()?;
        let ends_in = |path: &PathBuf, ending: &str| path.to_string_lossy().ends_with(ending);
        if files.iter().any(|path| ends_in(path, ENTRY)) {
            return Err(SpoolError::Abandoned { directory: dir.to_owned() });
        }
        let is_of_no_use =
            |path: &&PathBuf| ends_in(path, DONE) || path.file_name().is_some_and(|name| name == LOCK);
        for path in files.iter().filter(is_of_no_use) {
            std::fs::remove_file(path).map_err(SpoolError::access("remove", path))?;
        }
        // It stays if something is in it.
        let _ = std::fs::remove_dir(dir);
        Ok(())
    }

    /// Returns the spool in a directory, which need not be there yet.
    pub(super) fn new(disk: Arc<dyn Disk>, dir: PathBuf) -> Self {
        Self { disk, dir, lock: OnceLock::new() }
    }

    /// Returns where it is.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns how long to wait before what failed here is first tried again.
    pub(super) fn first_pause(&self) -> std::time::Duration {
        self.disk.first_pause()
    }

    /// Takes the spool for this sink, until this is dropped; it is made if it is missing.
    pub(super) fn take(&self) -> Result<(), SpoolError> {
        self.make()?;
        if self.lock.get().is_some() {
            return Ok(());
        }
        let path = self.dir.join(LOCK);
        let failed = |source| SpoolError::Access { step: "lock", path: path.clone(), source };
        let file = self.disk.open_beside(&path).map_err(failed)?;
        if !file.try_lock().map_err(failed)? {
            return Err(SpoolError::InUse { directory: self.dir.clone() });
        }
        // Only the sink's own thread takes it.
        let _ = self.lock.set(file);
        Ok(())
    }

    /// Makes the file of a batch, empty, so that its name outlives a loss of power.
    pub(super) fn create(&self, seq: u64, compression: Compression) -> Result<Box<dyn DiskFile>, SpoolError> {
        self.make()?;
        let path = self.data_path(seq, compression);
        let file = self.disk.open_beside(&path).and_then(emptied);
        let file = file.map_err(SpoolError::access("make", &path))?;
        self.sync_names()?;
        Ok(file)
    }

    /// Writes the entry of a batch, whose file is on the disk: from then on the batch exists. It may be repeated.
    pub(super) fn commit(&self, owner: &Owner, seq: u64, entry: &Entry) -> Result<(), SpoolError> {
        let (temporary, path) = (self.path(seq, NEW), self.path(seq, ENTRY));
        if !self.exists(&path)? {
            // What could not be synced is not trusted again, however it looks.
            self.remove(&temporary)?;
            self.write_new(&temporary, &encode(owner, entry))
                .map_err(SpoolError::access("write", &temporary))?;
            self.disk.rename(&temporary, &path).map_err(SpoolError::access("make", &path))?;
        }
        self.sync_names()
    }

    /// Says that a batch needs nothing more, and then removes its file. It may be repeated.
    pub(super) fn mark_done(&self, seq: u64, compression: Compression) -> Result<(), SpoolError> {
        let (waiting, done) = (self.path(seq, ENTRY), self.path(seq, DONE));
        match self.disk.rename(&waiting, &done) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.exists(&done)? => {}
            result => result.map_err(SpoolError::access("rename", &waiting))?,
        }
        self.sync_names()?;
        self.remove(&self.data_path(seq, compression))
    }

    /// Removes the entry of a batch that is done.
    pub(super) fn forget(&self, seq: u64) -> Result<(), SpoolError> {
        self.remove(&self.path(seq, DONE))
    }

    /// Returns the path of the file of a batch.
    pub(super) fn data_path(&self, seq: u64, compression: Compression) -> PathBuf {
        self.path(seq, ending(compression))
    }

    fn path(&self, seq: u64, ending: &str) -> PathBuf {
        self.dir.join(format!("{seq:020}{ending}"))
    }

    /// Makes the directory, so that its name outlives a loss of power.
    fn make(&self) -> Result<(), SpoolError> {
        let made = self.disk.make_dirs(&self.dir).map_err(SpoolError::access("make", &self.dir))?;
        made.iter().try_for_each(|dir| self.disk.sync_dir(dir).map_err(SpoolError::access("sync", dir)))
    }

    fn sync_names(&self) -> Result<(), SpoolError> {
        self.disk.sync_dir(&self.dir).map_err(SpoolError::access("sync", &self.dir))
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let file = self.disk.open_beside(path).and_then(emptied)?;
        write_all(&*file, bytes)?;
        file.sync()
    }

    /// Removes a file, if it is there.
    fn remove(&self, path: &Path) -> Result<(), SpoolError> {
        match self.disk.remove(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result.map_err(SpoolError::access("remove", path)),
        }
    }

    fn exists(&self, path: &Path) -> Result<bool, SpoolError> {
        Ok(self.files()?.iter().any(|file| file == path))
    }

    /// Returns all files in the directory, in order.
    fn files(&self) -> Result<Vec<PathBuf>, SpoolError> {
        self.disk.files_below(&self.dir, 0).map_err(SpoolError::access("list", &self.dir))
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// Empties a file that something has left behind.
fn emptied(file: Box<dyn DiskFile>) -> io::Result<Box<dyn DiskFile>> {
    if file.n_bytes()? > 0 {
        file.cut(0)?;
    }
    Ok(file)
}

fn write_all(file: &dyn DiskFile, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_vectored(&[IoSlice::new(bytes)]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n_taken) => bytes = &bytes[n_taken..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
