//! Counting and cutting plain UTF-8.
//!
//! A code point is counted by the one byte of it that is no continuation byte (`10xxxxxx`); in UTF-16 it counts once
//! more if that byte starts four (`11110xxx`), for then it is beyond the basic plane.

use super::Unit;

/// Bytes counted at a time: no block has more units than a byte can count, so the compiler can keep the sums of a
/// block in the lanes of a vector of bytes. (No byte counts for more than two units, but a four-byte start is followed
/// by three bytes that count for none.)
const BLOCK: usize = 128;

/// Returns the length of UTF-8 in units.
pub(super) fn count(run: &[u8], unit: Unit) -> u64 {
    match unit {
        Unit::Chars => run.chunks(BLOCK).map(|block| u64::from(chars_of_block(block))).sum(),
        Unit::Utf16 => run.chunks(BLOCK).map(|block| u64::from(utf16_of_block(block))).sum(),
        Unit::Bytes => run.len() as u64,
    }
}

/// Returns the bytes and units of the longest prefix of UTF-8 with at most `n` units that ends between two code
/// points.
pub(super) fn prefix(run: &[u8], n: u64, unit: Unit) -> (usize, u64) {
    match unit {
        Unit::Chars => prefix_by(run, n, chars_of_block, |byte| u8::from(is_start(byte))),
        Unit::Utf16 => prefix_by(run, n, utf16_of_block, utf16_units),
        Unit::Bytes => {
            let n_bytes = start_at_or_before(run, usize::try_from(n).unwrap_or(usize::MAX));
            (n_bytes, n_bytes as u64)
        }
    }
}

/// Returns the bytes and units of the longest prefix with at most `n` units, going by whole blocks while they fit.
fn prefix_by(run: &[u8], n: u64, of_block: impl Fn(&[u8]) -> u8, of_byte: impl Fn(u8) -> u8) -> (usize, u64) {
    let (mut at, mut left) = (0, n);
    for block in run.chunks(BLOCK) {
        let n_units = u64::from(of_block(block));
        if n_units > left {
            break;
        }
        at += block.len();
        left -= n_units;
    }
    // All of a code point's units are counted at its first byte: the first that does not fit ends the prefix.
    for &byte in &run[at..] {
        let n_units = u64::from(of_byte(byte));
        if n_units > left {
            break;
        }
        at += 1;
        left -= n_units;
    }
    (at, n - left)
}

/// Returns the last place up to `end` where a code point starts or the run ends.
fn start_at_or_before(run: &[u8], end: usize) -> usize {
    if end >= run.len() {
        return run.len();
    }
    run[..=end].iter().rposition(|&byte| is_start(byte)).unwrap_or(0)
}

/// Returns the number of code points that start in at most [`BLOCK`] bytes.
fn chars_of_block(block: &[u8]) -> u8 {
    block.iter().map(|&byte| u8::from(is_start(byte))).sum()
}

/// Returns the number of UTF-16 code units of the code points that start in at most [`BLOCK`] bytes of UTF-8.
fn utf16_of_block(block: &[u8]) -> u8 {
    // Wrapping: in bytes that are no UTF-8 the sum may be too large for a byte.
    block.iter().fold(0, |sum, &byte| u8::wrapping_add(sum, utf16_units(byte)))
}

fn utf16_units(byte: u8) -> u8 {
    u8::from(is_start(byte)) + u8::from(byte >= 0xF0)
}

fn is_start(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}
