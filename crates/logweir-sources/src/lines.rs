//! Reads the lines of one input, one after the other, for whoever looks at single events.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use bytes::Bytes;

use crate::buffer::BufferPool;
use crate::chunker::{ChunkLimits, Chunker, RawChunk};
use crate::file::Decompressed;
use crate::raw::RawInput;

/// Bytes read at once: little, since whoever looks at single events is a person.
const READ_BYTES: usize = 64 << 10;

/// One line of an input.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InputLine {
    /// A line with its ending, which the last one may lack.
    Whole(Bytes),
    /// One that is longer than any event may be, and was not kept.
    Oversized,
}

/// Reads the lines of one input as a source does: a byte-order mark at its start is taken away, a compressed file is
/// decompressed, and of a line that is too long nothing is held.
pub struct InputLines {
    input: Box<dyn Read>,
    chunker: Chunker,
    /// Lines that were too long and came before the rest.
    n_oversized: u64,
    /// What has been read and not been given yet.
    rest: Bytes,
    /// Whether the input has come to its end.
    is_over: bool,
}

impl InputLines {
    /// Opens a file, compressed or not. Lines longer than `max_event_bytes` are too long.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn open(path: &Path, max_event_bytes: usize) -> io::Result<Self> {
        let raw = RawInput::unwatched(File::open(path)?);
        Ok(Self::new(Box::new(Decompressed::new(raw)), max_event_bytes))
    }

    /// Returns the lines of standard input, compressed or not, which are read as they come. Lines longer than
    /// `max_event_bytes` are too long.
    ///
    /// # Errors
    ///
    /// If the process may open no more files.
    pub fn stdin(max_event_bytes: usize) -> io::Result<Self> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Self::new(Box::new(Decompressed::new(RawInput::unwatched(input))), max_event_bytes))
    }

    fn new(input: Box<dyn Read>, max_event_bytes: usize) -> Self {
        // The pool is never waited for: a chunk is given whole before the next is read.
        let pool = BufferPool::new(READ_BYTES, READ_BYTES);
        let limits = ChunkLimits { max_event_bytes, chunk_bytes: READ_BYTES };
        let chunker = Chunker::new(pool, limits);
        Self { input, chunker, n_oversized: 0, rest: Bytes::new(), is_over: false }
    }

    /// Returns the next line; `None` at the end. It blocks until there is one.
    ///
    /// # Errors
    ///
    /// The reader's; what was read before has been given, save a line that it ended.
    pub fn next_line(&mut self) -> io::Result<Option<InputLine>> {
        loop {
            if self.n_oversized > 0 {
                self.n_oversized -= 1;
                return Ok(Some(InputLine::Oversized));
            }
            if !self.rest.is_empty() {
                let end = memchr::memchr(b'\n', &self.rest).map_or(self.rest.len(), |at| at + 1);
                return Ok(Some(InputLine::Whole(self.rest.split_to(end))));
            }
            if self.is_over {
                return Ok(None);
            }
            if let Some(RawChunk { bytes, n_oversized, .. }) = self.read()? {
                // A line is skipped only once it fills the buffer, so it came before all lines behind it.
                (self.rest, self.n_oversized) = (bytes, n_oversized);
            }
        }
    }

    /// Reads once; returns the whole lines that this gave.
    fn read(&mut self) -> io::Result<Option<RawChunk>> {
        if self.chunker.fill(&mut self.input)? == 0 {
            self.is_over = true;
            return Ok(self.chunker.finish());
        }
        Ok(self.chunker.take())
    }
}

impl std::fmt::Debug for InputLines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputLines").field("is_over", &self.is_over).finish_non_exhaustive()
    }
}
