//! Compressed files for tests that read them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Returns `bytes` as one gzip member.
///
/// # Panics
///
/// Never: memory takes everything.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory takes everything")
}

/// Returns `bytes` as one Zstandard frame.
///
/// # Panics
///
/// Never: memory takes everything.
pub fn zstandard(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).expect("memory takes everything")
}
