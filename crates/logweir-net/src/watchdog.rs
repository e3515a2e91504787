//! Who notices that nothing moves.

use http::Extensions;
use hyper_util::client::legacy::connect::CaptureConnection;
use tokio::time::{Instant, sleep_until};

use crate::connection::Progress;
use crate::failure::Failure;
use crate::timeouts::Timeouts;

/// Watches over one request, whatever connection it gets. Dropping it ends that connection, unless it is
/// [released](Watchdog::release): nobody waits for what is still to come then.
pub(crate) struct Watchdog {
    captured: CaptureConnection,
    /// That of the connection that the request got last, `None` before it has one.
    watched: Option<Progress>,
    timeouts: Timeouts,
    server: String,
    is_released: bool,
}

impl Watchdog {
    pub(crate) fn new(captured: CaptureConnection, timeouts: Timeouts, server: String) -> Self {
        Self { captured, watched: None, timeouts, server, is_released: false }
    }

    /// Waits until the request has stalled, and says how. Before there is a connection it only waits: dialling has limits
    /// of its own.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it can be asked again.
    pub(crate) async fn stalled(&mut self) -> Failure {
        if self.watched.is_none() {
            drop(self.captured.wait_for_connection_metadata().await);
        }
        loop {
            self.look();
            let Some(progress) = &self.watched else {
                // No connection, and none to come: the request itself says why.
                return futures::future::pending().await;
            };
            let (stalled_at, late_at) = self.limits(progress);
            let now = Instant::now();
            if stalled_at <= now {
                return Failure::Stalled { server: self.server.clone(), limit: self.timeouts.progress };
            }
            if late_at <= now {
                return Failure::AnswerTimeout { server: self.server.clone(), limit: self.timeouts.answer };
            }
            sleep_until(stalled_at.min(late_at)).await;
        }
    }

    /// Leaves the connection to the next request.
    pub(crate) fn release(mut self) {
        self.is_released = true;
    }

    /// Returns until when something must move, and until when the answer must be whole, if nothing moves until then.
    fn limits(&self, progress: &Progress) -> (Instant, Instant) {
        let stalled_at = progress.last_moved() + self.timeouts.progress;
        let late_at = progress.last_written() + self.timeouts.answer;
        (stalled_at, late_at)
    }

    /// Looks which connection the request has: a pooled one that was closed meanwhile is exchanged for another.
    fn look(&mut self) {
        let mut extras = Extensions::new();
        if let Some(connected) = self.captured.connection_metadata().as_ref() {
            connected.get_extras(&mut extras);
        }
        let Some(progress) = extras.remove::<Progress>() else { return };
        let is_known = self.watched.as_ref().is_some_and(|known| known.is_of_same_connection(&progress));
        if !is_known {
            progress.begin();
            self.watched = Some(progress);
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if self.is_released {
            return;
        }
        self.look();
        if let Some(progress) = &self.watched {
            progress.cut();
        }
    }
}
