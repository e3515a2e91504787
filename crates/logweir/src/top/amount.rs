//! Numbers as a person reads them in passing.

use std::time::Duration;

/// Returns a rate of things, short: `0`, `0.5`, `37`, `9,999`, `12.3k`, `4.56M`.
pub(crate) fn rate(value: f64) -> String {
    match value {
        0.0 => "0".to_owned(),
        value if value < 9.95 => format!("{value:.1}"),
        value if value < 9_999.5 => grouped(value),
        value => scaled(value, 1000.0, &["", "k", "M", "G", "T", "P"]),
    }
}

/// Returns a number of bytes, short: `512 B`, `12.3 KiB`, `4.00 GiB`.
pub(crate) fn bytes(value: f64) -> String {
    if value < 999.5 {
        return format!("{value:.0} B");
    }
    scaled(value, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB"])
}

/// Returns a whole number with commas: `12,345,678`.
pub(crate) fn grouped(value: f64) -> String {
    indicatif::HumanCount(whole(value)).to_string()
}

/// Returns the nearest whole number; what is no count is 0.
#[expect(clippy::cast_sign_loss, reason = "what is below 0 becomes 0, which is meant")]
pub(crate) fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// Returns a span of time, short: `0.3 s`, `12 s`, `4 min 05 s`, `3 h 07 min`, `2 d 04 h`.
pub(crate) fn time(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", span.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Returns three digits of a number and its unit.
fn scaled(mut value: f64, base: f64, units: &[&str]) -> String {
    let mut unit = 0;
    // 999.5 would be shown with four digits.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_short() {
        let shown = [0.0, 0.04, 0.5, 9.94, 9.96, 37.4, 9_999.0, 9_999.6, 12_345.0, 999_600.0, 4.56e6, 1e12];
        let expected =
            ["0", "0.0", "0.5", "9.9", "10", "37", "9,999", "10.0k", "12.3k", "1.00M", "4.56M", "1.00T"];
        assert_eq!(shown.map(rate), expected);
    }

    #[test]
    fn bytes_are_short() {
        let shown = [0.0, 512.0, 999.0, 1000.0, 12_595.0, 1_048_576.0, 4_294_967_296.0];
        assert_eq!(
            shown.map(bytes),
            ["0 B", "512 B", "999 B", "0.98 KiB", "12.3 KiB", "1.00 MiB", "4.00 GiB"]
        );
    }

    #[test]
    fn times_are_short() {
        let shown =
            [300, 9_949, 12_000, 245_000, 11_220_000, 187_200_000].map(Duration::from_millis).map(time);
        assert_eq!(shown, ["0.3 s", "9.9 s", "12 s", "4 min 05 s", "3 h 07 min", "2 d 04 h"]);
    }
}
