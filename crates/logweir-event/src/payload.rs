//! What a sink gets.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::ack::Ack;

/// What became of a payload's events at the sink. `written + undelivered` is all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Settled {
    /// Events the sink has taken, each whole.
    pub written: u64,
    /// Events it has not taken. Their ack is not delivered, so a source that still has them gives them again.
    pub undelivered: u64,
    /// Bytes it has taken, those of an event cut off in the middle included.
    pub bytes: u64,
}

/// Somebody who keeps the books of what became of events. Called once a payload, from the sink's thread.
pub trait Receipt: Send + Sync {
    /// Learns what became of a payload's events.
    fn settle(&self, settled: Settled);
}

/// Encoded events on their way to a sink: a list of byte runs to be written one after the other.
///
/// It must end in [`written`](Payload::written), [`cut_off`](Payload::cut_off) or
/// [`into_pending`](Payload::into_pending); one that is dropped counts all its events, and its ack, as not delivered.
pub struct Payload {
    parts: Vec<Bytes>,
    n_bytes: u64,
    n_events: u64,
    /// Whether another payload of the same chunk follows.
    more_follows: bool,
    fate: Fate,
}

/// A payload that has been handed on, without its bytes: the sink still has to learn that they are safe.
///
/// It must end in [`written`](Pending::written); one that is dropped counts all its events, and its ack, as not
/// delivered.
#[derive(Debug)]
pub struct Pending {
    n_bytes: u64,
    n_events: u64,
    fate: Fate,
}

/// Who is to learn what became of a payload.
struct Fate {
    /// `None` once settled, and for a payload nobody keeps books of.
    receipt: Option<Arc<dyn Receipt>>,
    /// How many events to report as not delivered should nobody say anything.
    n_events: u64,
    ack: Ack,
}

impl Fate {
    fn deliver(mut self, settled: Settled) {
        self.settle(settled);
        std::mem::replace(&mut self.ack, Ack::ignored()).deliver();
    }

    fn settle(&mut self, settled: Settled) {
        if let Some(receipt) = self.receipt.take() {
            receipt.settle(settled);
        }
    }
}

impl Drop for Fate {
    fn drop(&mut self) {
        self.settle(Settled { undelivered: self.n_events, ..Settled::default() });
    }
}

impl fmt::Debug for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fate").field("n_events", &self.n_events).finish_non_exhaustive()
    }
}

impl Payload {
    /// Returns a payload of `n_events` events, each ending in a line feed, whose bytes are `parts` in order.
    pub fn new(parts: Vec<Bytes>, n_events: u64) -> Self {
        let n_bytes = parts.iter().map(|part| part.len() as u64).sum();
        let fate = Fate { receipt: None, n_events, ack: Ack::ignored() };
        Self { parts, n_bytes, n_events, more_follows: false, fate }
    }

    /// Names who keeps the books of it, and the ack to resolve.
    #[must_use]
    pub fn bound_to(mut self, receipt: Option<Arc<dyn Receipt>>, ack: Ack) -> Self {
        (self.fate.receipt, self.fate.ack) = (receipt, ack);
        self
    }

    /// Says that another payload of the same chunk follows, so that it is not yet the next chunk's turn.
    #[must_use]
    pub fn followed_by_more(mut self) -> Self {
        self.more_follows = true;
        self
    }

    /// Returns whether another payload of the same chunk follows.
    pub fn more_follows(&self) -> bool {
        self.more_follows
    }

    /// Returns its bytes, in runs.
    pub fn parts(&self) -> &[Bytes] {
        &self.parts
    }

    /// Returns how many bytes it has.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Returns how many events it has.
    pub fn n_events(&self) -> u64 {
        self.n_events
    }

    /// Says that all of it has been taken by the sink, and delivers the ack.
    pub fn written(self) {
        self.into_pending().written();
    }

    /// Lets go of the bytes, and keeps what is to be told once they are safe.
    pub fn into_pending(self) -> Pending {
        Pending { n_bytes: self.n_bytes, n_events: self.n_events, fate: self.fate }
    }

    /// Says that the sink took the first `n_bytes` bytes and no more: the events that end within them are written,
    /// the others are not delivered, and neither is the ack.
    pub fn cut_off(mut self, n_bytes: u64) {
        let written = self.n_events_within(n_bytes);
        let undelivered = self.n_events - written;
        self.fate.settle(Settled { written, undelivered, bytes: n_bytes });
    }

    /// Returns how many whole events its first `n_bytes` bytes hold, and where the last of those ends.
    pub fn whole_events_within(&self, n_bytes: u64) -> (u64, u64) {
        let (mut n_events, mut end, mut at) = (0, 0, 0);
        for part in &self.parts {
            let taken = &part[..part.len().min((n_bytes - at) as usize)];
            for (i, _) in taken.iter().enumerate().filter(|&(_, &byte)| byte == b'\n') {
                n_events += 1;
                end = at + i as u64 + 1;
            }
            at += taken.len() as u64;
        }
        (n_events, end)
    }

    fn n_events_within(&self, n_bytes: u64) -> u64 {
        self.whole_events_within(n_bytes.min(self.n_bytes)).0
    }
}

impl Pending {
    /// Returns how many bytes it has.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Says that all of it is safe, and delivers the ack.
    pub fn written(self) {
        self.fate.deliver(Settled { written: self.n_events, bytes: self.n_bytes, ..Settled::default() });
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload")
            .field("n_events", &self.n_events)
            .field("n_bytes", &self.n_bytes)
            .field("n_parts", &self.parts.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Books(Mutex<Vec<Settled>>);

    impl Receipt for Books {
        fn settle(&self, settled: Settled) {
            self.0.lock().unwrap().push(settled);
        }
    }

    fn settled(end: impl FnOnce(Payload)) -> Settled {
        let books = Arc::new(Books::default());
        let parts =
            vec![Bytes::from_static(b"{}\n{"), Bytes::from_static(b"}\n"), Bytes::from_static(b"{}\n")];
        end(Payload::new(parts, 3).bound_to(Some(books.clone()), Ack::ignored()));
        let settled = books.0.lock().unwrap();
        assert_eq!(settled.len(), 1, "settled once");
        settled[0]
    }

    #[test]
    fn each_end_is_booked_once() {
        let all_written = Settled { written: 3, bytes: 9, ..Settled::default() };
        let none = Settled { undelivered: 3, ..Settled::default() };
        assert_eq!(settled(Payload::written), all_written);
        assert_eq!(settled(|payload| payload.into_pending().written()), all_written);
        assert_eq!(settled(drop), none);
        assert_eq!(settled(|payload| drop(payload.into_pending())), none);
        for (n_bytes, written) in [(0, 0), (2, 0), (3, 1), (5, 1), (6, 2), (8, 2), (9, 3)] {
            let expected = Settled { written, undelivered: 3 - written, bytes: n_bytes };
            assert_eq!(settled(|payload| payload.cut_off(n_bytes)), expected);
        }
    }
}
