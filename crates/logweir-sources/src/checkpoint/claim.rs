//! The right to what one pipeline keeps in a state directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::CheckpointError;
use super::state_dir::{StateDir, file_names};

/// What follows a pipeline's name in the name of the directory in which its outputs keep what is to be uploaded.
pub(super) const SPOOL_SUFFIX: &str = ".spool";

/// The right to what one pipeline keeps in a state directory: nobody else in this process has it before it is dropped,
/// and no other process has the directory.
#[derive(Debug)]
pub struct StateClaim {
    dir: Arc<StateDir>,
    pipeline: String,
}

impl StateClaim {
    /// Claims what a pipeline keeps in a directory.
    ///
    /// # Errors
    ///
    /// [`CheckpointError::Name`] if the pipeline's name cannot name a file, [`CheckpointError::AlreadyOpen`] if
    /// somebody has the claim.
    pub fn new(dir: Arc<StateDir>, pipeline: &str) -> Result<Self, CheckpointError> {
        file_names(pipeline)?;
        dir.enter(pipeline)?;
        // From here on, dropping it leaves.
        Ok(Self { dir, pipeline: pipeline.to_owned() })
    }

    /// Returns the directory.
    pub fn dir(&self) -> &StateDir {
        &self.dir
    }

    /// Returns the name of the pipeline.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }
}

impl Drop for StateClaim {
    fn drop(&mut self) {
        self.dir.leave(&self.pipeline);
    }
}

/// Returns the directory in which the outputs of a pipeline keep what is to be uploaded.
pub fn spool_dir(state_dir: &Path, pipeline: &str) -> PathBuf {
    state_dir.join(format!("{pipeline}{SPOOL_SUFFIX}"))
}
