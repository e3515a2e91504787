//! Compresses a batch as it grows.

use std::io::{self, Write};
use std::mem;

use flate2::write::GzEncoder;

use crate::file::Compression;

/// What goes in is compressed into memory, from where it is to be taken away now and then. All of it is a single gzip
/// member or Zstandard frame: some who read such a file read only the first.
///
/// It runs on the thread that calls it. Of what was measured, zlib-rs compresses events at level 1 as fast as
/// libdeflate, and it alone makes one member of a stream without holding all of that.
pub(super) enum Compressor {
    None(Vec<u8>),
    // It has tables within it.
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

impl Compressor {
    /// Returns one that nothing has gone into.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn new(compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::None(Vec::new()),
            Compression::Gzip { level } => {
                Self::Gzip(Box::new(GzEncoder::new(Vec::new(), flate2::Compression::new(level))))
            }
            Compression::Zstd { level } => {
                let mut encoder = zstd::Encoder::new(Vec::new(), level)?;
                // As gzip has: so that what was mixed up on the way is not taken for events.
                encoder.include_checksum(true)?;
                Self::Zstd(encoder)
            }
        })
    }

    /// Adds bytes.
    ///
    /// # Errors
    ///
    /// If there is no memory for it; it is of no use then.
    pub(super) fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::None(out) => out.extend_from_slice(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes)?,
            Self::Zstd(encoder) => encoder.write_all(bytes)?,
        }
        Ok(())
    }

    /// Returns what has come out so far.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        match self {
            Self::None(out) => out,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }
    }

    /// Completes the member, so that its last bytes have come out; nothing may be added any more.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        *self = Self::None(match mem::replace(self, Self::None(Vec::new())) {
            Self::None(out) => out,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
        });
        Ok(())
    }
}
