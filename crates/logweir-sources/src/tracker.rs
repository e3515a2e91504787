//! How far everything has been delivered.
//!
//! Chunks are resolved in any order, but a source may only forget what comes before the first one that is not
//! delivered. So the tracker keeps a low watermark: the end of the longest run of delivered chunks from the start, and
//! with it the last delivered place of each input. A chunk that was not delivered stops it for good.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use logweir_event::{Ack, Position, Verdict};

use crate::fingerprint::Fingerprint;

/// Where a chunk ends, and what comes before: enough to find the place again, and to know that it is still the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mark {
    /// The place.
    pub position: Position,
    /// Of the bytes before it, as many as a fingerprint takes; of none where the input cannot be read again.
    pub tail: Fingerprint,
}

impl From<Position> for Mark {
    /// Returns a mark that says nothing of what comes before.
    fn from(position: Position) -> Self {
        Self { position, tail: Fingerprint::default() }
    }
}

/// Hands out the acks of a source's chunks and keeps what they tell.
///
/// It holds memory for the chunks from the first unresolved one on. A clone tracks the same chunks.
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
    /// From the first ack that is not delivered on; none beyond one that never will be.
    waiting: VecDeque<Waiting>,
    /// The number of the first of `waiting`.
    first: u64,
    /// Whether `waiting` ends with an ack that was not delivered. What comes behind can never move the watermark and
    /// is only counted.
    is_stuck: bool,
    /// The end of the last delivered chunk before all undelivered ones.
    delivered: Option<Position>,
    delivered_source_bytes: u64,
    /// The last delivered place of each input.
    marks: BTreeMap<u32, Mark>,
}

struct Waiting {
    mark: Mark,
    n_source_bytes: u64,
    since: Instant,
    is_delivered: bool,
}

impl AckTracker {
    /// Returns one that has handed out nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands out the ack of the chunk that ends at `mark` and stands for `n_source_bytes` bytes of the source. Acks
    /// are to be asked for in the order of their positions within each input.
    pub fn ack(&self, mark: Mark, n_source_bytes: u64) -> Ack {
        let mut state = self.lock();
        let number = state.n_acks;
        state.n_acks += 1;
        if !state.is_stuck {
            let since = Instant::now();
            state.waiting.push_back(Waiting { mark, n_source_bytes, since, is_delivered: false });
        }
        let tracker = self.clone();
        Ack::new(move |verdict| tracker.lock().resolve(number, verdict))
    }

    /// Returns the position before which everything has been delivered, `None` if nothing has.
    pub fn delivered(&self) -> Option<Position> {
        self.lock().delivered
    }

    /// Returns the last delivered place of each input that has one.
    pub fn marks(&self) -> BTreeMap<u32, Mark> {
        self.lock().marks.clone()
    }

    /// Returns the mark of a place where a chunk ends that is on its way, or was the last of its input to be delivered.
    pub fn mark_at(&self, position: Position) -> Option<Mark> {
        let state = self.lock();
        // What is asked for is mostly of late.
        let waiting = state.waiting.iter().rev().map(|waiting| &waiting.mark);
        let mut known = waiting.chain(state.marks.get(&position.input));
        known.find(|mark| mark.position == position).copied()
    }

    /// Forgets an input, of which no more chunks come and all that came are delivered.
    pub fn forget(&self, input: u32) {
        self.lock().marks.remove(&input);
    }

    /// Returns how many chunks lie before [`delivered`](AckTracker::delivered).
    pub fn n_delivered(&self) -> u64 {
        self.lock().first
    }

    /// Returns how many bytes of the source lie before [`delivered`](AckTracker::delivered).
    pub fn delivered_source_bytes(&self) -> u64 {
        self.lock().delivered_source_bytes
    }

    /// Returns how long the oldest undelivered chunk has been on its way; zero if there is none.
    pub fn oldest(&self) -> Duration {
        self.lock().waiting.front().map_or(Duration::ZERO, |waiting| waiting.since.elapsed())
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
        // What is not kept is behind one that was not delivered.
        let index = number.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        let Some(index) = index.filter(|&index| index < self.waiting.len()) else {
            self.n_undelivered += u64::from(verdict == Verdict::NotDelivered);
            return;
        };
        match verdict {
            Verdict::Delivered => {
                self.waiting[index].is_delivered = true;
                self.advance();
            }
            Verdict::NotDelivered => {
                self.n_undelivered += 1;
                self.waiting.truncate(index + 1);
                self.is_stuck = true;
            }
        }
    }

    /// Moves the watermark over what is delivered.
    fn advance(&mut self) {
        while self.waiting.front().is_some_and(|waiting| waiting.is_delivered) {
            let Some(waiting) = self.waiting.pop_front() else { return };
            self.first += 1;
            self.delivered = Some(waiting.mark.position);
            self.delivered_source_bytes += waiting.n_source_bytes;
            self.marks.insert(waiting.mark.position.input, waiting.mark);
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
