//! How long to wait before what failed is tried again.

use std::time::Duration;

/// The first pause before something is tried again: short, for what passes by itself.
pub(crate) const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause: how long a pipeline waits at most after somebody has mended what was wrong.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Pauses, each twice as long as the one before, up to five seconds.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    /// Returns the pauses that begin with `first`.
    pub(crate) fn starting_with(first: Duration) -> Self {
        Self { next: first }
    }

    /// Returns the next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}
