//! How far everything has been delivered.
//!
//! Chunks are resolved in any order, but a source may only forget what comes before the first one that is not
//! delivered. So the tracker keeps a low watermark: the end of the longest run of delivered chunks from the start.
//! A chunk that was not delivered stops it for good.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use logweir_event::{Ack, Position, Verdict};

/// Hands out the acks of a source's chunks and keeps what they tell.
///
/// It holds memory for unresolved acks only. A clone tracks the same chunks.
#[derive(Clone, Default)]
pub struct AckTracker {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// The number of acks handed out, and so the next one's number.
    n_acks: u64,
    n_resolved: u64,
    n_undelivered: u64,
    /// All before it has been delivered.
    delivered: Run,
    /// The unresolved acks before `stuck_at`, by their number.
    unresolved: BTreeMap<u64, Unresolved>,
    /// The first ack that was not delivered. What comes behind it can never move the watermark and is only counted.
    stuck_at: Option<u64>,
}

struct Unresolved {
    position: Position,
    n_source_bytes: u64,
    /// The delivered acks between this one and the next unresolved one.
    behind: Run,
}

/// Delivered chunks that follow each other.
#[derive(Clone, Copy, Default)]
struct Run {
    /// Where the last one ends; `None` if there is none.
    end: Option<Position>,
    n_source_bytes: u64,
}

impl Run {
    fn extend(&mut self, other: Run) {
        self.end = other.end.or(self.end);
        self.n_source_bytes += other.n_source_bytes;
    }
}

impl AckTracker {
    /// Returns one that has handed out nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands out the ack of the chunk that ends at `position` and stands for `n_source_bytes` bytes of the source.
    /// Acks are to be asked for in the order of their positions.
    pub fn ack(&self, position: Position, n_source_bytes: u64) -> Ack {
        let mut state = self.lock();
        let number = state.n_acks;
        state.n_acks += 1;
        if state.stuck_at.is_none() {
            state.unresolved.insert(number, Unresolved { position, n_source_bytes, behind: Run::default() });
        }
        let tracker = self.clone();
        Ack::new(move |verdict| tracker.lock().resolve(number, verdict))
    }

    /// Returns the position before which everything has been delivered, `None` if nothing has.
    pub fn delivered(&self) -> Option<Position> {
        self.lock().delivered.end
    }

    /// Returns how many bytes of the source lie before [`delivered`](AckTracker::delivered).
    pub fn delivered_source_bytes(&self) -> u64 {
        self.lock().delivered.n_source_bytes
    }

    /// Returns how many chunks nobody has said anything about yet.
    pub fn unresolved(&self) -> u64 {
        let state = self.lock();
        state.n_acks - state.n_resolved
    }

    /// Returns how many chunks were not delivered.
    pub fn undelivered(&self) -> u64 {
        self.lock().n_undelivered
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; the state is whole even if some did.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn resolve(&mut self, number: u64, verdict: Verdict) {
        self.n_resolved += 1;
        match verdict {
            Verdict::Delivered => self.deliver(number),
            Verdict::NotDelivered => {
                self.n_undelivered += 1;
                self.stuck_at = Some(self.stuck_at.map_or(number, |at| at.min(number)));
                self.unresolved.split_off(&number);
            }
        }
    }

    fn deliver(&mut self, number: u64) {
        let Some(resolved) = self.unresolved.remove(&number) else {
            return;
        };
        let mut run = Run { end: Some(resolved.position), n_source_bytes: resolved.n_source_bytes };
        run.extend(resolved.behind);
        match self.unresolved.range_mut(..number).next_back() {
            Some((_, before)) => before.behind.extend(run),
            None => self.delivered.extend(run),
        }
    }
}

impl fmt::Debug for AckTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AckTracker")
            .field("delivered", &self.delivered())
            .field("unresolved", &self.unresolved())
            .field("undelivered", &self.undelivered())
            .finish()
    }
}
