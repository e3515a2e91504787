//! What is configured of a file that events go to.

use std::time::Duration;

use crate::template::PathTemplate;

/// The configuration of `sink.file`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSinkConfig {
    /// The file; it and missing directories above it are made.
    pub path: PathTemplate,
    /// What happens to what it already holds.
    pub mode: FileMode,
    /// When events count as written.
    pub ack: AckLevel,
    /// With [`AckLevel::Synced`], how long an event waits at most for others to be synced with it.
    pub sync_every: Duration,
    /// When a file is complete and the next is begun.
    pub rotate: Rotation,
    /// How the file is compressed.
    pub compression: Compression,
    /// What becomes of an event at the end of the file that an earlier run was stopped in the middle of.
    pub tail: Tail,
}

impl FileSinkConfig {
    /// How long an event waits at most to be synced, where nothing is said.
    pub const SYNC_EVERY: Duration = Duration::from_millis(200);

    /// Returns the configuration that says nothing but the path.
    pub fn new(path: PathTemplate) -> Self {
        Self {
            path,
            mode: FileMode::default(),
            ack: AckLevel::default(),
            sync_every: Self::SYNC_EVERY,
            rotate: Rotation::default(),
            compression: Compression::default(),
            tail: Tail::default(),
        }
    }
}

/// What happens to what a file already holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FileMode {
    /// It stays, and events are added behind it.
    #[default]
    Append,
    /// It is emptied when the pipeline starts. Only for a path without tokens, and without rotation.
    Overwrite,
}

/// When events count as written, and their acks are delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum AckLevel {
    /// Once the system has taken them: they outlive this process, not a loss of power. Those that a file takes within
    /// a second after somebody has removed it are gone with it.
    #[default]
    Written,
    /// Once they are on the disk. What is no regular file has no disk: there it is the same as written.
    Synced,
}

/// When a file is complete and the next is begun; each bound by itself, and by default none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rotation {
    /// The size in bytes that a file does not exceed, unless with a single event.
    pub max_bytes: Option<u64>,
    /// How long after its first event a file takes more.
    pub every: Option<Duration>,
}

impl Rotation {
    /// Returns whether there is a bound at all.
    pub fn is_some(&self) -> bool {
        self.max_bytes.is_some() || self.every.is_some()
    }
}

/// How a file is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// As gzip members, one behind the other, which is one gzip file.
    Gzip {
        /// From 1, fast, to 9, small.
        level: u32,
    },
    /// As Zstandard frames, one behind the other, which is one Zstandard file.
    Zstd {
        /// From 1, fast, to 19, small.
        level: i32,
    },
}

impl Compression {
    /// Returns why this cannot be done, if the compressor does not know the level.
    pub(crate) fn problem(self) -> Option<&'static str> {
        match self {
            Self::Gzip { level } if !(1..=9).contains(&level) => Some("gzip has the levels 1 to 9"),
            Self::Zstd { level } if !(1..=19).contains(&level) => Some("zstd has the levels 1 to 19"),
            _ => None,
        }
    }
}

/// What becomes of an event that stands torn at the end of a file, because what wrote it was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Tail {
    /// It is ended with a line feed, so that it does not swallow the next event: nothing has the rest of it.
    #[default]
    EndLine,
    /// It is moved to a file beside, whose name ends in `.torn`: it was never acked, and the source reads it again.
    SetAside,
}
