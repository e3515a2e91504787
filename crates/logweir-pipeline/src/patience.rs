//! How long a generation may take to end.
//!
//! An end has three steps, so that it comes whatever happens. A pipeline that is to stop stops its source, and what has
//! been read drains. When its deadline is over, `abort` is cancelled: whoever waits for something gives up, and what is
//! still on its way is dropped, which books it as not delivered. Who has not ended a moment later is stuck in a call
//! to the system that nothing can end, and is left behind.

use std::sync::Arc;
use std::time::Duration;

use logweir_sinks::DeadLetterStats;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::live::Live;
use crate::status::Status;

/// How long components may take to end once there is nothing more to wait for.
const GRACE: Duration = Duration::from_millis(500);

/// What is needed to end a generation when its time is over.
pub(crate) struct Patience {
    pub(crate) stop: CancellationToken,
    pub(crate) hold: CancellationToken,
    pub(crate) abort: CancellationToken,
    pub(crate) status: Arc<Status>,
    pub(crate) live: Arc<Live>,
}

impl Patience {
    /// Ends when there is no patience left with what still runs, having cancelled `abort` before, when the deadline was
    /// over.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: time that was waited is lost, and nothing else.
    pub(crate) async fn run_out(self, deadline: Duration) {
        self.stop.cancelled().await;
        sleep(deadline).await;
        let (pipeline, in_flight) = (&self.status.name, self.status.ledger.accounts().in_flight());
        tracing::warn!(pipeline, ?deadline, in_flight, "the deadline is over; what still waits gives up");
        let is_holding = self.live.dead_letters.as_ref().is_some_and(DeadLetterStats::is_holding);
        // What is read again anyway need not come through now, and twice then.
        if is_holding && !self.status.ledger.is_replayable() {
            self.hold.cancel();
            sleep(GRACE).await;
        }
        self.abort.cancel();
        sleep(GRACE).await;
    }
}
