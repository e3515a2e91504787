//! Where batches go that are delivered as one piece each: object stores, and servers that take requests.
//!
//! Whoever uploads makes a batch a compressed file first, and then hands that file over as often as it takes. So a
//! destination never sees an event: it is asked how large a batch may be ([`Limits`]) and in which form events are
//! wanted ([`Envelope`]) while the file is written, what the batch is called ([`Destination::key`]) when it is closed,
//! and is given the file ([`Destination::upload`]) until it takes it. It tries once and says what came of it; when to
//! try again is not its business.

mod config;
mod connect;
mod directory;
mod envelope;
mod hidden;
mod http;
mod parse;
mod probe;
mod refusal;
mod store;
mod test_upload;

use std::path::PathBuf;
use std::time::Duration;

use futures::future::BoxFuture;

pub use config::{
    AzureConfig, AzureCredentials, DestinationConfig, DirectoryConfig, ElasticsearchAuth,
    ElasticsearchConfig, GsConfig, GsCredentials, Header, HeaderProblem, HttpConfig, HttpFlavour, LokiConfig,
    ObjectPrefix, PrefixProblem, S3Config, S3Credentials, S3Flavour,
};
pub use connect::DestinationError;
pub use envelope::{Bulk, Envelope, EnvelopedEvent, Push};
pub use parse::DestinationProblem;
pub use probe::{Probed, Question};
pub use test_upload::test_upload;

use crate::file::Compression;

/// Where batches go, each as one piece.
pub trait Destination: Send + Sync {
    /// Returns what it is called in logs, metrics and errors: no secret is in it.
    fn name(&self) -> String;

    /// Returns how much of it a batch may have; whatever is configured does not exceed that.
    fn limits(&self) -> Limits;

    /// Returns the form in which it wants events.
    fn envelope(&self) -> Envelope;

    /// Returns what a batch is called there: the same for the same arguments.
    ///
    /// `date` is its day, as 20261122, and `name` a file name that no other batch has, with its ending.
    fn key(&self, date: &str, name: &str) -> String;

    /// Delivers a batch, trying once. If the same key has been delivered before, it is replaced.
    ///
    /// # Errors
    ///
    /// What came of it instead, and whether to try again.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the batch may have been delivered or not, and it is right to deliver it again.
    fn upload<'a>(&'a self, upload: &'a Upload) -> BoxFuture<'a, Result<Uploaded, UploadError>>;
}

/// How much a batch may have, each bound by itself, and by default none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// The size in bytes that a batch does not exceed before it is compressed, envelope and all.
    pub max_bytes: Option<u64>,
    /// The events that it has at most.
    pub max_events: Option<u64>,
    /// The size in bytes of a single event beyond which the destination refuses it, or cuts it.
    pub max_event_bytes: Option<u64>,
}

/// A batch that is to be delivered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Upload {
    /// What it is called there: as [`Destination::key`] gave it.
    pub key: String,
    /// The file that it is in, compressed and complete.
    pub path: PathBuf,
    /// The size of the file in bytes.
    pub n_bytes: u64,
    /// The size in bytes of what is compressed in it.
    pub n_raw_bytes: u64,
    /// How many events it has.
    pub n_events: u64,
    /// How it is compressed.
    pub compression: Compression,
}

impl Upload {
    /// Returns what HTTP calls the compression, `None` if there is none.
    pub fn content_encoding(&self) -> Option<&'static str> {
        match self.compression {
            Compression::None => None,
            Compression::Gzip { .. } => Some("gzip"),
            Compression::Zstd { .. } => Some("zstd"),
        }
    }
}

/// What came of an upload that was taken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Uploaded {
    /// The status that the destination answered with, as of HTTP.
    pub status: u16,
    /// How many events of the batch it refused for good, while it took the others.
    pub n_rejected: u64,
    /// What it said of the first of these.
    pub first_error: Option<String>,
}

/// Why a batch was not taken.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[error("{message}")]
pub struct UploadError {
    /// The status of HTTP, or, where there was none, one from 1101 to 1108 that says what failed.
    pub status: u16,
    /// Whether to try again.
    pub verdict: UploadVerdict,
    /// What happened, for people: no secret is in it.
    pub message: String,
}

/// Whether a batch that was not taken is to be uploaded again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UploadVerdict {
    /// It may be taken later.
    Retry {
        /// How long the destination wants to be left alone, if it said so.
        after: Option<Duration>,
    },
    /// It will not be taken as it is, unless somebody changes something.
    Reject,
}
