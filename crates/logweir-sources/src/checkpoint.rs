//! How far the files of a source have been delivered, kept across restarts.
//!
//! A source that follows files forgets nothing that has not been delivered: after a restart it goes on where all
//! before has been. Where that is stands in its *checkpoint*, one small file in the state directory. The file is
//! replaced as a whole, so that a crash at any moment leaves the old one or the new one, and it ends in a checksum, so
//! that anything else is noticed. A checkpoint that cannot be trusted is an error for a person to decide about:
//! beginning anew would deliver everything twice, and going on at a wrong place would lose events.
//!
//! [`StateDir`] is the directory, locked for one process; [`CheckpointStore`] reads and replaces the file of one
//! pipeline; [`list_checkpoints`] and [`reset_checkpoint`] are for the
//! person.

mod claim;
mod disk;
mod error;
mod format;
mod holder;
mod list;
mod replace;
mod reset;
mod state_dir;
mod store;

use std::path::{Path, PathBuf};

use crate::fingerprint::Fingerprint;

pub use claim::{StateClaim, spool_dir};
pub use error::CheckpointError;
pub use holder::state_dir_holder;
pub use list::{Listed, list_checkpoints};
pub use reset::{Reset, reset_checkpoint};
pub use state_dir::StateDir;
pub use store::CheckpointStore;

/// Returns a checkpoint as text, to be kept elsewhere than in its store.
pub(crate) fn encode_checkpoint(pipeline: &str, checkpoint: &Checkpoint) -> Vec<u8> {
    format::encode(pipeline, checkpoint)
}

/// Returns the checkpoint of a pipeline that somebody else than its store has kept: the bytes that
/// [`Positions::covering`](logweir_event::Positions::covering) of a source that follows files has given. `path` is
/// where they lay.
///
/// # Errors
///
/// If they are damaged, of another pipeline, or of a later version of this program.
pub fn read_covering(pipeline: &str, bytes: &[u8], path: &Path) -> Result<Checkpoint, CheckpointError> {
    format::decode(pipeline, bytes).map_err(|error| error.at(path))
}

/// How far a source has come with each of its files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Checkpoint {
    /// The files, in no particular order.
    pub files: Vec<FileCheckpoint>,
}

/// How far a source has come with one file, and how the file is known again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileCheckpoint {
    /// Where it lay when it was last seen, any bytes that a path can have.
    pub path: PathBuf,
    /// The device it lies on. With `inode` this is its identity, whatever its name, as long as it exists.
    pub device: u64,
    /// Its number on the device, which may be given to another file once it is gone.
    pub inode: u64,
    /// Bytes of its content, decompressed, that have all been delivered.
    pub offset: u64,
    /// What it begins with: of a compressed file, the bytes as they lie there.
    pub head: Fingerprint,
    /// What its content holds right before `offset`.
    pub tail: Fingerprint,
    /// Whether it is compressed.
    pub is_compressed: bool,
    /// Of a compressed file that has been read to its end: its size as it lies there.
    pub finished_bytes: Option<u64>,
    /// When it was first found to be gone, in seconds since the Unix epoch; `None` if it was there.
    pub gone_since: Option<u64>,
}
