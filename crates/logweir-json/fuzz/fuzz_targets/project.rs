//! The law: every version of the projector and the scanner give the same answer for every line, wherever its members lie in
//! the blocks that the projector reads, and whatever stands around it.

#![no_main]

use std::sync::{LazyLock, Mutex, PoisonError};

use libfuzzer_sys::fuzz_target;
use logweir_event::{Malformed, Span};
use logweir_json::{Instructions, Projection, Projector, Scanner, lines};

const KEYS: [&str; 6] = ["a", "a.b", "", "Logs", "Outcome of it", "Event.RayID"];

/// As many as the projector may load together with an event's last byte.
const N_BEHIND: usize = 64;

/// Used for input after input, as in a pipeline.
static READERS: LazyLock<Mutex<Readers>> = LazyLock::new(|| Mutex::new(Readers::new()));

struct Readers {
    scanner: Scanner,
    projectors: Vec<(Instructions, Projector)>,
}

impl Readers {
    fn new() -> Self {
        let mut projection = Projection::default();
        for key in KEYS {
            projection.ask(key);
        }
        let projector = |instructions| (instructions, Projector::with(instructions, projection.clone()));
        Self {
            projectors: Instructions::available().map(projector).collect(),
            scanner: Scanner::new(projection),
        }
    }

    /// Reads a line with all and returns what they agree on.
    fn read(&mut self, chunk: &[u8], line: Span) -> Result<Span, Malformed> {
        let mut scanned = [Span::MISSING; KEYS.len()];
        let expected = self.scanner.scan(chunk, line, &mut scanned);
        for (instructions, projector) in &mut self.projectors {
            let mut projected = [Span::MISSING; KEYS.len()];
            assert_eq!(projector.project(chunk, line, &mut projected), expected, "{instructions}");
            assert_eq!(projected, scanned, "{instructions}");
        }
        expected
    }
}

/// Returns how many bytes a byte of the input stands for: less than two blocks, or as many around the end of a stripe.
fn offset(byte: u8) -> usize {
    let n_bytes = usize::from(byte);
    if n_bytes < 128 { n_bytes } else { n_bytes - 128 + 448 }
}

fuzz_target!(|input: &[u8]| {
    let [n_bytes, behind, chunk @ ..] = input else { return };
    let mut readers = READERS.lock().unwrap_or_else(PoisonError::into_inner);
    for line in lines(chunk) {
        let body = readers.read(chunk, line);
        let Some(members) = chunk[line.range()].strip_prefix(b"{") else { continue };
        for (before, byte, after) in [("{", " ", ""), ("{\"p\":\"", "x", "\",")] {
            let moved = format!("{before}{}{after}", byte.repeat(offset(*n_bytes)));
            let moved = [moved.as_bytes(), members].concat();
            let span = Span::new(0, moved.len());
            let alone = readers.read(&moved, span);
            assert_eq!(readers.read(&[&moved[..], &[*behind; N_BEHIND]].concat(), span), alone);
            if after.is_empty() {
                assert_eq!(alone.map(|_| ()), body.map(|_| ()));
            }
        }
    }
});
