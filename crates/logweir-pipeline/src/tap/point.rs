//! Where a lane lets its events be watched.
//!
//! A lane must never wait for who watches. So while nobody does, a point costs one load of an atomic a batch; and while
//! somebody does, it copies a bounded number of bytes and hands them to a bounded channel, or counts what it could not.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Instant;

use logweir_event::{Batch, Selection};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// The most bytes copied of one batch for one watcher, unless a single event has more.
const MAX_PORTION_BYTES: usize = 64 << 10;

/// The largest event that can be watched: more would take a lane too long to copy.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// Portions that wait for a watcher.
const MAX_PORTIONS: usize = 64;

/// The most bytes that wait for a watcher.
const MAX_HELD_BYTES: usize = 4 << 20;

/// A place on the way of events.
pub(crate) struct Point {
    /// Its name: `decode`, `stages[0]`, `encode`, `outputs.NAME.stages[0]`, `outputs.NAME.encode`.
    pub(crate) place: String,
    /// What is done there: `decode`, `filter`, `sample`, `truncate`, `encode`.
    pub(crate) verb: &'static str,
    /// How many watch.
    n_watchers: AtomicUsize,
    watchers: Mutex<Vec<Watcher>>,
    /// What passed while another lane was showing, and so could not be shown: events that went on, and that went.
    missed: Arc<[AtomicU64; 2]>,
}

/// Which events of a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Which {
    /// Those that went on.
    Kept,
    /// Those that went.
    Dropped,
}

/// What a watcher wants to see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) which: Which,
    /// The share to show.
    pub(super) rate: f64,
    pub(super) max_events_per_second: u64,
}

/// What a watcher is shown, and what not.
#[derive(Default)]
pub(super) struct Counts {
    /// Events that came by.
    pub(super) passed: AtomicU64,
    /// Events that were to be shown and could not be.
    pub(super) withheld: AtomicU64,
    /// Bytes of portions that he has not taken yet.
    held_bytes: AtomicUsize,
}

/// Some events, each with its line ending or what is left of one.
#[derive(Default)]
pub(super) struct Portion {
    pub(super) bytes: Vec<u8>,
    /// Where each ends.
    pub(super) ends: Vec<usize>,
}

/// The end of a watcher in the lanes.
struct Watcher {
    wanted: Wanted,
    portions: Sender<Portion>,
    counts: Arc<Counts>,
    /// What is due of the next event: each adds the rate, and at 1 one is shown.
    due: f64,
    /// How many may be shown now.
    allowance: f64,
    /// When that was last worked out.
    since: Instant,
}

/// The other end of a watcher.
pub(super) struct Watching {
    portions: Receiver<Portion>,
    counts: Arc<Counts>,
    which: Which,
    /// What the point has missed; it lives on when the point is gone, so that the last totals are right.
    missed: Arc<[AtomicU64; 2]>,
    /// What had been missed when it began.
    missed_before: u64,
}

impl Point {
    /// Returns a place that nobody watches.
    pub(super) fn new(place: String, verb: &'static str) -> Self {
        Self {
            place,
            verb,
            n_watchers: AtomicUsize::new(0),
            watchers: Mutex::default(),
            missed: Arc::default(),
        }
    }

