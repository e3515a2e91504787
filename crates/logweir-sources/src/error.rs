//! What can go wrong while reading.

use std::io;
use std::path::PathBuf;

/// Why a source, or one of its inputs, could not be read to its end.
#[derive(thiserror::Error, Debug)]
pub enum SourceError {
    /// A glob cannot be understood; found before anything is read.
    #[error("{pattern:?} is no glob")]
    Pattern {
        /// The glob.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// Nothing has a name that the glob matches.
    #[error("no file matches {pattern:?}")]
    NoMatch {
        /// The glob.
        pattern: String,
    },
    /// A directory that a glob leads through cannot be listed.
    #[error("cannot list {}", path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The input cannot be opened: it is not there, or may not be read.
    #[error("cannot open {}", path.display())]
    Open {
        /// The input.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory was named where a file is wanted.
    #[error("{} is a directory; name the files in it, for instance with a glob", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// A socket was named, which cannot be opened like a file.
    #[error("{} is a socket, which cannot be read like a file", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
    },
    /// The input is a file that this process writes to: reading it might never end.
    #[error("{} is written to by this process, and so is not read", path.display())]
    OwnOutput {
        /// The input.
        path: PathBuf,
    },
    /// Reading failed in the middle.
    #[error("cannot read {} beyond byte {offset}", path.display())]
    Read {
        /// The input.
        path: PathBuf,
        /// How many bytes, decompressed, came before.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// Compressed data is damaged or ends too early.
    #[error("cannot decompress {} beyond byte {offset} of what is in it", path.display())]
    Decompress {
        /// The input.
        path: PathBuf,
        /// How many decompressed bytes came before.
        offset: u64,
        /// What is wrong with the data.
        source: io::Error,
    },
    /// A file ended before the size it had when it was opened.
    #[error("{} ended at byte {offset} although it had {size} bytes when it was opened", path.display())]
    Shrunk {
        /// The file.
        path: PathBuf,
        /// How many bytes were read, decompressed.
        offset: u64,
        /// Its size in bytes when it was opened.
        size: u64,
    },
    /// Some inputs could not be read to their end; each was reported when it happened.
    #[error("{n} of the inputs failed")]
    SomeFailed {
        /// How many.
        n: u64,
    },
    /// The source's own thread could not be set up.
    #[error("cannot set up the thread that reads")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
}

impl SourceError {
    /// Returns what kind of error it is in one word, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pattern { .. } => "pattern",
            Self::NoMatch { .. } => "no_match",
            Self::List { .. } => "list",
            Self::Open { .. } => "open",
            Self::Directory { .. } => "directory",
            Self::Socket { .. } => "socket",
            Self::OwnOutput { .. } => "own_output",
            Self::Read { .. } => "read",
            Self::Decompress { .. } => "decompress",
            Self::Shrunk { .. } => "shrunk",
            Self::SomeFailed { .. } => "some_failed",
            Self::Thread { .. } => "thread",
        }
    }
}
