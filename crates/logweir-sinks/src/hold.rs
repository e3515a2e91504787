//! Waits out what keeps a sink from going on.
//!
//! A disk that is full, a directory that was removed, a device that fails for a while: somebody will mend it, and
//! until then nothing may be lost. So the sink holds what it has, which in time stops the source, and tries again.

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use logweir_event::Condition;
use tokio_util::sync::CancellationToken;

use crate::backoff::{Backoff, FIRST_PAUSE};
use crate::context::SinkContext;
use crate::error::SinkError;
use crate::upload::SpoolError;
use crate::wait::Waiter;

/// Holds one sink up while there is something to be waited out, and says so.
#[derive(Debug)]
pub(crate) struct Hold {
    /// What the sink is called in logs and in its condition.
    subject: String,
    abort: CancellationToken,
    condition: Condition,
    waiter: Waiter,
    first_pause: Duration,
    /// The pauses of the trouble there is; `None` while there is none.
    backoff: Option<Backoff>,
}

impl Hold {
    /// Returns one for a sink that works with `context`, on the thread that is to wait.
    pub(crate) fn new(subject: String, context: &SinkContext) -> Self {
        Self::of(subject, context.abort.clone(), context.condition.clone())
    }

    /// Returns one that gives up when `abort` is cancelled and tells `condition`, on the thread that is to wait.
    pub(crate) fn of(subject: String, abort: CancellationToken, condition: Condition) -> Self {
        Self { subject, abort, condition, waiter: Waiter::new(), first_pause: FIRST_PAUSE, backoff: None }
    }

    /// Returns the same with another pause before what failed is first tried again.
    pub(crate) fn with_first_pause(self, first_pause: Duration) -> Self {
        Self { first_pause, ..self }
    }

    /// Says what is wrong, and pauses before it is tried again.
    ///
    /// # Errors
    ///
    /// What is wrong, if waiting cannot mend it or there is no time left to wait.
    pub(crate) fn wait_out(&mut self, error: SinkError) -> Result<(), SinkError> {
        if is_final(&error) {
            return Err(error);
        }
        self.tell(&error);
        let first_pause = self.first_pause;
        let pause = self.backoff.get_or_insert_with(|| Backoff::starting_with(first_pause)).pause();
        if self.waiter.pause(pause, &self.abort) { Err(error) } else { Ok(()) }
    }

    /// Says what is wrong, to be tried again by who says it.
    pub(crate) fn tell(&mut self, error: &SinkError) {
        let first_pause = self.first_pause;
        self.backoff.get_or_insert_with(|| Backoff::starting_with(first_pause));
        if self.condition.trouble(&self.subject, kind(error), error) {
            tracing::error!(
                sink = self.subject,
                error = error as &dyn Error,
                "the sink cannot go on, and the pipeline waits for it; it is tried again and again"
            );
        }
    }

    /// Says that all is well, if it was not.
    pub(crate) fn is_over(&mut self) {
        if self.backoff.take().is_some() && self.condition.clear(&self.subject) {
            tracing::info!(sink = self.subject, "the sink goes on");
        }
    }

    /// Returns what lets this thread wait.
    pub(crate) fn waiter(&self) -> &Waiter {
        &self.waiter
    }

    /// Returns the token that is cancelled when there is no time left.
    pub(crate) fn abort(&self) -> &CancellationToken {
        &self.abort
    }
}

/// Returns whether waiting cannot mend it: the other end is gone, or we ask for what can never be done.
fn is_final(error: &SinkError) -> bool {
    match error {
        SinkError::Open { source, .. }
        | SinkError::Write { source, .. }
        | SinkError::Rename { source, .. } => {
            let kinds = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset, ErrorKind::InvalidInput];
            kinds.contains(&source.kind()) || is(source, rustix::io::Errno::BADF)
        }
        SinkError::Spool { source: SpoolError::Access { .. } | SpoolError::InUse { .. }, .. } => false,
        _ => true,
    }
}

/// Returns what kind of trouble it is in one word, for metrics.
fn kind(error: &SinkError) -> &'static str {
    match error {
        SinkError::Open { source, .. }
        | SinkError::Write { source, .. }
        | SinkError::Spool { source: SpoolError::Access { source, .. }, .. }
            if matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) =>
        {
            "full"
        }
        error => error.kind(),
    }
}

fn is(error: &io::Error, errno: rustix::io::Errno) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(errno)
}
