//! Learns when the source itself knows what has been delivered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use logweir_event::{Position, Positions};

/// How often the source is asked: it comes to know about once a second.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Learns when the source has kept for good that all up to a batch is delivered, so that the spool need no longer say so.
///
/// It asks about one batch at a time until the answer is yes. Asking about the last one would never come to an end
/// while there are always new ones.
pub(super) struct Commits {
    positions: Arc<dyn Positions>,
    /// Up to which batch the source knows.
    committed: Arc<AtomicU64>,
    /// The batch that is asked about, and how far it reaches and all before it that the source does not know of.
    asked: Option<(u64, Vec<Position>)>,
    /// The last batch that is delivered, and how far it reaches and all since the one that is asked about.
    next: Option<(u64, BTreeMap<u32, Position>)>,
    /// When it is asked next.
    next_time: Instant,
}

impl Commits {
    pub(super) fn new(positions: Arc<dyn Positions>, committed: Arc<AtomicU64>) -> Self {
        Self { positions, committed, asked: None, next: None, next_time: Instant::now() }
    }

    /// Notes that a batch is delivered, with all before it.
    pub(super) fn note(&mut self, seq: u64, reached: &[Position]) {
        let (last, positions) = self.next.get_or_insert_with(|| (seq, BTreeMap::new()));
        *last = seq;
        positions.extend(reached.iter().map(|position| (position.input, *position)));
    }

    /// Asks, if it is time to; returns the last batch up to which the source has come to know.
    pub(super) fn ask(&mut self) -> Option<u64> {
        if self.next_time()? > Instant::now() {
            return None;
        }
        self.next_time = Instant::now() + ASK_EVERY;
        if self.asked.is_none() {
            let (seq, positions) = self.next.take()?;
            self.asked = Some((seq, positions.into_values().collect()));
        }
        let (seq, _) = self.asked.take_if(|(_, reached)| self.positions.is_committed(reached))?;
        self.committed.store(seq, Ordering::Release);
        Some(seq)
    }

    /// Returns when it is to be asked next; `None` if there is nothing to ask.
    pub(super) fn next_time(&self) -> Option<Instant> {
        (self.asked.is_some() || self.next.is_some()).then_some(self.next_time)
    }
}
