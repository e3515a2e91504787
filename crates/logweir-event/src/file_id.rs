//! Which file something is.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

/// A file's identity, the same under each of its names: by it a source knows what its own process writes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}
