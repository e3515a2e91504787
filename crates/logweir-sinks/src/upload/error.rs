//! What is wrong with a spool.

use std::io;
use std::path::{Path, PathBuf};

/// Why a spool cannot be used.
#[derive(thiserror::Error, Debug)]
pub enum SpoolError {
    /// Another sink, of this process or another, uses it. One of this process that is about to end lets go of it soon.
    #[error("{} is in use by another sink, which has not ended yet", directory.display())]
    InUse {
        /// The directory of the spool.
        directory: PathBuf,
    },
    /// Batches wait in it that were not delivered, and no output of the pipeline uploads any more.
    #[error(
        "batches wait in {} that were not uploaded, and nothing uploads them any more; run the pipeline as it was until they are, or remove the directory if they are to be lost",
        directory.display()
    )]
    Abandoned {
        /// The directory of the spool.
        directory: PathBuf,
    },
    /// Something in it cannot be read, or made, or put aside.
    #[error("cannot {step} {}", path.display())]
    Access {
        /// What could not be done.
        step: &'static str,
        /// The file or the directory that it could not be done to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The entry of a batch is not what was written.
    #[error(
        "{} is damaged: {what}; which events its batch has is not known, so nothing is read or uploaded; put back a good \
         copy of it, or move all files of the directory elsewhere, then what the checkpoint does not cover is read again \
         and may come twice",
        path.display()
    )]
    Damaged {
        /// The entry.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The entry is that of another output, or none at all.
    #[error(
        "{} is no entry of this output's spool: {what}; nothing is read or uploaded until it is moved elsewhere",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// The entry was written by a later logweir, in a format that this one does not know.
    #[error(
        "{} has version {version} of the format, and this logweir, {program}, knows versions up to {known}; upgrade",
        path.display(), program = env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The entry.
        path: PathBuf,
        /// The version it has.
        version: u64,
        /// The latest version that can be read.
        known: u64,
    },
    /// A batch that waits has its events in a form that the destination, which is another one now, does not take.
    #[error(
        "{} has events in the form of {form:?}, and the destination now takes that of {expected:?}: configure the former \
         destination again until all is uploaded, or move the files of the directory elsewhere, which gives the events \
         up that are in them",
        path.display()
    )]
    OtherForm {
        /// The entry of the batch.
        path: PathBuf,
        /// The form its events have.
        form: String,
        /// The form the destination takes.
        expected: String,
    },
    /// A batch turned out to be damaged after the source had already begun behind its events. It has been put aside,
    /// and once the pipeline is opened again, they are read again.
    #[error("{n_batches} batches in {} are damaged, or behind one that is; their events are read again", directory.display())]
    Broken {
        /// The directory of the spool.
        directory: PathBuf,
        /// How many batches have been put aside.
        n_batches: usize,
    },
}

impl SpoolError {
    /// Returns whether somebody who has not ended yet holds the spool.
    pub fn is_in_use(&self) -> bool {
        matches!(self, Self::InUse { .. })
    }

    /// Returns what kind of error it is in one word, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::InUse { .. } => "in_use",
            Self::Abandoned { .. } => "abandoned",
            Self::Access { .. } => "spool",
            Self::Damaged { .. } => "damaged",
            Self::Foreign { .. } => "foreign",
            Self::Newer { .. } => "newer",
            Self::OtherForm { .. } => "other_form",
            Self::Broken { .. } => "broken",
        }
    }

    /// Returns what makes an error of what the system said when this was to be done to `path`.
    pub(super) fn access(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Access { step, path, source }
    }
}