    /// Returns whether it is called so: by its place, or by what is done there, like `filter` or `outputs.NAME.filter`.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let output = self.place.strip_prefix("outputs.").and_then(|rest| rest.rsplit_once('.'));
        let short = output.map(|(output, _)| format!("outputs.{output}.{}", self.verb));
        name == self.place || name == self.verb || short.as_deref() == Some(name)
    }

    /// Returns whether somebody watches.
    pub(crate) fn is_watched(&self) -> bool {
        // Whoever begins to watch is shown what comes by a little later.
        self.n_watchers.load(Ordering::Relaxed) > 0
    }

    /// Shows what decoding made of a batch: its events, and the lines that are none.
    pub(crate) fn show_decoded(&self, batch: &Batch) {
        let lines = (0..batch.len()).map(|event| batch.bytes(batch.line(event)));
        self.offer(Which::Kept, batch.len(), &lines);
        let rejects = batch.rejects();
        self.offer(Which::Dropped, rejects.len(), &rejects.iter().map(|reject| batch.bytes(reject.line)));
    }

    /// Shows the events of a batch that were selected `before`: those that still are, and those that are not.
    pub(crate) fn show(&self, batch: &Batch, before: &Selection) {
        let line = |event: usize| batch.bytes(batch.line(event));
        let n_kept = batch.selection().count();
        self.offer(Which::Kept, n_kept, &batch.selection().iter().map(line));
        let dropped = before.iter().filter(|&event| !batch.selection().contains(event));
        self.offer(Which::Dropped, before.count() - n_kept, &dropped.map(line));
    }

    /// Adds a watcher.
    pub(super) fn watch(&self, wanted: Wanted) -> Watching {
        let (sender, portions) = channel(MAX_PORTIONS);
        let counts = Arc::<Counts>::default();
        let watcher = Watcher {
            wanted,
            portions: sender,
            counts: counts.clone(),
            due: 0.0,
            allowance: wanted.max_events_per_second as f64,
            since: Instant::now(),
        };
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.push(watcher);
        self.n_watchers.store(watchers.len(), Ordering::Relaxed);
        let missed_before = self.missed[wanted.which as usize].load(Ordering::Relaxed);
        Watching { portions, counts, which: wanted.which, missed: self.missed.clone(), missed_before }
    }

    /// Gives each watcher of such events some of them.
    fn offer<'a>(&self, which: Which, n_events: usize, lines: &(impl Iterator<Item = &'a [u8]> + Clone)) {
        if n_events == 0 {
            return;
        }
        let mut watchers = match self.watchers.try_lock() {
            Ok(watchers) => watchers,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.missed[which as usize].fetch_add(n_events as u64, Ordering::Relaxed);
                return;
            }
        };
        watchers.retain_mut(|watcher| {
            watcher.wanted.which != which || watcher.offer(n_events, lines.clone(), Instant::now())
        });
        self.n_watchers.store(watchers.len(), Ordering::Relaxed);
    }
}

impl Watcher {
    /// Sends some of the events; returns whether anybody still watches.
    fn offer<'a>(&mut self, n_events: usize, lines: impl Iterator<Item = &'a [u8]>, now: Instant) -> bool {
        let most = self.wanted.max_events_per_second as f64;
        self.allowance = (self.allowance + (now - self.since).as_secs_f64() * most).min(most);
        self.since = now;
        self.counts.passed.fetch_add(n_events as u64, Ordering::Relaxed);
        let portion = self.take(n_events, lines);
        if portion.ends.is_empty() {
            return !self.portions.is_closed();
        }
        let n_bytes = portion.bytes.len();
        if self.counts.held_bytes.load(Ordering::Relaxed) + n_bytes > MAX_HELD_BYTES {
            self.withhold(portion.ends.len());
            return !self.portions.is_closed();
        }
        // Before it is sent, so that who takes it has something to take it from.
        self.counts.held_bytes.fetch_add(n_bytes, Ordering::Relaxed);
        match self.portions.try_send(portion) {
            Ok(()) => true,
            Err(TrySendError::Full(portion)) => {
                self.counts.held_bytes.fetch_sub(n_bytes, Ordering::Relaxed);
                self.withhold(portion.ends.len());
                true
            }
            Err(TrySendError::Closed(_)) => false,
        }
    }

    /// Copies those of the events that are due and may be shown.
    fn take<'a>(&mut self, n_events: usize, lines: impl Iterator<Item = &'a [u8]>) -> Portion {
        let mut portion = Portion::default();
        for (n_seen, line) in lines.enumerate() {
            if self.allowance < 1.0 || portion.bytes.len() >= MAX_PORTION_BYTES {
                self.pass_over(n_events - n_seen);
                break;
            }
            self.due += self.wanted.rate;
            if self.due < 1.0 {
                continue;
            }
            self.due -= 1.0;
            if line.len() > MAX_EVENT_BYTES {
                self.withhold(1);
                continue;
            }
            self.allowance -= 1.0;
            portion.bytes.extend_from_slice(line);
            portion.ends.push(portion.bytes.len());
        }
        portion
    }

    /// Withholds all that is due of the next so many events.
    fn pass_over(&mut self, n_events: usize) {
        self.due += self.wanted.rate * n_events as f64;
        #[expect(clippy::cast_sign_loss, reason = "what is due is never negative")]
        let n_due = self.due as usize;
        self.due -= n_due as f64;
        self.withhold(n_due);
    }

    fn withhold(&self, n_events: usize) {
        self.counts.withheld.fetch_add(n_events as u64, Ordering::Relaxed);
    }
}

