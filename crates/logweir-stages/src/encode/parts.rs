//! The bytes of events as they are: slices of the chunk, and what has been copied together.

use bytes::Bytes;
use logweir_event::{Batch, Span};
use logweir_json::{find_lookup, redact_lookups};
use memchr::{memchr, memrchr};

/// Runs of untouched bytes below this many are copied together: a copy costs less than one more part in a vectored
/// write, which the kernel takes 1,024 of at a time.
const GATHER_BELOW: usize = 16 * 1024;

/// The parts of a payload while they are collected.
#[derive(Default)]
pub(super) struct Parts {
    /// Slices of the chunk, each with how much of `gathered` goes before it.
    slices: Vec<(usize, Span)>,
    gathered: Vec<u8>,
    /// Whether lookups are redacted.
    is_redacted: bool,
}

impl Parts {
    pub(super) fn new(is_redacted: bool) -> Self {
        Self { is_redacted, ..Self::default() }
    }

    /// Adds a run of untouched lines, the last of which may be the chunk's last and lack its line feed. Lines in which
    /// something is to be redacted are copied.
    pub(super) fn add_run(&mut self, run: Option<Span>, batch: &Batch) {
        let Some(mut rest) = run else { return };
        while self.is_redacted
            && rest.len() >= GATHER_BELOW
            && let Some(line) = line_with_lookup(batch.bytes(rest))
        {
            let line = Span::new(rest.start() + line.start(), rest.start() + line.end());
            self.add_untouched(Span::new(rest.start(), line.start()), batch);
            self.add_line(batch.bytes(line));
            rest = Span::new(line.end(), rest.end());
        }
        self.add_untouched(rest, batch);
    }

    /// Copies lines, adding the line feed that the last one may lack.
    pub(super) fn add_line(&mut self, line: &[u8]) {
        self.gathered.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            self.gathered.push(b'\n');
        }
    }

    /// Adds a run of lines as a slice, if it is long enough.
    fn add_untouched(&mut self, run: Span, batch: &Batch) {
        if run.is_empty() {
            return;
        }
        if run.len() < GATHER_BELOW {
            return self.add_line(batch.bytes(run));
        }
        self.slices.push((self.gathered.len(), run));
        if !batch.bytes(run).ends_with(b"\n") {
            self.gathered.push(b'\n');
        }
    }

    pub(super) fn finish(mut self, chunk: &Bytes) -> Vec<Bytes> {
        if self.is_redacted {
            // All that is copied is whole lines, and no lookup goes from one to the next.
            redact_lookups(&mut self.gathered);
        }
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

/// Returns the first line with something to redact.
fn line_with_lookup(lines: &[u8]) -> Option<Span> {
    let lookup = find_lookup(lines)?;
    let start = memrchr(b'\n', &lines[..lookup]).map_or(0, |line_feed| line_feed + 1);
    let end = memchr(b'\n', &lines[lookup..]).map_or(lines.len(), |n_bytes| lookup + n_bytes + 1);
    Some(Span::new(start, end))
}
