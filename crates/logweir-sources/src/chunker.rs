//! Cuts what is read into whole lines.
//!
//! Each read goes into one buffer. The bytes up to the last line feed leave as a chunk, the buffer itself becoming
//! its memory; what is behind the last line feed, the *tail*, moves to the front of the next buffer. A tail that
//! fills its buffer makes it grow, until it is longer than any event may be: then the line is skipped to its end
//! without being held. Only what a read has just added is searched for line feeds, so a long line costs no more to
//! search than a short one.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use bytes::Bytes;
use memchr::{memchr, memrchr};
use tokio_util::sync::CancellationToken;

use crate::buffer::{Buffer, BufferPool};

/// The byte-order mark of UTF-8: U+FEFF as RFC 3629, section 6, spells it.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// The longest line ending, `\r\n`.
const MAX_ENDING_BYTES: usize = 2;

/// Below one part in this many of a buffer, lines are copied out of it instead of leaving with all of it: a trickle
/// of events would otherwise hold a whole buffer each. Above it, the copy would cost more than the memory is worth.
const SMALL_TAKE: usize = 8;

/// How long lines may be, and how much is read at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChunkLimits {
    /// The longest line in bytes, without its ending, that may be an event.
    pub max_event_bytes: usize,
    /// The most bytes that are read at once.
    pub chunk_bytes: usize,
}

/// Whole lines, before they have an ack.
#[derive(Debug)]
pub struct RawChunk {
    /// The lines with their endings; the last one of an input may lack it.
    pub bytes: Bytes,
    /// Bytes that this stands for: its own, and those skipped since the last one.
    pub n_bytes_read: u64,
    /// Lines skipped since the last one because they were longer than `max_event_bytes`.
    pub n_oversized: u64,
}

/// Cuts what is read into whole lines, whatever the reads give.
///
/// For each input: [`fill`](Chunker::fill) and [`take`](Chunker::take) in turn until there is nothing left to read,
/// then [`finish`](Chunker::finish).
pub struct Chunker {
    pool: BufferPool,
    limits: ChunkLimits,
    /// `None` when the last one has left with a chunk.
    buffer: Option<Buffer>,
    /// The tail of the last buffer, to be put in front of the next; empty while there is a buffer.
    carried: Vec<u8>,
    /// Bytes at the front of the buffer that have been read; of those behind `n_whole`, none is a line feed.
    n_filled: usize,
    /// Bytes at the front of the buffer that are whole lines.
    n_whole: usize,
    /// Whether the input has not yet shown if it starts with a byte-order mark.
    at_start: bool,
    /// The bytes gone so far of the line that is being skipped; the buffer then holds whole lines only.
    skipping: Option<u64>,
    /// Bytes skipped since the last chunk, those of an unfinished line not included.
    n_skipped: u64,
    /// Lines skipped since the last chunk.
    n_oversized: u64,
}

impl Chunker {
    /// Returns one that reads into buffers of `pool`.
    pub fn new(pool: BufferPool, limits: ChunkLimits) -> Self {
        Self {
            pool,
            limits: ChunkLimits { chunk_bytes: limits.chunk_bytes.max(1), ..limits },
            buffer: None,
            carried: Vec::new(),
            n_filled: 0,
            n_whole: 0,
            at_start: true,
            skipping: None,
            n_skipped: 0,
            n_oversized: 0,
        }
    }

    /// Waits until the pool has memory for the next [`fill`](Chunker::fill); returns false if `stop` came first.
    pub fn wait(&self, stop: &CancellationToken) -> bool {
        self.pool.wait(self.n_more(), stop)
    }

    /// Waits like [`wait`](Chunker::wait), no longer than `patience`; returns false if that, or `stop`, came first.
    pub(crate) fn wait_within(&self, stop: &CancellationToken, patience: Duration) -> bool {
        self.pool.wait_within(self.n_more(), stop, patience)
    }

