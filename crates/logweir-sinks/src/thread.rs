//! Runs what blocks where it may.

use tokio::task::{JoinError, spawn_blocking};

use crate::error::SinkError;

/// Runs `write` on a thread made for blocking, waits for its end and returns what it returns.
pub(crate) async fn on_thread<T: Send + 'static>(
    write: impl FnOnce() -> Result<T, SinkError> + Send + 'static,
) -> Result<T, SinkError> {
    match spawn_blocking(write).await.map_err(JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(error)) => Err(SinkError::Thread { source: error.into() }),
    }
}
