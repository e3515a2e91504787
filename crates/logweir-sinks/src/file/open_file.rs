//! The file that is written, and adding to it without leaving anything torn or twice.

use std::io::{self, IoSlice, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::disk::DiskFile;
use crate::vectored::{CutOff, write_range};

/// The file that is written.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) file: Arc<dyn DiskFile>,
    /// Under what name it is written.
    pub(super) path: PathBuf,
    /// What it is called once it is complete.
    pub(super) final_path: PathBuf,
    /// When it was opened.
    pub(super) opened: Instant,
    /// Its length in bytes, as far as we know: others may write to it as well.
    pub(super) n_bytes: u64,
    /// When its path was last seen to lead to it; `None` if that is to be looked at before the next write.
    pub(super) seen: Option<Instant>,
}

/// Something to be added to a file, and how far that has come. It may take several attempts, and several files.
pub(super) struct Addition<'a> {
    parts: &'a [Bytes],
    units: Units<'a>,
    /// The bytes up to here are in files, and nothing of what ends there is torn.
    n_whole: u64,
    /// The bytes up to here are in files; those behind `n_whole` stand at the end of the file that is open.
    n_taken: u64,
}

/// What must not be torn.
#[derive(Clone, Copy)]
pub(super) enum Units<'a> {
    /// Lines; returns where the last whole one ends within a number of bytes.
    Lines(&'a dyn Fn(u64) -> u64),
    /// All of it is one.
    One,
}

impl<'a> Addition<'a> {
    pub(super) fn new(parts: &'a [Bytes], units: Units<'a>) -> Self {
        Self { parts, units, n_whole: 0, n_taken: 0 }
    }

    /// Returns how many bytes are in files, a torn rest included.
    pub(super) fn n_taken(&self) -> u64 {
        self.n_taken
    }

    /// Returns whether all of it is in files.
    pub(super) fn is_at_end(&self) -> bool {
        self.n_whole == self.parts.iter().map(|part| part.len() as u64).sum::<u64>()
    }

    /// Returns whether nothing is torn at the moment.
    pub(super) fn is_whole(&self) -> bool {
        self.n_taken == self.n_whole
    }

    /// Starts again with what is torn: the file that has its first half is no longer written.
    pub(super) fn start_unit_again(&mut self) {
        self.n_taken = self.n_whole;
    }

    /// Returns where the last unit ends that is complete within `n_bytes`.
    fn whole_within(&self, n_bytes: u64) -> u64 {
        match self.units {
            Units::Lines(whole_within) => whole_within(n_bytes).max(self.n_whole),
            Units::One => self.n_whole,
        }
    }
}

impl OpenFile {
    /// Returns whether its path was last seen to lead to it longer than `every` ago.
    pub(super) fn is_to_be_seen(&self, every: Duration) -> bool {
        self.seen.is_none_or(|seen| seen.elapsed() >= every)
    }

    /// Adds the bytes up to `end`, going on where the last attempt ended; returns where in the file what this attempt
    /// wrote begins.
    ///
    /// # Errors
    ///
    /// Why not all is written. What is then torn has been taken back if that was possible.
    pub(super) fn add(&mut self, addition: &mut Addition<'_>, end: u64) -> io::Result<u64> {
        self.make_up(addition)?;
        let from = addition.n_taken;
        let start = self.n_bytes;
        let Err(CutOff { n_taken, source }) =
            write_range(&mut Appender(&*self.file), addition.parts, from..end)
        else {
            self.n_bytes += end - from;
            (addition.n_taken, addition.n_whole) = (end, end);
            return Ok(start);
        };
        self.n_bytes += n_taken;
        addition.n_taken += n_taken;
        addition.n_whole = addition.whole_within(addition.n_taken);
        self.take_back(addition);
        Err(source)
    }

    /// Sees how long the file is by now, and what that means for a torn unit at its end.
    fn make_up(&mut self, addition: &mut Addition<'_>) -> io::Result<()> {
        let n_bytes = self.file.n_bytes()?;
        if n_bytes == self.n_bytes {
            return Ok(());
        }
        // Somebody has emptied it or added to it. If a line of ours stood torn at its end, it may still do so.
        let was_torn = !addition.is_whole();
        addition.start_unit_again();
        self.n_bytes = n_bytes;
        if was_torn && matches!(addition.units, Units::Lines(_)) && ends_inside_a_line(&*self.file, n_bytes) {
            end_line(&*self.file)?;
            self.n_bytes += 1;
        }
        Ok(())
    }

    /// Takes back what stands torn at the end, if nobody has added anything behind it.
    fn take_back(&mut self, addition: &mut Addition<'_>) {
        let n_torn = addition.n_taken - addition.n_whole;
        let Some(n_bytes) = self.n_bytes.checked_sub(n_torn).filter(|_| n_torn > 0) else { return };
        let is_ours = self.file.n_bytes().is_ok_and(|n_bytes| n_bytes == self.n_bytes);
        if is_ours && self.file.cut(n_bytes).is_ok() {
            self.n_bytes = n_bytes;
            addition.start_unit_again();
        }
    }
}

/// Returns whether the last of `n_bytes` bytes is in the middle of a line.
pub(super) fn ends_inside_a_line(file: &dyn DiskFile, n_bytes: u64) -> bool {
    let mut last = [0];
    let Some(at) = n_bytes.checked_sub(1) else { return false };
    matches!(file.read_at(&mut last, at), Ok(1)) && last != *b"\n"
}

/// Ends the line that a file ends in.
pub(super) fn end_line(file: &dyn DiskFile) -> io::Result<()> {
    Appender(file).write_all(b"\n")
}

/// Writes to the end of a file.
pub(super) struct Appender<'a>(pub(super) &'a dyn DiskFile);

impl Write for Appender<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
