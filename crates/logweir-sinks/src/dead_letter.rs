//! Keeps the lines that are no events.

use std::path::PathBuf;

/// The configuration of `dead_letter.file`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetterConfig {
    /// The file; lines are added behind what it holds.
    pub path: PathBuf,
    /// The size in bytes beyond which it does not grow; unbounded where none is given.
    pub max_bytes: Option<u64>,
}
