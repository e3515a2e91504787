//! What a server said.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::failure::Failure;
use crate::retry::Verdict;

/// What a server said to a request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to the length that was asked for.
    pub body: Bytes,
    /// How `body` ends.
    pub end: BodyEnd,
}

/// How what was read of a body ends.
#[derive(Clone, Debug)]
pub enum BodyEnd {
    /// It is all there.
    Whole,
    /// There is more than was asked for.
    TooLong,
    /// The rest did not come. The status was said all the same: to a server that has answered 200 nothing needs to be
    /// sent again unless the body itself is needed. Many close a connection without TLS's `close_notify`, which looks
    /// like this if only the close would end the body (RFC 9112 section 9.8).
    Broken(Failure),
}

impl Answer {
    /// Returns what it means for the next attempt.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.status, &self.headers)
    }

    /// Returns the beginning of the body, `max_chars` at most, as one line of text for a person: white space of any
    /// length is one blank, and what cannot be printed is left out.
    ///
    /// A server may repeat what it was sent; [`Secret::hide_in`](crate::Secret::hide_in) is for that.
    pub fn excerpt(&self, max_chars: usize) -> String {
        // A character has four bytes at most, and most texts are not indented by more than half.
        let head = &self.body[..self.body.len().min(max_chars.saturating_mul(8))];
        let text = String::from_utf8_lossy(head);
        let words: Vec<_> = text.split_whitespace().collect();
        words.join(" ").chars().filter(|c| !c.is_control()).take(max_chars).collect()
    }
}

/// Adds to `body` what comes, until there are `max_bytes`; what comes behind them is not waited for. Cancel safe: what
/// has come is in `body`.
pub(crate) async fn read_body(
    mut incoming: Incoming,
    body: &mut BytesMut,
    max_bytes: usize,
) -> Result<BodyEnd, hyper::Error> {
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let n_room = max_bytes - body.len();
        body.extend_from_slice(&data[..data.len().min(n_room)]);
        if data.len() > n_room {
            return Ok(BodyEnd::TooLong);
        }
    }
    Ok(BodyEnd::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn excerpt(body: &'static [u8], max_chars: usize) -> String {
        let (status, headers) = (StatusCode::BAD_REQUEST, HeaderMap::new());
        Answer { status, headers, body: Bytes::from_static(body), end: BodyEnd::Whole }.excerpt(max_chars)
    }

    #[test]
    fn an_excerpt_is_one_short_line_whatever_the_server_says() {
        assert_eq!(excerpt(b"{\n\t\"text\":  \"Invalid token\"\r\n}", 80), "{ \"text\": \"Invalid token\" }");
        assert_eq!(excerpt(b"Invalid token", 7), "Invalid");
        assert_eq!(excerpt("größer".as_bytes(), 3), "grö");
        assert_eq!(excerpt(b"\x1b[31mred\x00\xff", 80), "[31mred\u{fffd}");
        assert_eq!(excerpt(b"", 80), "");
        assert_eq!(excerpt(b"all", usize::MAX), "all");
    }
}
