//! One helper for all tests of the readers.

use logweir_event::{Malformed, Span};
use logweir_json::{Instructions, Projection, Projector, Scanner};
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
    "b\":\"a\",\"b",
    "\u{1f600}",
    "no such field",
    "a name of more than sixty-three bytes, for which the projection has but one bit together",
];

/// The scanner, and a projector for each kind of instructions that this machine has, used for line after line, as in a
/// pipeline.
pub(crate) struct Readers {
    scanner: Scanner,
    projectors: Vec<(Instructions, Projector)>,
    width: usize,
}

/// What a reader says of a line.
pub(crate) type Answer = (Result<Span, Malformed>, Vec<Span>);

/// Bytes that must not matter behind an event: as many as a reader may load together with its last one, and each of a
/// kind that would mean something inside.
pub(crate) const HOSTILE: [&[u8; 64]; 7] = [
    &[b'"'; 64],
    &[b'\\'; 64],
    &[b'}'; 64],
    &[b'['; 64],
    &[b'\n'; 64],
    &[0xff; 64],
    b"\"\\\"]}{[,:\xff\n\0\x80 \"}\\\\\"u0\t1,\r.\"a\":1}\n{\"b\":[\"\\\\\\\"\xe4\xb8]}:::,,,[[]]\"a-01e",
];

impl Readers {
    pub(crate) fn new(keys: &[&str]) -> Self {
        let mut projection = Projection::default();
        for key in keys {
            projection.ask(key);
        }
        Self::of(&projection)
    }

    pub(crate) fn of(projection: &Projection) -> Self {
        let projector = |instructions| (instructions, Projector::with(instructions, projection.clone()));
        Self {
            scanner: Scanner::new(projection.clone()),
            projectors: Instructions::available().map(projector).collect(),
            width: projection.width(),
        }
    }

    /// Reads a line with all of them and returns what they agree on.
    pub(crate) fn read(&mut self, chunk: &[u8], line: Span) -> Answer {
        let mut row = vec![Span::MISSING; self.width];
        let body = self.scanner.scan(chunk, line, &mut row);
        let scanned = (body, row);
        let mut row = vec![Span::MISSING; self.width];
        for (instructions, projector) in &mut self.projectors {
            row.fill(Span::MISSING);
            let body = projector.project(chunk, line, &mut row);
            let is_same = body == scanned.0 && row == scanned.1;
            assert!(
                is_same,
                "by {instructions} the answer is {:?}, by the scanner {scanned:?}, on {}",
                (body, &row),
                String::from_utf8_lossy(&chunk[line.range()])
            );
        }
        scanned
    }

    /// Reads a line at the very end of a chunk and then one with hostile bytes behind it, and returns what all agree on.
    pub(crate) fn read_twice(&mut self, line: &[u8]) -> Answer {
        let span = Span::new(0, line.len());
        let answer = self.read(line, span);
        let hostile = HOSTILE[HOSTILE.len() - 1];
        assert_eq!(self.read(&[line, hostile].concat(), span), answer, "{}", String::from_utf8_lossy(line));
        answer
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
