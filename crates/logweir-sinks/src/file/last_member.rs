//! Finds where the last complete member of a compressed file ends.
//!
//! Only decompressing shows it: what is behind the last complete member may look like anything. It is done block by
//! block, and what comes out is thrown away.

use std::io::{self, ErrorKind};

use flate2::{Decompress, FlushDecompress, Status};
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer};

use super::config::Compression;
use crate::disk::DiskFile;

/// The bytes that are read, or decompressed, at once.
const BLOCK_BYTES: usize = 128 << 10;

/// The largest window of gzip, 2¹⁵ bytes.
const WINDOW_BITS: u8 = 15;

const GZIP_MAGIC: &[u8] = b"\x1f\x8b\x08";
const ZSTD_MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";

/// Returns where the last complete member ends of a file of `n_bytes` bytes; 0 if there is none.
///
/// # Errors
///
/// What the system says; [`InvalidData`](ErrorKind::InvalidData) if the file is compressed in another way, or not at
/// all.
pub(super) fn end(file: &dyn DiskFile, compression: Compression, n_bytes: u64) -> io::Result<u64> {
    let magic = match compression {
        Compression::None => return Ok(n_bytes),
        Compression::Gzip { .. } => GZIP_MAGIC,
        Compression::Zstd { .. } => ZSTD_MAGIC,
    };
    check_magic(file, magic, n_bytes)?;
    let mut members = Members { file, block: vec![0; BLOCK_BYTES], at: 0, end: 0 };
    match compression {
        Compression::Gzip { .. } => members.walk(&mut Gunzip(Decompress::new_gzip(WINDOW_BITS)))?,
        _ => members.walk(&mut Unzstd(DCtx::try_create().ok_or(ErrorKind::OutOfMemory)?))?,
    }
    Ok(members.end)
}

fn check_magic(file: &dyn DiskFile, magic: &[u8], n_bytes: u64) -> io::Result<()> {
    let mut begins = [0; 4];
    let n_read = file.read_at(&mut begins[..magic.len()], 0)?;
    if n_bytes == 0 || begins[..n_read] == magic[..n_read] {
        return Ok(());
    }
    Err(io::Error::new(ErrorKind::InvalidData, "what is in the file is not compressed in this way"))
}

/// Decompresses one member after the other.
trait Decoder {
    /// Gives bytes to it, perhaps none.
    fn step(&mut self, bytes: &[u8], room: &mut [u8]) -> Step;
}

/// What came of a step.
struct Step {
    n_taken: usize,
    n_given: usize,
    outcome: Outcome,
}

enum Outcome {
    GoesOn,
    /// The bytes taken end a member.
    Ended,
    Damaged,
}

/// Returns what it means that a decoder is not at an end: where there was something to do, it must have done it.
fn goes_on(n_offered: usize, n_taken: usize, n_given: usize) -> Outcome {
    if n_offered == 0 || n_taken > 0 || n_given > 0 { Outcome::GoesOn } else { Outcome::Damaged }
}

/// A walk through the members of a file.
struct Members<'a> {
    file: &'a dyn DiskFile,
    block: Vec<u8>,
    /// The bytes decoded so far.
    at: u64,
    /// Where the last complete member ends.
    end: u64,
}

impl Members<'_> {
    fn walk(&mut self, decoder: &mut impl Decoder) -> io::Result<()> {
        let mut room = vec![0; BLOCK_BYTES];
        loop {
            let n_read = self.file.read_at(&mut self.block, self.at)?;
            let mut from = 0;
            // What was taken may still have to come out, and the end of a member with it.
            let mut is_full = n_read > 0;
            while from < n_read || is_full {
                let Step { n_taken, n_given, outcome } = decoder.step(&self.block[from..n_read], &mut room);
                from += n_taken;
                self.at += n_taken as u64;
                is_full = n_given == room.len();
                match outcome {
                    Outcome::GoesOn => {}
                    Outcome::Ended => self.end = self.at,
                    Outcome::Damaged => return Ok(()),
                }
            }
            if n_read == 0 {
                return Ok(());
            }
        }
    }
}

struct Gunzip(Decompress);

impl Decoder for Gunzip {
    fn step(&mut self, bytes: &[u8], room: &mut [u8]) -> Step {
        let (n_in, n_out) = (self.0.total_in(), self.0.total_out());
        let result = self.0.decompress(bytes, room, FlushDecompress::None);
        let n_taken = (self.0.total_in() - n_in) as usize;
        let n_given = (self.0.total_out() - n_out) as usize;
        let outcome = match result {
            Ok(Status::StreamEnd) => {
                self.0 = Decompress::new_gzip(WINDOW_BITS);
                Outcome::Ended
            }
            Ok(_) => goes_on(bytes.len(), n_taken, n_given),
            Err(_) => Outcome::Damaged,
        };
        Step { n_taken, n_given, outcome }
    }
}

struct Unzstd(DCtx<'static>);

impl Decoder for Unzstd {
    fn step(&mut self, bytes: &[u8], room: &mut [u8]) -> Step {
        let (mut input, mut output) = (InBuffer::around(bytes), OutBuffer::around(room));
        let result = self.0.decompress_stream(&mut output, &mut input);
        let (n_taken, n_given) = (input.pos(), output.pos());
        let outcome = match result {
            Ok(0) => Outcome::Ended,
            Ok(_) => goes_on(bytes.len(), n_taken, n_given),
            Err(_) => Outcome::Damaged,
        };
        Step { n_taken, n_given, outcome }
    }
}