impl Watching {
    /// Returns the next portion; `None` once the point is gone.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a portion is taken or stays.
    pub(super) async fn next(&mut self) -> Option<Portion> {
        let portion = self.portions.recv().await?;
        self.counts.held_bytes.fetch_sub(portion.bytes.len(), Ordering::Relaxed);
        Some(portion)
    }

    /// Returns how many events came by, and how many of those that were to be shown were not.
    pub(super) fn counts(&self) -> [u64; 2] {
        let missed = self.missed[self.which as usize].load(Ordering::Relaxed) - self.missed_before;
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed) + missed;
        [load(&self.counts.passed), load(&self.counts.withheld)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(rate: f64, max_events_per_second: u64) -> Wanted {
        Wanted { which: Which::Kept, rate, max_events_per_second }
    }

    /// Offers `n` events of one byte each, a thousand times within no time at all.
    fn offered(wanted: Wanted, n: usize) -> (usize, [u64; 2]) {
        let point = Point::new(String::from("decode"), "decode");
        let mut watching = point.watch(wanted);
        let mut n_shown = 0;
        for _ in 0..1000 {
            point.offer(Which::Dropped, n, &std::iter::repeat_n(&b"-"[..], n));
            point.offer(Which::Kept, n, &std::iter::repeat_n(&b"+"[..], n));
            while let Ok(portion) = watching.portions.try_recv() {
                assert!(portion.bytes.iter().all(|&byte| byte == b'+'));
                n_shown += portion.ends.len();
            }
        }
        (n_shown, watching.counts())
    }

    #[test]
    fn all_is_shown_or_counted_as_withheld() {
        let (n_shown, [passed, withheld]) = offered(wanted(1.0, 10), 7);
        assert_eq!((passed, passed - withheld), (7000, n_shown as u64));
        assert!((10..100).contains(&n_shown), "{n_shown} are far more than ten a second");
    }

    #[test]
    fn a_share_is_a_share() {
        let (n_shown, [passed, withheld]) = offered(wanted(0.25, 10_000), 8);
        assert_eq!((n_shown, passed, withheld), (2000, 8000, 0));
        let (n_shown, [passed, withheld]) = offered(wanted(0.25, 1), 8);
        assert_eq!((passed, n_shown as u64 + withheld), (8000, 2000));
    }

    #[test]
    fn who_does_not_take_holds_nobody_up_and_who_is_gone_is_forgotten() {
        let point = Point::new(String::from("decode"), "decode");
        let watching = point.watch(wanted(1.0, 10_000));
        let big = vec![b'+'; MAX_EVENT_BYTES];
        for _ in 0..100 {
            point.offer(Which::Kept, 1, &std::iter::once(&big[..]));
        }
        assert_eq!(watching.counts(), [100, 100 - (MAX_HELD_BYTES / MAX_EVENT_BYTES) as u64]);
        let too_big = vec![b'+'; MAX_EVENT_BYTES + 1];
        point.offer(Which::Kept, 1, &std::iter::once(&too_big[..]));
        assert!(point.is_watched());
        drop(watching);
        point.offer(Which::Kept, 1, &std::iter::once(&b"+"[..]));
        assert!(!point.is_watched());
    }

    #[test]
    fn what_another_lane_keeps_from_being_shown_is_withheld() {
        let point = Point::new(String::from("decode"), "decode");
        let watching = point.watch(wanted(1.0, 10));
        let held = point.watchers.lock().unwrap();
        point.offer(Which::Kept, 3, &std::iter::repeat_n(&b"+"[..], 3));
        drop(held);
        assert_eq!(watching.counts(), [3, 3]);
    }
}
