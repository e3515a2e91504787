//! Just enough HTTP to ask an admin endpoint.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the server may be silent.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the status and the body of the answer to a GET request.
///
/// # Errors
///
/// If nobody listens there, the server is silent for 10 s, or what it says is no HTTP.
pub fn http_get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    http_get_with(address, path, &[])
}

/// Returns the status and the body of the answer to a GET request with further headers.
///
/// # Errors
///
/// Those of [`http_get`].
pub fn http_get_with(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // HTTP/1.0: the server closes when it is done, and must not send its answer in chunks (RFC 9112 section 6.1).
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n")?;
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(no_http)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(no_http)?;
    Ok((status, body.to_owned()))
}

fn no_http() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the answer is no HTTP")
}
