//! What a plain scalar is: JSON's words and numbers, and text.

/// What a scalar without quotes stands for.
///
/// A file means the same as the JSON it resembles: `no`, `on`, `0x10`, `1_000` and `.5` are texts. That is less than
/// YAML 1.2 section 10.3 (the core schema) knows, and nothing that it knows differently.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    /// By the grammar of RFC 8259 section 6.
    Number,
    Text,
}

impl Plain {
    /// Returns what a text stands for when it is written without quotes.
    pub(super) fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" => Self::Null,
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            text if is_number(text.as_bytes()) => Self::Number,
            _ => Self::Text,
        }
    }
}

/// Returns whether a text is a number by RFC 8259 section 6.
fn is_number(text: &[u8]) -> bool {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let (whole, rest) = split_digits(unsigned);
    if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
        return false;
    }
    let rest = match rest.strip_prefix(b".") {
        None => rest,
        Some(fraction) => match split_digits(fraction) {
            ([], _) => return false,
            (_, rest) => rest,
        },
    };
    let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty();
    };
    let digits = exponent.strip_prefix(b"+").or_else(|| exponent.strip_prefix(b"-")).unwrap_or(exponent);
    matches!(split_digits(digits), ([_, ..], []))
}

fn split_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// 2^64, the first whole number that does not fit; a double below it that has no fraction converts exactly.
const BEYOND: f64 = 18_446_744_073_709_551_616.0;

/// Returns a number as a whole one, where it is one and fits: `16384`, also `1.6e4`.
pub(super) fn whole(number: &str) -> Option<u64> {
    if let Ok(whole) = number.parse() {
        return Some(whole);
    }
    let value: f64 = number.parse().ok()?;
    #[expect(clippy::cast_sign_loss, reason = "the range is checked")]
    (value.fract() == 0.0 && (0.0..BEYOND).contains(&value)).then_some(value as u64)
}

/// The units of a size and their bytes: the decimal ones, then those that [`show_size`] uses, the smallest first.
const UNITS: [(&str, u64); 9] = [
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// The form of a size that is written as text, for a JSON Schema: what [`size`] understands, save for the overflow.
pub(super) const SIZE_PATTERN: &str = "^[0-9]+ ?([KMGT]i?)?B$";

/// Returns the bytes of a size with a unit: `4 MiB`, `512KiB`, `1 GB`. More than 64 bits hold saturates.
pub(super) fn size(text: &str) -> Option<u64> {
    count_of(text, &UNITS)
}

/// Returns a count of bytes as a person writes it: with the largest unit in which it is whole.
pub(super) fn show_size(bytes: u64) -> String {
    show(bytes, &UNITS[4..])
}

/// The units of a duration and their milliseconds.
const DURATION_UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// The form of a duration, for a JSON Schema: what [`duration`] understands, save for the overflow.
pub(super) const DURATION_PATTERN: &str = "^[0-9]+ ?(ms|s|m|h|d)$";

/// Returns the milliseconds of a duration: `200ms`, `30 s`, `5m`, `1h`, `7d`. More than 64 bits hold saturates.
///
/// A number without a unit is none: it would be seconds to one and milliseconds to the other.
pub(super) fn duration(text: &str) -> Option<u64> {
    count_of(text, &DURATION_UNITS)
}

/// Returns a count of milliseconds as a person writes it: with the largest unit in which it is whole.
pub(super) fn show_duration(millis: u64) -> String {
    show(millis, &DURATION_UNITS)
}

/// Returns what digits and a unit behind them come to.
fn count_of(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, rest) = split_digits(text.as_bytes());
    let unit = rest.strip_prefix(b" ").unwrap_or(rest);
    let (_, factor) = units.iter().find(|(name, _)| name.as_bytes() == unit)?;
    if digits.is_empty() {
        return None;
    }
    // Digits alone fail to parse only where there are too many.
    let count: u64 = text[..digits.len()].parse().unwrap_or(u64::MAX);
    Some(count.saturating_mul(*factor))
}

/// Returns a count with the largest unit in which it is whole, or the smallest.
fn show(count: u64, units: &[(&str, u64)]) -> String {
    let is_whole = |(_, factor): &&(&str, u64)| count >= *factor && count.is_multiple_of(*factor);
    let (unit, factor) = units.iter().rev().find(is_whole).unwrap_or(&units[0]);
    format!("{} {unit}", count / factor)
}
