//! How many events of a payload a batch takes, and in which form.

use std::borrow::Cow;
use std::ops::Range;

use logweir_event::{EventPlace, Payload, Places};

use super::key::believable;
use super::shape::Shape;
use crate::destination::EnvelopedEvent;

/// What a batch has so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filled {
    /// What no other batch has.
    pub(super) batch_id: u64,
    pub(super) n_events: u64,
    /// The bytes before compression, with what stands before the first event.
    pub(super) n_raw_bytes: u64,
    /// When the payload was read, in milliseconds since 1970: the time of events that have none.
    pub(super) now_ms: i64,
}

/// The events at the beginning of a payload that a batch takes.
#[derive(Debug)]
pub(super) struct Fitting {
    pub(super) n_events: usize,
    /// Their bytes in envelopes; `None` if they stay as they were rendered.
    pub(super) enveloped: Option<Vec<u8>>,
}

/// Returns which of a payload's events go into a batch without any bound being exceeded. A batch without events takes
/// at least one.
pub(super) fn fitting(shape: &Shape, filled: &Filled, payload: &Payload) -> Fitting {
    let places = places(payload);
    let n_left = shape.max_events.saturating_sub(filled.n_events);
    let n_most = places.events().len().min(usize::try_from(n_left).unwrap_or(usize::MAX));
    let n_most = n_before_long(shape, filled, places, n_most);
    let taken = filled.n_raw_bytes + shape.suffix.len() as u64;
    let room = shape.max_bytes.saturating_sub(taken);
    let n_least = usize::from(filled.n_events == 0);
    if !shape.envelope.is_plain() {
        return enveloped(shape, filled, payload, room, n_least..n_most);
    }
    let skipped = u64::from(if filled.n_events == 0 { places.n_delimiter_bytes() } else { 0 });
    let fits = |event: &EventPlace| u64::from(event.rendered_end).saturating_sub(skipped) <= room;
    let n_fitting = places.events()[..n_most].partition_point(fits);
    Fitting { n_events: n_fitting.max(n_least), enveloped: None }
}

/// Returns how many of `n_most` events come before the first that the destination may refuse for its length; where that
/// is the first of a batch, one: it goes alone, so that no other is refused with it.
fn n_before_long(shape: &Shape, filled: &Filled, places: &Places, n_most: usize) -> usize {
    let Some(max_bytes) = shape.max_event_bytes else { return n_most };
    let mut ranges = event_ranges(places).take(n_most);
    match ranges.position(|range| range.len() as u64 > max_bytes) {
        None => n_most,
        Some(0) if filled.n_events == 0 => 1,
        Some(n_events) => n_events,
    }
}

/// Returns whether the only event of a batch is one that nothing must follow.
pub(super) fn is_long(shape: &Shape, payload: &Payload) -> bool {
    let is_long = |max_bytes| event_ranges(places(payload)).any(|range| range.len() as u64 > max_bytes);
    shape.max_event_bytes.is_some_and(is_long)
}

/// Puts events into envelopes for as long as there is room for them.
fn enveloped(shape: &Shape, filled: &Filled, payload: &Payload, room: u64, n: Range<usize>) -> Fitting {
    let (mut out, mut n_events) = (Vec::new(), 0);
    let bytes = in_one_piece(payload);
    for (i, range) in event_ranges(places(payload)).take(n.end).enumerate() {
        let n_before = out.len();
        let bytes = &bytes[range];
        let time_ms = event_time(&places(payload).events()[i]).unwrap_or(filled.now_ms);
        let index = filled.n_events + i as u64;
        let event = EnvelopedEvent { bytes, time_ms, batch_id: filled.batch_id, index };
        shape.envelope.event(&mut out, &event);
        if out.len() as u64 > room && i >= n.start {
            out.truncate(n_before);
            break;
        }
        n_events = i + 1;
    }
    Fitting { n_events, enveloped: Some(out) }
}

/// Returns when an event happened, if it says so and that can be.
pub(super) fn event_time(event: &EventPlace) -> Option<i64> {
    event.time_ms.and_then(believable)
}

/// Returns where the events of a payload lie.
///
/// # Panics
///
/// If the payload does not know.
pub(super) fn places(payload: &Payload) -> &Places {
    payload.places().expect("whoever feeds a sink that collects batches has the encoder say where events lie")
}

/// Returns where each event lies in the bytes of its payload, without its delimiter.
fn event_ranges(places: &Places) -> impl Iterator<Item = Range<usize>> {
    let n_delimiter_bytes = places.n_delimiter_bytes() as usize;
    let mut start = 0;
    places.events().iter().map(move |event| {
        let range = start + n_delimiter_bytes..event.rendered_end as usize;
        start = range.end;
        range
    })
}

/// Returns the bytes of a payload in one piece.
fn in_one_piece(payload: &Payload) -> Cow<'_, [u8]> {
    match payload.parts() {
        [part] => Cow::Borrowed(part),
        parts => Cow::Owned(parts.concat()),
    }
}
