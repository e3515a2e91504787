//! The port of the admin endpoint.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use super::About;

/// How long somebody on this machine may take to say who he is.
const PATIENCE: Duration = Duration::from_secs(2);

/// How much of an answer is read; ours has about a hundred bytes.
const MAX_ANSWER: u64 = 4096;

/// Looks whether the endpoint could listen on an address.
pub(super) fn look(address: SocketAddr, about: &mut About<'_>) {
    match TcpListener::bind(address) {
        Ok(_) => about.ok(format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && answers_like_us(address) => about.warn(
            format!("on {address} a running logweir answers"),
            "if it runs these pipelines, all is well; a second one needs another port",
        ),
        Err(error) if error.kind() == ErrorKind::AddrInUse => about.fail(
            format!("another program listens on {address}"),
            format!("name another port; `ss -ltnp 'sport = :{}'` says who it is", address.port()),
        ),
        Err(error) if error.kind() == ErrorKind::AddrNotAvailable => about.fail(
            format!("{address} is no address of this machine"),
            "name one of its own, as `127.0.0.1:9598`",
        ),
        Err(error) => about.fail(
            format!("cannot listen on {address}: {error}"),
            "name another port; those below 1024 are for root alone",
        ),
    }
}

/// Returns whether what listens there says that it is alive as only a logweir does.
fn answers_like_us(address: SocketAddr) -> bool {
    ask(address).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\nalive\n"))
}

fn ask(mut address: SocketAddr) -> io::Result<String> {
    // Who listens on all addresses listens on this one.
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            [127, 0, 0, 1].into()
        } else {
            [0, 0, 0, 0, 0, 0, 0, 1].into()
        });
    }
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    // Somebody else may say anything, but not forever: each read has its time, and there are few.
    stream.take(MAX_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
