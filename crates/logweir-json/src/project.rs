//! The fast reader: simd-json checks the event, its tape says where the fields are.
//!
//! simd-json turns an event into a tape, a flat list of nodes in which every array and object knows how many nodes
//! are inside it, so that going over one costs one step. The tape has values, not places; but its strings point into
//! the text they were read from, and that is enough: a member's name is a string, and what lies between two names is
//! a colon, a value, a comma and white space. So only the members of objects that somebody looks into are ever
//! visited, and of their bytes only the few around a value that is asked for.
//!
//! simd-json unescapes strings in place, so it works on a scratch copy. A string in the copy starts where it starts in
//! the line, since unescaping only ever shortens what follows its start.
//!
//! Not all that is legal passes simd-json: it refuses halves of surrogate pairs, integers beyond 64 bits and doubles
//! beyond the largest. Whatever it refuses is read again by the [`Scanner`], which is the definition of what is legal;
//! and so is what this reader does not give it in the first place, because of its size or because it is no object.

use logweir_event::{Malformed, Span};
use simd_json::{Buffers, INPUT_PADDING, Node, Tape, fill_tape_padded};

use crate::lines::{is_space, skip_space, trim_end};
use crate::path::{Found, LevelRef, Projection};
use crate::scan::Scanner;
use crate::walk::behind_string;

/// Length of the longest event given to simd-json. In the worst case, text that is all brackets, it takes 28 bytes
/// of memory for a byte of text; the scanner takes an eighth of a byte. Longer than the default chunk, so only an
/// event that needed a chunk of its own is read at the scanner's speed.
const MAX_SIMD_BYTES: usize = 512 * 1024;

/// Nesting that simd-json is given to read; it keeps 24 bytes a level ready. Deeper events are the scanner's.
const MAX_SIMD_DEPTH: usize = 1024;

/// Nodes of tape kept from event to event: 3 MiB, as many as 1 MiB of common events has.
const KEPT_NODES: usize = 128 * 1024;

/// Finds events and their asked fields, fast.
///
/// The answers are the [`Scanner`]'s, for every input. Owns scratch memory, used again for event after event: up to
/// [`MAX_SCRATCH_BYTES`](Projector::MAX_SCRATCH_BYTES) while an event of half a megabyte of brackets is read, at most
/// about 5 MiB after it, and for events of common size a few times the size of the longest.
pub struct Projector {
    projection: Projection,
    found: Found<Place>,
    /// The event being read and simd-json's padding; its bytes are those of the line until it is parsed.
    scratch: Vec<u8>,
    buffers: Buffers,
    /// Empty between two events; kept for its memory.
    tape: Tape<'static>,
    scanner: Scanner,
}

/// A value: where it lies, counted from the event's `{`, and its node on the tape.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    end: usize,
    node: usize,
}

impl Projector {
    /// What the scratch memory of a projector comes to at most, in bytes, while it reads the worst of events.
    pub const MAX_SCRATCH_BYTES: usize = 16 << 20;

    /// Returns a projector that finds the fields asked for in `projection`.
    pub fn new(projection: Projection) -> Self {
        Self {
            found: Found::new(&projection),
            scratch: Vec::new(),
            buffers: Buffers::with_max_depth(0, MAX_SIMD_DEPTH),
            tape: Tape(Vec::new()),
            scanner: Scanner::new(projection.clone()),
            projection,
        }
    }

