//! What all batches of a sink have in common.

use bytes::Bytes;
use logweir_event::BatchFrame;
use xxhash_rust::xxh3::Xxh3;

use super::config::UploadSinkConfig;
use super::manifest::Owner;
use crate::destination::{Destination, Envelope};
use crate::file::Compression;

/// What all batches of a sink have in common.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// What stands before the first event, and behind the last.
    pub(super) prefix: Bytes,
    pub(super) suffix: Bytes,
    /// Whether `${` must not come about where two pieces meet.
    pub(super) is_redacted: bool,
    pub(super) envelope: Envelope,
    pub(super) compression: Compression,
    /// The most bytes before compression, the most events, and the bytes beyond which an event goes alone.
    pub(super) max_bytes: u64,
    pub(super) max_events: u64,
    pub(super) max_event_bytes: Option<u64>,
    /// A hash of what tells this output from others.
    digest: u64,
}

impl Shape {
    /// Returns the shape of batches for a destination, whose limits none exceeds.
    pub(super) fn new(
        destination: &dyn Destination,
        config: &UploadSinkConfig,
        frame: BatchFrame,
        owner: &Owner,
    ) -> Self {
        let (limits, envelope) = (destination.limits(), destination.envelope());
        let bound = |own: Option<u64>, theirs: Option<u64>| {
            own.unwrap_or(u64::MAX).min(theirs.unwrap_or(u64::MAX)).max(1)
        };
        let digest = digest(config, &frame, owner, &destination.name());
        let BatchFrame { mut prefix, mut suffix, is_redacted } = frame;
        if !envelope.is_plain() {
            let (mut begin, mut end) = (Vec::new(), Vec::new());
            envelope.begin(&mut begin);
            envelope.end(&mut end);
            (prefix, suffix) = (begin.into(), end.into());
        }
        Self {
            prefix,
            suffix,
            is_redacted,
            envelope,
            compression: config.compression,
            max_bytes: bound(config.batch.max_bytes, limits.max_bytes),
            max_events: bound(Some(config.batch.max_events), limits.max_events),
            max_event_bytes: limits.max_event_bytes,
            digest,
        }
    }

    /// Returns a hash of something of this output's.
    pub(super) fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut hash = Xxh3::with_seed(self.digest);
        add_parts(&mut hash, parts);
        hash.digest()
    }
}

/// Returns a hash of what tells this output from others that read the same.
fn digest(config: &UploadSinkConfig, frame: &BatchFrame, owner: &Owner, destination: &str) -> u64 {
    let mut hash = Xxh3::new();
    let compression = format!("{:?}", config.compression);
    let output = owner.output.as_deref().unwrap_or_default();
    let texts = [owner.pipeline.as_str(), output, destination, compression.as_str()];
    add_parts(&mut hash, &texts.map(str::as_bytes));
    add_parts(&mut hash, &[&frame.prefix, &frame.suffix, &[u8::from(frame.is_redacted)]]);
    hash.digest()
}

/// Adds parts so that no others give the same hash by being cut elsewhere.
fn add_parts(hash: &mut Xxh3, parts: &[&[u8]]) {
    for part in parts {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
}
