//! Finds the events of a chunk and, in each, the fields that somebody asked for.

use logweir_event::{Batch, Chunk, Span};
use logweir_json::{Instructions, Projection, Projector, content, is_blank, lines};

/// Spans in a batch, of asked fields and of events: 2 MiB of them. A common chunk has some ten thousand; only one of
/// tiny events, or with very many fields asked for, is decoded in several batches.
const MAX_SPANS: usize = 256 * 1024;

/// Turns chunks into batches. One a task: it owns the scratch memory that decoding needs.
pub struct Decode {
    projector: Projector,
    /// Asked fields an event.
    width: usize,
    /// Longest line in bytes, without its ending, that may be an event.
    max_event_bytes: usize,
}

impl Decode {
    /// Returns how much scratch memory a decoder takes at most, in bytes, for events of at most `max_event_bytes`.
    pub const fn max_scratch_bytes(max_event_bytes: usize) -> usize {
        Projector::max_scratch_bytes(max_event_bytes)
    }

    /// Returns the instructions that events are read with, by the name that vendors give them.
    pub fn instructions() -> Instructions {
        Instructions::best()
    }

    /// Returns a decoder that finds the fields of `projection`.
    pub fn new(projection: &Projection, max_event_bytes: usize) -> Self {
        Self { projector: Projector::new(projection.clone()), width: projection.width(), max_event_bytes }
    }

    /// Fills `batch` with the events of `chunk` from byte `from` on, all selected; returns where it stopped, which is
    /// the chunk's end unless so many events are in it that their spans would take more memory than it does.
    ///
    /// Blank lines are passed over; lines that are no events become the batch's rejects; longer ones than allowed
    /// are only counted. What the source skipped before the chunk is counted with its first batch.
    pub fn decode(&mut self, chunk: &Chunk, from: usize, batch: &mut Batch) -> usize {
        batch.reset(chunk.bytes.clone(), self.width);
        if from == 0 {
            batch.add_oversized(chunk.n_oversized);
        }
        let max_events = MAX_SPANS / (self.width + 1);
        let mut end = from;
        for line in lines(&chunk.bytes[from..]) {
            if batch.len() + batch.rejects().len() > max_events {
                break;
            }
            let line = Span::new(from + line.start(), from + line.end());
            self.decode_line(&chunk.bytes, line, batch);
            end = line.end();
        }
        batch.select_all();
        end
    }

    fn decode_line(&mut self, chunk: &[u8], line: Span, batch: &mut Batch) {
        let bytes = &chunk[line.range()];
        if content(bytes).len() > self.max_event_bytes {
            return batch.add_oversized(1);
        }
        // Nearly every line starts with the event itself, and then cannot be blank.
        if bytes[0] == b'{' || !is_blank(bytes) {
            batch.push_line(line, |chunk, row| self.projector.project(chunk, line, row));
        }
    }
}
