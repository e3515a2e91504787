//! Numbers by what they mean.

use std::cmp::Ordering;
use std::fmt::{self, Write as _};

use crate::scan::number;

/// A number as JSON means it, compared mathematically.
///
/// Written without fraction and exponent it is exact as far as 64 bits go, signed or unsigned; every other is the
/// nearest double, beyond the doubles infinite. Unequal spellings of one number are equal (`1`, `1.0`, `10e-1`; `-0` is
/// `0`), and an integer is compared with a double without being rounded to one: 9007199254740993 is not
/// 9007199254740992.0.
#[derive(Clone, Copy, Debug)]
pub struct Number(Repr);

#[derive(Clone, Copy, Debug)]
enum Repr {
    /// From `i64::MIN` to `u64::MAX`.
    Integer(i128),
    /// Never NaN.
    Double(f64),
}

impl Number {
    /// Returns the number that `text` is by JSON's grammar (RFC 8259 section 6), `None` if it is none: no white
    /// space, plus sign, leading zero or bare point.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if number(text, 0).ok()? != text.len() {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        let integer = text.parse().ok().filter(|&n| i128::from(i64::MIN) <= n && n <= i128::from(u64::MAX));
        let repr = match integer {
            Some(integer) => Repr::Integer(integer),
            None => Repr::Double(text.parse().ok()?),
        };
        Some(Self(repr))
    }

    /// Returns the double next to it, infinite if it is beyond the doubles.
    pub fn to_double(self) -> f64 {
        match self.0 {
            Repr::Integer(integer) => integer as f64,
            Repr::Double(double) => double,
        }
    }
}

/// Appends the shortest decimal to `out` that reads back as `number`, which is finite: without a fraction if it has
/// none, and without an exponent unless its size is below 10⁻⁶ or from 10²¹ on, which is where JavaScript draws
/// the line. At most 25 bytes.
pub fn write_number(number: f64, out: &mut Vec<u8>) {
    let size = number.abs();
    let is_plain = size == 0.0 || (1e-6..1e21).contains(&size);
    let mut text = Appended(out);
    // Appending to memory cannot fail.
    _ = if is_plain { write!(text, "{number}") } else { write!(text, "{number:e}") };
}

/// Text that is formatted right into bytes.
struct Appended<'a>(&'a mut Vec<u8>);

impl fmt::Write for Appended<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.0, other.0) {
            (Repr::Integer(a), Repr::Integer(b)) => Some(a.cmp(&b)),
            (Repr::Double(a), Repr::Double(b)) => a.partial_cmp(&b),
            (Repr::Integer(a), Repr::Double(b)) => compare(a, b),
            (Repr::Double(a), Repr::Integer(b)) => compare(b, a).map(Ordering::reverse),
        }
    }
}

/// Compares an integer of at most 65 bits with a double, exactly.
fn compare(integer: i128, double: f64) -> Option<Ordering> {
    // The cast truncates towards zero and is exact up to 128 bits; beyond, infinities too, it gives the nearest end
    // of the range, which is on the right side of every integer of 65 bits.
    let whole = double as i128;
    match integer.cmp(&whole) {
        Ordering::Equal => 0.0.partial_cmp(&double.fract()),
        unequal => Some(unequal),
    }
}
