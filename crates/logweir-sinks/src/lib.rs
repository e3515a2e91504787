//! Where events go.
//!
//! A sink takes [`Payload`](logweir_event::Payload)s in order from a [`PayloadReceiver`], writes their bytes as they
//! are, and says of each what became of it: written, or cut off somewhere. It writes on threads made for blocking,
//! and what it cannot write it gives back as an error, with the events counted as not delivered; nothing is dropped in
//! silence.

mod append;
mod backoff;
mod context;
mod dead_letter;
mod destination;
mod disk;
mod error;
mod file;
mod hold;
mod null;
mod receiver;
mod stdout;
mod stream;
mod template;
mod thread;
mod upload;
mod vectored;
mod wait;

use futures::future::BoxFuture;
use logweir_event::FileId;

pub use context::{ReadOnce, SinkContext};
pub use dead_letter::{DeadLetterConfig, DeadLetterSink, DeadLetterStats};
pub use destination::{
    AzureConfig, AzureCredentials, Bulk, Destination, DestinationConfig, DestinationError,
    DestinationProblem, DirectoryConfig, ElasticsearchAuth, ElasticsearchConfig, Envelope, EnvelopedEvent,
    GsConfig, GsCredentials, Header, HeaderProblem, HttpConfig, HttpFlavour, Limits, LokiConfig,
    ObjectPrefix, PrefixProblem, Probed, Push, Question, S3Config, S3Credentials, S3Flavour, Upload,
    UploadError, UploadVerdict, Uploaded, test_upload,
};
pub use disk::{Disk, DiskFile};
pub use error::SinkError;
pub use file::{AckLevel, Compression, FileMode, FileSink, FileSinkConfig, Rotation, Tail};
pub use logweir_net::{Secret, Timeouts, TlsConfig};
pub use null::NullSink;
pub use receiver::PayloadReceiver;
pub use stdout::StdoutSink;
pub use template::{PathTemplate, SinkNames, TemplateError};
pub use upload::{
    BatchConfig, DeliveryConfig, Durations, OnReject, Spool, SpoolConfig, SpoolError, UploadOutcome,
    UploadSink, UploadSinkConfig, UploadSnapshot, UploadStats,
};
pub use vectored::{CutOff, write_payload};

/// Where events go.
pub trait Sink: Send {
    /// Returns the file it writes to, `None` if that is a device, like a terminal, or nothing.
    fn writes_to(&self) -> Option<FileId>;

    /// Writes payloads until there are no more, settling each.
    ///
    /// # Errors
    ///
    /// Why it cannot go on. The payload it was writing is then settled as cut off; those still queued are dropped
    /// with the context, and so count as not delivered.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: if the future is dropped, a payload may still be written, and its errors go unseen.
    fn run(self: Box<Self>, context: SinkContext) -> BoxFuture<'static, Result<(), SinkError>>;
}
