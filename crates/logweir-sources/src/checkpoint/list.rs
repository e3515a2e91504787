//! What a state directory holds, for people.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::Checkpoint;
use super::error::CheckpointError;
use super::state_dir::{SUFFIX, file_names};
use super::store::read;

/// A checkpoint that was found in a state directory.
#[derive(Debug)]
pub struct Listed {
    /// The name of its pipeline; the name of a file that is none of ours may be shown only nearly as it is.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// When it was committed, if the system knows.
    pub committed: Option<SystemTime>,
    /// What it holds, or why it cannot be read.
    pub checkpoint: Result<Checkpoint, CheckpointError>,
}

/// Returns the checkpoints in a state directory by name, also those that cannot be read. Nothing is locked, made or
/// changed: the process that works with the directory goes on.
///
/// # Errors
///
/// [`CheckpointError::List`] if the directory cannot be listed.
pub fn list_checkpoints(directory: &Path) -> Result<Vec<Listed>, CheckpointError> {
    let failed = |source| CheckpointError::List { directory: directory.to_owned(), source };
    let mut listed = Vec::new();
    for found in fs::read_dir(directory).map_err(failed)? {
        let path = found.map_err(failed)?.path();
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(name) = file_name.strip_suffix(SUFFIX) {
            let name = name.to_owned();
            listed.extend(look(name, path));
        }
    }
    listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(listed)
}

/// Returns what a file holds; `None` if it has just been moved away.
fn look(name: String, path: PathBuf) -> Option<Listed> {
    let committed = fs::metadata(&path).and_then(|metadata| metadata.modified()).ok();
    let checkpoint = file_names(&name).and_then(|_| read(&path, &name)).transpose()?;
    Some(Listed { name, path, committed, checkpoint })
}
