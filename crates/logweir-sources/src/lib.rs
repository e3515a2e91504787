//! Skeleton.
#![allow(missing_docs)]
mod file;
pub use file::FileSourceConfig;
