//! What replacing a file asks of the file system.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// What replacing a file asks of the file system: the real one, or one that fails and loses power where a test says.
pub(super) trait Disk {
    /// A file that is being written.
    type File: Write;

    /// Makes a file that was not there before.
    fn create_new(&self, path: &Path) -> io::Result<Self::File>;

    /// Returns once all that was written to `file` would survive a loss of power.
    fn sync(&self, file: &Self::File) -> io::Result<()>;

    /// Gives a file another name, in the place of what had that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Returns once the names in `directory` would survive a loss of power.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
}

/// The file system of this machine.
pub(super) struct RealDisk;

impl Disk for RealDisk {
    type File = File;

    fn create_new(&self, path: &Path) -> io::Result<File> {
        // Paths tell who is served what; that is nobody else's business.
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
}
