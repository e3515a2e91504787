//! Why an attempt was not answered.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::retry::Verdict;

/// What led to a failure. It never shows a URL's query or a header.
pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// Why a request was not answered, or not to its end: trouble of the network, which passes.
///
/// `server` is the host and the port that was asked, and all of the URL that is shown: paths and queries hold secrets.
/// Each failure has a [status](Failure::status) in the manner of Logpush, which counts what got no HTTP status under
/// numbers from 1101 on.
#[derive(thiserror::Error, Clone, Debug)]
pub enum Failure {
    /// 1101: nobody took the connection: refused, no route, unreachable.
    #[error("cannot connect to {server}")]
    Connect {
        /// Who was asked.
        server: String,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// 1102: the connection was not made in time.
    #[error("no connection to {server} within {}", shown(*.limit))]
    ConnectTimeout {
        /// Who was asked.
        server: String,
        /// How long a connection may take.
        limit: Duration,
    },
    /// 1103: TLS did not come about: the certificate is not trusted, or is for another host, or the server speaks
    /// something else.
    #[error("no secure connection to {server}")]
    Tls {
        /// Who was asked.
        server: String,
        /// What was wrong.
        source: Arc<io::Error>,
    },
    /// 1104: the connection was reset or closed before the answer was whole.
    #[error("{server} closed the connection")]
    Closed {
        /// Who was asked.
        server: String,
        /// What was seen of it.
        source: Cause,
    },
    /// 1105: the host's name has no address, or nobody could say in time.
    #[error("cannot find the address of {server}")]
    Resolve {
        /// Who was asked.
        server: String,
        /// What the resolver said.
        source: Arc<io::Error>,
    },
    /// 1106: the TLS handshake was not done in time.
    #[error("no secure connection to {server} within {}", shown(*.limit))]
    TlsTimeout {
        /// Who was asked.
        server: String,
        /// How long a handshake may take.
        limit: Duration,
    },
    /// 1106: neither a byte of the request could be written nor one of the answer read for too long.
    #[error("nothing moved to or from {server} for {}", shown(*.limit))]
    Stalled {
        /// Who was asked.
        server: String,
        /// How long nothing may move.
        limit: Duration,
    },
    /// 1106: the request was sent, and the answer came, but too slowly.
    #[error("the answer of {server} was not whole within {}", shown(*.limit))]
    AnswerTimeout {
        /// Who was asked.
        server: String,
        /// How long an answer may take.
        limit: Duration,
    },
    /// 1107: what came back is no HTTP.
    #[error("the answer of {server} is no HTTP")]
    Protocol {
        /// Who was asked.
        server: String,
        /// What was wrong.
        source: Cause,
    },
    /// 1108: it is not the network: the request could not be made, since its URL is none or the file with its body
    /// cannot be read.
    #[error("cannot make the request to {server}")]
    Request {
        /// Who was to be asked.
        server: String,
        /// Why not.
        source: Cause,
    },
}

impl Failure {
    /// Returns what stands in the place of an HTTP status: 1101 to 1108.
    pub fn status(&self) -> u16 {
        match self {
            Self::Connect { .. } => 1101,
            Self::ConnectTimeout { .. } => 1102,
            Self::Tls { .. } => 1103,
            Self::Closed { .. } => 1104,
            Self::Resolve { .. } => 1105,
            Self::TlsTimeout { .. } | Self::Stalled { .. } | Self::AnswerTimeout { .. } => 1106,
            Self::Protocol { .. } => 1107,
            Self::Request { .. } => 1108,
        }
    }

    /// Returns what kind of failure it is in one word, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::ConnectTimeout { .. } => "connect_timeout",
            Self::Tls { .. } => "tls",
            Self::Closed { .. } => "closed",
            Self::Resolve { .. } => "dns",
            Self::TlsTimeout { .. } | Self::Stalled { .. } | Self::AnswerTimeout { .. } => "timeout",
            Self::Protocol { .. } => "protocol",
            Self::Request { .. } => "request",
        }
    }

    /// Returns what it means for the next attempt: always to make one, since what is wrong with a network, a
    /// certificate or a disk is mended from outside.
    pub fn verdict(&self) -> Verdict {
        Verdict::Retry { after: None }
    }
}

/// Returns a time as a person writes it: `10 s`, `1.5 s`.
fn shown(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_who_and_how_long_and_is_tried_again() {
        let limit = Duration::from_millis(1500);
        let failure = Failure::Stalled { server: "logs.example:8088".to_owned(), limit };
        assert_eq!(failure.to_string(), "nothing moved to or from logs.example:8088 for 1.5 s");
        assert_eq!((failure.status(), failure.kind()), (1106, "timeout"));
        assert_eq!(failure.verdict(), Verdict::Retry { after: None });
        let failure =
            Failure::TlsTimeout { server: "logs.example:443".to_owned(), limit: Duration::from_secs(5) };
        assert_eq!(failure.to_string(), "no secure connection to logs.example:443 within 5 s");
    }
}
