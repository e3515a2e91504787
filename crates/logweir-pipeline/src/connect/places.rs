//! Whether this process could write somewhere, found out by asking.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat, statvfs};
use rustix::process::geteuid;

/// Less free space than this is worth a warning: some minutes of a busy log.
const LITTLE_BYTES: u64 = 100 << 20;

/// A directory in which files can be made, or the one in which it would be made.
pub(super) struct Room {
    /// The directory that is there.
    pub(super) existing: PathBuf,
    /// Whether the one asked for would have to be made below it.
    pub(super) is_missing: bool,
    /// The bytes that are free there for this user, if the system tells.
    pub(super) n_free: Option<u64>,
}

/// Returns where files of a directory could be made, which would be made itself if it is missing.
///
/// # Errors
///
/// Why not, and what to do about it.
pub(super) fn room_in(directory: &Path) -> Result<Room, (String, String)> {
    let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let existing = nearest(directory);
    let shown = existing.display();
    if !existing.is_dir() {
        let help =
            format!("{} has to be a directory: name another, or move the file away", directory.display());
        return Err((format!("{shown} is no directory"), help));
    }
    if let Err(error) = may(existing, Access::WRITE_OK | Access::EXEC_OK) {
        let help =
            format!("let the user that logweir runs as (this is user {}) write there", geteuid().as_raw());
        return Err((format!("no file can be made in {shown}: {error}"), help));
    }
    let n_free = statvfs(existing).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    Ok(Room { existing: existing.to_owned(), is_missing: existing != directory, n_free })
}

impl Room {
    /// Returns the free bytes if they are less than `wanted`, or so few that they will not last.
    pub(super) fn little(&self, wanted: u64) -> Option<u64> {
        self.n_free.filter(|n_free| *n_free < wanted.max(LITTLE_BYTES))
    }
}

/// Returns an error if this process may not do this with what is at a path.
pub(super) fn may(path: &Path, access: Access) -> io::Result<()> {
    Ok(accessat(CWD, path, access, AtFlags::EACCESS)?)
}

/// Returns the last part of a path that there is something at.
fn nearest(path: &Path) -> &Path {
    let there = |path: &&Path| !path.as_os_str().is_empty() && path.symlink_metadata().is_ok();
    path.ancestors().find(there).unwrap_or(Path::new("."))
}
