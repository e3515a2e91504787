//! The upload by which a destination shows that it can be reached, as Logpush makes one for a new job.

use std::io::{self, Write as _};

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tempfile::NamedTempFile;

use super::{Destination, Envelope, EnvelopedEvent, Upload, UploadError, Uploaded};
use crate::file::Compression;

/// What the object is called.
pub(super) const NAME: &str = "test.txt.gz";

/// The one event that it has.
const CONTENT: &[u8] = br#"{"content":"tests"}"#;

/// The level at which it is compressed.
const LEVEL: u32 = 6;

/// Puts `test.txt.gz` with `{"content":"tests"}` into a destination, trying once; where events have an envelope, the
/// content has it too. It stays there.
///
/// # Errors
///
/// Why it was not taken.
///
/// # Cancel safety
///
/// If the future is dropped, the object may be there or not.
pub async fn test_upload(destination: &dyn Destination) -> Result<Uploaded, UploadError> {
    let now = Timestamp::now();
    let event = EnvelopedEvent { bytes: CONTENT, time_ms: now.as_millisecond(), batch_id: 0, index: 0 };
    let raw = enveloped(&destination.envelope(), &event);
    let file = compressed(&raw)
        .map_err(|error| UploadError::local(format!("cannot write a temporary file: {error}")))?;
    let size = file.as_file().metadata().map(|metadata| metadata.len());
    let upload = Upload {
        key: destination.key(&now.to_zoned(TimeZone::UTC).strftime("%Y%m%d").to_string(), NAME),
        path: file.path().to_owned(),
        n_bytes: size
            .map_err(|error| UploadError::local(format!("cannot read a temporary file: {error}")))?,
        n_raw_bytes: raw.len() as u64,
        n_events: 1,
        compression: Compression::Gzip { level: LEVEL },
    };
    destination.upload(&upload).await
}

fn enveloped(envelope: &Envelope, event: &EnvelopedEvent<'_>) -> Vec<u8> {
    let mut raw = Vec::new();
    envelope.begin(&mut raw);
    envelope.event(&mut raw, event);
    envelope.end(&mut raw);
    raw
}

fn compressed(raw: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = GzEncoder::new(NamedTempFile::new()?, Level::new(LEVEL));
    file.write_all(raw)?;
    file.finish()
}
