//! Goes over the brackets: checks that they match, and what depends on which is open.

use super::fields::Fields;
use super::{Reading, Stripe};
use crate::simd::BLOCK_BYTES;

/// The bits that the stack may come to have: that of the outside, and one for each of 60 levels and for the one that a
/// bracket at the deepest of them would open, which is noted even where it closes.
const MAX_DEPTH: u32 = 62;

/// What the stack is where the event's own fields are: the outside, and one object.
const OWN: u64 = 0b11;

/// What is open around the next byte.
pub(super) struct Brackets {
    /// Of a level that is open the bit is set if it is an object; the highest set bit of all is the outside.
    stack: u64,
    /// All bits that the stack ever had.
    deepest: u64,
    /// Whatever bit is set, something is wrong.
    errors: u64,
    fields: Fields,
}

impl Brackets {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self { stack: 1, deepest: 0, errors: 0, fields: Fields::default() }
    }

    /// Returns whether nothing was wrong with brackets and with what is between them.
    #[inline(always)]
    pub(super) fn is_legal(&self) -> bool {
        self.errors == 0 && self.deepest >> MAX_DEPTH == 0
    }

    /// Goes over the brackets of the `n_blocks` blocks of a stripe that starts at `at`; returns where the event ends if
    /// it does.
    ///
    /// A function of its own for the sake of speed: here the stack is all that has to be kept in registers.
    #[inline(never)]
    pub(super) fn stripe(
        &mut self,
        reading: &mut Reading<'_>,
        stripe: &Stripe,
        at: usize,
        n_blocks: usize,
    ) -> Option<usize> {
        let (mut stack, mut deepest, mut errors) = (self.stack, self.deepest, self.errors);
        let text = reading.text;
        let mut at = at;
        for n in 0..n_blocks.min(stripe.bracket.len()) {
            let wrong_in = [stripe.wrong_in[0][n], stripe.wrong_in[1][n]];
            let mut brackets = stripe.bracket[n];
            // The bits behind the last bracket.
            let mut here = u64::MAX;
            while brackets != 0 {
                let through = brackets ^ (brackets - 1);
                errors |= here & through & wrong_in[(stack & 1) as usize];
                if stack == OWN {
                    self.fields.look(
                        reading,
                        at,
                        stripe.colon(n) & here & through,
                        stripe.comma[n] & here & through,
                    );
                }
                let place = at + brackets.trailing_zeros() as usize;
                let byte = u64::from(text.get(place).copied().unwrap_or_default());
                // Two bits tell the brackets apart.
                let (is_object, opens) = (byte >> 5 & 1, byte & 2 != 0);
                let (pushed, popped) = (stack << 1 | is_object, stack >> 1);
                deepest |= pushed;
                errors |= if opens { 0 } else { (stack ^ is_object) & 1 };
                stack = if opens { pushed } else { popped };
                if stack == 1 {
                    self.fields.end(reading, place);
                    (self.deepest, self.errors) = (deepest, errors);
                    return Some(place);
                }
                here &= !through;
                brackets &= brackets - 1;
            }
            errors |= here & wrong_in[(stack & 1) as usize];
            if stack == OWN {
                self.fields.look(reading, at, stripe.colon(n) & here, stripe.comma[n] & here);
            }
            at += BLOCK_BYTES;
        }
        (self.stack, self.deepest, self.errors) = (stack, deepest, errors);
        None
    }
}
