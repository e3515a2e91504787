//! NEON, which every processor of 64-bit ARM has: 16 bytes at a time.
//!
//! There is no instruction that gathers a bit of each byte into a number: each byte keeps the bit of its place in eight,
//! and neighbours are added up until eight of them are one byte.
#![allow(unsafe_code)]

use std::arch::aarch64::{
    uint8x16_t, uint64x2_t, vandq_u8, vandq_u64, vceqq_u8, vcleq_u8, vcltq_u8, vcltzq_s8, vdupq_n_u8,
    vdupq_n_u64, veorq_u64, vextq_u64, vgetq_lane_u64, vld1q_u8, vld1q_u64, vmaxvq_u32, vorrq_u8, vorrq_u64,
    vpaddq_u8, vqtbl1q_u8, vreinterpretq_s8_u8, vreinterpretq_u32_u64, vreinterpretq_u64_u8, vshrq_n_u8,
    vshrq_n_u64, vsliq_n_u64, vst1q_u64, vsubq_u8, vtstq_u8,
};
use std::arch::is_aarch64_feature_detected;

use super::portable::Portable;
use super::version::version;
use super::{Block, LANES, Masks, Simd};

version! {
    /// NEON.
    Neon,
    NeonLanes,
    [uint64x2_t; 4],
    "neon",
    is_aarch64_feature_detected!("neon")
}

/// Bytes in a register.
const REGISTER_BYTES: usize = 16;

/// By the lower half of a byte: the byte may follow a backslash if the entries of its halves have a bit in common. Each
/// higher half that occurs has a bit: 2, 5, 6, 7.
const ESCAPABLE_BY_LOW_HALF: [u8; REGISTER_BYTES] =
    [0, 0, 0b1101, 0, 0b1000, 0b1000, 0b0100, 0, 0, 0, 0, 0, 0b0010, 0, 0b0100, 0b0001];

/// By the higher half of a byte.
const ESCAPABLE_BY_HIGH_HALF: [u8; REGISTER_BYTES] =
    [0, 0, 0b0001, 0, 0, 0b0010, 0b0100, 0b1000, 0, 0, 0, 0, 0, 0, 0, 0];

/// The bit that each byte of a register has in the eight of a mask that it belongs to.
const BIT_OF_PLACE: [u8; REGISTER_BYTES] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

