//! Renders the events of a batch as bytes for a sink.

use bytes::Bytes;
use logweir_event::{Batch, ColumnId, Payload, Span};
use logweir_json::{Projection, escape_into};

/// Runs of untouched bytes below this many are copied together: a copy costs less than one more part in a vectored
/// write, which the kernel takes 1,024 of at a time.
const GATHER_BELOW: usize = 16 * 1024;

/// Rendered text in one payload; the last event may go beyond. As much as a chunk has by default, which is enough for
/// a write to cost little beside its bytes.
pub const PAYLOAD_BYTES: usize = 512 * 1024;

/// The configuration of what is written of an event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EncodeConfig {
    /// The top-level fields to write, in this order; `None` writes the event as it is.
    pub field_names: Option<Vec<String>>,
}

/// Turns batches into payloads.
///
/// An event as it is leaves as the bytes it came in, its white space and line ending included; neighbours leave as
/// one slice of the chunk. With `field_names` an event becomes `{"Name":<the value as written>,…}` and a line feed,
/// a missing field being `null`.
pub struct Encode {
    fields: Option<Vec<Field>>,
}

/// One of `field_names`.
struct Field {
    /// What stands before the value: `{"Name":` or `,"Name":`.
    before: Vec<u8>,
    column: ColumnId,
}

impl Encode {
    /// Returns the encoder, having asked `projection` for the fields it writes.
    pub fn new(config: &EncodeConfig, projection: &mut Projection) -> Self {
        let fields = config.field_names.as_ref().map(|names| {
            let mut opening = b'{';
            let field = |name: &String| {
                let mut before = vec![opening, b'"'];
                opening = b',';
                escape_into(name.as_bytes(), &mut before);
                before.extend_from_slice(b"\":");
                Field { before, column: projection.ask_top_level(name) }
            };
            names.iter().map(field).collect()
        });
        Self { fields }
    }

    /// Returns the payloads of the selected events: at least one, even if there are no events.
    ///
    /// What is rendered anew may be many times as long as the events were, so it comes in payloads of about
    /// [`PAYLOAD_BYTES`] each: whoever writes slowly holds no more of it than he takes.
    pub fn encode<'b>(&'b self, batch: &'b Batch) -> impl Iterator<Item = Payload> + 'b {
        let mut events = batch.selection().iter().peekable();
        let mut is_first = true;
        std::iter::from_fn(move || {
            if !std::mem::take(&mut is_first) && events.peek().is_none() {
                return None;
            }
            let payload = match &self.fields {
                None => as_they_are(batch, &mut events),
                Some(fields) => rendered(batch, fields, &mut events),
            };
            Some(if events.peek().is_some() { payload.followed_by_more() } else { payload })
        })
    }
}

/// Returns the payload of all events as they are. What is copied of them is no longer than the chunk and its edited
/// lines.
fn as_they_are(batch: &Batch, events: &mut impl Iterator<Item = usize>) -> Payload {
    let mut parts = Parts::default();
    let mut run: Option<Span> = None;
    let mut n_events = 0;
    for event in events {
        n_events += 1;
        let line = batch.line(event);
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

/// Returns the payload of the next events' fields, until it is long enough.
fn rendered(batch: &Batch, fields: &[Field], events: &mut impl Iterator<Item = usize>) -> Payload {
    let mut out = Vec::new();
    let mut n_events = 0;
    while out.len() < PAYLOAD_BYTES
        && let Some(event) = events.next()
    {
        n_events += 1;
        for field in fields {
            out.extend_from_slice(&field.before);
            out.extend_from_slice(batch.field(event, field.column).unwrap_or(b"null"));
        }
        out.extend_from_slice(b"}\n");
    }
    Payload::new(vec![Bytes::from(out)], n_events)
}

/// The parts of a payload while they are collected: slices of the chunk, and what has been copied together.
#[derive(Default)]
struct Parts {
    /// Slices of the chunk, each with how much of `gathered` goes before it.
    slices: Vec<(usize, Span)>,
    gathered: Vec<u8>,
}

impl Parts {
    /// Adds a run of untouched lines, the last of which may be the chunk's last and lack its line feed.
    fn add_run(&mut self, run: Option<Span>, batch: &Batch) {
        let Some(run) = run else { return };
        if run.len() < GATHER_BELOW {
            return self.add_line(batch.bytes(run));
        }
        self.slices.push((self.gathered.len(), run));
        if !batch.bytes(run).ends_with(b"\n") {
            self.gathered.push(b'\n');
        }
    }

    /// Copies lines, adding the line feed that the last one may lack.
    fn add_line(&mut self, line: &[u8]) {
        self.gathered.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            self.gathered.push(b'\n');
        }
    }

    fn finish(self, chunk: &Bytes) -> Vec<Bytes> {
        let gathered = Bytes::from(self.gathered);
        let mut parts = Vec::with_capacity(2 * self.slices.len() + 1);
        let mut done = 0;
        for (before, slice) in self.slices {
            parts.push(gathered.slice(done..before));
            parts.push(chunk.slice(slice.range()));
            done = before;
        }
        parts.push(gathered.slice(done..));
        parts.retain(|part| !part.is_empty());
        parts
    }
}
