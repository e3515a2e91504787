//! Writing a top-level member of an event.

use super::decode::Event;
use super::encode::quoted;

/// Returns the event's line with a member set to `value`, which is JSON: in the place of the last one's value, or behind
/// all others, right before the `}`.
pub fn set_member(event: &Event, name: &str, value: &str) -> Vec<u8> {
    let object = event.object();
    let end = object.span().end - 1;
    let comma = if object.members().is_empty() { "" } else { "," };
    let added = || (end..end, format!("{comma}{}:{value}", quoted(name)));
    let (replaced, text) = object.get(name).map_or_else(added, |member| (member.span(), value.to_owned()));
    let line = event.line();
    [&line[..replaced.start], text.as_bytes(), &line[replaced.end..]].concat()
}

/// Returns a number greater than 0 as JSON, with as few digits as tell it from all other doubles: plainly from 10⁻⁶ up
/// to 10²¹, with an exponent below and above.
///
/// # Panics
///
/// If it is no finite number.
pub fn number(number: f64) -> String {
    let mut scientific = (0..17).map(|n_digits| format!("{number:.n_digits$e}"));
    let shortest = scientific.find(|text| text.parse() == Ok(number)).expect("17 digits are enough");
    let (mantissa, exponent) = shortest.split_once('e').expect("an exponent was asked for");
    let exponent: i32 = exponent.parse().expect("it is a whole number");
    if !(-6..21).contains(&exponent) {
        return shortest;
    }
    let digits = mantissa.replace('.', "");
    let Ok(n_whole) = usize::try_from(exponent + 1) else {
        return format!("0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1));
    };
    if n_whole == 0 {
        return format!("0.{digits}");
    }
    if n_whole >= digits.len() {
        return format!("{digits}{}", "0".repeat(n_whole - digits.len()));
    }
    let (whole, fraction) = digits.split_at(n_whole);
    format!("{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_by_hand() {
        for (value, expected) in [
            (1.0, "1"),
            (10.0, "10"),
            (0.1, "0.1"),
            (1.0 / 0.3, "3.3333333333333335"),
            (123.5, "123.5"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1e20, "100000000000000000000"),
            (1.5e21, "1.5e21"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
