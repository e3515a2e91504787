//! Which file something is.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// A file's identity, the same under each of its names: by it a source knows what its own process writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns the identity of what has this inode number on this device.
    pub fn new(device: u64, inode: u64) -> Self {
        Self { device, inode }
    }

    /// Returns the number of the device it is on.
    pub fn device(self) -> u64 {
        self.device
    }

    /// Returns its inode number.
    pub fn inode(self) -> u64 {
        self.inode
    }
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}
