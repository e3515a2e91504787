//! A connection: requests read and answered one after the other.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::{ServerConnection, StreamOwned};
use socket2::SockRef;

use super::Shared;
use super::request::{Left, Received, read_head};
use super::script::{Act, Ending, Fault, Reading, Reply};
use super::tls::Identity;

/// How much is read of a body at a time.
const READ_BYTES: usize = 64 * 1024;

/// Serves a connection until one side ends it.
pub(super) fn serve(tcp: TcpStream, number: usize, identity: Option<&Identity>, shared: &Shared) {
    let Ok(raw) = tcp.try_clone() else { return };
    // However a connection fails, the client has noticed, and the test looks at the client.
    let _ended = match identity {
        Some(Identity(config)) => ServerConnection::new(Arc::clone(config))
            .map_err(io::Error::other)
            .and_then(|tls| serve_wire(StreamOwned::new(tls, tcp), &raw, number, shared)),
        None => serve_wire(tcp, &raw, number, shared),
    };
}

fn serve_wire(wire: impl Read + Write, raw: &TcpStream, number: usize, shared: &Shared) -> io::Result<()> {
    let mut exchange = Exchange { wire: BufReader::with_capacity(READ_BYTES, wire), raw, shared };
    while let Some(request) = read_head(&mut exchange.wire, number)? {
        if !exchange.play(&shared.next_act(), request)? {
            return Ok(());
        }
    }
    Ok(())
}

struct Exchange<'a, W> {
    wire: BufReader<W>,
    /// The same connection below TLS.
    raw: &'a TcpStream,
    shared: &'a Shared,
}

impl<W: Read + Write> Exchange<'_, W> {
    /// Returns whether the connection can have another request.
    fn play(&mut self, act: &Act, mut request: Received) -> io::Result<bool> {
        let read = self.read_body(act.reading, &mut request);
        self.shared.record(request.clone());
        read?;
        self.pass(act.delay);
        match &act.ending {
            Ending::Reply(reply) => self.reply(reply, &request),
            Ending::By(answer) => self.reply(&answer(&request), &request),
            Ending::Dribble(reply, every) => self.dribble(reply, *every),
            Ending::Part(reply, n_bytes, fault) => {
                let bytes = reply.bytes();
                self.write(&bytes[..bytes.len().min(*n_bytes)])?;
                self.leave(*fault)
            }
            Ending::Bytes(bytes) => {
                self.write(bytes)?;
                self.leave(Fault::Close)
            }
            Ending::Fault(fault) => self.leave(*fault),
        }
    }

    fn read_body(&mut self, reading: Reading, request: &mut Received) -> io::Result<()> {
        let mut left = Left::of(request)?;
        let most = if let Reading::UpTo(n_bytes) = reading { n_bytes } else { usize::MAX };
        while !matches!(left, Left::Nothing) && request.body.len() < most {
            let room = most - request.body.len();
            let at_once = match reading {
                Reading::Slowly { n_bytes, every } => {
                    self.pass(every);
                    n_bytes
                }
                Reading::Whole | Reading::UpTo(_) => READ_BYTES,
            };
            left.read(&mut self.wire, at_once.min(room), &mut request.body)?;
        }
        request.is_whole = matches!(left, Left::Nothing);
        Ok(())
    }

    fn reply(&mut self, reply: &Reply, request: &Received) -> io::Result<bool> {
        let is_head = request.method == "HEAD";
        self.write(&if is_head { reply.head() } else { reply.bytes() })?;
        if request.is_whole && !request.is_last {
            return Ok(true);
        }
        self.leave(Fault::Close)
    }

    fn dribble(&mut self, reply: &Reply, every: Duration) -> io::Result<bool> {
        for byte in reply.bytes() {
            self.write(&[byte])?;
            self.pass(every);
        }
        Ok(true)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.get_mut().write_all(bytes)?;
        self.wire.get_mut().flush()
    }

    fn leave(&mut self, fault: Fault) -> io::Result<bool> {
        match fault {
            Fault::Stall => self.shared.wait_for_stop(None),
            // Nothing lingers: what is not sent or not read is thrown away, and the system resets the connection.
            Fault::Reset => {
                SockRef::from(self.raw).set_linger(Some(Duration::ZERO))?;
                return Err(ErrorKind::ConnectionReset.into());
            }
            Fault::Close => self.close()?,
        }
        Ok(false)
    }

    /// Closes our side and reads on to the end of the client's: closing with something unread would be a reset, and the
    /// client could not read what we said.
    fn close(&mut self) -> io::Result<()> {
        self.raw.shutdown(Shutdown::Write)?;
        loop {
            let n_read = self.wire.fill_buf()?.len();
            if n_read == 0 {
                return Ok(());
            }
            self.wire.consume(n_read);
        }
    }

    fn pass(&self, time: Duration) {
        if !time.is_zero() {
            self.shared.wait_for_stop(Some(time));
        }
    }
}
