//! The loop that every source runs: read, cut, send.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use logweir_event::Position;
use tokio_util::sync::CancellationToken;

use crate::chunker::{Chunker, RawChunk};
use crate::context::SourceContext;
use crate::sender::{ChunkSender, Closed};

/// An input as the loop sees it.
pub(crate) trait Input: Read {
    /// Returns how many bytes of the source have been read so far, if that is another number than that of the bytes
    /// it gave.
    fn n_source_bytes(&self) -> Option<u64>;

    /// Returns whether what has been read from it can be read again, as from a regular file, or is gone, as from a
    /// pipe.
    fn can_be_read_again(&self) -> bool;
}

/// How the reading of an input ended.
pub(crate) enum End {
    /// All of it has been read.
    Finished,
    /// Reading failed; what came before has been sent.
    Failed(io::Error),
    /// The source is to stop; what has been read has been sent, save an unfinished line that can be read again or that
    /// nobody wants.
    Stopped,
}

/// Reads inputs one after the other and sends what they hold.
pub(crate) struct Pump {
    chunker: Chunker,
    chunks: ChunkSender,
    stop: CancellationToken,
    abandoned: Arc<AtomicBool>,
}

impl Pump {
    /// Returns one that has read nothing yet.
    pub(crate) fn new(context: SourceContext) -> Self {
        let chunker = Chunker::new(context.pool, context.limits);
        Self { chunker, chunks: context.chunks, stop: context.stop, abandoned: context.abandoned }
    }

    /// Reads an input to its end and sends all of it; returns how it ended and how many bytes it gave.
    ///
    /// If reading fails, or a pipe is to be read no further, what is left of the last line is sent like a line:
    /// nothing that was read may vanish, and whether it is an event is for decode to say.
    pub(crate) fn read(&mut self, index: u32, input: &mut impl Input) -> Result<(End, u64), Closed> {
        let mut sent = Sent { position: Position { input: index, offset: 0 }, n_source_bytes: 0 };
        let end = loop {
            if !self.chunker.wait(&self.stop) {
                break End::Stopped;
            }
            match self.chunker.fill(input) {
                // A wait that the alarm ended looks like an error.
                Err(_) if self.stop.is_cancelled() => break End::Stopped,
                Err(error) => break End::Failed(error),
                Ok(0) => break End::Finished,
                Ok(_) => {}
            }
            if let Some(raw) = self.chunker.take() {
                self.send(raw, &mut sent, input)?;
            }
        };
        let is_worth_sending = || !input.can_be_read_again() && !self.abandoned.load(Ordering::Relaxed);
        if matches!(end, End::Stopped) && !is_worth_sending() {
            let n_bytes = self.chunker.discard();
            if n_bytes > 0 {
                tracing::debug!(n_bytes, "stopped inside a line, which is not passed on");
            }
            return Ok((end, sent.position.offset));
        }
        match self.chunker.finish() {
            Some(raw) => self.send(raw, &mut sent, input)?,
            None => self.pass(&mut sent, input),
        }
        Ok((end, sent.position.offset))
    }

    fn send(&mut self, raw: RawChunk, sent: &mut Sent, input: &impl Input) -> Result<(), Closed> {
        let n_source_bytes = sent.advance(raw.n_bytes_read, input);
        self.chunks.blocking_send(self.chunks.chunk(raw, sent.position.into(), n_source_bytes))
    }

    /// Accounts for what was read behind the last line.
    fn pass(&mut self, sent: &mut Sent, input: &impl Input) {
        let n_source_bytes = sent.advance(0, input);
        if n_source_bytes > 0 {
            self.chunks.pass(sent.position.into(), n_source_bytes);
        }
    }
}

/// How far the chunks of an input have come.
struct Sent {
    position: Position,
    n_source_bytes: u64,
}

impl Sent {
    /// Moves on by a chunk of `n_bytes`; returns the bytes of the source it stands for.
    fn advance(&mut self, n_bytes: u64, input: &impl Input) -> u64 {
        self.position.offset += n_bytes;
        let before = self.n_source_bytes;
        self.n_source_bytes = input.n_source_bytes().unwrap_or(self.position.offset);
        self.n_source_bytes - before
    }
}