#[inline]
#[target_feature(enable = "neon")]
fn masks(block: &Block) -> Masks {
    let bytes = load_block(block);
    // `[` and `]` differ from `{` and `}` in this bit alone.
    let brackets = bytes.map(|bytes| vorrq_u8(bytes, vdupq_n_u8(0x20)));
    let digits = bytes.map(|bytes| vsubq_u8(bytes, vdupq_n_u8(b'0')));
    Masks {
        quote: equal_bytes(bytes, b'"'),
        backslash: equal_bytes(bytes, b'\\'),
        open: equal_bytes(brackets, b'{'),
        close: equal_bytes(brackets, b'}'),
        colon: equal_bytes(bytes, b':'),
        comma: equal_bytes(bytes, b','),
        space: equal_bytes(bytes, b' '),
        control: mask(bytes.map(|bytes| vcltq_u8(bytes, vdupq_n_u8(b' ')))),
        digit: mask(digits.map(|digits| vcleq_u8(digits, vdupq_n_u8(9)))),
        zero: equal_bytes(bytes, b'0'),
        non_ascii: mask(bytes.map(|bytes| vcltzq_s8(vreinterpretq_s8_u8(bytes)))),
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn equal(block: &Block, byte: u8) -> u64 {
    equal_bytes(load_block(block), byte)
}

#[inline]
#[target_feature(enable = "neon")]
fn escapable(block: &Block) -> u64 {
    let (of_low, of_high) = (load_part(&ESCAPABLE_BY_LOW_HALF), load_part(&ESCAPABLE_BY_HIGH_HALF));
    let is_escapable = |bytes| {
        let low = vqtbl1q_u8(of_low, vandq_u8(bytes, vdupq_n_u8(0x0F)));
        vtstq_u8(low, vqtbl1q_u8(of_high, vshrq_n_u8::<4>(bytes)))
    };
    mask(load_block(block).map(is_escapable))
}

/// NEON alone, without the instructions for cryptography, has nothing faster than plain Rust.
#[inline]
#[target_feature(enable = "neon")]
fn parity(bits: u64) -> u64 {
    Portable.parity(bits)
}

#[inline]
#[target_feature(enable = "neon")]
fn load_part(part: &[u8; REGISTER_BYTES]) -> uint8x16_t {
    // SAFETY: a part has the 16 bytes that are read, and no alignment is asked for.
    unsafe { vld1q_u8(part.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_block(block: &Block) -> [uint8x16_t; 4] {
    let (parts, _) = block.as_chunks();
    [load_part(&parts[0]), load_part(&parts[1]), load_part(&parts[2]), load_part(&parts[3])]
}

#[inline]
#[target_feature(enable = "neon")]
fn equal_bytes(bytes: [uint8x16_t; 4], byte: u8) -> u64 {
    mask(bytes.map(|bytes| vceqq_u8(bytes, vdupq_n_u8(byte))))
}

/// Gathers a bit of each byte, all of which are zeros or ones alone.
#[inline]
#[target_feature(enable = "neon")]
fn mask(bytes: [uint8x16_t; 4]) -> u64 {
    let bit_of_place = load_part(&BIT_OF_PLACE);
    let bits = bytes.map(|bytes| vandq_u8(bytes, bit_of_place));
    let pairs = [vpaddq_u8(bits[0], bits[1]), vpaddq_u8(bits[2], bits[3])];
    let fours = vpaddq_u8(pairs[0], pairs[1]);
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(fours, fours)))
}

#[inline]
#[target_feature(enable = "neon")]
fn load(lanes: &[u64; LANES]) -> [uint64x2_t; 4] {
    let (parts, _) = lanes.as_chunks::<2>();
    // SAFETY: a part has the 16 bytes that are read, and no alignment is asked for but that of a lane.
    let load = |n: usize| unsafe { vld1q_u64(parts[n].as_ptr()) };
    [load(0), load(1), load(2), load(3)]
}

#[inline]
#[target_feature(enable = "neon")]
fn store(vector: [uint64x2_t; 4]) -> [u64; LANES] {
    let mut lanes = [0; LANES];
    for (part, register) in lanes.as_chunks_mut::<2>().0.iter_mut().zip(vector) {
        // SAFETY: a part has the 16 bytes that are written, and no alignment is asked for but that of a lane.
        unsafe { vst1q_u64(part.as_mut_ptr(), register) };
    }
    lanes
}

#[inline]
#[target_feature(enable = "neon")]
fn and(a: [uint64x2_t; 4], b: [uint64x2_t; 4]) -> [uint64x2_t; 4] {
    let and = |n: usize| vandq_u64(a[n], b[n]);
    [and(0), and(1), and(2), and(3)]
}

#[inline]
#[target_feature(enable = "neon")]
fn or(a: [uint64x2_t; 4], b: [uint64x2_t; 4]) -> [uint64x2_t; 4] {
    let or = |n: usize| vorrq_u64(a[n], b[n]);
    [or(0), or(1), or(2), or(3)]
}

#[inline]
#[target_feature(enable = "neon")]
fn xor(a: [uint64x2_t; 4], b: [uint64x2_t; 4]) -> [uint64x2_t; 4] {
    let xor = |n: usize| veorq_u64(a[n], b[n]);
    [xor(0), xor(1), xor(2), xor(3)]
}

#[inline]
#[target_feature(enable = "neon")]
fn not(vector: [uint64x2_t; 4]) -> [uint64x2_t; 4] {
    xor(vector, [vdupq_n_u64(u64::MAX); 4])
}

#[inline]
#[target_feature(enable = "neon")]
fn next(vector: [uint64x2_t; 4], before: [uint64x2_t; 4]) -> [uint64x2_t; 4] {
    let next = |register, before| {
        let last = vextq_u64::<1>(before, register);
        // All bits but the lowest are those of the lane itself, moved; the lowest is the highest of the lane before.
        vsliq_n_u64::<1>(vshrq_n_u64::<63>(last), register)
    };
    [
        next(vector[0], before[3]),
        next(vector[1], vector[0]),
        next(vector[2], vector[1]),
        next(vector[3], vector[2]),
    ]
}

#[inline]
#[target_feature(enable = "neon")]
fn is_zero(vector: [uint64x2_t; 4]) -> bool {
    let any = vorrq_u64(vorrq_u64(vector[0], vector[1]), vorrq_u64(vector[2], vector[3]));
    vmaxvq_u32(vreinterpretq_u32_u64(any)) == 0
}
