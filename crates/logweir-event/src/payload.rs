//! What a sink gets.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::ack::Ack;
use crate::places::{Places, Reached};

/// What became of a payload's events at the sink. `written + undelivered + rejected + kept` is all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Settled {
    /// Events the sink has taken, each whole.
    pub written: u64,
    /// Events it has not taken. Their ack is not delivered, so a source that still has them gives them again.
    pub undelivered: u64,
    /// Events it has refused for good, as told: nobody gives them again.
    pub rejected: u64,
    /// Events that are safe on this machine and not yet where they have to go: a later run brings them there.
    pub kept: u64,
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
    /// Where its events lie, for a sink that has to know.
    places: Option<Places>,
    fate: Fate,
}

/// A payload that has been handed on, without its bytes: the sink still has to learn that they are safe.
///
/// It must end in [`written`](Pending::written), [`rejected`](Pending::rejected) or [`kept`](Pending::kept); one that is
/// dropped counts all its events, and its ack, as not delivered.
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

    /// Splits off the fate of the first `n_events` events.
    fn take_first(&mut self, n_events: u64) -> Self {
        self.n_events -= n_events;
        Self { receipt: self.receipt.clone(), n_events, ack: self.ack.clone() }
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
    /// Returns a payload of `n_events` events whose bytes are `parts` in order. Unless it is told
    /// [where they lie](Payload::with_places), each is a line: it ends in a line feed and has no other.
    pub fn new(parts: Vec<Bytes>, n_events: u64) -> Self {
        let n_bytes = parts.iter().map(|part| part.len() as u64).sum();
        let fate = Fate { receipt: None, n_events, ack: Ack::ignored() };
        Self { parts, n_bytes, n_events, more_follows: false, places: None, fate }
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

    /// Says where its events lie.
    #[must_use]
    pub fn with_places(self, places: Places) -> Self {
        Self { places: Some(places), ..self }
    }

    /// Returns where its events lie; `None` if nobody asked for that.
    pub fn places(&self) -> Option<&Places> {
        self.places.as_ref()
    }

    /// Returns the place up to which it and the payloads before it cover everything in its input; `None` if nobody
    /// asked for places, or it covers nothing.
    pub fn reached(&self) -> Option<Reached> {
        let places = self.places.as_ref()?;
        if self.more_follows { places.last() } else { Some(places.end()) }
    }

    /// Splits off its first `n_events` events as a payload of their own, to which this one is the next of the same
    /// chunk. Both must come to an end for the ack to be delivered.
    ///
    /// # Panics
    ///
    /// If it has no places, or fewer events.
    #[must_use]
    pub fn take_first(&mut self, n_events: usize) -> Self {
        let places = self.places.as_mut().expect("only a payload with places is split").take_first(n_events);
        let n_bytes = places.events().last().map_or(0, |event| u64::from(event.rendered_end));
        let parts = take_bytes(&mut self.parts, n_bytes as usize);
        let fate = self.fate.take_first(n_events as u64);
        self.n_bytes -= n_bytes;
        self.n_events -= n_events as u64;
        Self { parts, n_bytes, n_events: n_events as u64, more_follows: true, places: Some(places), fate }
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
        self.fate.settle(Settled { written, undelivered, bytes: n_bytes, ..Settled::default() });
    }

    /// Returns how many whole events its first `n_bytes` bytes hold, and where the last of those ends.
    pub fn whole_events_within(&self, n_bytes: u64) -> (u64, u64) {
        match &self.places {
            Some(places) => places.whole_events_within(n_bytes),
            None => self.whole_lines_within(n_bytes),
        }
    }

    /// Returns how many whole lines its first `n_bytes` bytes hold, and where the last of those ends.
    fn whole_lines_within(&self, n_bytes: u64) -> (u64, u64) {
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

    /// Returns how many events it has.
    pub fn n_events(&self) -> u64 {
        self.n_events
    }

    /// Says that all of it is safe, and delivers the ack.
    pub fn written(self) {
        self.fate.deliver(Settled { written: self.n_events, bytes: self.n_bytes, ..Settled::default() });
    }

    /// Says that all of it is refused for good, and delivers the ack, since to give it again would change nothing.
    pub fn rejected(self) {
        self.fate.deliver(Settled { rejected: self.n_events, ..Settled::default() });
    }

    /// Says that all of it is kept on this machine for a later run to bring where it has to go. The ack is not
    /// delivered: what was kept says itself how far it goes.
    pub fn kept(mut self) {
        self.fate.settle(Settled { kept: self.n_events, ..Settled::default() });
    }
}

/// Takes the first `n_bytes` bytes off `parts`.
fn take_bytes(parts: &mut Vec<Bytes>, n_bytes: usize) -> Vec<Bytes> {
    let mut n_left = n_bytes;
    let n_whole = parts
        .iter()
        .take_while(|part| {
            let is_whole = part.len() <= n_left;
            n_left -= if is_whole { part.len() } else { 0 };
            is_whole
        })
        .count();
    let rest = parts.split_off(n_whole);
    let mut taken = std::mem::replace(parts, rest);
    if n_left > 0 {
        taken.push(parts[0].split_to(n_left));
    }
    taken
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
    use crate::ack::Verdict;
    use crate::places::EventPlace;
    use crate::position::Position;

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

    /// Returns a payload of three events, read in a chunk of which another payload follows.
    fn with_places(parts: Vec<Bytes>) -> Payload {
        let place = |rendered_end, read_end| EventPlace { rendered_end, read_end, time_ms: None };
        let places = vec![place(3, 4), place(6, 9), place(9, 13)];
        let end = Position { input: 7, offset: 1020 };
        let chunk = Bytes::from_static(b"{ }\n{  }\n{ }\n#rest!\n");
        Payload::new(parts, 3).with_places(Places::new(chunk, end, places, 0))
    }

    #[test]
    fn a_split_payload_is_the_whole_one_wherever_it_is_cut() {
        for n_first in 0..=3 {
            for cut in [vec![3, 3, 3], vec![1, 8], vec![9], vec![2, 2, 2, 2, 1]] {
                let mut bytes = Bytes::from_static(b"{}\n[]\n()\n");
                let parts = cut.iter().map(|n| bytes.split_to(*n)).collect();
                let books = Arc::new(Books::default());
                let (told, verdicts) = std::sync::mpsc::sync_channel(1);
                let ack = Ack::new(move |verdict| told.send(verdict).unwrap());
                let mut rest = with_places(parts).bound_to(Some(books.clone()), ack);
                let first = rest.take_first(n_first);
                let text = |payload: &Payload| payload.parts().concat();
                assert_eq!([text(&first), text(&rest)].concat(), b"{}\n[]\n()\n");
                assert_eq!((first.n_events(), first.n_bytes()), (n_first as u64, 3 * n_first as u64));
                assert_eq!((rest.n_events(), rest.n_bytes()), (3 - n_first as u64, 9 - 3 * n_first as u64));
                let ends: Vec<_> = rest.places().unwrap().events().iter().map(|e| e.rendered_end).collect();
                assert_eq!(ends, [3, 6, 9][..3 - n_first]);

                let offset = first.reached().map(|reached| reached.position.offset);
                assert_eq!(offset, [None, Some(1004), Some(1009), Some(1013)][n_first]);
                assert_eq!(rest.reached().unwrap().position, Position { input: 7, offset: 1020 });
                first.written();
                assert!(verdicts.try_recv().is_err(), "the rest may still fail");
                rest.written();
                assert_eq!(verdicts.try_recv().unwrap(), Verdict::Delivered);
                let written: u64 = books.0.lock().unwrap().iter().map(|settled| settled.written).sum();
                assert_eq!(written, 3);
            }
        }
    }

    #[test]
    fn events_that_are_no_lines_are_counted_by_their_places() {
        let place = |rendered_end| EventPlace { rendered_end, read_end: 0, time_ms: None };
        let places = Places::new(Bytes::new(), Position::default(), vec![place(4), place(4), place(9)], 0);
        let parts = vec![Bytes::from_static(b"a\nb"), Bytes::from_static(b";\n\ncd;")];
        let payload = Payload::new(parts, 3).with_places(places);
        let within: Vec<_> = (0..=9).map(|n_bytes| payload.whole_events_within(n_bytes)).collect();
        let expected = [[(0, 0); 4].as_slice(), &[(2, 4); 5], &[(3, 9)]].concat();
        assert_eq!(within, expected);
    }

    #[test]
    fn each_end_is_booked_once() {
        let all_written = Settled { written: 3, bytes: 9, ..Settled::default() };
        let none = Settled { undelivered: 3, ..Settled::default() };
        assert_eq!(settled(Payload::written), all_written);
        assert_eq!(settled(|payload| payload.into_pending().written()), all_written);
        assert_eq!(settled(drop), none);
        let rejected = Settled { rejected: 3, ..Settled::default() };
        assert_eq!(settled(|payload| payload.into_pending().rejected()), rejected);
        let kept = Settled { kept: 3, ..Settled::default() };
        assert_eq!(settled(|payload| payload.into_pending().kept()), kept);
        assert_eq!(settled(|payload| drop(payload.into_pending())), none);
        for (n_bytes, written) in [(0, 0), (2, 0), (3, 1), (5, 1), (6, 2), (8, 2), (9, 3)] {
            let undelivered = 3 - written;
            let expected = Settled { written, undelivered, bytes: n_bytes, ..Settled::default() };
            assert_eq!(settled(|payload| payload.cut_off(n_bytes)), expected);
        }
    }
}
