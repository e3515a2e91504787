//! A file of the system.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use logweir_event::FileId;
use rustix::io::Errno;

use super::{ConfinedDisk, DiskFile, leads_nowhere};

/// An open file of the system.
#[derive(Debug)]
pub(super) struct RealFile {
    file: File,
    /// The directory below which no symbolic link is followed; `None` where they are.
    confined_to: Option<PathBuf>,
}

impl RealFile {
    /// Returns the file, if it is a regular one.
    pub(super) fn new(file: File, confined_to: Option<PathBuf>) -> io::Result<Self> {
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
        }
        Ok(Self { file, confined_to })
    }
}

impl DiskFile for RealFile {
    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        (&self.file).write_vectored(slices)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn n_bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn cut(&self, n_bytes: u64) -> io::Result<()> {
        self.file.set_len(n_bytes)
    }

    fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize> {
        self.file.read_at(room, at)
    }

    fn is_at(&self, path: &Path) -> io::Result<bool> {
        let there = match &self.confined_to {
            None => std::fs::metadata(path).map(|metadata| FileId::from(&metadata)),
            Some(base) => ConfinedDisk::new(base.clone()).id(path),
        };
        match there {
            Ok(id) => Ok(Some(id) == self.id()),
            Err(error) if leads_nowhere(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn has_name(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.nlink() > 0)
    }

    fn try_lock(&self) -> io::Result<bool> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            // Where files cannot be locked, there is nobody to lock out.
            Err(TryLockError::Error(error))
                if error.kind() == ErrorKind::Unsupported
                    || Errno::from_io_error(&error) == Some(Errno::NOLCK) =>
            {
                Ok(true)
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn id(&self) -> Option<FileId> {
        self.file.metadata().ok().map(|metadata| FileId::from(&metadata))
    }
}
