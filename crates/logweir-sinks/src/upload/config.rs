//! What is configured of a sink that uploads batches.

use std::time::Duration;

use logweir_net::Timeouts;

use crate::destination::DestinationConfig;
use crate::file::Compression;

/// The configuration of a sink that uploads batches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UploadSinkConfig {
    /// Where batches go.
    pub destination: DestinationConfig,
    /// When a batch is complete.
    pub batch: BatchConfig,
    /// How a batch is compressed: as a single member or frame.
    pub compression: Compression,
    /// How batches are uploaded.
    pub delivery: DeliveryConfig,
    /// Where batches wait to be uploaded.
    pub spool: SpoolConfig,
}

/// When a batch is complete: at whichever bound it reaches first. What the destination takes at most is a bound too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BatchConfig {
    /// The size in bytes that it does not exceed before it is compressed, all that stands around and between its events
    /// included, unless a single event does.
    pub max_bytes: Option<u64>,
    /// The events that it has at most; 0 counts as 1.
    pub max_events: u64,
    /// How long after its first event it takes more.
    pub max_interval: Duration,
}

/// How batches are uploaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryConfig {
    /// How many uploads there are at once; 0 counts as 1.
    pub max_uploads: usize,
    /// What becomes of a batch that the destination refuses.
    pub on_reject: OnReject,
    /// How long the first pause may be before an upload is tried again; those that follow may each be twice as long.
    pub first_pause: Duration,
    /// How long a pause may be at most, unless the destination asks for more.
    pub longest_pause: Duration,
    /// How long each phase of a request may take.
    pub timeouts: Timeouts,
}

/// What becomes of a batch that the destination refuses, so that to upload it again as it is would change nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnReject {
    /// It is tried again, with the longest pause between: somebody may mend what is refused, like a wrong key.
    #[default]
    Hold,
    /// It is dropped, counted and logged.
    Drop,
}

/// Where batches wait to be uploaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpoolConfig {
    /// How many bytes batches may take on the disk; while they take more, nothing more is taken. A single payload that
    /// is larger passes if it is alone.
    pub max_bytes: u64,
}

impl Default for BatchConfig {
    /// As Logpush has it: 100,000 events or 30 seconds.
    fn default() -> Self {
        Self { max_bytes: None, max_events: 100_000, max_interval: Duration::from_secs(30) }
    }
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            max_uploads: 4,
            on_reject: OnReject::default(),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            timeouts: Timeouts::default(),
        }
    }
}

impl Default for SpoolConfig {
    /// 1 GiB.
    fn default() -> Self {
        Self { max_bytes: 1 << 30 }
    }
}

impl UploadSinkConfig {
    /// How a batch is compressed where nothing is said: as fast as gzip goes, which is some five times smaller.
    pub const COMPRESSION: Compression = Compression::Gzip { level: 1 };

    /// Returns the configuration that says nothing but the destination.
    pub fn new(destination: DestinationConfig) -> Self {
        Self {
            destination,
            batch: BatchConfig::default(),
            compression: Self::COMPRESSION,
            delivery: DeliveryConfig::default(),
            spool: SpoolConfig::default(),
        }
    }
}
