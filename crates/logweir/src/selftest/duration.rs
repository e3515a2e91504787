//! Spans of time as people write them.

use std::time::Duration;

/// The units, in milliseconds.
const UNITS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// Returns the span of time that a text like `500ms`, `60s`, `5m` or `2h` stands for, or what is wrong with it.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let n_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(n_digits);
    let unit = UNITS.iter().find(|(name, _)| *name == unit.trim_start());
    let millis = unit.and_then(|(_, millis)| number.parse::<u64>().ok()?.checked_mul(*millis));
    match millis {
        Some(0) => Err("it must be longer than nothing".to_owned()),
        Some(millis) => Ok(Duration::from_millis(millis)),
        None => Err("write a whole number and `ms`, `s`, `m` or `h`, as in `60s`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_with_a_unit_are_spans_of_time() {
        for (text, millis) in
            [("1ms", 1), ("60s", 60_000), ("5 m", 300_000), ("2h", 7_200_000), ("007s", 7_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "60", "s", "0s", "-1s", "1.5s", "1 day", "1S", "1s ", "+1s", "18446744073709551615h", "1e3s"]
        {
            assert!(parse_duration(text).is_err(), "{text:?}");
        }
    }
}
