//! Runs what blocks where it may, and wakes it from outside.

use std::io::{PipeReader, PipeWriter, pipe};
use std::sync::Arc;

use tokio::select;
use tokio::task::{JoinError, spawn_blocking};

use crate::context::SinkContext;
use crate::error::SinkError;

/// Becomes readable when there is no time left to wait for anything.
pub(crate) type Alarm = Arc<PipeReader>;

/// Runs `write` on a thread made for blocking, waits for its end and returns what it returns.
pub(crate) async fn on_thread<T: Send + 'static>(
    write: impl FnOnce() -> Result<T, SinkError> + Send + 'static,
) -> Result<T, SinkError> {
    joined(spawn_blocking(write).await)
}

/// Runs `write` as [`on_thread`] does; once the context's `abort` is cancelled, or the future dropped, the alarm goes
/// off, which wakes who polls it.
pub(crate) async fn on_thread_with_alarm(
    context: SinkContext,
    write: impl FnOnce(SinkContext, Alarm) -> Result<(), SinkError> + Send + 'static,
) -> Result<(), SinkError> {
    let (alarm, wake): (_, PipeWriter) = pipe().map_err(|source| SinkError::Thread { source })?;
    let abort = context.abort.clone();
    let mut thread = spawn_blocking(move || write(context, Arc::new(alarm)));
    select! {
        // Cancel safe: the handle is only borrowed, and joined below.
        ended = &mut thread => return joined(ended),
        // Cancel safe: a cancelled token stays cancelled. What closes the pipe is that its writing end is dropped.
        () = abort.cancelled() => drop(wake),
    }
    joined(thread.await)
}

fn joined<T>(ended: Result<Result<T, SinkError>, JoinError>) -> Result<T, SinkError> {
    match ended.map_err(JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(error)) => Err(SinkError::Thread { source: error.into() }),
    }
}
