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
    waited_micros: Arc<AtomicU64>,
    depth: Mutex<Vec<Box<dyn Fn() -> usize + Send>>>,
}

impl ChannelStats {
    /// Returns how many batches wait in them.
    pub(crate) fn depth(&self) -> usize {
        let depth = self.depth.lock().unwrap_or_else(PoisonError::into_inner);
        depth.iter().map(|depth| depth()).sum()
    }

    /// Returns how long senders have waited because a channel was full, in microseconds, all lanes together.
    pub(crate) fn waited_micros(&self) -> u64 {
        self.waited_micros.load(Ordering::Relaxed)
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
    let stats = ChannelStats { name, output, waited_micros: Arc::default(), depth: Mutex::new(depth) };
    let stats = Arc::new(stats);
    let senders = senders.into_iter().map(|sender| CountedSender { sender, stats: stats.clone() }).collect();
    (senders, receivers, stats)
}

/// A weak sender asks without keeping the channel open.
fn depth_of<T: Send + 'static>(sender: WeakSender<T>) -> Box<dyn Fn() -> usize + Send> {
    Box::new(move || sender.upgrade().map_or(0, |sender| sender.max_capacity() - sender.capacity()))
}

/// A sender that counts how long it waits.
pub(crate) struct CountedSender<T> {
    sender: Sender<T>,
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
            let since = Instant::now();
            select! {
                // Cancel safe: a cancelled token stays cancelled.
                () = abort.cancelled() => {}
                // Dropping it drops the value, which is what is wanted then.
                _ = self.sender.send(value) => {}
            }
            let waited = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.stats.waited_micros.fetch_add(waited, Ordering::Relaxed);
        }
    }
}
