//! What a batch is called.

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::file::Compression;

/// The last millisecond that has a date in every time zone, on the last but one day of the year 9999: what comes later, or
/// before 1970, is no time of an event.
const LAST_MS: i64 = 253_402_207_200_000;

/// Returns a time that an event claims, if that can be one.
pub(super) fn believable(time_ms: i64) -> Option<i64> {
    (0..=LAST_MS).contains(&time_ms).then_some(time_ms)
}

/// Returns the day of a time, as 20261122.
pub(super) fn date(time_ms: i64) -> String {
    formatted("%Y%m%d", time_ms)
}

/// Returns the name of the file of a batch: when its first event happened, and its last, and a hash that no other
/// batch has.
///
/// Events come roughly, and not exactly, in the order in which they happened: if the last one happened before the
/// first, the two change places.
pub(super) fn file_name(first_ms: i64, last_ms: i64, hash: u64, compression: Compression) -> String {
    let time = |time_ms| formatted("%Y%m%dT%H%M%SZ", time_ms);
    let (start, end) = (first_ms.min(last_ms), first_ms.max(last_ms));
    format!("{}_{}_{hash:016x}{}", time(start), time(end), ending(compression))
}

/// Returns what the name of a batch's file ends in.
pub(super) fn ending(compression: Compression) -> &'static str {
    match compression {
        Compression::None => ".log",
        Compression::Gzip { .. } => ".log.gz",
        Compression::Zstd { .. } => ".log.zst",
    }
}

fn formatted(format: &str, time_ms: i64) -> String {
    let time = Timestamp::from_millisecond(time_ms).expect("only believable times are kept");
    strtime::format(format, &time.to_zoned(TimeZone::UTC)).expect("the format is known")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_when() {
        let gzip = Compression::Gzip { level: 1 };
        let name = file_name(1_763_797_445_999, 1_763_800_000_000, 0xab, gzip);
        assert_eq!(name, "20251122T074405Z_20251122T082640Z_00000000000000ab.log.gz");
        assert_eq!(name, file_name(1_763_800_000_000, 1_763_797_445_999, 0xab, gzip), "in order");
        assert_eq!(date(0), "19700101");
        assert_eq!(date(LAST_MS), "99991230");
        assert_eq!(LAST_MS, 1_000 * Timestamp::MAX.as_second());
        assert!(believable(-1).is_none() && believable(LAST_MS + 1).is_none());
    }
}
