//! Opens files, completes them, and finishes what earlier runs have left.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::config::{FileMode, FileSinkConfig};
use super::group_commit::{GroupCommit, sync_names};
use super::open_file::OpenFile;
use super::repair::Repair;
use super::target::{Target, numbered};
use crate::disk::{Disk, DiskFile};
use crate::error::SinkError;

/// The file that is written, and those before and after it. What it does it tries once.
pub(super) struct Files<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) target: &'a Target,
    pub(super) config: &'a FileSinkConfig,
    /// `None` where events need not be synced.
    pub(super) commit: Option<&'a GroupCommit<'a>>,
    /// `None` before the first event, and between two files.
    pub(super) open: Option<OpenFile>,
    /// The final name last used, and the number that the next file of this name gets.
    pub(super) last_name: (PathBuf, u64),
}

impl Files<'_> {
    /// Opens the file that is to be written now.
    ///
    /// # Errors
    ///
    /// Why it cannot be opened, or what is in it cannot be mended.
    pub(super) fn open_next(&mut self) -> Result<(), SinkError> {
        self.open = Some(self.try_open()?);
        Ok(())
    }

    fn try_open(&mut self) -> Result<OpenFile, SinkError> {
        let final_path = self.target.path_at(Timestamp::now());
        let path = self.target.written_as(&final_path);
        let parent = path.parent().unwrap_or(Path::new(""));
        let made = self.disk.make_dirs(parent);
        let mut dirs = made.map_err(|source| SinkError::Open { path: parent.to_owned(), source })?;
        dirs.push(parent.to_owned());
        let failed = |source| SinkError::Open { path: path.clone(), source };
        let file: Arc<dyn DiskFile> = self.disk.open(&path).map_err(failed)?.into();
        let n_bytes = if self.target.is_in_place() {
            self.mend_in_place(&*file, &path)?
        } else {
            if !self.finish_one(&*file, &path, &final_path)? {
                return Err(failed(io::Error::new(ErrorKind::WouldBlock, "another process writes to it")));
            }
            if !file.is_at(&path).map_err(failed)? {
                // What was there is complete now.
                return self.try_open();
            }
            0
        };
        if let Some(commit) = self.commit {
            commit.begin(file.clone(), n_bytes, dirs);
        }
        let (opened, seen) = (Instant::now(), Some(Instant::now()));
        Ok(OpenFile { file, path, final_path, opened, n_bytes, seen })
    }

    /// Mends the end of the file that there is from the start, unless it is about to be emptied; returns its length.
    fn mend_in_place(&self, file: &dyn DiskFile, path: &Path) -> Result<u64, SinkError> {
        let n_bytes = match self.config.mode {
            FileMode::Append => self.repair().mend(file, path),
            FileMode::Overwrite => file.n_bytes(),
        };
        n_bytes.map_err(|source| mend_failed(path, source))
    }

    /// Stops writing the file, and returns it.
    pub(super) fn close(&mut self) -> Option<OpenFile> {
        self.open.take()
    }

    /// Gives a file that is complete its final name, or the next one that is free, unless nothing is in it.
    ///
    /// # Errors
    ///
    /// Why it still has the name that it had, or why that is not on the disk.
    pub(super) fn name_finally(
        &mut self,
        file: &dyn DiskFile,
        path: &Path,
        to: &Path,
    ) -> Result<(), SinkError> {
        let failed = |source| SinkError::Rename { from: path.to_owned(), to: to.to_owned(), source };
        if !file.is_at(path).map_err(failed)? {
            return Ok(());
        }
        if file.n_bytes().map_err(failed)? == 0 {
            return self.disk.remove(path).map_err(failed);
        }
        if self.last_name.0 != to {
            self.last_name = (to.to_owned(), 0);
        }
        while let Err(error) = self.disk.rename(path, &numbered(to, self.last_name.1)) {
            if error.kind() != ErrorKind::AlreadyExists {
                return Err(failed(error));
            }
            self.last_name.1 += 1;
        }
        self.last_name.1 += 1;
        if self.commit.is_some() {
            let dir = to.parent().unwrap_or(Path::new(""));
            return sync_names(self.disk, dir)
                .map_err(|source| SinkError::Sync { path: dir.to_owned(), source });
        }
        Ok(())
    }

    /// Completes the files that earlier runs have not.
    ///
    /// # Errors
    ///
    /// Why that is not possible; those before are complete.
    pub(super) fn finish_left_over(&mut self) -> Result<(), SinkError> {
        if !self.target.has_time() {
            // There is one name only, and what has it is found when it is opened.
            return Ok(());
        }
        let (base, depth) = self.target.reach();
        let failed = |source| SinkError::Open { path: base.to_owned(), source };
        for path in self.disk.files_below(base, depth).map_err(failed)? {
            if let Some(final_path) = self.target.final_name(&path) {
                let file =
                    self.disk.open(&path).map_err(|source| SinkError::Open { path: path.clone(), source })?;
                self.finish_one(&*file, &path, &final_path)?;
            }
        }
        Ok(())
    }

    /// Completes a file of an earlier run, unless somebody still writes it; returns whether it is out of the way.
    fn finish_one(&mut self, file: &dyn DiskFile, path: &Path, to: &Path) -> Result<bool, SinkError> {
        let failed = |source| SinkError::Open { path: path.to_owned(), source };
        if !file.try_lock().map_err(failed)? {
            return Ok(false);
        }
        if file.n_bytes().map_err(failed)? == 0 {
            return Ok(true);
        }
        tracing::info!(path = %path.display(), "an earlier run has not completed this file; it is completed now");
        self.repair().mend(file, path).map_err(|source| mend_failed(path, source))?;
        if self.commit.is_some() {
            file.sync().map_err(|source| SinkError::Sync { path: path.to_owned(), source })?;
        }
        self.name_finally(file, path, to)?;
        Ok(true)
    }

    fn repair(&self) -> Repair<'_> {
        let FileSinkConfig { compression, tail, ack, .. } = *self.config;
        Repair { disk: self.disk, compression, tail, ack }
    }
}

fn mend_failed(path: &Path, source: io::Error) -> SinkError {
    match source.kind() {
        ErrorKind::InvalidData => {
            SinkError::Refused { path: path.display().to_string(), reason: source.to_string() }
        }
        _ => SinkError::Open { path: path.to_owned(), source },
    }
}
