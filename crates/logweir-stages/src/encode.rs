//! Renders the events of a batch as bytes for a sink.
//!
//! An event is written as it is, or rendered after a layout that is worked out once: texts, and between them the spans
//! of the asked fields, gathered as they lie in the chunk. What stands around a batch is the sink's to put there.

mod config;
mod constant;
mod layout;
mod parts;
mod template;

use bytes::Bytes;
pub use config::{EncodeConfig, EncodeProblem, OutputType};
use logweir_event::{Batch, BatchFrame, ColumnId, EventPlace, Payload, Places, Position, Span};
use logweir_json::{Projection, redact_lookups};
pub use template::{RecordTemplate, TemplateProblem};

use self::layout::Layout;
use self::parts::Parts;

/// Rendered text in one payload; the last event may go beyond. As much as a chunk has by default, which is enough for
/// a write to cost little beside its bytes.
pub const PAYLOAD_BYTES: usize = 512 * 1024;

/// Turns batches into payloads.
///
/// An event as it is leaves as the bytes it came in, its white space and line ending included; neighbours leave as
/// one slice of the chunk. With `field_names` an event becomes `{"Name":<the value as written>,…}` and a line feed,
/// a missing field being `null`, or what the other options make of it.
pub struct Encode {
    /// `None` writes events as they are.
    layout: Option<Layout>,
    frame: BatchFrame,
    /// The field with the time of an event, if somebody asked where events lie.
    time: Option<ColumnId>,
}

impl Encode {
    /// Returns the encoder, having asked `projection` for the fields it writes. The configuration must have no
    /// [problems](EncodeConfig::problems).
    pub fn new(config: &EncodeConfig, projection: &mut Projection) -> Self {
        let is_redacted = config.redact_cve_2021_44228;
        let bytes = |text: &Option<String>| {
            let mut bytes = text.clone().unwrap_or_default().into_bytes();
            if is_redacted {
                redact_lookups(&mut bytes);
            }
            Bytes::from(bytes)
        };
        let (prefix, suffix) = (bytes(&config.batch_prefix), bytes(&config.batch_suffix));
        let frame = BatchFrame { prefix, suffix, is_redacted };
        Self { layout: config.layout(projection), frame, time: None }
    }

    /// Has each payload say where its events lie, and asks `projection` for what that takes.
    #[must_use]
    pub fn with_places(self, projection: &mut Projection) -> Self {
        Self { time: Some(projection.ask_top_level("EventTimestampMs")), ..self }
    }

    /// Returns what stands around the events of a batch.
    pub fn frame(&self) -> BatchFrame {
        self.frame.clone()
    }

    /// Returns the payloads of the selected events: at least one, even if there are no events. `end` is where the chunk
    /// ends in its input.
    ///
    /// What is rendered anew may be many times as long as the events were, so it comes in payloads of about
    /// [`PAYLOAD_BYTES`] each: whoever writes slowly holds no more of it than he takes.
    pub fn encode<'b>(&'b self, batch: &'b Batch, end: Position) -> impl Iterator<Item = Payload> + 'b {
        let mut events = batch.selection().iter().peekable();
        let mut is_first = true;
        std::iter::from_fn(move || {
            if !std::mem::take(&mut is_first) && events.peek().is_none() {
                return None;
            }
            let mut found = self.time.map(|time| Found { batch, time, places: Vec::new() });
            let payload = match &self.layout {
                None => self.as_they_are(batch, &mut events, found.as_mut()),
                Some(layout) => self.rendered(batch, layout, &mut events, found.as_mut()),
            };
            let payload = match found {
                Some(found) => payload.with_places(self.places(found, end)),
                None => payload,
            };
            Some(if events.peek().is_some() { payload.followed_by_more() } else { payload })
        })
    }

    /// Returns the payload of all events as they are. What is copied of them is no longer than the chunk and its edited
    /// lines.
    fn as_they_are(
        &self,
        batch: &Batch,
        events: &mut impl Iterator<Item = usize>,
        mut found: Option<&mut Found<'_>>,
    ) -> Payload {
        let mut parts = Parts::new(self.frame.is_redacted);
        let mut run: Option<Span> = None;
        let (mut n_events, mut n_bytes) = (0, 0);
        for event in events {
            n_events += 1;
            let line = batch.line(event);
            if let Some(found) = &mut found {
                n_bytes += line.len() + usize::from(lacks_line_feed(batch, line));
                found.add(event, n_bytes);
            }
            if let Some(before) = run.filter(|run| run.end() == line.start() && !batch.is_edited(event)) {
                run = Some(Span::new(before.start(), line.end()));
                continue;
            }
            parts.add_run(run.take(), batch);
            if batch.is_edited(event) {
                parts.add_line(batch.bytes(line));
            } else {
                run = Some(line);
            }
        }
        parts.add_run(run, batch);
        Payload::new(parts.finish(batch.chunk()), n_events)
    }

    /// Returns the payload of the next events, rendered, until it is long enough.
    fn rendered(
        &self,
        batch: &Batch,
        layout: &Layout,
        events: &mut impl Iterator<Item = usize>,
        mut found: Option<&mut Found<'_>>,
    ) -> Payload {
        let mut out = Vec::new();
        let mut n_events = 0;
        while out.len() < PAYLOAD_BYTES
            && let Some(event) = events.next()
        {
            n_events += 1;
            layout.render(batch, event, &mut out);
            if let Some(found) = &mut found {
                found.add(event, out.len());
            }
        }
        if self.frame.is_redacted {
            redact_lookups(&mut out);
        }
        Payload::new(vec![Bytes::from(out)], n_events)
    }

    fn places(&self, found: Found<'_>, end: Position) -> Places {
        let n_delimiter_bytes = self.layout.as_ref().map_or(0, |layout| layout.n_delimiter_bytes);
        Places::new(found.batch.chunk().clone(), end, found.places, n_delimiter_bytes)
    }
}

/// Where the events of a payload lie, while it is made.
struct Found<'a> {
    batch: &'a Batch,
    time: ColumnId,
    places: Vec<EventPlace>,
}

impl Found<'_> {
    /// Adds an event that ends at `rendered_end` in the payload, which the configuration keeps within 32 bits.
    fn add(&mut self, event: usize, rendered_end: usize) {
        let time_ms = self.batch.field(event, self.time).and_then(integer);
        let read_end = self.batch.read_end(event);
        self.places.push(EventPlace { rendered_end: rendered_end as u32, read_end, time_ms });
    }
}

/// Returns whether the line of an event has no line feed at its end.
fn lacks_line_feed(batch: &Batch, line: Span) -> bool {
    // Only the last line of a chunk may lack it; the ends of all others are not even looked at, which would cost more
    // than all else that is done here with an event.
    line.end() >= batch.chunk().len() && !batch.bytes(line).ends_with(b"\n")
}

/// Returns the integer that a value is, if it is written as one and 64 bits can hold it.
fn integer(raw: &[u8]) -> Option<i64> {
    let (sign, digits) = raw.strip_prefix(b"-").map_or((1, raw), |digits| (-1, digits));
    digits.iter().try_fold(0_i64, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| i64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(sign * digit)
    })
}
