//! Takes payloads in order.

use logweir_event::Payload;
use tokio::sync::mpsc;

/// Takes payloads from several givers, strictly in turn, which is the order in which their chunks were handed out: all
/// payloads of a chunk from one giver, then those of the next chunk from the next.
#[derive(Debug)]
pub struct PayloadReceiver {
    receivers: Vec<mpsc::Receiver<Payload>>,
    /// Whose turn it is.
    next: usize,
}

impl PayloadReceiver {
    /// Returns one that takes from `receivers` in turn, beginning with the first.
    pub fn new(receivers: Vec<mpsc::Receiver<Payload>>) -> Self {
        Self { receivers, next: 0 }
    }

    /// Returns the next payload, waiting for it; `None`, from then on always, once the giver whose turn it is has
    /// ended: had it had a payload to give, that would come before all others.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a dropped future has taken nothing, and the turn is still the same.
    pub async fn recv(&mut self) -> Option<Payload> {
        let payload = self.receivers.get_mut(self.next)?.recv().await;
        self.turn(payload)
    }

    /// Returns the next payload like [`recv`](PayloadReceiver::recv), blocking the thread until it comes.
    ///
    /// # Panics
    ///
    /// If called from asynchronous code, where it must not wait.
    pub fn blocking_recv(&mut self) -> Option<Payload> {
        let payload = self.receivers.get_mut(self.next)?.blocking_recv();
        self.turn(payload)
    }

    /// Returns the next payload that has events, blocking the thread until it comes; those before it are settled.
    pub(crate) fn blocking_recv_events(&mut self) -> Option<Payload> {
        loop {
            let payload = self.blocking_recv()?;
            if payload.n_events() > 0 {
                return Some(payload);
            }
            payload.written();
        }
    }

    /// Passes the turn on behind the last payload of a chunk.
    fn turn(&mut self, payload: Option<Payload>) -> Option<Payload> {
        if payload.as_ref().is_some_and(|payload| !payload.more_follows()) {
            self.next = (self.next + 1) % self.receivers.len();
        }
        payload
    }
}
