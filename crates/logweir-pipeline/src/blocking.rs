//! Work that blocks, where it may.

use tokio::task::{JoinError, spawn_blocking};

/// Runs what may block where it may, and returns what it returns.
pub(crate) async fn on_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await.map_err(JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The runtime is going down, and this with it.
        Err(Err(_)) => std::future::pending().await,
    }
}
