//! How long each phase of a request may take.

use std::time::Duration;

/// How long each phase of a request may take. There is no limit for the whole: a large upload over a slow network takes
/// the time it takes, as long as it moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Timeouts {
    /// Finding the address, and then making the connection: each may take so long. 5 s.
    pub connect: Duration,
    /// The TLS handshake. 5 s.
    pub tls_handshake: Duration,
    /// How long nothing may move, neither a byte to the server nor one from it, while a request is on its way: from the
    /// connection to the end of the answer, the time the server needs to think included. 10 s.
    pub progress: Duration,
    /// How long the answer may take from the last byte sent to its end: what would else have no limit is a server
    /// that answers a byte at a time. 60 s.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            tls_handshake: Duration::from_secs(5),
            progress: Duration::from_secs(10),
            answer: Duration::from_secs(60),
        }
    }
}
