//! The checkpoint of one pipeline, on disk.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::OFlags;

use super::Checkpoint;
use super::claim::StateClaim;
use super::disk::RealDisk;
use super::error::CheckpointError;
use super::format;
use super::replace::replace;
use super::state_dir::{StateDir, file_names};

/// The largest file that is read or written: the files of a checkpoint are held in memory, each with some 300 bytes
/// here, and a million of them are more than a machine follows.
const MAX_BYTES: u64 = 256 << 20;

/// The checkpoint of one pipeline, which only this store changes.
#[derive(Debug)]
pub struct CheckpointStore {
    claim: StateClaim,
    /// The names of its files: while it is written, and when it is.
    files: [String; 2],
}

impl CheckpointStore {
    /// Opens the checkpoint of a pipeline, and returns what was committed last; `None` if nothing ever was.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Name`] if the pipeline's name cannot name a file, [`CheckpointError::AlreadyOpen`] if there
    /// is another store for it, and whatever else is wrong with a checkpoint that is there: it is never taken for a
    /// first start.
    pub fn open(dir: Arc<StateDir>, name: &str) -> Result<(Self, Option<Checkpoint>), CheckpointError> {
        let claim = StateClaim::new(dir, name)?;
        let files = file_names(name)?;
        let checkpoint = read(&claim.dir().path().join(&files[1]), name)?;
        Ok((Self { claim, files }, checkpoint))
    }

    /// Returns the name of the pipeline.
    pub(crate) fn pipeline(&self) -> &str {
        self.claim.pipeline()
    }

    /// Replaces the checkpoint, and returns once it would survive a loss of power. It blocks meanwhile.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Write`] if the system fails it, [`CheckpointError::InUse`] if the directory was removed and
    /// another process made it again, [`CheckpointError::TooLarge`] if it could not be read again. The checkpoint is
    /// then the one before, or already the new one, never anything else, and the commit may be repeated.
    pub fn commit(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        let bytes = format::encode(self.pipeline(), checkpoint);
        let [temporary, name] = self.files.each_ref().map(String::as_str);
        if bytes.len() as u64 > MAX_BYTES {
            let path = self.claim.dir().path().join(name);
            return Err(CheckpointError::TooLarge {
                path,
                n_bytes: bytes.len() as u64,
                max_bytes: MAX_BYTES,
            });
        }
        self.claim.dir().keep_locked()?;
        replace(&RealDisk, self.claim.dir().path(), [temporary, name], &bytes)
    }

    /// Returns whether what was committed is still there, and locked; somebody may have removed it, or the whole directory.
    pub(crate) fn is_there(&self) -> bool {
        // Whatever else keeps it from being seen, a commit says.
        self.claim.dir().keep_locked().is_ok() && self.claim.dir().path().join(&self.files[1]).exists()
    }
}

/// Reads the checkpoint of a pipeline; returns `None` if there is none.
pub(super) fn read(path: &Path, pipeline: &str) -> Result<Option<Checkpoint>, CheckpointError> {
    let bytes = match read_bounded(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CheckpointError::Read { path: path.to_owned(), source }),
        Ok(Err(n_bytes)) => {
            return Err(CheckpointError::TooLarge { path: path.to_owned(), n_bytes, max_bytes: MAX_BYTES });
        }
        Ok(Ok(bytes)) => bytes,
    };
    format::decode(pipeline, &bytes).map(Some).map_err(|error| error.at(path))
}

/// Returns the content of a file, or its size if that is too large.
fn read_bounded(path: &Path) -> io::Result<Result<Vec<u8>, u64>> {
    // A pipe that somebody put there must not make us wait for its writer.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.len() > MAX_BYTES {
        return Ok(Err(metadata.len()));
    }
    let mut bytes = Vec::new();
    // Bounded whatever becomes of it meanwhile.
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() as u64 > MAX_BYTES { Err(bytes.len() as u64) } else { Ok(bytes) })
}
