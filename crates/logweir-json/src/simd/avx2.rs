//! AVX2: 32 bytes at a time.
#![allow(unsafe_code)]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::{
    __m256i, _mm256_alignr_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi64,
    _mm256_srli_epi16, _mm256_srli_epi64, _mm256_storeu_si256, _mm256_sub_epi8, _mm256_testz_si256,
    _mm256_xor_si256,
};

use super::sse42::{Sse42, as_number, escapable_by_half, parity};
use super::version::version;
use super::{Block, LANES, Masks};

version! {
    /// AVX2, with what came with it.
    Avx2,
    Avx2Lanes,
    [__m256i; 2],
    "avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt",
    Sse42::detect().is_some()
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
}

#[inline]
#[target_feature(enable = "avx2")]
fn masks(block: &Block) -> Masks {
    let bytes = load_block(block);
    let at_most = |bytes: [__m256i; 2], bound: u8| {
        let bound = _mm256_set1_epi8(bound.cast_signed());
        mask(bytes.map(|bytes| _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, bound), bytes)))
    };
    // `[` and `]` differ from `{` and `}` in this bit alone.
    let brackets = bytes.map(|bytes| _mm256_or_si256(bytes, _mm256_set1_epi8(0x20)));
    let digits = bytes.map(|bytes| _mm256_sub_epi8(bytes, _mm256_set1_epi8(b'0'.cast_signed())));
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
#[target_feature(enable = "avx2")]
fn equal(block: &Block, byte: u8) -> u64 {
    equal_bytes(load_block(block), byte)
}

#[inline]
#[target_feature(enable = "avx2")]
fn escapable(block: &Block) -> u64 {
    let (of_low, of_high) = escapable_by_half();
    let (of_low, of_high) = (_mm256_broadcastsi128_si256(of_low), _mm256_broadcastsi128_si256(of_high));
    let half = _mm256_set1_epi8(0x0F);
    let is_not = |bytes| {
        let low = _mm256_shuffle_epi8(of_low, _mm256_and_si256(bytes, half));
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half);
        let both = _mm256_and_si256(low, _mm256_shuffle_epi8(of_high, high));
        _mm256_cmpeq_epi8(both, _mm256_setzero_si256())
    };
    !mask(load_block(block).map(is_not))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_block(block: &Block) -> [__m256i; 2] {
    let (parts, _) = block.as_chunks::<32>();
    // SAFETY: a part has the 32 bytes that are read, and no alignment is asked for.
    let load = |n: usize| unsafe { _mm256_loadu_si256(parts[n].as_ptr().cast()) };
    [load(0), load(1)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal_bytes(bytes: [__m256i; 2], byte: u8) -> u64 {
    mask(bytes.map(|bytes| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()))))
}

/// Gathers the top bits of all bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn mask(bytes: [__m256i; 2]) -> u64 {
    let mask = |n: usize| u64::from(_mm256_movemask_epi8(bytes[n]).cast_unsigned());
    as_number(mask(0) | mask(1) << 32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(lanes: &[u64; LANES]) -> [__m256i; 2] {
    let (parts, _) = lanes.as_chunks::<4>();
    // SAFETY: a part has the 32 bytes that are read, and no alignment is asked for.
    let load = |n: usize| unsafe { _mm256_loadu_si256(parts[n].as_ptr().cast()) };
    [load(0), load(1)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(vector: [__m256i; 2]) -> [u64; LANES] {
    let mut lanes = [0; LANES];
    for (part, register) in lanes.as_chunks_mut::<4>().0.iter_mut().zip(vector) {
        // SAFETY: a part has the 32 bytes that are written, and no alignment is asked for.
        unsafe { _mm256_storeu_si256(part.as_mut_ptr().cast(), register) };
    }
    lanes
}

#[inline]
#[target_feature(enable = "avx2")]
fn and(a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
    [_mm256_and_si256(a[0], b[0]), _mm256_and_si256(a[1], b[1])]
}

#[inline]
#[target_feature(enable = "avx2")]
fn or(a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
    [_mm256_or_si256(a[0], b[0]), _mm256_or_si256(a[1], b[1])]
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: [__m256i; 2], b: [__m256i; 2]) -> [__m256i; 2] {
    [_mm256_xor_si256(a[0], b[0]), _mm256_xor_si256(a[1], b[1])]
}

#[inline]
#[target_feature(enable = "avx2")]
fn not(vector: [__m256i; 2]) -> [__m256i; 2] {
    xor(vector, [_mm256_set1_epi64x(-1); 2])
}

#[inline]
#[target_feature(enable = "avx2")]
fn next(vector: [__m256i; 2], before: [__m256i; 2]) -> [__m256i; 2] {
    let next = |register, before| {
        let across = _mm256_permute2x128_si256::<0x21>(before, register);
        let last = _mm256_alignr_epi8::<8>(register, across);
        _mm256_or_si256(_mm256_slli_epi64::<1>(register), _mm256_srli_epi64::<63>(last))
    };
    [next(vector[0], before[1]), next(vector[1], vector[0])]
}

#[inline]
#[target_feature(enable = "avx2")]
fn is_zero(vector: [__m256i; 2]) -> bool {
    let any = _mm256_or_si256(vector[0], vector[1]);
    _mm256_testz_si256(any, any) == 1
}
