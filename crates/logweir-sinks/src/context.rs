//! What a sink works with.

use std::fmt;
use std::sync::Arc;

use logweir_event::{Condition, Position, Positions, Reached};
use tokio_util::sync::CancellationToken;

use crate::receiver::PayloadReceiver;

/// What a sink works with.
pub struct SinkContext {
    /// Where payloads come from.
    pub payloads: PayloadReceiver,
    /// Cancelled when there is no time left to deliver what is still on its way: a sink that waits for room, or for
    /// anything else that may take for ever, gives up then.
    pub abort: CancellationToken,
    /// Learns what holds the sink up while it goes on trying.
    pub condition: Condition,
    /// Knows what the positions of the source mean; [`ReadOnce`] where there is nothing to know.
    pub positions: Arc<dyn Positions>,
}

impl fmt::Debug for SinkContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SinkContext").field("payloads", &self.payloads).finish_non_exhaustive()
    }
}

/// The positions of a source that cannot read anything again, and whose inputs nobody has to tell from others.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOnce;

impl Positions for ReadOnce {
    fn identity(&self, _input: u32) -> Vec<u8> {
        Vec::new()
    }

    fn covering(&self, _reached: &[Reached]) -> Option<Vec<u8>> {
        None
    }

    fn is_committed(&self, _positions: &[Position]) -> bool {
        true
    }
}
