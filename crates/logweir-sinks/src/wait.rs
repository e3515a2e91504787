//! Lets a thread wait for what is asynchronous, and no longer than it should.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits, on the thread that made it, for futures that need no runtime to be polled: channels and tokens.
#[derive(Debug)]
pub(crate) struct Waiter {
    waker: Waker,
}

impl Waiter {
    /// Returns one for the calling thread.
    pub(crate) fn new() -> Self {
        Self { waker: Waker::from(Arc::new(Unpark(thread::current()))) }
    }

    /// Returns what the future comes to, or `None` once `deadline` has passed; without one it waits for ever.
    pub(crate) fn wait<F: Future>(&self, future: F, deadline: Option<Instant>) -> Option<F::Output> {
        let mut future = pin!(future);
        let mut context = Context::from_waker(&self.waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Some(output);
            }
            match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
                None => thread::park(),
                Some(Duration::ZERO) => return None,
                Some(left) => thread::park_timeout(left),
            }
        }
    }

    /// Waits for `pause`, or until the token is cancelled; returns whether it is.
    pub(crate) fn pause(&self, pause: Duration, token: &CancellationToken) -> bool {
        self.wait(token.cancelled(), Some(Instant::now() + pause)).is_some()
    }
}
