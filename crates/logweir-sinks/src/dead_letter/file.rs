//! One attempt at writing lines to the dead-letter file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use logweir_event::Payload;
use memchr::{memchr, memchr_iter};

use super::DeadLetterConfig;
use crate::append;
use crate::error::SinkError;
use crate::file::AckLevel;
use crate::vectored::{CutOff, runs, write_range};

/// A payload on its way into the file.
pub(super) struct Attempt {
    pub(super) payload: Payload,
    /// The bytes of it that are in the file: whole lines.
    pub(super) n_done: u64,
    /// Why no more are, `None` if all are.
    pub(super) held: Option<SinkError>,
}

/// Opens the file to add lines to it. A named pipe is refused: opening it would wait for a reader, and what its
/// reader does with the lines nobody could know.
pub(super) fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a named pipe"));
    }
    append::open(path)
}

impl Attempt {
    /// Writes as many more lines as there is room for.
    pub(super) fn go_on(mut self, config: &DeadLetterConfig) -> Self {
        self.held = self.write(config).err();
        self
    }

    /// Returns how many lines it has written since `before` bytes were.
    pub(super) fn n_lines_since(&self, before: u64) -> u64 {
        let count = |run: &[u8]| memchr_iter(b'\n', run).count() as u64;
        runs(self.payload.parts(), before..self.n_done).map(count).sum()
    }

    fn write(&mut self, config: &DeadLetterConfig) -> Result<(), SinkError> {
        let path = &config.path;
        let mut file = open(path).map_err(|source| SinkError::Open { path: path.clone(), source })?;
        let failed = |source| SinkError::Write { path: path.clone(), source };
        let mut len = file.metadata().map_err(failed)?.len();
        let needs_ending = append::ends_inside_a_line(&file);

        let room = config.max_bytes.map(|max_bytes| max_bytes.saturating_sub(len + u64::from(needs_ending)));
        let end = self.fitting(room);
        if end > self.n_done {
            if needs_ending {
                file.write_all(b"\n").map_err(failed)?;
                len += 1;
            }
            let start = self.n_done;
            let written = self.write_until(end, &mut file, len).map_err(failed);
            if config.ack == AckLevel::Synced {
                self.sync(start, &file, len, path)?;
            }
            written?;
        }
        match config.max_bytes {
            Some(max_bytes) if self.n_done < self.payload.n_bytes() => Err(self.no_room(config, max_bytes)),
            _ => Ok(()),
        }
    }

    /// Returns where the last line ends that fits into `room` bytes together with those before it.
    fn fitting(&self, room: Option<u64>) -> u64 {
        let n_bytes = self.payload.n_bytes();
        match room {
            Some(room) if room < n_bytes - self.n_done => {
                self.payload.whole_events_within(self.n_done + room).1.max(self.n_done)
            }
            _ => n_bytes,
        }
    }

    /// Writes the bytes before `end` that are not yet in the file, which has `len` bytes.
    fn write_until(&mut self, end: u64, file: &mut File, len: u64) -> io::Result<()> {
        let start = self.n_done;
        let Err(CutOff { n_taken, source }) = write_range(file, self.payload.parts(), start..end) else {
            self.n_done = end;
            return Ok(());
        };
        let n_whole = self.payload.whole_events_within(start + n_taken).1.max(start) - start;
        // If the torn line cannot be taken back, the next attempt ends it before writing it again, whole.
        append::cut_back(file, len + n_whole, len + n_taken);
        self.n_done += n_whole;
        Err(source)
    }

    /// Brings to the disk what was written since `start`, when the file had `len` bytes. If that fails the system may
    /// have lost it, so it is taken back, and is written again.
    fn sync(&mut self, start: u64, file: &File, len: u64, path: &Path) -> Result<(), SinkError> {
        // What is no regular file, a device, has nothing to sync.
        if self.n_done == start || !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Ok(());
        }
        // A file that was empty may have been made by opening it.
        let made = if len == 0 { append::sync_parents(path) } else { Ok(()) };
        file.sync_data().and(made).map_err(|source| {
            append::cut_back(file, len, len + self.n_done - start);
            self.n_done = start;
            SinkError::Sync { path: path.to_owned(), source }
        })
    }

    /// Returns why the next line does not fit.
    fn no_room(&self, config: &DeadLetterConfig, max_bytes: u64) -> SinkError {
        let path = config.path.clone();
        let mut n_bytes = 0;
        for run in runs(self.payload.parts(), self.n_done..self.payload.n_bytes()) {
            let end = memchr(b'\n', run);
            n_bytes += end.map_or(run.len(), |at| at + 1) as u64;
            if end.is_some() {
                break;
            }
        }
        if n_bytes > max_bytes {
            return SinkError::DeadLetterTooSmall { path, max_bytes, n_bytes };
        }
        SinkError::DeadLetterFull { path, max_bytes }
    }
}
