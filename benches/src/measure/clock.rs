//! Waiting for a moment.

use std::thread::park_timeout;
use std::time::Instant;

/// Returns at that moment or soon after it; at once if it is over.
pub(crate) fn wait_until(moment: Instant) {
    loop {
        let left = moment.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        // May return early.
        park_timeout(left);
    }
}
