//! What the file sink does with files, and nothing more.
//!
//! Behind a trait, so that tests can put a disk in its place that fills up, fails, tears writes, or loses what was not
//! synced: no real one does that when asked.

mod confined;
mod following;
mod real_file;

use std::fmt::Debug;
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::time::Duration;

use logweir_event::FileId;
use rustix::io::Errno;

use crate::backoff::FIRST_PAUSE;

pub(crate) use confined::ConfinedDisk;
pub(crate) use following::FollowingDisk;

/// Where files are written.
///
/// Its errors are those of the system; a sink waits out what may pass.
pub trait Disk: Send + Sync + Debug {
    /// Makes the directory and those above it that are missing; returns the directories in which it made one.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn make_dirs(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;

    /// Opens a file to add to its end, making it if it is missing.
    ///
    /// # Errors
    ///
    /// What the system says; [`InvalidInput`](io::ErrorKind::InvalidInput) if it is no regular file.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file as [`open`](Disk::open) does whose name is the sink's own idea: where others may make names, one
    /// could have put a symbolic link there, which is not followed.
    ///
    /// # Errors
    ///
    /// As [`open`](Disk::open), and what the system says of a symbolic link.
    fn open_beside(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name in the directory it is in.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has that name: it is left alone.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Brings to the disk which names are in a directory.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Returns the regular files in a directory, and in those below it down to `depth` levels, in order; none if it is
    /// missing. It looks neither behind symbolic links nor into what it may not read.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn files_below(&self, dir: &Path, depth: usize) -> io::Result<Vec<PathBuf>>;

    /// Returns how long to wait before what failed here is first tried again; later pauses grow up to five seconds.
    fn first_pause(&self) -> Duration {
        FIRST_PAUSE
    }
}

/// An open regular file. Every write adds to its end, wherever that is by then.
pub trait DiskFile: Send + Sync + Debug {
    /// Adds bytes; returns how many it took.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Brings to the disk what has been written so far.
    ///
    /// # Errors
    ///
    /// What the system says. What was written since the last time is then lost for all one knows, even if the next
    /// attempt succeeds.
    fn sync(&self) -> io::Result<()>;

    /// Returns how many bytes it has.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn n_bytes(&self) -> io::Result<u64>;

    /// Takes away what lies behind `n_bytes`.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn cut(&self, n_bytes: u64) -> io::Result<()>;

    /// Reads bytes from `at` on; returns how many it read, 0 at the end.
    ///
    /// # Errors
    ///
    /// What the system says; a file that may be written need not be one that may be read.
    fn read_at(&self, room: &mut [u8], at: u64) -> io::Result<usize>;

    /// Returns whether the path leads to this file.
    ///
    /// # Errors
    ///
    /// What the system says, save that there is nothing, or no way that leads there, which is a no.
    fn is_at(&self, path: &Path) -> io::Result<bool>;

    /// Returns whether it has a name anywhere: one that has none is gone with all that is in it once it is closed.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn has_name(&self) -> io::Result<bool>;

    /// Takes the file for this process's own, for as long as it is open; returns whether it was free.
    ///
    /// # Errors
    ///
    /// What the system says.
    fn try_lock(&self) -> io::Result<bool>;

    /// Returns its identity, by which a source knows what its own process writes; `None` if it has none.
    fn id(&self) -> Option<FileId>;
}

/// Returns whether it says that a path leads to nothing: it, or a directory on its way, is missing or something else.
pub(crate) fn leads_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        || Errno::from_io_error(error) == Some(Errno::LOOP)
}