    /// Returns how many bytes of memory the next [`fill`](Chunker::fill) takes from the pool.
    fn n_more(&self) -> usize {
        match &self.buffer {
            Some(buffer) if self.n_filled < buffer.len() => 0,
            Some(buffer) => self.grown(buffer.len()) - buffer.len(),
            None => self.limits.chunk_bytes.max(self.carried.len() + 1),
        }
    }

    /// Says that what is read next is not the start of an input, so that a byte-order mark there is none.
    pub(crate) fn go_on(&mut self) {
        self.at_start = false;
    }

    /// Returns how many bytes have been read that no chunk stands for yet.
    pub(crate) fn n_unfinished(&self) -> u64 {
        self.skipping.unwrap_or(0) + self.n_skipped + (self.n_filled + self.carried.len()) as u64
    }

    /// Reads once, again only if a signal interrupts it; returns how many bytes that gave, 0 at the end of the input.
    ///
    /// It does not wait for memory; that is what [`wait`](Chunker::wait) is for.
    ///
    /// # Errors
    ///
    /// The reader's. Nothing is lost by one: whole lines and the tail are still there to be taken.
    pub fn fill(&mut self, reader: &mut impl Read) -> io::Result<usize> {
        let (max_read, is_skipping) = (self.limits.chunk_bytes, self.skipping.is_some());
        // A carried tail comes to the front of a new buffer, in which nothing is filled.
        let start = self.n_filled + self.carried.len();
        let room = &mut self.make_room().bytes()[start..];
        let n_wanted = room.len().min(max_read);
        let n_read = loop {
            match reader.read(&mut room[..n_wanted]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?.min(n_wanted),
            }
        };
        if is_skipping {
            self.skip_on(n_read);
            return Ok(n_read);
        }
        if let Some(at) = memrchr(b'\n', &room[..n_read]) {
            self.n_whole = self.n_filled + at + 1;
        }
        self.n_filled += n_read;
        self.drop_bom();
        self.drop_oversized_tail();
        Ok(n_read)
    }

    /// Takes the whole lines read so far; `None` if there are none, and none were skipped.
    pub fn take(&mut self) -> Option<RawChunk> {
        if self.n_whole == 0 && self.n_oversized == 0 {
            return None;
        }
        let bytes = self.take_front(self.n_whole);
        self.n_whole = 0;
        Some(self.chunk(bytes))
    }

    /// Takes all that is left at the end of an input, an unfinished last line included, and makes ready for the next
    /// input; `None` if nothing is left.
    pub fn finish(&mut self) -> Option<RawChunk> {
        if let Some(n_bytes) = self.skipping.take() {
            self.count_oversized(n_bytes);
        }
        let bytes = self.take_front(self.n_filled + self.carried.len());
        (self.n_whole, self.at_start) = (0, true);
        (!bytes.is_empty() || self.n_skipped > 0).then(|| self.chunk(bytes))
    }

    /// Lets go of an unfinished line and makes ready for the next input; returns how many of its bytes had been read.
    /// Whole lines must have been taken.
    pub fn discard(&mut self) -> u64 {
        let n_bytes = self.n_unfinished();
        (self.skipping, self.n_skipped) = (None, 0);
        self.carried.clear();
        (self.n_filled, self.n_whole, self.n_oversized, self.at_start) = (0, 0, 0, true);
        n_bytes
    }

    /// Returns the length to which a full buffer grows: at most what the longest event needs.
    fn grown(&self, len: usize) -> usize {
        let longest =
            self.limits.max_event_bytes.saturating_add(MAX_ENDING_BYTES).saturating_add(self.n_whole);
        len.saturating_mul(2).min(longest).max(len + 1)
    }

    /// Returns the buffer to read into, with room for at least one byte behind the `n_filled` there are.
    fn make_room(&mut self) -> &mut Buffer {
        let mut buffer = self.buffer.take().unwrap_or_else(|| {
            let mut buffer = self.pool.lend(self.limits.chunk_bytes.max(self.carried.len() + 1));
            buffer.bytes()[..self.carried.len()].copy_from_slice(&self.carried);
            self.n_filled = self.carried.len();
            self.carried.clear();
            buffer
        });
        if self.n_filled == buffer.len() {
            buffer.grow(self.grown(buffer.len()));
        }
        self.buffer.insert(buffer)
    }

