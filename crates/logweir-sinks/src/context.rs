//! What a sink works with.

use logweir_event::Condition;
use tokio_util::sync::CancellationToken;

use crate::receiver::PayloadReceiver;

/// What a sink works with.
#[derive(Debug)]
pub struct SinkContext {
    /// Where payloads come from.
    pub payloads: PayloadReceiver,
    /// Cancelled when there is no time left to deliver what is still on its way: a sink that waits for room, or for
    /// anything else that may take for ever, gives up then.
    pub abort: CancellationToken,
    /// Learns what holds the sink up while it goes on trying.
    pub condition: Condition,
}
