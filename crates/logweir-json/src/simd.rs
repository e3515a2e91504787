//! Sixty-four bytes at a time: which of them are quotes, commas, digits.
//!
//! [`Simd`] is the one small thing that is written anew for each kind of processor; all that follows from its masks is
//! written once, in [`crate::structure`]. Which version runs is decided while running, by what the processor can.

// All of it has to end up in one function that has the instructions.
#![allow(clippy::inline_always)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse42;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod version;

use std::fmt;
use std::ops::{BitAnd, BitOr, BitXor, Not};
use std::sync::LazyLock;

use crate::skip;
use crate::structure::{self, Reading};
use crate::walk::window::{self, Window};

/// Bytes looked at together, one bit of a mask for each.
pub(crate) const BLOCK_BYTES: usize = 64;

/// A piece of text with the bytes that follow it, whatever they are.
pub(crate) type Block = [u8; BLOCK_BYTES];

/// For each kind of byte a mask of the places in a block where one stands, the first byte being the lowest bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Masks {
    /// `"`
    pub(crate) quote: u64,
    /// `\`
    pub(crate) backslash: u64,
    /// `{` and `[`
    pub(crate) open: u64,
    /// `}` and `]`
    pub(crate) close: u64,
    /// `:`
    pub(crate) colon: u64,
    /// `,`
    pub(crate) comma: u64,
    /// The space itself.
    pub(crate) space: u64,
    /// Bytes below the space.
    pub(crate) control: u64,
    /// `0` to `9`
    pub(crate) digit: u64,
    /// `0`
    pub(crate) zero: u64,
    /// Bytes from 0x80 on.
    pub(crate) non_ascii: u64,
}

/// Masks in a vector.
pub(crate) const LANES: usize = 8;

/// A vector of the masks of eight blocks that follow one another, the first one in the first lane.
pub(crate) trait Lanes:
    Copy + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> + Not<Output = Self>
{
    /// Returns all bits moved to the next place, from lane to lane; into the first one moves the last one of `before`.
    fn next(self, before: Self) -> Self;

    /// Returns whether no bit is set.
    fn is_zero(self) -> bool;

    /// Returns the lanes.
    fn store(self) -> [u64; LANES];
}

/// What a kind of processor does in its own way.
pub(crate) trait Simd: Copy {
    /// A vector of masks.
    type Lanes: Lanes;

    /// Returns the vector of these lanes.
    fn load(self, lanes: &[u64; LANES]) -> Self::Lanes;

    /// Finds all that is asked of every block.
    fn masks(self, block: &Block) -> Masks;

    /// Finds the bytes equal to `byte`.
    fn equal(self, block: &Block, byte: u8) -> u64;

    /// Finds the letters and signs that may follow a backslash in a string: one of `"\/bfnrtu`.
    fn escapable(self, block: &Block) -> u64;

    /// Returns a mask in which bit `n` tells whether the number of bits up to and including bit `n` of `bits` is odd.
    fn parity(self, bits: u64) -> u64;

    /// Fills a window; see [`window::fill`]. A version whose instructions the compiler must be told of does it in a
    /// function that tells.
    #[inline]
    fn fill(self, window: &mut Window<'_>) {
        window::fill(self, window);
    }
}

/// Which instructions a [`Projector`](crate::Projector) reads with. All give the same answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instructions(Version);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Version {
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Sse42(sse42::Sse42),
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon),
    Portable(portable::Portable),
}

/// What [`Instructions::best`] found.
static BEST: LazyLock<Instructions> = LazyLock::new(|| {
    Instructions::available().next().unwrap_or(Instructions(Version::Portable(portable::Portable)))
});

impl Instructions {
    /// Returns the fastest that this processor has.
    pub fn best() -> Self {
        *BEST
    }

    /// Returns all that this processor has, the fastest first; the last one is plain Rust and runs everywhere.
    pub fn available() -> impl Iterator<Item = Self> {
        let known = [
            #[cfg(target_arch = "x86_64")]
            avx512::Avx512::detect().map(Version::Avx512),
            #[cfg(target_arch = "x86_64")]
            avx2::Avx2::detect().map(Version::Avx2),
            #[cfg(target_arch = "x86_64")]
            sse42::Sse42::detect().map(Version::Sse42),
            #[cfg(target_arch = "aarch64")]
            neon::Neon::detect().map(Version::Neon),
            Some(Version::Portable(portable::Portable)),
        ];
        known.into_iter().flatten().map(Self)
    }

    /// Returns the place behind the array or object of legal text that starts at `start`; see [`crate::skip`].
    #[inline]
    pub(crate) fn skip(self, text: &[u8], start: usize) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Version::Avx512(simd) => simd.skip(text, start),
            #[cfg(target_arch = "x86_64")]
            Version::Avx2(simd) => simd.skip(text, start),
            #[cfg(target_arch = "x86_64")]
            Version::Sse42(simd) => simd.skip(text, start),
            #[cfg(target_arch = "aarch64")]
            Version::Neon(simd) => simd.skip(text, start),
            Version::Portable(simd) => skip::skip(simd, text, start),
        }
    }

    /// Fills a window with these instructions; see [`window::fill`].
    #[inline]
    pub(crate) fn fill(self, window: &mut Window<'_>) {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Version::Avx512(simd) => simd.fill(window),
            #[cfg(target_arch = "x86_64")]
            Version::Avx2(simd) => simd.fill(window),
            #[cfg(target_arch = "x86_64")]
            Version::Sse42(simd) => simd.fill(window),
            #[cfg(target_arch = "aarch64")]
            Version::Neon(simd) => simd.fill(window),
            Version::Portable(simd) => simd.fill(window),
        }
    }

    /// Reads with these instructions; see [`structure::read`].
    #[inline]
    pub(crate) fn read(self, reading: &mut Reading<'_>) -> Option<()> {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Version::Avx512(simd) => simd.read(reading),
            #[cfg(target_arch = "x86_64")]
            Version::Avx2(simd) => simd.read(reading),
            #[cfg(target_arch = "x86_64")]
            Version::Sse42(simd) => simd.read(reading),
            #[cfg(target_arch = "aarch64")]
            Version::Neon(simd) => simd.read(reading),
            Version::Portable(simd) => structure::read(simd, reading),
        }
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            #[cfg(target_arch = "x86_64")]
            Version::Avx512(_) => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Version::Avx2(_) => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Version::Sse42(_) => "SSE4.2",
            #[cfg(target_arch = "aarch64")]
            Version::Neon(_) => "NEON",
            Version::Portable(_) => "portable",
        })
    }
}

/// Returns the bytes that a backslash escapes, an odd one of a row of them.
#[inline(always)]
pub(crate) fn escaped(backslash: u64, carry: &mut u64) -> u64 {
    /// Every second bit, from the second one on.
    const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
    if backslash == 0 {
        return std::mem::take(carry);
    }
    // Rows start where a backslash is not itself escaped by the block before. Taking the row's start from the odd bits
    // behind it leaves, by the borrow that runs along the row, every second place of it.
    let starts = backslash & !*carry;
    let alternating = ((starts << 1) | ODD).wrapping_sub(starts) ^ ODD;
    let escaped = alternating ^ (backslash | *carry);
    *carry = (alternating & backslash) >> 63;
    escaped
}

/// Returns the last bytes of a text with spaces behind them.
#[cold]
#[inline(never)]
pub(crate) fn pad(rest: &[u8]) -> Block {
    let mut block = [b' '; BLOCK_BYTES];
    block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    block
}
