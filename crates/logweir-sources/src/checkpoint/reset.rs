//! Moves a checkpoint aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::claim::spool_dir;
use super::disk::{Disk as _, RealDisk};
use super::error::CheckpointError;
use super::list::list_checkpoints;
use super::state_dir::{StateDir, file_names};

/// Where what was reset is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reset {
    /// The checkpoint.
    pub checkpoint: PathBuf,
    /// What was to be uploaded, if there was something: all of it is read again.
    pub spool: Option<PathBuf>,
}

/// Moves the checkpoint of a pipeline aside, and what its outputs have spooled, so that the pipeline reads again from the
/// beginning, and returns where they are now: in the same directory, with `.reset-<seconds since the Unix epoch>` behind
/// their names. The checkpoint may be damaged.
///
/// # Errors
///
/// [`CheckpointError::Missing`] if there is none, [`CheckpointError::InUse`] if a process works with the directory,
/// and [`CheckpointError::Reset`] if the system fails it.
pub fn reset_checkpoint(directory: &Path, name: &str) -> Result<Reset, CheckpointError> {
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
    // The spool first: what it covers is read again from where the checkpoint says, should this be cut short.
    let spool = spool_dir(directory, name);
    let spool = spool.exists().then(|| move_aside(directory, &spool)).transpose()?;
    Ok(Reset { checkpoint: move_aside(directory, &path)?, spool })
}

/// Moves a file or a directory aside; returns where it is now.
fn move_aside(directory: &Path, path: &Path) -> Result<PathBuf, CheckpointError> {
    let failed = |source: io::Error| CheckpointError::Reset { path: path.to_owned(), source };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = free_name(directory, &name);
    fs::rename(path, &aside).map_err(failed)?;
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
