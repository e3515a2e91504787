//! What the positions of followed files mean beyond this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use logweir_event::{Position, Positions, Reached};

use super::registry::{Committed, Registry};
use crate::checkpoint::encode_checkpoint;
use crate::fingerprint::Fingerprint;
use crate::tracker::{AckTracker, Mark};

/// Makes checkpoints of positions that are covered before they are delivered, and knows what has been committed.
#[derive(Clone, Debug)]
pub(super) struct FollowPositions {
    pub(super) pipeline: String,
    pub(super) registry: Registry,
    pub(super) tracker: AckTracker,
    /// What the last checkpoint that was written says.
    pub(super) committed: Committed,
    /// Whether no checkpoint is written yet.
    pub(super) is_held: Arc<AtomicBool>,
}

impl FollowPositions {
    /// Returns the mark of a place. That of a chunk's end is known; any other has as much before it as is at hand.
    fn mark(&self, reached: &Reached) -> Mark {
        let known = self.tracker.mark_at(reached.position);
        known.unwrap_or_else(|| Mark { position: reached.position, tail: Fingerprint::of(&reached.before) })
    }
}

impl Positions for FollowPositions {
    /// Returns what tells a file by: its device and inode, and what it begins with.
    fn identity(&self, input: u32) -> Vec<u8> {
        self.registry.identity(input)
    }

    fn covering(&self, reached: &[Reached]) -> Option<Vec<u8>> {
        let mut marks = self.tracker.marks();
        for reached in reached {
            let mark = marks.entry(reached.position.input).or_default();
            if mark.position.offset <= reached.position.offset {
                *mark = self.mark(reached);
            }
        }
        Some(encode_checkpoint(&self.pipeline, &self.registry.checkpoint(&marks)))
    }

    fn former_is_delivered(&self) {
        self.is_held.store(false, Ordering::Relaxed);
    }

    fn is_committed(&self, positions: &[Position]) -> bool {
        self.committed.covers(positions)
    }
}
