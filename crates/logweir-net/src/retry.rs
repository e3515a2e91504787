//! What an answer means for the next attempt.

use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

/// The longest a destination can make us wait by `Retry-After`. An hour is longer than any throttling lasts; a date
/// years ahead is a mistake that must not silence a pipeline.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// What became of an attempt that was answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It was taken: 2xx.
    Done,
    /// The same may be taken later: 408, 429, 5xx. An attempt that was not answered ([`Failure`](crate::Failure)) means
    /// the same.
    Retry {
        /// How long the destination asks us to wait, at most an hour.
        after: Option<Duration>,
    },
    /// The same will never be taken: any other 4xx; and 3xx, for redirects are not followed: whoever redirects
    /// would say where our secrets go.
    Reject,
}

impl Verdict {
    /// Returns what an answer with this status and these headers means.
    pub fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        Self::at(status, headers, SystemTime::now())
    }

    fn at(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Self {
        match status.as_u16() {
            200..=299 => Self::Done,
            408 | 429 | 500..=599 => Self::Retry { after: retry_after(headers, now) },
            _ => Self::Reject,
        }
    }
}

/// Returns how long `Retry-After` asks us to wait (RFC 9110 section 10.2.3): seconds, or a date, of which one that is
/// past asks for nothing. What is neither is ignored.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if is_number {
        // A number of seconds that is too large to read is a long time.
        let seconds = value.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs);
        return Some(seconds.min(MAX_RETRY_AFTER));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(now).unwrap_or_default().min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
    const THEN: Duration = Duration::from_secs(784_111_777);

    fn verdict(status: u16, retry_after: Option<&[u8]>) -> Verdict {
        let mut headers = HeaderMap::new();
        if let Some(value) = retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from_bytes(value).unwrap());
        }
        Verdict::at(StatusCode::from_u16(status).unwrap(), &headers, SystemTime::UNIX_EPOCH + THEN)
    }

    #[test]
    fn each_status_has_its_verdict() {
        for status in 100..1000 {
            let expected = match status {
                200..=299 => Verdict::Done,
                408 | 429 | 500..=599 => Verdict::Retry { after: None },
                _ => Verdict::Reject,
            };
            assert_eq!(verdict(status, None), expected, "{status}");
        }
    }

    #[test]
    fn the_destination_says_how_long_to_wait() {
        let after = |seconds| Verdict::Retry { after: Some(Duration::from_secs(seconds)) };
        let cases: &[(&[u8], Verdict)] = &[
            (b"0", after(0)),
            (b"120", after(120)),
            (b" 7 ", after(7)),
            (b"3601", after(3600)),
            (b"99999999999999999999999999", after(3600)),
            (b"Sun, 06 Nov 1994 08:49:47 GMT", after(10)),
            (b"Sunday, 06-Nov-94 08:49:47 GMT", after(10)),
            (b"Sun Nov  6 08:49:47 1994", after(10)),
            (b"Sun, 06 Nov 1994 08:49:37 GMT", after(0)),
            (b"Sat, 05 Nov 1994 08:49:37 GMT", after(0)),
            (b"Sat, 06 Nov 2094 08:49:37 GMT", after(3600)),
            (b"soon", Verdict::Retry { after: None }),
            (b"-5", Verdict::Retry { after: None }),
            (b"1.5", Verdict::Retry { after: None }),
            (b"", Verdict::Retry { after: None }),
            (b"\xff", Verdict::Retry { after: None }),
        ];
        for (value, expected) in cases {
            assert_eq!(verdict(429, Some(value)), *expected, "{:?}", String::from_utf8_lossy(value));
            assert_eq!(verdict(503, Some(value)), *expected);
            assert_eq!(verdict(404, Some(value)), Verdict::Reject);
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_us_wait_for_more_than_an_hour(value in "[ -~]{0,40}", status in 100_u16..1000) {
            if let Verdict::Retry { after: Some(after) } = verdict(status, Some(value.as_bytes())) {
                prop_assert!(after <= MAX_RETRY_AFTER);
            }
        }
    }
}
