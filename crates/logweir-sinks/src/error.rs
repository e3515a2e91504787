//! What can go wrong while writing.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::upload::SpoolError;

/// Why a sink cannot go on.
#[derive(thiserror::Error, Debug)]
pub enum SinkError {
    /// The configuration asks for what cannot be done.
    #[error("cannot write to {path}: {reason}")]
    Refused {
        /// The file or the files, as they are configured.
        path: String,
        /// Why not, and what would be right.
        reason: String,
    },
    /// What is to be written to cannot be opened or made.
    #[error("cannot open {} to write to it", path.display())]
    Open {
        /// The file, or the directory that could not be made for it.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed.
    #[error("cannot write to {}", path.display())]
    Write {
        /// What was written to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is complete could not be given its final name.
    #[error("cannot rename {} to its final name {}", from.display(), to.display())]
    Rename {
        /// The file as it was written.
        from: PathBuf,
        /// What it should be called.
        to: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was written could not be brought to the disk, and the system may have lost it: none of it was acked, so
    /// that a source that still has it gives it again.
    #[error("cannot sync {} to the disk", path.display())]
    Sync {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The destination cannot be used as it is configured.
    #[error("cannot upload to {destination}")]
    Destination {
        /// The destination, without its secrets.
        destination: String,
        /// What is wrong with it.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The spool, where batches wait to be uploaded, cannot be used.
    #[error("cannot use the spool in {}", directory.display())]
    Spool {
        /// The directory of the spool.
        directory: PathBuf,
        /// What is wrong with it.
        source: SpoolError,
    },
    /// Told to stop before all events were in the spool: those are not delivered.
    #[error("told to stop before {n_events} events were in the spool")]
    GivenUp {
        /// How many events it had taken that are in no batch.
        n_events: u64,
    },
    /// Whoever reads standard output has gone away, as `head` does when it has enough.
    #[error("nobody reads standard output any more")]
    Closed,
    /// Told to stop while the dead-letter file had no room.
    #[error("{} has no room within {max_bytes} bytes", path.display())]
    DeadLetterFull {
        /// The dead-letter file.
        path: PathBuf,
        /// The size beyond which it must not grow.
        max_bytes: u64,
    },
    /// Told to stop while holding a malformed line that the dead-letter file can never hold.
    #[error("a line of {n_bytes} bytes can never fit into {}, which may have {max_bytes}", path.display())]
    DeadLetterTooSmall {
        /// The dead-letter file.
        path: PathBuf,
        /// The size beyond which it must not grow.
        max_bytes: u64,
        /// The length of the line in bytes.
        n_bytes: u64,
    },
    /// The sink's own thread could not be started: the runtime is shutting down.
    #[error("cannot start the thread that writes")]
    Thread {
        /// What the runtime said.
        source: io::Error,
    },
}

impl SinkError {
    /// Returns whether to open the sink again, and give it again what was not acked, can mend it.
    pub fn is_recoverable(&self) -> bool {
        matches!(self, Self::Sync { .. } | Self::Spool { source: SpoolError::Broken { .. }, .. })
    }

    /// Returns what kind of error it is in one word, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Open { .. } => "open",
            Self::Write { .. } => "write",
            Self::Rename { .. } => "rename",
            Self::Sync { .. } => "sync",
            Self::Destination { .. } => "destination",
            Self::Spool { source, .. } => source.kind(),
            Self::GivenUp { .. } => "given_up",
            Self::Closed => "closed",
            Self::DeadLetterFull { .. } => "full",
            Self::DeadLetterTooSmall { .. } => "too_small",
            Self::Thread { .. } => "thread",
        }
    }
}
