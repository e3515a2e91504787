//! What is configured of a server that takes batches by POST.

use std::fmt;

use ::http::HeaderName;
use ::http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use logweir_net::{Secret, TlsConfig};
use url::Url;

/// A server that takes batches by POST.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpConfig {
    /// Whose server it is.
    pub flavour: HttpFlavour,
    /// Where to post to. Paths and queries hold keys, so that no more of it is shown than the host and the port.
    pub url: Secret,
    /// Headers of each request, besides those that say what its body is.
    pub headers: Vec<Header>,
    /// How the server is known.
    pub tls: TlsConfig,
}

/// Whose server it is that takes batches by POST.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HttpFlavour {
    /// Anybody's.
    Https,
    /// Splunk's, by the raw endpoint of its HTTP event collector.
    Splunk,
    /// Datadog's intake for logs.
    Datadog,
    /// An HTTP source of Sumo Logic.
    Sumo,
    /// `SentinelOne`'s, by its raw endpoint.
    SentinelOne,
}

/// A header that is sent with each request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// What it says.
    pub value: Secret,
}

/// Headers that say how the request is carried, which is not for a destination to say.
const CARRIAGE: [HeaderName; 9] =
    [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, EXPECT, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// A name and a value that make no header.
#[derive(thiserror::Error, Clone, Copy, PartialEq, Eq, Debug)]
#[error("{message}")]
pub struct HeaderProblem {
    /// What is wrong; nothing of the value is in it.
    pub message: &'static str,
    /// What would be right.
    pub help: &'static str,
}

impl Header {
    /// Returns a header of this name and value.
    ///
    /// # Errors
    ///
    /// If HTTP has no such name or value, or the header says how a request is carried.
    pub fn new(name: &str, value: &str) -> Result<Self, HeaderProblem> {
        let problem = |message, help| Err(HeaderProblem { message, help });
        let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
            return problem("this is no name of a header", "it has letters, digits, hyphens and underscores");
        };
        if CARRIAGE.contains(&parsed) {
            return problem("this header is not for a destination to set", "leave it out");
        }
        let value = Secret::new(value);
        if value.header_value().is_err() {
            return problem("no header has a value like this", "it has visible characters and spaces");
        }
        Ok(Self { name: name.to_owned(), value })
    }
}

impl HttpFlavour {
    /// Returns the word that a URL of it begins with.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Splunk => "splunk",
            Self::Datadog => "datadog",
            Self::Sumo => "sumo",
            Self::SentinelOne => "sentinelone",
        }
    }
}

impl fmt::Display for HttpConfig {
    /// Writes the scheme, the host and the port.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = self.flavour == HttpFlavour::Https && self.url.expose().starts_with("http://");
        let scheme = if is_plain { "http" } else { self.flavour.scheme() };
        write!(f, "{scheme}://{}", server(&self.url))
    }
}

/// Returns the host and, unless it is the usual one, the port of a URL: all that may be shown.
pub(in crate::destination) fn server(url: &Secret) -> String {
    let Ok(url) = Url::parse(url.expose()) else { return "?".to_owned() };
    let host = url.host_str().unwrap_or("?");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
