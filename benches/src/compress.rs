//! Compresses a file alone: the least that a program has to do whose output is compressed.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use libdeflater::{CompressionLvl, Compressor};

use crate::input::Input;
use crate::lab::{COMPRESSED, Lab, NOWHERE, STDERR};
use crate::stopwatch::Program;

/// That of batches where nothing is said, for both compressors.
const LEVEL: u8 = 1;
/// What is read, and written, at once; a batch is written in such pieces too.
const PIECE_BYTES: usize = 256 << 10;
/// What libdeflate compresses at once, which cannot be given a stream: far more than it looks back.
const MEMBER_BYTES: u64 = 1 << 20;

/// What is compressed, with what, and to where.
#[derive(clap::Args)]
pub(crate) struct CompressArgs {
    /// The compressor.
    #[arg(long, value_enum)]
    with: With,
    input: PathBuf,
    output: PathBuf,
}

/// A compressor that makes gzip.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum With {
    /// The one that logweir has, which makes one member of a file.
    ZlibRs,
    /// Another one, which makes many members of a file.
    Libdeflate,
}

impl With {
    fn name(self) -> &'static str {
        match self {
            Self::ZlibRs => "zlib-rs",
            Self::Libdeflate => "libdeflate",
        }
    }

    /// Returns what compresses an input to [`COMPRESSED`], on one thread of a process of its own: this binary calls
    /// itself.
    ///
    /// # Errors
    ///
    /// If this binary does not know where it is.
    pub(crate) fn program<'a>(self, lab: &'a Lab, bench: &'a Path, input: &Input) -> Program<'a> {
        Program {
            dir: &lab.dir,
            path: bench,
            args: ["compress", "--with", self.name(), &input.name, COMPRESSED].map(Into::into).to_vec(),
            stdout: Path::new(NOWHERE),
            stderr: Path::new(STDERR),
        }
    }
}

/// Compresses the file.
///
/// # Errors
///
/// If it cannot be read, or written.
pub(crate) fn run(args: &CompressArgs) -> anyhow::Result<()> {
    let input = File::open(&args.input).with_context(|| args.input.display().to_string())?;
    let output = File::create(&args.output).with_context(|| args.output.display().to_string())?;
    let mut output = BufWriter::with_capacity(PIECE_BYTES, output);
    match args.with {
        With::ZlibRs => as_one_member(input, &mut output)?,
        With::Libdeflate => in_members(input, &mut output)?,
    }
    Ok(output.flush()?)
}

fn as_one_member(mut input: impl Read, output: impl Write) -> io::Result<()> {
    let mut encoder = GzEncoder::new(output, Compression::new(LEVEL.into()));
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match input.read(&mut piece)? {
            0 => return encoder.finish().map(drop),
            n_read => encoder.write_all(&piece[..n_read])?,
        }
    }
}

fn in_members(mut input: impl Read, mut output: impl Write) -> anyhow::Result<()> {
    let level =
        CompressionLvl::new(LEVEL.into()).map_err(|_| anyhow::anyhow!("there is no level {LEVEL}"))?;
    let mut compressor = Compressor::new(level);
    let (mut piece, mut member) = (Vec::new(), Vec::new());
    loop {
        piece.clear();
        if input.by_ref().take(MEMBER_BYTES).read_to_end(&mut piece)? == 0 {
            return Ok(());
        }
        member.resize(compressor.gzip_compress_bound(piece.len()), 0);
        let n_bytes = compressor.gzip_compress(&piece, &mut member)?;
        output.write_all(&member[..n_bytes])?;
    }
}

/// Checks that a compressed file holds what another one does.
///
/// # Errors
///
/// That it does not, or why it cannot be known.
pub(crate) fn check(compressed: &Path, plain: &Path) -> anyhow::Result<()> {
    let open = |path: &Path| -> anyhow::Result<_> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        Ok(BufReader::with_capacity(PIECE_BYTES, file))
    };
    let mut plain = open(plain)?;
    let mut decoded = BufReader::with_capacity(PIECE_BYTES, MultiGzDecoder::new(open(compressed)?));
    loop {
        let (left, right) = (decoded.fill_buf()?, plain.fill_buf()?);
        let n_bytes = left.len().min(right.len());
        ensure!(left[..n_bytes] == right[..n_bytes], "what was compressed alone has changed");
        ensure!(n_bytes > 0 || left.len() == right.len(), "what was compressed alone has another length");
        if n_bytes == 0 {
            return Ok(());
        }
        decoded.consume(n_bytes);
        plain.consume(n_bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use logweir_testkit::generate::{self, Workload};

    use super::*;

    #[test]
    fn both_compress_what_there_is_and_a_change_is_noticed() {
        let scratch = tempfile::tempdir().unwrap();
        let [plain, compressed] = ["plain", "compressed"].map(|name| scratch.path().join(name));
        let mut events = Vec::new();
        generate::write(Workload::Mix, 5, 2 * MEMBER_BYTES + 17, &mut events).unwrap();
        for with in [With::ZlibRs, With::Libdeflate] {
            fs::write(&plain, &events).unwrap();
            run(&CompressArgs { with, input: plain.clone(), output: compressed.clone() }).unwrap();
            let n_bytes = fs::metadata(&compressed).unwrap().len();
            assert!(n_bytes > 0 && n_bytes < events.len() as u64 / 2, "{n_bytes}");
            check(&compressed, &plain).unwrap();

            fs::write(&plain, &events[..events.len() - 1]).unwrap();
            assert!(check(&compressed, &plain).is_err(), "a byte more");
            fs::write(&plain, [&events[..], b"\n"].concat()).unwrap();
            assert!(check(&compressed, &plain).is_err(), "a byte less");
            let mut changed = events.clone();
            changed[events.len() / 2] ^= 1;
            fs::write(&plain, changed).unwrap();
            assert!(check(&compressed, &plain).is_err(), "a byte changed");
        }
    }
}
