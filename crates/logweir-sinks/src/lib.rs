//! Skeleton.
#![allow(missing_docs)]
mod dead_letter;
mod file;
pub use dead_letter::DeadLetterConfig;
pub use file::{FileMode, FileSinkConfig};
