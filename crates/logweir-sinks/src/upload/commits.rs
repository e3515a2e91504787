//! Learns when the source itself knows what has been delivered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use logweir_event::{Position, Positions};

/// How often the source is asked: it comes to know about once a second.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// What the thread that writes and who uploads tell each other.
#[derive(Default, Debug)]
pub(super) struct Progress {
    /// Up to which batch the source knows that all is delivered.
    committed: AtomicU64,
    /// The first place that this run has reached.
    first: OnceLock<Position>,
    /// How many batches a former run has left that say from where to go on; not known before the spool is examined.
    n_left_over: OnceLock<usize>,
}

impl Progress {
    /// Notes a place that this run has reached.
    pub(super) fn reach(&self, position: Position) {
        self.first.get_or_init(|| position);
    }

    /// Notes how many batches a former run has left, before any of them is handed on.
    pub(super) fn leave_over(&self, n_batches: usize) {
        self.n_left_over.get_or_init(|| n_batches);
    }

    /// Returns up to which batch the source knows that all is delivered.
    pub(super) fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }
}

/// Learns when the source has kept for good that all up to a batch is delivered, so that the spool need no longer say so.
///
/// It asks about one batch at a time until the answer is yes. Asking about the last one would never come to an end
/// while there are always new ones.
pub(super) struct Commits {
    positions: Arc<dyn Positions>,
    progress: Arc<Progress>,
    /// The last batch that a former run has left, once it is delivered with all before it. The source has begun behind
    /// it; so once it has kept any place that it has reached since, it knows that.
    left_over: Option<u64>,
    /// How many of them are delivered.
    n_left_over_delivered: usize,
    /// The batch that is asked about, and how far it reaches and all before it that the source does not know of.
    asked: Option<(u64, Vec<Position>)>,
    /// The last batch that is delivered, and how far it reaches and all since the one that is asked about.
    next: Option<(u64, BTreeMap<u32, Position>)>,
    /// When it is asked next.
    next_time: Instant,
}

impl Commits {
    pub(super) fn new(positions: Arc<dyn Positions>, progress: Arc<Progress>) -> Self {
        Self {
            positions,
            progress,
            left_over: None,
            n_left_over_delivered: 0,
            asked: None,
            next: None,
            next_time: Instant::now(),
        }
    }

    /// Notes that a batch is delivered, with all before it.
    pub(super) fn note(&mut self, seq: u64, reached: &[Position]) {
        let (last, positions) = self.next.get_or_insert_with(|| (seq, BTreeMap::new()));
        *last = seq.max(*last);
        positions.extend(reached.iter().map(|position| (position.input, *position)));
    }

    /// Notes that a batch that a former run has left is delivered, with all before it. After the last one the source may
    /// keep that it has begun behind them.
    pub(super) fn note_left_over(&mut self, seq: u64) {
        self.left_over = Some(seq);
        self.n_left_over_delivered += 1;
        if self.progress.n_left_over.get() == Some(&self.n_left_over_delivered) {
            self.positions.former_is_delivered();
        }
    }

    /// Asks, if it is time to; returns the last batch up to which the source has come to know.
    pub(super) fn ask(&mut self) -> Option<u64> {
        if self.next_time()? > Instant::now() {
            return None;
        }
        self.next_time = Instant::now() + ASK_EVERY;
        if let (Some(_), Some(first)) = (self.left_over, self.progress.first.get().copied()) {
            self.left_over.take().into_iter().for_each(|seq| self.note(seq, &[first]));
        }
        if self.asked.is_none() {
            let (seq, positions) = self.next.take()?;
            self.asked = Some((seq, positions.into_values().collect()));
        }
        let (seq, _) = self.asked.take_if(|(_, reached)| self.positions.is_committed(reached))?;
        self.progress.committed.fetch_max(seq, Ordering::Release);
        Some(seq)
    }

    /// Returns when it is to be asked next; `None` if there is nothing to ask.
    pub(super) fn next_time(&self) -> Option<Instant> {
        (self.asked.is_some() || self.next.is_some() || self.left_over.is_some()).then_some(self.next_time)
    }
}
