//! AVX-512 with the instructions on bytes: a block at a time, and a comparison gives a mask.
#![allow(unsafe_code)]

use std::arch::is_x86_feature_detected;
use std::arch::x86_64::{
    __m512i, _mm512_alignr_epi64, _mm512_and_si512, _mm512_broadcast_i32x4, _mm512_cmpeq_epi8_mask,
    _mm512_cmple_epu8_mask, _mm512_loadu_si512, _mm512_movepi8_mask, _mm512_or_si512, _mm512_set1_epi8,
    _mm512_set1_epi64, _mm512_shuffle_epi8, _mm512_slli_epi64, _mm512_srli_epi16, _mm512_srli_epi64,
    _mm512_storeu_si512, _mm512_sub_epi8, _mm512_test_epi8_mask, _mm512_test_epi64_mask, _mm512_xor_si512,
};

use super::avx2::Avx2;
use super::sse42::{escapable_by_half, parity};
use super::version::version;
use super::{Block, LANES, Masks};

version! {
    /// AVX-512 with the instructions on bytes.
    Avx512,
    Avx512Lanes,
    __m512i,
    "avx512f,avx512bw,avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt",
    Avx2::detect().is_some()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        // The compiler takes these as part of the first.
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("f16c")
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn masks(block: &Block) -> Masks {
    let bytes = load_block(block);
    let at_most = |bytes, bound: u8| _mm512_cmple_epu8_mask(bytes, _mm512_set1_epi8(bound.cast_signed()));
    // `[` and `]` differ from `{` and `}` in this bit alone.
    let brackets = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
    let digits = _mm512_sub_epi8(bytes, _mm512_set1_epi8(b'0'.cast_signed()));
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
        non_ascii: _mm512_movepi8_mask(bytes),
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn equal(block: &Block, byte: u8) -> u64 {
    equal_bytes(load_block(block), byte)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn escapable(block: &Block) -> u64 {
    let (of_low, of_high) = escapable_by_half();
    let (of_low, of_high) = (_mm512_broadcast_i32x4(of_low), _mm512_broadcast_i32x4(of_high));
    let (bytes, half) = (load_block(block), _mm512_set1_epi8(0x0F));
    let low = _mm512_shuffle_epi8(of_low, _mm512_and_si512(bytes, half));
    let high = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), half);
    _mm512_test_epi8_mask(low, _mm512_shuffle_epi8(of_high, high))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load_block(block: &Block) -> __m512i {
    // SAFETY: a block has the 64 bytes that are read, and no alignment is asked for.
    unsafe { _mm512_loadu_si512(block.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn equal_bytes(bytes: __m512i, byte: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(lanes: &[u64; LANES]) -> __m512i {
    // SAFETY: the lanes are the 64 bytes that are read, and no alignment is asked for.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(vector: __m512i) -> [u64; LANES] {
    let mut lanes = [0; LANES];
    // SAFETY: the lanes are the 64 bytes that are written, and no alignment is asked for.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), vector) };
    lanes
}

#[inline]
#[target_feature(enable = "avx512f")]
fn and(a: __m512i, b: __m512i) -> __m512i {
    _mm512_and_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn or(a: __m512i, b: __m512i) -> __m512i {
    _mm512_or_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn xor(a: __m512i, b: __m512i) -> __m512i {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn not(vector: __m512i) -> __m512i {
    _mm512_xor_si512(vector, _mm512_set1_epi64(-1))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn next(vector: __m512i, before: __m512i) -> __m512i {
    let last = _mm512_alignr_epi64::<7>(vector, before);
    _mm512_or_si512(_mm512_slli_epi64::<1>(vector), _mm512_srli_epi64::<63>(last))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn is_zero(vector: __m512i) -> bool {
    _mm512_test_epi64_mask(vector, vector) == 0
}
