//! Numbers, compared as mathematics compares them.

use std::cmp::Ordering;

/// A number as the filter sees it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    /// One written without fraction and exponent that fits 64 bits, signed or unsigned.
    Exact(i128),
    /// Any other: the nearest double, infinite where there is none.
    Double(f64),
}

impl Number {
    /// Returns the number that a text, legal by JSON's grammar, spells.
    pub(super) fn read(text: &str) -> Self {
        let sixty_four_bits = i128::from(i64::MIN)..=i128::from(u64::MAX);
        match text.parse::<i128>() {
            Ok(integer) if sixty_four_bits.contains(&integer) => Self::Exact(integer),
            _ => Self::Double(text.parse().unwrap_or(f64::NAN)),
        }
    }

    /// Compares the values that the two stand for; an integer is never rounded to do so.
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Exact(a), Self::Exact(b)) => a.cmp(&b),
            (Self::Exact(a), Self::Double(b)) => exact_with_double(a, b),
            (Self::Double(a), Self::Exact(b)) => exact_with_double(b, a).reverse(),
            // `total_cmp` alone would tell 0 and -0 apart.
            (Self::Double(a), Self::Double(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
        }
    }
}

/// Compares by the whole part first, which the cast gives exactly, or as the largest there is if it is out of range;
/// with the same whole part, a double that has more behind the point is the larger.
fn exact_with_double(exact: i128, double: f64) -> Ordering {
    let whole = double.floor();
    exact.cmp(&(whole as i128)).then(if double > whole { Ordering::Less } else { Ordering::Equal })
}
