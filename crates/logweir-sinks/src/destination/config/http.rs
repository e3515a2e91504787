//! What is configured of a server that takes batches by POST.

use std::fmt;

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
        write!(f, "{}://{}", self.flavour.scheme(), server(&self.url))
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
