//! The grammar of JSON on masks: one pass that checks an event and finds its top-level fields.
//!
//! Text is read in blocks of 64 bytes, and of each block there is a mask, one bit a byte, for every kind of byte
//! ([`Masks`](crate::simd::Masks)). What strings are, which byte may follow which, where a number starts: all that is
//! asked of 64 bytes with a few operations on such masks, and of eight blocks, a *stripe*, with the same few operations
//! on vectors of eight masks. What one stripe has to know of the one before is a bit carried over. Only brackets are
//! gone over one by one, since what is open around a place takes a stack; it is a word, a bit a level.
//!
//! What the grammar (RFC 8259) asks, and where it is looked at:
//! - A string has no control characters, and behind a backslash only what belongs there: on masks.
//! - Values start behind a comma, a colon or an opening bracket and nowhere else, and nothing else is there, save the
//!   bracket that closes an empty array or object: on masks, all white space in between passed over.
//! - A colon stands behind a string that stands behind a comma or an opening bracket: on masks. Whether there may or
//!   must be one depends on what is open: in an object behind every such string, in an array behind none. Between two
//!   brackets it is the same bracket that is open, so that takes one step a bracket.
//! - A number or literal: all digits, on masks; any other is looked at byte by byte.
//!
//! Carries go from lower bits to higher, so nothing that stands behind the event can change what is known before it.

// All of it has to end up in one function that has the instructions of a version.
#![allow(clippy::inline_always)]

mod brackets;
mod fields;
mod lexer;

use logweir_event::Span;

use self::brackets::Brackets;
use self::lexer::Lexer;
use crate::path::TopLevel;
use crate::simd::{BLOCK_BYTES, LANES, Simd, pad};

/// What is to be read and found.
pub(crate) struct Reading<'a> {
    /// The chunk from the event's `{` on, beyond the event to the chunk's end.
    pub(crate) text: &'a [u8],
    /// The length of the event; it starts with `{` and ends with `}`.
    pub(crate) n_bytes: usize,
    /// The fields asked for.
    pub(crate) names: &'a TopLevel,
    /// Where the event starts in its chunk.
    pub(crate) origin: usize,
    /// The place of each step's last value, counted in the chunk.
    pub(crate) values: &'a mut [Span],
    /// Whether a name in it, at whatever depth, is written with an escape, so that a field may have been missed.
    pub(crate) has_escaped_names: bool,
}

/// What the brackets have to be compared with, of a stripe.
struct Stripe {
    bracket: [u64; LANES],
    comma: [u64; LANES],
    /// What is wrong where the innermost open bracket is that of an array, or of an object. In an array, all colons.
    wrong_in: [[u64; LANES]; 2],
}

impl Stripe {
    fn colon(&self, block: usize) -> u64 {
        self.wrong_in[0][block]
    }
}

/// Reads an event; `None` if it is illegal, or nested so deep that the scanner has to say.
#[inline(always)]
pub(crate) fn read<S: Simd>(simd: S, reading: &mut Reading<'_>) -> Option<()> {
    let event = reading.text.get(..reading.n_bytes)?;
    let (blocks, rest) = event.as_chunks::<BLOCK_BYTES>();
    let mut lexer = Lexer::new(simd, event);
    let mut brackets = Brackets::new();
    let mut stripes = blocks.chunks(LANES);
    let padded;
    let behind = reading.text.get(event.len() - rest.len()..);
    let tail = if let Some(block) = behind.and_then(<[u8]>::first_chunk) {
        block
    } else {
        padded = pad(rest);
        &padded
    };
    let mut at = 0;
    loop {
        let blocks = stripes.next().unwrap_or_default();
        // What is left behind the last whole block comes last, in this stripe or one of its own.
        let is_last = blocks.len() < LANES;
        let n_blocks = blocks.len() + usize::from(is_last && !rest.is_empty());
        let block = |n: usize| blocks.get(n).unwrap_or(tail);
        let n_in_tail = if is_last { rest.len() } else { 0 };
        let stripe = lexer.stripe(at, block, blocks.len(), n_in_tail)?;
        if let Some(end) = brackets.stripe(reading, &stripe, at, n_blocks) {
            reading.has_escaped_names = lexer.has_escaped_names;
            let is_legal = end + 1 == event.len() && lexer.is_legal() && brackets.is_legal();
            return is_legal.then_some(());
        }
        if is_last {
            return None;
        }
        at += LANES * BLOCK_BYTES;
    }
}
