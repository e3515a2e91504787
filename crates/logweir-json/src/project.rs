//! The fast reader: checks an event and finds its fields in one pass, 64 bytes at a time.
//!
//! What it cannot vouch for, because it is illegal or unusual, is read again by the [`Scanner`], which is the
//! definition of what is legal and says what is wrong.

use logweir_event::{Malformed, Span};

use crate::lines::{skip_space, trim_end};
use crate::path::{Found, Projection, TopLevel};
use crate::scan::Scanner;
use crate::simd::Instructions;
use crate::structure::Reading;

/// Finds events and their asked fields, fast.
///
/// The answers are the [`Scanner`]'s, for every input.
pub struct Projector {
    instructions: Instructions,
    projection: Projection,
    names: TopLevel,
    found: Found,
    scanner: Scanner,
}

impl Projector {
    /// Returns how much scratch memory a projector takes at most, in bytes, for events of at most `n_bytes`: a bit a
    /// level of nesting, in memory that grows by doubling.
    pub const fn max_scratch_bytes(n_bytes: usize) -> usize {
        n_bytes.div_ceil(8).next_power_of_two()
    }

    /// Returns a projector that finds the fields asked for in `projection`, with the best instructions there are.
    pub fn new(projection: Projection) -> Self {
        Self::with(Instructions::best(), projection)
    }

    /// Returns a projector that reads with these instructions.
    pub fn with(instructions: Instructions, projection: Projection) -> Self {
        Self {
            instructions,
            names: TopLevel::new(&projection),
            found: Found::new(&projection),
            scanner: Scanner::new(projection.clone()),
            projection,
        }
    }

    /// Reads the event on `line` of `chunk`: sets `row` to the spans of the asked fields' values, and returns the
    /// span from the event's `{` to its `}`, all counted in `chunk`.
    ///
    /// The line may have white space and its ending around the event. `row` has the projection's width and comes
    /// with all fields missing; what the event lacks, and all of a line that is no event, stays so. Takes no memory
    /// once it has seen nesting as deep.
    ///
    /// # Errors
    ///
    /// [`Malformed`] says why the line is no event; the reasons are tested in the order of its variants.
    ///
    /// # Panics
    ///
    /// If `line` is not a span of `chunk`.
    pub fn project(&mut self, chunk: &[u8], line: Span, row: &mut [Span]) -> Result<Span, Malformed> {
        let text = &chunk[line.range()];
        let start = skip_space(text, 0);
        let end = trim_end(text, text.len()).max(start);
        let event = Span::new(line.start() + start, line.start() + end);
        if let [b'{', .., b'}'] = chunk[event.range()] {
            self.found.clear();
            let mut reading = Reading {
                text: &chunk[event.start()..],
                n_bytes: event.len(),
                names: &self.names,
                origin: event.start(),
                values: &mut self.found.values,
                has_escaped_names: false,
            };
            if self.instructions.read(&mut reading).is_some() {
                if reading.has_escaped_names {
                    self.found.clear();
                    self.found.look_into(&self.projection, 0, chunk, event);
                }
                self.found.answer(&self.projection, chunk, row);
                return Ok(event);
            }
        }
        self.scanner.scan(chunk, line, row)
    }
}
