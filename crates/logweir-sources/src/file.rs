//! Reads files.

/// The configuration of `source.file`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSourceConfig {
    /// Globs of the files to read, or plain paths.
    pub include: Vec<String>,
    /// Globs of files to leave out.
    pub exclude: Vec<String>,
}
