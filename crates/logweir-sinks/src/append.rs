//! Files that lines are added to.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::Path;

use logweir_event::FileId;

use crate::error::SinkError;

/// Makes the directories above `path` that are missing.
pub(crate) fn make_parents(path: &Path) -> Result<(), SinkError> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(parent).map_err(|source| SinkError::Open { path: parent.to_owned(), source })
}

/// Brings the names of a file and of the directories above it to the disk.
pub(crate) fn sync_parents(path: &Path) -> io::Result<()> {
    let path = std::path::absolute(path)?;
    path.ancestors().skip(1).try_for_each(sync_dir)
}

/// Brings the names in a directory to the disk.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        // Some file systems keep nothing to sync in a directory, and one that may not be read is not ours to sync.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::PermissionDenied) => Ok(()),
        result => result,
    }
}

/// Opens a file, made if it is missing, so that every write adds to its end, wherever that is by then: whoever
/// empties the file meanwhile leaves no hole in it.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    // Reading is only for looking at the last byte; a file that may be written and not read is still good.
    match options.read(true).open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => options.read(false).open(path),
        result => result,
    }
}

/// Returns whether the first byte written now would stand in the middle of a line: what wrote the file before was
/// stopped while writing. The rest of its line would otherwise swallow the next one.
pub(crate) fn ends_inside_a_line(file: &File) -> bool {
    let mut last = [0];
    let Ok(metadata) = file.metadata() else {
        return false;
    };
    let Some(at) = metadata.len().checked_sub(1).filter(|_| metadata.is_file()) else {
        return false;
    };
    matches!(file.read_at(&mut last, at), Ok(1)) && last != *b"\n"
}

/// Takes back the bytes behind `end`, if the file is a regular one and ends at `torn_end`, so that nobody else has
/// added anything; returns whether it did.
pub(crate) fn cut_back(file: &File, end: u64, torn_end: u64) -> bool {
    let is_ours = file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() == torn_end);
    is_ours && file.set_len(end).is_ok()
}

/// Returns the identity of what is written to, unless it is a device: two may well write to the same terminal.
pub(crate) fn id(metadata: io::Result<Metadata>) -> Option<FileId> {
    let metadata = metadata.ok()?;
    let is_device = metadata.file_type().is_char_device() || metadata.file_type().is_block_device();
    (!is_device).then(|| FileId::from(&metadata))
}

/// Lets a pipe hold more, so that its reader goes on while more is written; anything else stays as it is.
#[cfg(target_os = "linux")]
pub(crate) fn widen_pipe(file: &File) {
    /// Of all the pipes of a user the system grants 64 MiB beyond what they have by default (`fs.pipe-user-pages-soft`),
    /// and makes tiny ones after that: enough for a hundred pipelines.
    const PIPE_BYTES: usize = 256 << 10;
    if rustix::pipe::fcntl_getpipe_size(file).is_ok_and(|n_bytes| n_bytes < PIPE_BYTES)
        && let Err(error) = rustix::pipe::fcntl_setpipe_size(file, PIPE_BYTES)
    {
        tracing::debug!(%error, "the pipe stays as it is");
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn widen_pipe(_file: &File) {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn a_pipe_takes_a_quarter_of_a_mib_before_anybody_reads() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut file = File::from(OwnedFd::from(writer));
        widen_pipe(&file);
        let bytes = vec![b'x'; 256 << 10];
        std::io::Write::write_all(&mut file, &bytes).unwrap();
        drop(file);
        let mut read = Vec::new();
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes);
    }
}
