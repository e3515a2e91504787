//! The file of a batch as it grows.

use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::compress::Compressor;
use crate::disk::DiskFile;
use crate::file::Compression;

/// The compressed bytes that are written at once.
const WRITE_BYTES: usize = 256 << 10;

/// The file of a batch as it grows: what is added is compressed in memory, and written from there; so what the disk
/// refuses stays, and is tried again without anything being compressed twice.
pub(super) struct Body {
    file: Box<dyn DiskFile>,
    path: PathBuf,
    compressor: Compressor,
    /// How much of what the compressor has put out is in the file and in `hash`.
    n_taken: usize,
    /// The bytes in the file, and a hash of them.
    n_bytes: u64,
    hash: Xxh3,
    /// The bytes that were added, and a hash of them.
    n_raw_bytes: u64,
    raw_hash: Xxh3,
    /// Whether `${` must not come about where two pieces meet.
    is_redacted: bool,
    /// Whether a `$` was added that still is to be written, as what it has to be before what follows.
    ends_in_dollar: bool,
}

/// What a file is that is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finished {
    pub(super) n_bytes: u64,
    pub(super) hash: u128,
    pub(super) n_raw_bytes: u64,
    pub(super) raw_hash: u64,
}

impl Body {
    /// Returns a body that is empty, as the file must be.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn new(
        file: Box<dyn DiskFile>,
        path: PathBuf,
        compression: Compression,
        is_redacted: bool,
    ) -> io::Result<Self> {
        Ok(Self {
            file,
            path,
            compressor: Compressor::new(compression)?,
            n_taken: 0,
            n_bytes: 0,
            hash: Xxh3::new(),
            n_raw_bytes: 0,
            raw_hash: Xxh3::new(),
            is_redacted,
            ends_in_dollar: false,
        })
    }

    /// Returns where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns how many bytes were added.
    pub(super) fn n_raw_bytes(&self) -> u64 {
        self.n_raw_bytes
    }

    /// Returns how many bytes it takes by now, those that are not yet written included.
    pub(super) fn n_bytes(&mut self) -> u64 {
        self.n_bytes + (self.compressor.out().len() - self.n_taken) as u64
    }

    /// Adds a piece.
    ///
    /// # Errors
    ///
    /// If there is no memory for it; it is of no use then.
    pub(super) fn add(&mut self, piece: &[u8]) -> io::Result<()> {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else { return Ok(()) };
        self.n_raw_bytes += piece.len() as u64;
        if !self.is_redacted {
            return self.compress(piece);
        }
        self.add_dollar(*first)?;
        self.ends_in_dollar = *last == b'$';
        self.compress(&piece[..piece.len() - usize::from(self.ends_in_dollar)])
    }

    /// Adds the last bytes of the compressor; nothing may be added any more.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.add_dollar(b'\n')?;
        self.compressor.finish()
    }

    /// Writes what has been compressed, if that is enough to be written.
    ///
    /// # Errors
    ///
    /// What the system says; it may be tried again.
    pub(super) fn write_some(&mut self) -> io::Result<()> {
        if self.compressor.out().len() < WRITE_BYTES { Ok(()) } else { self.write() }
    }

    /// Writes all that has been compressed.
    ///
    /// # Errors
    ///
    /// What the system says; it may be tried again.
    pub(super) fn write(&mut self) -> io::Result<()> {
        let out = self.compressor.out();
        while self.n_taken < out.len() {
            match self.file.write_vectored(&[IoSlice::new(&out[self.n_taken..])]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n_taken) => {
                    self.hash.update(&out[self.n_taken..self.n_taken + n_taken]);
                    self.n_taken += n_taken;
                    self.n_bytes += n_taken as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        out.clear();
        self.n_taken = 0;
        Ok(())
    }

    /// Brings the file to the disk, all of which must have been written, and returns what it is.
    ///
    /// # Errors
    ///
    /// What the system says: what was written is then lost for all one knows; or that somebody has removed the file.
    pub(super) fn sync(&self) -> io::Result<Finished> {
        self.file.sync()?;
        if !self.file.is_at(&self.path)? || self.file.n_bytes()? != self.n_bytes {
            return Err(io::Error::new(ErrorKind::NotFound, "somebody has removed or changed the file"));
        }
        Ok(Finished {
            n_bytes: self.n_bytes,
            hash: self.hash.digest128(),
            n_raw_bytes: self.n_raw_bytes,
            raw_hash: self.raw_hash.digest(),
        })
    }

    /// Adds the `$` that was put off, as what it has to be before `next`.
    fn add_dollar(&mut self, next: u8) -> io::Result<()> {
        if !std::mem::take(&mut self.ends_in_dollar) {
            return Ok(());
        }
        self.compress(if next == b'{' { b"x" } else { b"$" })
    }

    fn compress(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.raw_hash.update(bytes);
        self.compressor.add(bytes)
    }
}
