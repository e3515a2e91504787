//! A batch that grows.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use logweir_event::{Payload, Pending, Position, Positions, Reached};

use super::body::{Body, Finished};
use super::key::{date, file_name};
use super::layout::{Filled, Fitting, event_time, fitting, is_long, places};
use super::manifest::Entry;
use super::shape::Shape;
use crate::destination::Destination;
use crate::vectored::runs;

/// A batch that grows.
pub(super) struct Batch {
    pub(super) seq: u64,
    pub(super) body: Body,
    /// What no other batch has.
    id: u64,
    /// When it is to be complete at the latest.
    pub(super) due: Instant,
    n_events: u64,
    /// When its first event happened, and its last.
    first_ms: i64,
    last_ms: i64,
    /// How far the payload of its first event reaches, and that of its last.
    first: Option<Position>,
    last: Option<Position>,
    /// Whose events are in it.
    pendings: Vec<Pending>,
    /// How far it reaches in each input that it has something of.
    reached: BTreeMap<u32, Reached>,
}

/// A batch that takes nothing more, whose file is on the disk.
pub(super) struct Complete {
    pub(super) seq: u64,
    pub(super) entry: Entry,
    pub(super) pendings: Vec<Pending>,
    pub(super) reached: BTreeMap<u32, Reached>,
    /// Whether it needs nothing more: it has been uploaded before.
    pub(super) is_done: bool,
}

/// What a batch has taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// All of a payload.
    All,
    /// Only some of it: the batch is complete.
    Some,
}

impl Batch {
    /// Returns a batch whose first event is to be the first of `payload`.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn begin(
        seq: u64,
        mut body: Body,
        shape: &Shape,
        payload: &Payload,
        positions: &dyn Positions,
        max_interval: Duration,
    ) -> io::Result<Self> {
        body.add(&shape.prefix)?;
        let position = payload.reached().map(|reached| reached.position);
        let place = place_bytes(position, positions);
        let id = shape.hash(&[&place, &payload.n_events().to_le_bytes()]);
        Ok(Self {
            seq,
            body,
            id,
            due: Instant::now() + max_interval,
            n_events: 0,
            first_ms: 0,
            last_ms: 0,
            first: position,
            last: None,
            pendings: Vec::new(),
            reached: BTreeMap::new(),
        })
    }

    /// Takes as many of a payload's events as it may have, and leaves the others in `payload`.
    ///
    /// # Errors
    ///
    /// If there is no memory for it; it is of no use then.
    pub(super) fn take(&mut self, shape: &Shape, payload: &mut Option<Payload>) -> io::Result<Taken> {
        let Some(mut rest) = payload.take() else { return Ok(Taken::All) };
        let now_ms = Timestamp::now().as_millisecond();
        let filled = Filled {
            batch_id: self.id,
            n_events: self.n_events,
            n_raw_bytes: self.body.n_raw_bytes(),
            now_ms,
        };
        let Fitting { n_events, enveloped } = fitting(shape, &filled, &rest);
        if n_events == 0 {
            *payload = Some(rest);
            return Ok(Taken::Some);
        }
        if n_events < places(&rest).events().len() {
            let first = rest.take_first(n_events);
            *payload = Some(rest);
            self.add(first, enveloped.as_deref(), now_ms)?;
            return Ok(Taken::Some);
        }
        let is_complete = self.n_events + rest.n_events() >= shape.max_events || is_long(shape, &rest);
        self.add(rest, enveloped.as_deref(), now_ms)?;
        Ok(if is_complete { Taken::Some } else { Taken::All })
    }

    /// Notes how far a payload without events reaches.
    pub(super) fn reach(&mut self, payload: Payload) {
        if let Some(reached) = payload.reached() {
            self.note(&reached);
        }
        self.pendings.push(payload.into_pending());
    }

    /// Completes it: adds what stands behind the last event.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    pub(super) fn end(&mut self, shape: &Shape) -> io::Result<()> {
        self.body.add(&shape.suffix)?;
        self.body.end()
    }

    /// Returns how many events it has.
    pub(super) fn n_events(&self) -> u64 {
        self.n_events
    }

    /// Returns how many payloads, and pieces of them, it has.
    pub(super) fn n_pendings(&self) -> usize {
        self.pendings.len()
    }

    /// Returns how far it reaches.
    pub(super) fn reached(&self) -> &BTreeMap<u32, Reached> {
        &self.reached
    }

    /// Returns what it is, given what its file is; `covering` says from where to go on behind it.
    pub(super) fn complete(
        self,
        finished: Finished,
        shape: &Shape,
        form: &str,
        destination: &dyn Destination,
        positions: &dyn Positions,
        covering: Option<Vec<u8>>,
    ) -> Complete {
        let Finished { n_bytes, hash, n_raw_bytes, raw_hash } = finished;
        let [first, last] = [self.first, self.last].map(|position| place_bytes(position, positions));
        let name_hash = shape.hash(&[&first, &last, &raw_hash.to_le_bytes()]);
        let name = file_name(self.first_ms, self.last_ms, name_hash, shape.compression);
        let entry = Entry {
            key: destination.key(&date(self.first_ms), &name),
            form: form.to_owned(),
            compression: shape.compression,
            n_bytes,
            hash,
            n_raw_bytes,
            n_events: self.n_events,
            first_ms: self.first_ms,
            last_ms: self.last_ms,
            covering,
        };
        Complete { seq: self.seq, entry, pendings: self.pendings, reached: self.reached, is_done: false }
    }

    fn add(&mut self, payload: Payload, enveloped: Option<&[u8]>, now_ms: i64) -> io::Result<()> {
        let events = places(&payload).events();
        if self.n_events == 0 {
            self.first_ms = events.first().and_then(event_time).unwrap_or(now_ms);
        }
        self.last_ms = events.last().and_then(event_time).unwrap_or(now_ms);
        match enveloped {
            Some(bytes) => self.body.add(bytes)?,
            None => self.add_plain(&payload)?,
        }
        self.n_events += payload.n_events();
        if let Some(reached) = payload.reached() {
            self.last = Some(reached.position);
            self.note(&reached);
        }
        self.pendings.push(payload.into_pending());
        Ok(())
    }

    fn add_plain(&mut self, payload: &Payload) -> io::Result<()> {
        let n_skipped = if self.n_events == 0 { places(payload).n_delimiter_bytes() } else { 0 };
        let mut pieces = runs(payload.parts(), u64::from(n_skipped)..payload.n_bytes());
        pieces.try_for_each(|piece| self.body.add(piece))
    }

    /// Notes a place; of the bytes before it a copy is kept, since they would keep their chunk.
    fn note(&mut self, reached: &Reached) {
        let (position, before) = (reached.position, Bytes::copy_from_slice(&reached.before));
        self.reached.insert(position.input, Reached { position, before });
    }
}

/// Returns what no other place has, here or in another run.
fn place_bytes(position: Option<Position>, positions: &dyn Positions) -> Vec<u8> {
    let Some(Position { input, offset }) = position else { return Vec::new() };
    [positions.identity(input), offset.to_le_bytes().to_vec()].concat()
}
