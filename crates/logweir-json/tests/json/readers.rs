//! One helper for all tests of the two readers.

use logweir_event::{Malformed, Span};
use logweir_json::{Projection, Projector, Scanner};
use logweir_testkit::oracle::decode::Event;

/// Keys that real events and generated ones have, and some that few or none have.
pub(crate) const KEYS: &[&str] = &[
    "Outcome",
    "Exceptions",
    "Logs",
    "EventTimestampMs",
    "Event",
    "Event.RayID",
    "Event.Request.Method",
    "Event.Response.Status",
    "ScriptVersion.ID",
    "CPUTimeMs",
    "a",
    "b",
    "a.b",
    "a.a",
    "a.b.a",
    "b.a",
    "b.",
    "",
    ".",
    "..",
    "é",
    "é.a",
    "\"",
    "\u{1f600}",
    "no such field",
    "a name of more than sixty-three bytes, for which the projection has but one bit together",
];

/// Both readers, used for line after line, as in a pipeline.
pub(crate) struct Readers {
    scanner: Scanner,
    projector: Projector,
    width: usize,
}

/// What a reader says of a line.
pub(crate) type Answer = (Result<Span, Malformed>, Vec<Span>);

impl Readers {
    pub(crate) fn new(keys: &[&str]) -> Self {
        let mut projection = Projection::default();
        for key in keys {
            projection.ask(key);
        }
        Self::of(&projection)
    }

    pub(crate) fn of(projection: &Projection) -> Self {
        Self {
            scanner: Scanner::new(projection.clone()),
            projector: Projector::new(projection.clone()),
            width: projection.width(),
        }
    }

    /// Reads a line with both and returns what they agree on.
    pub(crate) fn read(&mut self, chunk: &[u8], line: Span) -> Answer {
        let mut row = vec![Span::MISSING; self.width];
        let body = self.projector.project(chunk, line, &mut row);
        let projected = (body, row);

        let mut row = vec![Span::MISSING; self.width];
        let body = self.scanner.scan(chunk, line, &mut row);
        let scanned = (body, row);
        let shown = String::from_utf8_lossy(&chunk[line.range()]);
        assert_eq!(projected, scanned, "projector and scanner differ on {shown}");
        scanned
    }
}

/// Returns what the oracle says of a line that starts at `origin`.
pub(crate) fn oracle(line: &[u8], origin: usize, keys: &[&str]) -> Answer {
    let event = match Event::read(line) {
        Ok(event) => event,
        Err(reason) => return (Err(reason), vec![Span::MISSING; keys.len()]),
    };
    let shifted = |span: std::ops::Range<usize>| Span::new(origin + span.start, origin + span.end);
    let field = |key: &&str| event.object().path(*key).map_or(Span::MISSING, |node| shifted(node.span()));
    (Ok(shifted(event.object().span())), keys.iter().map(field).collect())
}
