//! What can go wrong with checkpoints.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::state_dir::SUFFIX;

/// Why a checkpoint cannot be read, written, listed or reset.
#[derive(thiserror::Error, Debug)]
pub enum CheckpointError {
    /// The state directory cannot be made, or is none.
    #[error("cannot use {} as state directory", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process works with the state directory, or another part of this one does.
    #[error(
        "the state directory {} is in use{}; two processes would undo each other's checkpoints, so stop that one \
         first, or choose another `state_dir`",
        directory.display(), ByProcess(*pid)
    )]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The process that has it, if its lock file says so.
        pid: Option<u32>,
    },
    /// The lock file cannot be opened or locked.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The name of a pipeline cannot be the name of a checkpoint.
    #[error(
        "{name:?} cannot name a checkpoint: a name has 1 to {max} letters of ASCII, digits, `_`, `.` and `-`, and is \
         neither `.` nor `..`", max = super::state_dir::MAX_NAME_BYTES
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The checkpoint has a store in this process already.
    #[error("the checkpoint of pipeline {name:?} is already open in this process")]
    AlreadyOpen {
        /// The pipeline's name.
        name: String,
    },
    /// The checkpoint is there and cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The checkpoint's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The checkpoint's file is, or would become, larger than any that is read.
    #[error(
        "{} has {n_bytes} bytes, and no more than {max_bytes} are read: several hundred thousand files are followed; \
         follow fewer by one pipeline, by narrower globs",
        path.display()
    )]
    TooLarge {
        /// The checkpoint's file.
        path: PathBuf,
        /// Its size in bytes.
        n_bytes: u64,
        /// The most there may be.
        max_bytes: u64,
    },
    /// What is in the checkpoint's file is not what was written.
    #[error(
        "{} is damaged: {what}; how far its files have been delivered is not known, so nothing is read; put back a \
         good copy of it, then what was delivered since that copy was made comes twice, or run {} to read again from \
         the beginning, then all that the files still hold comes twice",
        path.display(), ResetCommand(path)
    )]
    Damaged {
        /// The checkpoint's file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The file is not this pipeline's checkpoint, but another's or none at all.
    #[error(
        "{} is not the checkpoint of this pipeline: {what}; how far its files have been delivered is not known, so \
         nothing is read; put the pipeline's own checkpoint there, then what was delivered since it was written comes \
         twice, or run {} to read again from the beginning, then all that the files still hold comes twice",
        path.display(), ResetCommand(path)
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// The checkpoint was written by a later logweir, in a format that this one does not know.
    #[error(
        "{} has version {version} of the format, and this logweir, {program}, knows versions up to {known}; upgrade, \
         then nothing comes twice, or run {} to read again from the beginning, then all that the files still hold \
         comes twice",
        path.display(), ResetCommand(path), program = env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The checkpoint's file.
        path: PathBuf,
        /// The version it has.
        version: u64,
        /// The latest version that can be read.
        known: u64,
    },
    /// The checkpoint cannot be replaced; the one before it is still there, whole, unless the new one is.
    #[error("cannot {step} {}, so what is delivered from now on comes twice after a crash", path.display())]
    Write {
        /// What could not be done to the file.
        step: &'static str,
        /// The file or directory it could not be done to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The state directory cannot be listed.
    #[error("cannot list the checkpoints in {}", directory.display())]
    List {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no checkpoint of this name.
    #[error("there is no checkpoint of {name:?} in {}; {}", directory.display(), Known(known))]
    Missing {
        /// The directory.
        directory: PathBuf,
        /// The name that was asked for.
        name: String,
        /// The names of those that are there.
        known: Vec<String>,
    },
    /// The checkpoint cannot be moved aside; it is where it was.
    #[error("cannot move {} aside", path.display())]
    Reset {
        /// The checkpoint's file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CheckpointError {
    /// Returns what kind of error it is in one word, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Directory { .. } => "directory",
            Self::InUse { .. } | Self::AlreadyOpen { .. } => "in_use",
            Self::Lock { .. } => "lock",
            Self::Name { .. } => "name",
            Self::Read { .. } => "read",
            Self::TooLarge { .. } => "too_large",
            Self::Damaged { .. } => "damaged",
            Self::Foreign { .. } => "foreign",
            Self::Newer { .. } => "newer",
            Self::Write { .. } => "write",
            Self::List { .. } => "list",
            Self::Missing { .. } => "missing",
            Self::Reset { .. } => "reset",
        }
    }
}

struct ByProcess(Option<u32>);

impl fmt::Display for ByProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |pid| write!(f, " by process {pid}"))
    }
}

/// The command that moves a checkpoint aside, to be copied into a shell.
struct ResetCommand<'a>(&'a Path);

impl fmt::Display for ResetCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = self.0.parent().unwrap_or(Path::new("")).display().to_string();
        let name = self.0.file_name().unwrap_or_default().to_string_lossy();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_.-+,:@".contains(c);
        let quoted = if directory.chars().all(is_plain) {
            directory
        } else {
            format!("'{}'", directory.replace('\'', r"'\''"))
        };
        write!(f, "`logweir checkpoint reset {quoted} {}`", name.strip_suffix(SUFFIX).unwrap_or(&name))
    }
}

struct Known<'a>(&'a [String]);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("there are none at all"),
            names => write!(f, "there are those of {}", names.join(", ")),
        }
    }
}
