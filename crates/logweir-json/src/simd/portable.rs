//! Plain Rust, for processors that nothing better is known of.
//!
//! Eight bytes are looked at in one word. That a byte equals another is seen by adding: the top bit of a byte of
//! `(x & 0x7F..) + 0x7F..` is set unless its lower seven bits are zero, and nothing carries into the next byte.

use std::array::from_fn;
use std::ops::{BitAnd, BitOr, BitXor, Not};

use super::{Block, LANES, Lanes, Masks, Simd};

/// Bytes in a word.
const WORD_BYTES: usize = 8;
const ONES: u64 = u64::MAX / 255;
const TOPS: u64 = ONES << 7;

/// Plain Rust.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Portable;

impl Simd for Portable {
    type Lanes = PortableLanes;

    #[inline(always)]
    fn load(self, lanes: &[u64; LANES]) -> PortableLanes {
        PortableLanes(*lanes)
    }

    #[inline(always)]
    fn masks(self, block: &Block) -> Masks {
        let mut masks = Masks {
            quote: 0,
            backslash: 0,
            open: 0,
            close: 0,
            colon: 0,
            comma: 0,
            space: 0,
            control: 0,
            digit: 0,
            zero: 0,
            non_ascii: 0,
        };
        for (i, word) in words(block).enumerate() {
            let shift = i * WORD_BYTES;
            // `[` and `]` differ from `{` and `}` in this bit alone.
            let bracket = word | (ONES * 0x20);
            masks.quote |= gather(equal(word, b'"')) << shift;
            masks.backslash |= gather(equal(word, b'\\')) << shift;
            masks.open |= gather(equal(bracket, b'{')) << shift;
            masks.close |= gather(equal(bracket, b'}')) << shift;
            masks.colon |= gather(equal(word, b':')) << shift;
            masks.comma |= gather(equal(word, b',')) << shift;
            masks.space |= gather(equal(word, b' ')) << shift;
            masks.control |= gather(below(word, b' ')) << shift;
            masks.digit |= gather(below(word, b'9' + 1) & !below(word, b'0')) << shift;
            masks.zero |= gather(equal(word, b'0')) << shift;
            masks.non_ascii |= gather(word & TOPS) << shift;
        }
        masks
    }

    #[inline(always)]
    fn equal(self, block: &Block, byte: u8) -> u64 {
        mask(block, |word| equal(word, byte))
    }

    #[inline(always)]
    fn escapable(self, block: &Block) -> u64 {
        mask(block, |word| b"\"\\/bfnrtu".iter().fold(0, |found, &byte| found | equal(word, byte)))
    }

    #[inline(always)]
    fn parity(self, bits: u64) -> u64 {
        parity(bits)
    }
}

/// A vector in plain Rust.
#[derive(Clone, Copy)]
pub(crate) struct PortableLanes([u64; LANES]);

impl Lanes for PortableLanes {
    #[inline(always)]
    fn next(self, before: Self) -> Self {
        let last = |n: usize| if n == 0 { before.0[LANES - 1] } else { self.0[n - 1] };
        Self(from_fn(|n| self.0[n] << 1 | last(n) >> 63))
    }

    #[inline(always)]
    fn is_zero(self) -> bool {
        self.0.iter().fold(0, |bits, lane| bits | lane) == 0
    }

    #[inline(always)]
    fn store(self) -> [u64; LANES] {
        self.0
    }
}

impl BitAnd for PortableLanes {
    type Output = Self;

    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self(from_fn(|n| self.0[n] & other.0[n]))
    }
}

impl BitOr for PortableLanes {
    type Output = Self;

    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self(from_fn(|n| self.0[n] | other.0[n]))
    }
}

impl BitXor for PortableLanes {
    type Output = Self;

    #[inline(always)]
    fn bitxor(self, other: Self) -> Self {
        Self(from_fn(|n| self.0[n] ^ other.0[n]))
    }
}

impl Not for PortableLanes {
    type Output = Self;

    #[inline(always)]
    fn not(self) -> Self {
        Self(self.0.map(|lane| !lane))
    }
}

/// See [`Simd::parity`]: each step adds up twice as many neighbours.
#[inline(always)]
fn parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

#[inline(always)]
fn words(block: &Block) -> impl Iterator<Item = u64> + '_ {
    block.chunks_exact(WORD_BYTES).filter_map(<[u8]>::first_chunk).map(|word| u64::from_le_bytes(*word))
}

#[inline(always)]
fn mask(block: &Block, of_word: impl Fn(u64) -> u64) -> u64 {
    words(block).enumerate().fold(0, |mask, (i, word)| mask | gather(of_word(word)) << (i * WORD_BYTES))
}

/// Sets the top bit of each byte that equals `byte`, and no other bit.
#[inline(always)]
fn equal(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ (ONES * u64::from(byte));
    !((zero_where_equal & !TOPS).wrapping_add(!TOPS) | zero_where_equal) & TOPS
}

/// Sets the top bit of each byte that is smaller than `bound`, which is at most 0x80, and no other bit.
#[inline(always)]
fn below(word: u64, bound: u8) -> u64 {
    let not_below = (word & !TOPS).wrapping_add(ONES * u64::from(0x80 - bound)) | word;
    !not_below & TOPS
}

/// Moves the top bits of the eight bytes to the lowest eight bits.
#[inline(always)]
fn gather(tops: u64) -> u64 {
    // Each bit is multiplied to its place in the top byte; no two products meet.
    (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}
