//! A directory for one test.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A fresh, empty directory that goes when this is dropped.
///
/// Its methods panic where the file system fails them: a test cannot go on then.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// Makes the directory.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[expect(clippy::new_without_default, reason = "making a directory is no default")]
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary directory can be made"))
    }

    /// Returns the directory.
    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    /// Returns where a file of this name lies or would lie.
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir().join(name)
    }

    /// Writes a file, making the directories that its name asks for, and returns where it is.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(self.dir())).expect("a directory can be made");
        fs::write(&path, bytes).expect("a file can be written");
        path
    }

    /// Returns what is in a file.
    ///
    /// # Panics
    ///
    /// If it cannot be read.
    pub fn read(&self, name: impl AsRef<Path>) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}
