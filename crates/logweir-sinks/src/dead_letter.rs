//! Keeps the lines that are no events.
//!
//! Somebody is to look at them, so none may be lost: a dead-letter file that is full, or cannot be written, *holds*.
//! Nothing more is taken, which in time stops the source, until there is room again because somebody has moved,
//! emptied or enlarged it. For each payload the file is opened anew by its path: so a file that was moved away stays
//! as it was moved, and lines are rare enough for it.

mod file;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use logweir_event::{Condition, FileId, Payload};
use tokio::select;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::append;
use crate::backoff::{Backoff, FIRST_PAUSE};
use crate::context::SinkContext;
use crate::error::SinkError;
use crate::file::AckLevel;
use crate::thread::on_thread;
use file::Attempt;

/// The configuration of `dead_letter.file`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeadLetterConfig {
    /// The file; lines are added behind what it holds.
    pub path: PathBuf,
    /// The size in bytes beyond which it does not grow; unbounded where none is given.
    pub max_bytes: Option<u64>,
    /// When lines count as written.
    pub ack: AckLevel,
}

/// What a [`DeadLetterSink`] has done so far. A clone counts the same.
#[derive(Clone, Default, Debug)]
pub struct DeadLetterStats {
    counts: Arc<Counts>,
}

#[derive(Default, Debug)]
struct Counts {
    n_lines: AtomicU64,
    n_bytes: AtomicU64,
    is_holding: AtomicBool,
}

impl DeadLetterStats {
    /// Returns how many lines have been written.
    pub fn n_lines(&self) -> u64 {
        self.counts.n_lines.load(Ordering::Relaxed)
    }

    /// Returns how many bytes of lines have been written.
    pub fn n_bytes(&self) -> u64 {
        self.counts.n_bytes.load(Ordering::Relaxed)
    }

    /// Returns whether it is holding: it has a line that it cannot write.
    pub fn is_holding(&self) -> bool {
        self.counts.is_holding.load(Ordering::Relaxed)
    }

    fn add(&self, n_lines: u64, n_bytes: u64) {
        self.counts.n_lines.fetch_add(n_lines, Ordering::Relaxed);
        self.counts.n_bytes.fetch_add(n_bytes, Ordering::Relaxed);
    }

    fn set_holding(&self, is_holding: bool) {
        self.counts.is_holding.store(is_holding, Ordering::Relaxed);
    }
}

/// Adds malformed lines to a file, byte for byte, each whole or not at all, and never drops one.
#[derive(Debug)]
pub struct DeadLetterSink {
    config: DeadLetterConfig,
    stats: DeadLetterStats,
}

impl DeadLetterSink {
    /// Returns a sink for the file, made with missing directories above it, so that what is wrong with it shows now.
    ///
    /// # Errors
    ///
    /// [`SinkError::Open`], naming the file or the directory that cannot be made. A full file is no error.
    pub fn open(config: DeadLetterConfig) -> Result<Self, SinkError> {
        append::make_parents(&config.path)?;
        let failed = |source| SinkError::Open { path: config.path.clone(), source };
        let file = file::open(&config.path).map_err(failed)?;
        if config.ack == AckLevel::Synced && file.metadata().is_ok_and(|metadata| metadata.is_file()) {
            append::sync_parents(&config.path).map_err(failed)?;
        }
        Ok(Self { config, stats: DeadLetterStats::default() })
    }

    /// Returns the file it writes to, `None` if that is a device.
    pub fn writes_to(&self) -> Option<FileId> {
        append::id(std::fs::metadata(&self.config.path))
    }

    /// Returns the counts of what it does, to be read while it runs.
    pub fn stats(&self) -> DeadLetterStats {
        self.stats.clone()
    }

    /// Writes payloads of lines until there are no more. While a line cannot be written it is tried again and again,
    /// at most 5 seconds apart, nothing more is taken, and the context's condition says why.
    ///
    /// # Errors
    ///
    /// If `abort` is cancelled while a line is held: why it was held. The acks of that line and of those behind it are
    /// then not delivered.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: if the future is dropped, a line may still be written.
    pub async fn run(self, context: SinkContext) -> Result<(), SinkError> {
        let SinkContext { mut payloads, abort, condition, .. } = context;
        while let Some(payload) = payloads.recv().await {
            self.keep(payload, &abort, &condition).await?;
        }
        Ok(())
    }

    /// Writes one payload, holding for as long as it takes.
    async fn keep(
        &self,
        payload: Payload,
        abort: &CancellationToken,
        condition: &Condition,
    ) -> Result<(), SinkError> {
        let mut attempt = self.attempt(Attempt { payload, n_done: 0, held: None }).await?;
        let mut backoff = Backoff::starting_with(FIRST_PAUSE);
        while let Some(why) = attempt.held.take() {
            self.tell(&why, condition);
            select! {
                // Cancel safe: a cancelled token stays cancelled. Looked at first, so that a retry cannot win.
                biased;
                () = abort.cancelled() => {
                    self.stats.set_holding(false);
                    attempt.payload.cut_off(attempt.n_done);
                    return Err(why);
                }
                // Cancel safe: only time is lost.
                () = sleep(backoff.pause()) => {}
            }
            attempt = self.attempt(attempt).await?;
        }
        if condition.clear(&self.subject()) {
            self.stats.set_holding(false);
            tracing::info!(path = %self.subject(), "the dead-letter file takes lines again");
        }
        attempt.payload.written();
        Ok(())
    }

    /// Says why it holds.
    fn tell(&self, why: &SinkError, condition: &Condition) {
        self.stats.set_holding(true);
        if condition.trouble(&self.subject(), why.kind(), why) {
            tracing::error!(
                path = %self.subject(),
                error = why as &dyn std::error::Error,
                "the dead-letter file takes no more lines, and the pipeline waits for it: move or empty it, or \
                 make it writable; it is tried again every few seconds"
            );
        }
    }

    /// Returns what it is called in logs and in its condition.
    fn subject(&self) -> String {
        self.config.path.display().to_string()
    }

    /// Writes as many lines as there is room for, where it may block.
    async fn attempt(&self, attempt: Attempt) -> Result<Attempt, SinkError> {
        let config = self.config.clone();
        let before = attempt.n_done;
        let attempt = on_thread(move || Ok(attempt.go_on(&config))).await?;
        self.stats.add(attempt.n_lines_since(before), attempt.n_done - before);
        Ok(attempt)
    }
}
