//! The word that goes back: a chunk's events have reached where they had to go, or have not.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What became of a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Everybody who had to deliver a part of it has done so.
    Delivered,
    /// Somebody has not: an error, or an ack that was dropped without a word.
    NotDelivered,
}

/// A chunk's acknowledgement.
///
/// Every holder of a clone must [`deliver`](Ack::deliver) it; when the last clone is gone, the source learns the
/// verdict, once. A clone that is dropped without a word counts as *not delivered*: silence is failure.
pub struct Ack {
    /// Whether this clone has been delivered.
    delivered: bool,
    /// `None` for an ack that nobody waits for.
    shared: Option<Arc<Shared>>,
}

struct Shared {
    /// Set once some clone was dropped undelivered; never reset.
    failed: AtomicBool,
    /// Called once, when the last clone goes; `None` only within that drop.
    on_resolve: Option<Box<dyn FnOnce(Verdict) + Send + Sync>>,
}

impl Ack {
    /// Returns an ack that tells `on_resolve` the verdict when its last clone is gone.
    ///
    /// `on_resolve` runs on whichever thread that happens; it must be short and must not block.
    pub fn new(on_resolve: impl FnOnce(Verdict) + Send + Sync + 'static) -> Self {
        let shared = Shared { failed: AtomicBool::new(false), on_resolve: Some(Box::new(on_resolve)) };
        Self { delivered: false, shared: Some(Arc::new(shared)) }
    }

    /// Returns an ack that nobody waits for.
    pub fn ignored() -> Self {
        Self { delivered: false, shared: None }
    }

    /// Says that this holder's part has been delivered.
    pub fn deliver(mut self) {
        self.delivered = true;
    }
}

impl Clone for Ack {
    fn clone(&self) -> Self {
        Self { delivered: false, shared: self.shared.clone() }
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        if let (false, Some(shared)) = (self.delivered, &self.shared) {
            shared.failed.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // `Arc` orders the last drop after all others, so a relaxed flag is seen.
        let verdict = if *self.failed.get_mut() { Verdict::NotDelivered } else { Verdict::Delivered };
        if let Some(on_resolve) = self.on_resolve.take() {
            on_resolve(verdict);
        }
    }
}

impl fmt::Debug for Ack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ack").field("delivered", &self.delivered).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    fn ack() -> (Ack, impl Fn() -> Option<Verdict>) {
        let (told, verdicts) = sync_channel(1);
        (Ack::new(move |verdict| told.send(verdict).unwrap()), move || verdicts.try_recv().ok())
    }

    #[test]
    fn the_last_clone_tells() {
        let (first, verdict) = ack();
        let second = first.clone();
        first.deliver();
        assert_eq!(verdict(), None);
        second.deliver();
        assert_eq!(verdict(), Some(Verdict::Delivered));
    }

    #[test]
    fn silence_is_failure() {
        let (first, verdict) = ack();
        let second = first.clone();
        drop(first);
        second.deliver();
        assert_eq!(verdict(), Some(Verdict::NotDelivered));
    }
}
