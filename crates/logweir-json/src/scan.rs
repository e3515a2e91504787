//! The plain scanner: the definition of what is legal.
//!
//! A line is an event if it is UTF-8, if it is JSON as of RFC 8259, and if that JSON is an object. The faster reader,
//! [`Projector`](crate::Projector), must agree with this one in everything, and asks it wherever it is in doubt; so
//! this one is written to be read: byte by byte, one state, one stack.

mod grammar;

use std::error::Error;
use std::fmt;
use std::ops::Range;

use logweir_event::{Malformed, Span};

use self::grammar::Nesting;
use crate::path::{Found, Projection};

pub(crate) use self::grammar::{escape, number, word};

/// Why a text is not JSON, in words for a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Illegal {
    /// Where it stops being JSON, in bytes; the text's length if it ends too early.
    pub at: usize,
    /// What should stand there.
    pub expected: &'static str,
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {} at byte {}", self.expected, self.at)
    }
}

impl Error for Illegal {}

/// Checks that a text is one JSON value with nothing but white space around it, and returns where the value lies.
///
/// Takes memory for a bit a level of nesting, and no stack.
///
/// # Errors
///
/// [`Illegal`] says where the text stops being UTF-8 or JSON.
pub fn check(text: &[u8]) -> Result<Range<usize>, Illegal> {
    if let Err(error) = std::str::from_utf8(text) {
        return Err(Illegal { at: error.valid_up_to(), expected: "UTF-8" });
    }
    grammar::document(text, &mut Nesting::default())
}

/// Finds events and their asked fields, by the book.
#[derive(Debug)]
pub struct Scanner {
    projection: Projection,
    found: Found,
    nesting: Nesting,
}

impl Scanner {
    /// Returns a scanner that finds the fields asked for in `projection`.
    pub fn new(projection: Projection) -> Self {
        Self { found: Found::new(&projection), projection, nesting: Nesting::default() }
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
    pub fn scan(&mut self, chunk: &[u8], line: Span, row: &mut [Span]) -> Result<Span, Malformed> {
        let text = &chunk[line.range()];
        if std::str::from_utf8(text).is_err() {
            return Err(Malformed::NotUtf8);
        }
        let value = grammar::document(text, &mut self.nesting);
        self.nesting.shrink();
        let value = value.map_err(|_| Malformed::NotJson)?;
        if text[value.start] != b'{' {
            return Err(Malformed::NotObject);
        }
        let event = Span::new(line.start() + value.start, line.start() + value.end);
        self.found.clear();
        self.found.look_into(&self.projection, 0, chunk, event);
        self.found.answer(&self.projection, chunk, row);
        Ok(event)
    }
}