    /// Looks for the end of the line that is being skipped in the `n_read` bytes behind those read before.
    fn skip_on(&mut self, n_read: usize) {
        let (Some(buffer), Some(n_gone)) = (&mut self.buffer, self.skipping) else {
            return;
        };
        let end = self.n_filled + n_read;
        let new = &mut buffer.bytes()[self.n_filled..end];
        let Some(at) = memchr(b'\n', new) else {
            self.skipping = Some(n_gone + n_read as u64);
            return;
        };
        // What is behind the line takes its place, and is looked at like any other read.
        new.copy_within(at + 1.., 0);
        let n_left = n_read - (at + 1);
        let last = memrchr(b'\n', &new[..n_left]);
        self.skipping = None;
        self.count_oversized(n_gone + at as u64 + 1);
        if let Some(at) = last {
            self.n_whole = self.n_filled + at + 1;
        }
        self.n_filled += n_left;
        self.drop_oversized_tail();
    }

    /// Skips a byte-order mark at the start of an input, once enough of it has been read to tell.
    fn drop_bom(&mut self) {
        let (true, Some(buffer)) = (self.at_start, &mut self.buffer) else {
            return;
        };
        let head = &mut buffer.bytes()[..self.n_filled];
        if head.len() < BOM.len() && BOM.starts_with(head) {
            return;
        }
        self.at_start = false;
        if head.starts_with(BOM) {
            head.copy_within(BOM.len().., 0);
            self.n_filled -= BOM.len();
            self.n_whole = self.n_whole.saturating_sub(BOM.len());
            self.n_skipped += BOM.len() as u64;
        }
    }

    /// Begins to skip the tail once no ending can make it an event any more.
    fn drop_oversized_tail(&mut self) {
        let n_tail = self.n_filled - self.n_whole;
        // One byte more may be the `\r` of an ending; if it is not, the line is whole or longer still after the next
        // read. And the mark at the start is no part of a line: wait until it is known to be one.
        if !self.at_start && n_tail > self.limits.max_event_bytes.saturating_add(1) {
            self.skipping = Some(n_tail as u64);
            self.n_filled = self.n_whole;
        }
    }

    fn count_oversized(&mut self, n_bytes: u64) {
        self.n_skipped += n_bytes;
        self.n_oversized += 1;
    }

    fn chunk(&mut self, bytes: Bytes) -> RawChunk {
        let n_bytes_read = bytes.len() as u64 + std::mem::take(&mut self.n_skipped);
        RawChunk { bytes, n_bytes_read, n_oversized: std::mem::take(&mut self.n_oversized) }
    }

    /// Takes the first `n_taken` bytes; the rest, a tail, comes to the front of this buffer or the next.
    fn take_front(&mut self, n_taken: usize) -> Bytes {
        let n_filled = std::mem::take(&mut self.n_filled);
        let Some(mut buffer) = self.buffer.take() else {
            let carried = std::mem::take(&mut self.carried);
            return self.pool.copy(&carried);
        };
        if n_taken == 0 && !buffer.is_grown() {
            (self.buffer, self.n_filled) = (Some(buffer), n_filled);
            return Bytes::new();
        }
        if n_taken >= buffer.len() / SMALL_TAKE {
            self.carried.extend_from_slice(&buffer.bytes()[n_taken..n_filled]);
            return buffer.freeze(n_taken);
        }
        let bytes = self.pool.copy(&buffer.bytes()[..n_taken]);
        if buffer.is_grown() {
            self.carried.extend_from_slice(&buffer.bytes()[n_taken..n_filled]);
        } else {
            buffer.bytes().copy_within(n_taken..n_filled, 0);
            (self.buffer, self.n_filled) = (Some(buffer), n_filled - n_taken);
        }
        bytes
    }
}

impl std::fmt::Debug for Chunker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunker").field("limits", &self.limits).finish_non_exhaustive()
    }
}
