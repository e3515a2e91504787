//! Compresses events into members: pieces of a compressed file that are complete by themselves.
//!
//! What is compressed can be read back only up to the end of a member (gzip) or frame (Zstandard), so events are safe
//! only once theirs is complete: it is made in memory and written as one piece. Members one behind the other are a
//! compressed file again.

use std::io::{self, Write};
use std::time::Instant;

use bytes::Bytes;
use flate2::write::GzEncoder;
use logweir_event::{Payload, Pending};

use super::config::Compression;

/// A member that grows.
pub(super) struct Member {
    encoder: Encoder,
    /// Whose events are in it.
    pendings: Vec<Pending>,
    /// The bytes of events that went in.
    n_bytes: u64,
    /// When it is to be complete at the latest.
    due: Instant,
}

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

impl Member {
    /// Returns one without events; `None` where nothing is compressed.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn new(compression: Compression, due: Instant) -> io::Result<Option<Self>> {
        let encoder = match compression {
            Compression::None => return Ok(None),
            Compression::Gzip { level } => {
                Encoder::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(level)))
            }
            Compression::Zstd { level } => {
                let mut encoder = zstd::Encoder::new(Vec::new(), level)?;
                // As gzip has: so that what a disk has mixed up is not taken for events.
                encoder.include_checksum(true)?;
                Encoder::Zstd(encoder)
            }
        };
        Ok(Some(Self { encoder, pendings: Vec::new(), n_bytes: 0, due }))
    }

    /// Adds the events of a payload.
    ///
    /// # Errors
    ///
    /// If there is no memory for it; the payload is then not delivered, and the member of no use.
    pub(super) fn add(&mut self, payload: Payload) -> io::Result<()> {
        for part in payload.parts() {
            match &mut self.encoder {
                Encoder::Gzip(encoder) => encoder.write_all(part)?,
                Encoder::Zstd(encoder) => encoder.write_all(part)?,
            }
        }
        self.n_bytes += payload.n_bytes();
        self.pendings.push(payload.into_pending());
        Ok(())
    }

    /// Returns how many bytes of events went in.
    pub(super) fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Returns when it is to be complete at the latest.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Completes it; returns its bytes, and who is to be told once they are safe.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn finish(self) -> io::Result<(Bytes, Vec<Pending>)> {
        let bytes = match self.encoder {
            Encoder::Gzip(encoder) => encoder.finish()?,
            Encoder::Zstd(encoder) => encoder.finish()?,
        };
        Ok((bytes.into(), self.pendings))
    }
}
