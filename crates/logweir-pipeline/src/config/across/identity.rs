//! Which file a path means, whether or not it exists.

use std::path::{Component, Path, PathBuf};

/// A file by its canonical path, and by its inode where it exists.
pub(super) struct Identity {
    path: PathBuf,
    /// Device and inode; hard links share them.
    inode: Option<(u64, u64)>,
}

impl Identity {
    /// Returns the identity of what a path, absolute or from the working directory, leads to.
    pub(super) fn of(path: &Path) -> Self {
        let path = canonical(path);
        Self { inode: inode(&path), path }
    }

    /// Returns the canonical path, as far as the file system knows it; the rest as written.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn inode(&self) -> Option<(u64, u64)> {
        self.inode
    }

    /// Returns whether both are one file.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.path == other.path || (self.inode.is_some() && self.inode == other.inode)
    }
}

/// Returns a path with links, `.` and `..` resolved as far as it exists. The rest, which a sink would make, is resolved
/// by its spelling.
pub(super) fn canonical(path: &Path) -> PathBuf {
    // Without a working directory no relative path can be opened either; what it is then does not matter.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut resolved = PathBuf::new();
    let mut exists = true;
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            part => resolved.push(part),
        }
        if exists {
            match resolved.canonicalize() {
                Ok(real) => resolved = real,
                Err(_) => exists = false,
            }
        }
    }
    resolved
}

#[cfg(unix)]
fn inode(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;

    let metadata = path.metadata().ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(_path: &Path) -> Option<(u64, u64)> {
    None
}
