//! Moves a checkpoint aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::disk::{Disk as _, RealDisk};
use super::error::CheckpointError;
use super::list::list_checkpoints;
use super::state_dir::{StateDir, file_names};

/// Moves the checkpoint of a pipeline aside, so that the pipeline reads again from the beginning, and returns where it
/// is now: in the same directory, as `<name>.checkpoint.reset-<seconds since the Unix epoch>`. It may be damaged.
///
/// # Errors
///
/// [`CheckpointError::Missing`] if there is none, [`CheckpointError::InUse`] if a process works with the directory,
/// and [`CheckpointError::Reset`] if the system fails it.
pub fn reset_checkpoint(directory: &Path, name: &str) -> Result<PathBuf, CheckpointError> {
    let [_, file_name] = file_names(name)?;
    let path = directory.join(&file_name);
    // Looked at first, because to lock a directory makes it.
    if fs::symlink_metadata(&path).is_err() {
        let known = list_checkpoints(directory)?.into_iter().map(|listed| listed.name).collect();
        return Err(CheckpointError::Missing {
            directory: directory.to_owned(),
            name: name.to_owned(),
            known,
        });
    }
    let _locked = StateDir::open(directory)?;
    let failed = |source: io::Error| CheckpointError::Reset { path: path.clone(), source };
    let aside = free_name(directory, &file_name);
    fs::rename(&path, &aside).map_err(failed)?;
    RealDisk.sync_directory(directory).map_err(failed)?;
    Ok(aside)
}

/// Returns where a checkpoint can be moved without replacing an earlier one.
fn free_name(directory: &Path, file_name: &str) -> PathBuf {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let name = format!("{file_name}.reset-{}", since_epoch.as_secs());
    let later = (1..).map(|n: u64| directory.join(format!("{name}.{n}")));
    let mut names = std::iter::once(directory.join(&name)).chain(later);
    // With the directory locked nobody else takes the name in between.
    names.find(|path| fs::symlink_metadata(path).is_err()).expect("numbers do not run out")
}