    /// Reads the event on `line` of `chunk`: sets `row` to the spans of the asked fields' values, and returns the
    /// span from the event's `{` to its `}`, all counted in `chunk`.
    ///
    /// The line may have white space and its ending around the event. `row` has the projection's width and comes
    /// with all fields missing; what the event lacks, and all of a line that is no event, stays so. Takes no memory
    /// once it has seen events as large.
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
        let (start, end) = (skip_space(text, 0), trim_end(text, text.len()));
        if let Some(event @ [b'{', .., b'}']) = text.get(start..end)
            && event.len() <= MAX_SIMD_BYTES
            && self.read(event, line.start() + start, row).is_some()
        {
            return Ok(Span::new(line.start() + start, line.start() + end));
        }
        self.scanner.scan(chunk, line, row)
    }

    /// Reads an event that starts at `origin` of its chunk; `None`, the row untouched, if simd-json refuses it.
    fn read(&mut self, event: &[u8], origin: usize, row: &mut [Span]) -> Option<()> {
        self.scratch.clear();
        self.scratch.extend_from_slice(event);
        self.scratch.extend_from_slice(&[b' '; INPUT_PADDING]);
        let base = self.scratch.as_ptr().addr();

        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let is_legal = fill_tape_padded(&mut self.scratch, event.len(), &mut self.buffers, &mut tape).is_ok();
        let answer = if is_legal {
            let reader = TapeReader { event, nodes: &tape.0, base };
            let root = Place { start: 0, end: event.len(), node: 0 };
            let look = |found: &mut _, level: LevelRef<'_>, object| reader.look_into(found, level, object);
            let span = |place: Place| Span::new(origin + place.start, origin + place.end);
            self.found.answer(&self.projection, root, row, look, span)
        } else {
            None
        };
        self.tape = tape.reset();
        self.shrink();
        answer
    }

    /// Gives memory back that only a freak of an event needed. The tape is never shorter than the list of structural
    /// characters, so its length tells of both.
    fn shrink(&mut self) {
        if self.tape.0.capacity() > KEPT_NODES {
            self.tape = Tape(Vec::new());
            self.buffers = Buffers::with_max_depth(0, MAX_SIMD_DEPTH);
        }
    }
}

/// A tape beside the text it was made of.
#[derive(Clone, Copy)]
struct TapeReader<'t> {
    /// The event as it stands in the chunk.
    event: &'t [u8],
    nodes: &'t [Node<'t>],
    /// The address of the copy of the event that the tape's strings point into.
    base: usize,
}

impl TapeReader<'_> {
    /// Sets the steps of `level` that the value `object` has, if it is an object.
    ///
    /// `None` would mean that tape and text do not belong together; the scanner has the last word then.
    #[inline]
    fn look_into(self, found: &mut Found<Place>, level: LevelRef<'_>, object: Place) -> Option<()> {
        let Node::Object { count, .. } = *self.nodes.get(object.node)? else { return Some(()) };
        let end = object.node + 1 + count;
        let mut node = object.node + 1;
        // A value that is asked for ends before the name behind it, so it is known only once that has come.
        let mut open = None;
        while node < end {
            let Node::String(name) = *self.nodes.get(node)? else { return None };
            if let Some((step, value)) = open.take() {
                found.set(step, self.value(value, self.quote(name)?, b',')?);
            }
            if let Some(step) = level.step(name.as_bytes()) {
                open = Some((step, Place { start: self.behind_colon(name)?, end: 0, node: node + 1 }));
            }
            node += 1 + self.n_nodes(node + 1)?;
        }
        if let Some((step, value)) = open {
            found.set(step, self.value(value, object.end, b'}')?);
        }
        Some(())
    }

    /// Returns the number of nodes of the value at `node`.
    #[inline]
    fn n_nodes(self, node: usize) -> Option<usize> {
        Some(match *self.nodes.get(node)? {
            Node::Object { count, .. } | Node::Array { count, .. } => 1 + count,
            Node::String(_) | Node::Static(_) => 1,
        })
    }

    /// Returns where the opening quote of a string of the tape stands in the event.
    #[inline]
    fn quote(self, string: &str) -> Option<usize> {
        string.as_ptr().addr().checked_sub(self.base)?.checked_sub(1)
    }

    /// Returns where the value of the member called `name` starts.
    #[inline]
    fn behind_colon(self, name: &str) -> Option<usize> {
        let quote = self.quote(name)?;
        let behind_plain = quote + 1 + name.len();
        // An escape is longer than what it stands for, and the first one starts where the two still are in step: so
        // if there is any, this finds it.
        let is_plain = !self.event.get(quote + 1..behind_plain)?.contains(&b'\\');
        let behind_name = if is_plain { behind_plain + 1 } else { behind_string(self.event, quote) };
        let colon = skip_space(self.event, behind_name);
        (self.event.get(colon) == Some(&b':')).then(|| skip_space(self.event, colon + 1))
    }

    /// Returns a value with its end, which is before the last `mark` before `limit`, a comma or closing brace.
    #[inline]
    fn value(self, value: Place, limit: usize, mark: u8) -> Option<Place> {
        let before = self.event.get(..limit)?;
        let mark_at = before.iter().rposition(|&byte| !is_space(byte)).filter(|&at| before[at] == mark)?;
        let end = trim_end(before, mark_at);
        (value.start < end).then_some(Place { end, ..value })
    }
}
