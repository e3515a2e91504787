//! SSE4.2, which all but the oldest processors of x86-64 have: 16 bytes at a time.
#![allow(unsafe_code)]

use std::arch::x86_64::{
    __m128i, _mm_alignr_epi8, _mm_and_si128, _mm_clmulepi64_si128, _mm_cmpeq_epi8, _mm_cvtsi64_si128,
    _mm_cvtsi128_si64, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    _mm_set1_epi64x, _mm_setr_epi8, _mm_shuffle_epi8, _mm_slli_epi64, _mm_srli_epi16, _mm_srli_epi64,
    _mm_storeu_si128, _mm_sub_epi8, _mm_testz_si128, _mm_xor_si128,
};
use std::arch::{asm, is_x86_feature_detected};

use super::version::version;
use super::{Block, LANES, Masks};

version! {
    /// SSE4.2.
    Sse42,
    Sse42Lanes,
    [__m128i; 4],
    "sse4.2,pclmulqdq,popcnt",
    is_x86_feature_detected!("sse4.2")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("popcnt")
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn masks(block: &Block) -> Masks {
    let bytes = load_block(block);
    let at_most = |bytes: [__m128i; 4], bound: u8| {
        let bound = _mm_set1_epi8(bound.cast_signed());
        mask(bytes.map(|bytes| _mm_cmpeq_epi8(_mm_min_epu8(bytes, bound), bytes)))
    };
    // `[` and `]` differ from `{` and `}` in this bit alone.
    let brackets = bytes.map(|bytes| _mm_or_si128(bytes, _mm_set1_epi8(0x20)));
    let digits = bytes.map(|bytes| _mm_sub_epi8(bytes, _mm_set1_epi8(b'0'.cast_signed())));
    Masks {
        quote: equal_bytes(bytes, b'"'),
        backslash: equal_bytes(bytes, b'\\'),
        open: equal_bytes(brackets, b'{'),
        close: equal_bytes(brackets, b'}'),
        colon: equal_bytes(bytes, b':'),
        comma: equal_bytes(bytes, b','),
        space: equal_bytes(bytes, b' '),
        control: at_most(bytes, 0x1F),
        digit: at_most(digits, 9),
        zero: equal_bytes(bytes, b'0'),
        non_ascii: mask(bytes),
    }
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn equal(block: &Block, byte: u8) -> u64 {
    equal_bytes(load_block(block), byte)
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn escapable(block: &Block) -> u64 {
    let (of_low, of_high) = escapable_by_half();
    let half = _mm_set1_epi8(0x0F);
    let is_not = |bytes| {
        let low = _mm_shuffle_epi8(of_low, _mm_and_si128(bytes, half));
        let high = _mm_and_si128(_mm_srli_epi16::<4>(bytes), half);
        let both = _mm_and_si128(low, _mm_shuffle_epi8(of_high, high));
        _mm_cmpeq_epi8(both, _mm_set1_epi8(0))
    };
    !mask(load_block(block).map(is_not))
}

/// Returns two tables, by the lower and the higher half of a byte: the byte may follow a backslash if the entries of
/// its halves have a bit in common. Each higher half that occurs has a bit: 2, 5, 6, 7.
#[inline]
#[target_feature(enable = "sse4.2")]
pub(super) fn escapable_by_half() -> (__m128i, __m128i) {
    (
        _mm_setr_epi8(0, 0, 0b1101, 0, 0b1000, 0b1000, 0b0100, 0, 0, 0, 0, 0, 0b0010, 0, 0b0100, 0b0001),
        _mm_setr_epi8(0, 0, 0b0001, 0, 0, 0b0010, 0b0100, 0b1000, 0, 0, 0, 0, 0, 0, 0, 0),
    )
}

/// To multiply without carries by a number of ones alone is to add up all lower bits.
#[inline]
#[target_feature(enable = "pclmulqdq,sse4.2")]
pub(super) fn parity(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128::<0>(_mm_cvtsi64_si128(bits.cast_signed()), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product).cast_unsigned()
}

/// Returns a mask, of which the compiler then knows nothing: left to itself it takes apart masks that meet others into
/// vectors of single bits, at many times the cost.
#[inline(always)]
pub(super) fn as_number(mut mask: u64) -> u64 {
    // SAFETY: there is no instruction in it.
    unsafe { asm!("/* {0} */", inout(reg) mask, options(pure, nomem, nostack, preserves_flags)) };
    mask
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn load_block(block: &Block) -> [__m128i; 4] {
    let (parts, _) = block.as_chunks::<16>();
    // SAFETY: a part has the 16 bytes that are read, and no alignment is asked for.
    let load = |n: usize| unsafe { _mm_loadu_si128(parts[n].as_ptr().cast()) };
    [load(0), load(1), load(2), load(3)]
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn equal_bytes(bytes: [__m128i; 4], byte: u8) -> u64 {
    mask(bytes.map(|bytes| _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte.cast_signed()))))
}

/// Gathers the top bits of all bytes.
#[inline]
#[target_feature(enable = "sse4.2")]
fn mask(bytes: [__m128i; 4]) -> u64 {
    let mask = |n: usize| u64::from(_mm_movemask_epi8(bytes[n]).cast_unsigned());
    as_number(mask(0) | mask(1) << 16 | mask(2) << 32 | mask(3) << 48)
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn load(lanes: &[u64; LANES]) -> [__m128i; 4] {
    let (parts, _) = lanes.as_chunks::<2>();
    // SAFETY: a part has the 16 bytes that are read, and no alignment is asked for.
    let load = |n: usize| unsafe { _mm_loadu_si128(parts[n].as_ptr().cast()) };
    [load(0), load(1), load(2), load(3)]
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn store(vector: [__m128i; 4]) -> [u64; LANES] {
    let mut lanes = [0; LANES];
    for (part, register) in lanes.as_chunks_mut::<2>().0.iter_mut().zip(vector) {
        // SAFETY: a part has the 16 bytes that are written, and no alignment is asked for.
        unsafe { _mm_storeu_si128(part.as_mut_ptr().cast(), register) };
    }
    lanes
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn and(a: [__m128i; 4], b: [__m128i; 4]) -> [__m128i; 4] {
    let and = |n: usize| _mm_and_si128(a[n], b[n]);
    [and(0), and(1), and(2), and(3)]
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn or(a: [__m128i; 4], b: [__m128i; 4]) -> [__m128i; 4] {
    let or = |n: usize| _mm_or_si128(a[n], b[n]);
    [or(0), or(1), or(2), or(3)]
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn xor(a: [__m128i; 4], b: [__m128i; 4]) -> [__m128i; 4] {
    let xor = |n: usize| _mm_xor_si128(a[n], b[n]);
    [xor(0), xor(1), xor(2), xor(3)]
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn not(vector: [__m128i; 4]) -> [__m128i; 4] {
    xor(vector, [_mm_set1_epi64x(-1); 4])
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn next(vector: [__m128i; 4], before: [__m128i; 4]) -> [__m128i; 4] {
    let next = |register, before| {
        let last = _mm_alignr_epi8::<8>(register, before);
        _mm_or_si128(_mm_slli_epi64::<1>(register), _mm_srli_epi64::<63>(last))
    };
    [
        next(vector[0], before[3]),
        next(vector[1], vector[0]),
        next(vector[2], vector[1]),
        next(vector[3], vector[2]),
    ]
}

#[inline]
#[target_feature(enable = "sse4.2")]
fn is_zero(vector: [__m128i; 4]) -> bool {
    let any = _mm_or_si128(_mm_or_si128(vector[0], vector[1]), _mm_or_si128(vector[2], vector[3]));
    _mm_testz_si128(any, any) == 1
}
