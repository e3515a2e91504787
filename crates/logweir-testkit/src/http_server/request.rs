//! What the server was asked.

use std::io::{self, BufRead, Read};

use flate2::read::MultiGzDecoder;

/// More than any client of ours sends.
const MAX_HEAD_BYTES: usize = 256 * 1024;
const MAX_HEADERS: usize = 100;

/// A request as it came in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body's bytes, without the framing of chunks; of a request that the server left, those that it had read.
    pub body: Vec<u8>,
    /// Whether `body` is all of it.
    pub is_whole: bool,
    /// The number of the connection, from 0: requests with the same number shared one.
    pub connection: usize,
    /// Whether the client has nothing more to ask on this connection.
    pub(super) is_last: bool,
}

impl Received {
    /// Returns the value of a header, `None` if there is none of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the body, decompressed if it says that it is gzip.
    ///
    /// # Panics
    ///
    /// If it is none.
    pub fn content(&self) -> Vec<u8> {
        if self.header("content-encoding") != Some("gzip") {
            return self.body.clone();
        }
        let mut content = Vec::new();
        MultiGzDecoder::new(self.body.as_slice()).read_to_end(&mut content).expect("the body is gzip");
        content
    }
}

/// Reads the head of a request; `None` if the client has none.
pub(super) fn read_head(from: &mut impl BufRead, connection: usize) -> io::Result<Option<Received>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let n_read = from.take(MAX_HEAD_BYTES as u64).read_until(b'\n', &mut head)?;
        if n_read == 0 && head.is_empty() {
            return Ok(None);
        }
        if n_read == 0 || head.len() > MAX_HEAD_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    parse_head(&head, connection).map(Some)
}

fn parse_head(head: &[u8], connection: usize) -> io::Result<Received> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).map_err(io::Error::other)?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let shown = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let mut received = Received {
        method: text(request.method),
        path: text(request.path),
        headers: request.headers.iter().map(|one| (one.name.to_owned(), shown(one.value))).collect(),
        body: Vec::new(),
        is_whole: false,
        connection,
        is_last: request.version == Some(0),
    };
    received.is_last |=
        received.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Ok(received)
}

/// How much of a body is still to come.
pub(super) enum Left {
    Bytes(usize),
    /// In chunks; so much of the present one, 0 before the next.
    Chunked(usize),
    Nothing,
}

impl Left {
    /// Returns it for a request of which only the head was read.
    pub(super) fn of(request: &Received) -> io::Result<Self> {
        if request.header("transfer-encoding").is_some() {
            return Ok(Self::Chunked(0));
        }
        let Some(length) = request.header("content-length") else { return Ok(Self::Nothing) };
        let n_bytes = length.parse().map_err(io::Error::other)?;
        Ok(if n_bytes == 0 { Self::Nothing } else { Self::Bytes(n_bytes) })
    }

    /// Reads up to `max_bytes` more of the body.
    pub(super) fn read(
        &mut self,
        from: &mut impl BufRead,
        max_bytes: usize,
        body: &mut Vec<u8>,
    ) -> io::Result<()> {
        if let Self::Chunked(0) = self {
            *self = begin_chunk(from)?;
        }
        let (Self::Bytes(n_left) | Self::Chunked(n_left)) = self else { return Ok(()) };
        let wanted = max_bytes.min(*n_left);
        let n_read = from.take(wanted as u64).read_to_end(body)?;
        *n_left -= n_read;
        if n_read < wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match self {
            Self::Bytes(0) => *self = Self::Nothing,
            // The line break behind a chunk.
            Self::Chunked(0) => drop(read_line(from)?),
            _ => {}
        }
        Ok(())
    }
}

fn begin_chunk(from: &mut impl BufRead) -> io::Result<Left> {
    let line = read_line(from)?;
    let size = line.split(';').next().unwrap_or_default().trim();
    let n_bytes = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
    if n_bytes > 0 {
        return Ok(Left::Chunked(n_bytes));
    }
    while !read_line(from)?.is_empty() {}
    Ok(Left::Nothing)
}

fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.take(MAX_HEAD_BYTES as u64).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}
