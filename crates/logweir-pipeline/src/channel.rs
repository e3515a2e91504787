//! Bounded channels between components, with what is known of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::select;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, WeakSender, channel};
use tokio_util::sync::CancellationToken;

/// What is known of the channels of one kind, one for each lane, for the metrics.
pub(crate) struct ChannelStats {
    /// What they carry: `chunks`, `payloads` or `dead_letters`.
    pub(crate) name: &'static str,
    /// The output they lead to, where there are several.
    pub(crate) output: Option<String>,
    /// Of waits that are over.
    waited_micros: Arc<AtomicU64>,
    /// Of each sender, since when it waits now, in microseconds behind `started`; [`NOT_WAITING`] if it does not.
    waits_since: Vec<Arc<AtomicU64>>,
    started: Instant,
    /// The most that was told, below which it never goes: a wait that ends in this moment may be in neither of the two.
    told_micros: AtomicU64,
    depth: Mutex<Vec<Box<dyn Fn() -> usize + Send>>>,
}

/// A time that never comes.
const NOT_WAITING: u64 = u64::MAX;

impl ChannelStats {
    /// Returns how many batches wait in them.
    pub(crate) fn depth(&self) -> usize {
        let depth = self.depth.lock().unwrap_or_else(PoisonError::into_inner);
        depth.iter().map(|depth| depth()).sum()
    }

    /// Returns how long senders have waited because a channel was full, in microseconds, all lanes together: also those
    /// that still wait, since where nobody takes anything no wait ever ends. It never gets less.
    pub(crate) fn waited_micros(&self) -> u64 {
        let now = micros(self.started);
        let waiting = |since: &Arc<AtomicU64>| now.saturating_sub(since.load(Ordering::Relaxed));
        let waiting: u64 = self.waits_since.iter().map(waiting).sum();
        let waited = self.waited_micros.load(Ordering::Relaxed) + waiting;
        self.told_micros.fetch_max(waited, Ordering::Relaxed).max(waited)
    }
}

/// Makes the channels of one kind: `n` of them, each for `capacity` batches.
pub(crate) fn channels<T: Send + 'static>(
    name: &'static str,
    output: Option<String>,
    n: usize,
    capacity: usize,
) -> (Vec<CountedSender<T>>, Vec<Receiver<T>>, Arc<ChannelStats>) {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..n).map(|_| channel(capacity)).unzip();
    let depth = senders.iter().map(|sender| depth_of(sender.downgrade())).collect();
    let waits_since: Vec<_> = (0..n).map(|_| Arc::new(AtomicU64::new(NOT_WAITING))).collect();
    let stats = Arc::new(ChannelStats {
        name,
        output,
        waited_micros: Arc::default(),
        waits_since: waits_since.clone(),
        started: Instant::now(),
        told_micros: AtomicU64::new(0),
        depth: Mutex::new(depth),
    });
    let counted = |(sender, waits_since)| CountedSender { sender, waits_since, stats: stats.clone() };
    let senders = senders.into_iter().zip(waits_since).map(counted).collect();
    (senders, receivers, stats)
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// A weak sender asks without keeping the channel open.
fn depth_of<T: Send + 'static>(sender: WeakSender<T>) -> Box<dyn Fn() -> usize + Send> {
    Box::new(move || sender.upgrade().map_or(0, |sender| sender.max_capacity() - sender.capacity()))
}

/// A sender that counts how long it waits.
pub(crate) struct CountedSender<T> {
    sender: Sender<T>,
    waits_since: Arc<AtomicU64>,
    stats: Arc<ChannelStats>,
}

impl<T> CountedSender<T> {
    /// Returns the sender and where the microseconds it waits are to be added up, for somebody who blocks.
    pub(crate) fn into_parts(self) -> (Sender<T>, Arc<AtomicU64>) {
        (self.sender, self.stats.waited_micros.clone())
    }

    /// Sends, waiting while the channel is full; drops the value if nobody receives any more, or once `abort` is
    /// cancelled, room or not: what came behind a dropped value would be taken out of turn.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a value that was waiting is dropped.
    pub(crate) async fn send(&self, value: T, abort: &CancellationToken) {
        if abort.is_cancelled() {
            return;
        }
        if let Err(TrySendError::Full(value)) = self.sender.try_send(value) {
            let since = micros(self.stats.started);
            self.waits_since.store(since, Ordering::Relaxed);
            select! {
                // Cancel safe: a cancelled token stays cancelled.
                () = abort.cancelled() => {}
                // Dropping it drops the value, which is what is wanted then.
                _ = self.sender.send(value) => {}
            }
            self.waits_since.store(NOT_WAITING, Ordering::Relaxed);
            self.stats.waited_micros.fetch_add(micros(self.stats.started) - since, Ordering::Relaxed);
        }
    }
}
