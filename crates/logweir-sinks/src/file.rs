//! Writes to a file.

use std::path::PathBuf;

/// The configuration of `sink.file`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSinkConfig {
    /// The file; it and missing directories above it are made.
    pub path: PathBuf,
    /// What happens to what it already holds.
    pub mode: FileMode,
}

/// What happens to what a file already holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FileMode {
    /// It stays, and events are added behind it.
    #[default]
    Append,
    /// It is emptied when the pipeline starts.
    Overwrite,
}
