//! Runs a source's reading on a thread of its own, and ends it from outside.
//!
//! A read of a silent pipe waits for ever. So before each read that can wait, the thread polls the input together
//! with the reading end of a pipe made for this alone; to wake it, the writing end is closed.

use std::io::{PipeReader, PipeWriter, pipe};
use std::sync::Arc;

use tokio::select;
use tokio::task::{JoinError, spawn_blocking};
use tokio_util::sync::CancellationToken;

use crate::buffer::BufferPool;
use crate::context::SourceContext;
use crate::error::SourceError;

/// Becomes readable when the thread is to stop.
pub(crate) type Alarm = Arc<PipeReader>;

/// Tells a source's thread to stop, whatever it waits for, when dropped.
struct Interrupt {
    stop: CancellationToken,
    pool: BufferPool,
    /// Closed only after `stop` is cancelled, so that who is woken sees why.
    wake: Option<PipeWriter>,
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.stop.cancel();
        self.pool.wake();
        self.wake.take();
    }
}

/// Runs `read` on a thread of its own and returns its result; once the context's `stop` is cancelled, or the future
/// dropped, the thread is woken from polling and from waiting for memory.
pub(crate) async fn on_thread(
    mut context: SourceContext,
    read: impl FnOnce(SourceContext, Alarm) -> Result<(), SourceError> + Send + 'static,
) -> Result<(), SourceError> {
    let (alarm, wake) = pipe().map_err(|source| SourceError::Thread { source })?;
    let asked = context.stop.clone();
    context.stop = asked.child_token();
    let interrupt = Interrupt { stop: context.stop.clone(), pool: context.pool.clone(), wake: Some(wake) };
    let mut thread = spawn_blocking(move || read(context, Arc::new(alarm)));
    select! {
        // Cancel safe: the handle is only borrowed, and joined below.
        ended = &mut thread => return joined(ended),
        // Cancel safe: a cancelled token stays cancelled.
        () = asked.cancelled() => drop(interrupt),
    }
    joined(thread.await)
}

fn joined(ended: Result<Result<(), SourceError>, JoinError>) -> Result<(), SourceError> {
    match ended.map_err(JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(error)) => Err(SourceError::Thread { source: error.into() }),
    }
}
