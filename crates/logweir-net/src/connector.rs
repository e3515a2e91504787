//! From a URL to a connection.

use std::error::Error;
use std::fmt;
use std::io;
use std::iter::successors;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use futures::future::BoxFuture;
use http::Uri;
use http::uri::Scheme;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Duration, timeout};
use tokio_rustls::TlsConnector;
use tower_service::Service;

use crate::connection::{Tracked, Wire};
use crate::failure::Failure;
use crate::timeouts::Timeouts;
use crate::tls;

/// The most bytes that the system may hold of what it has not sent. It then takes more whenever some have gone, so that
/// what it takes tells how an upload moves; without a limit it takes megabytes at once, and then nothing for longer
/// than a slow network may be silent.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 128 * 1024;

/// Makes connections: finds addresses, dials, shakes hands, each within its time.
#[derive(Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector<Resolver>,
    tls: TlsConnector,
    timeouts: Timeouts,
}

impl Connector {
    pub(crate) fn new(tls: Arc<ClientConfig>, timeouts: Timeouts) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Resolver { limit: timeouts.connect });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(timeouts.connect));
        // For what hyper still writes when nobody waits for it any more: a server that answers early, and then reads
        // nothing and does not close, would keep a connection for ever. Longer than a request would wait.
        #[cfg(target_os = "linux")]
        tcp.set_tcp_user_timeout(Some(timeouts.progress * 2));
        Self { tcp, tls: TlsConnector::from(tls), timeouts }
    }

    async fn connect(mut self, uri: Uri) -> Result<Wire, Failure> {
        let server = server_of(&uri)?;
        let tcp = self.tcp.call(uri.clone()).await.map_err(|error| self.not_connected(&server, &error))?;
        let tcp = tcp.into_inner();
        limit_unsent(&tcp);
        let tcp = Tracked::new(tcp);
        if uri.scheme() != Some(&Scheme::HTTPS) {
            return Ok(Wire::plain(tcp));
        }
        self.shake_hands(tcp, &uri, server).await
    }

    async fn shake_hands(self, tcp: Tracked, uri: &Uri, server: String) -> Result<Wire, Failure> {
        let limit = self.timeouts.tls_handshake;
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = match ServerName::try_from(host.to_owned()) {
            Ok(name) => name,
            Err(error) => return Err(Failure::Request { server, source: Arc::new(error) }),
        };
        match timeout(limit, self.tls.connect(name, tcp)).await {
            Ok(Ok(tls)) => Ok(Wire::secure(tls)),
            Ok(Err(error)) => Err(Failure::Tls { server, source: Arc::new(tls::explain(error)) }),
            Err(_) => Err(Failure::TlsTimeout { server, limit }),
        }
    }

    fn not_connected(&self, server: &str, error: &(dyn Error + 'static)) -> Failure {
        let server = server.to_owned();
        if let Some(ResolveError(source)) = cause(error) {
            return Failure::Resolve { server, source: Arc::clone(source) };
        }
        // Its own timeout has this kind, and no number of the system's; the system's own is no other news.
        match cause::<io::Error>(error) {
            Some(source) if source.kind() == io::ErrorKind::TimedOut => {
                Failure::ConnectTimeout { server, limit: self.timeouts.connect }
            }
            Some(source) => Failure::Connect { server, source: Arc::new(copy(source)) },
            None => Failure::Connect { server, source: Arc::new(io::Error::other(error.to_string())) },
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = Failure;
    type Future = BoxFuture<'static, Result<TokioIo<Wire>, Failure>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async { this.connect(uri).await.map(TokioIo::new) })
    }
}

/// Asks the system for addresses.
#[derive(Clone)]
struct Resolver {
    limit: Duration,
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future = BoxFuture<'static, Result<Self::Response, ResolveError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let limit = self.limit;
        Box::pin(
            async move { resolve(name.as_str(), limit).await.map_err(|error| ResolveError(Arc::new(error))) },
        )
    }
}

async fn resolve(host: &str, limit: Duration) -> io::Result<vec::IntoIter<SocketAddr>> {
    // The port is the dialler's to set.
    let found = match timeout(limit, lookup_host((host, 0))).await {
        Ok(found) => found?,
        Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody answered in time")),
    };
    let addresses: Vec<_> = found.collect();
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it has none"));
    }
    Ok(addresses.into_iter())
}

/// What the resolver said: told from what the dialler says by its type.
#[derive(Debug)]
struct ResolveError(Arc<io::Error>);

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for ResolveError {}

/// Returns the host and the port of a URL: all that is shown of one.
pub(crate) fn server_of(uri: &Uri) -> Result<String, Failure> {
    let port = match uri.scheme_str() {
        Some("https") => 443,
        Some("http") => 80,
        _ => return Err(no_url("a URL begins with https:// or http://")),
    };
    let Some(host) = uri.host() else { return Err(no_url("the URL has no host")) };
    Ok(format!("{host}:{}", uri.port_u16().unwrap_or(port)))
}

fn no_url(said: &str) -> Failure {
    Failure::Request { server: "nobody".to_owned(), source: Arc::new(io::Error::other(said.to_owned())) }
}

/// Returns the first of an error and its causes that is of this type.
pub(crate) fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    successors(Some(error), |&error| error.source()).find_map(|error| error.downcast_ref())
}

/// Returns an error of its own that says the same.
pub(crate) fn copy(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

#[cfg(target_os = "linux")]
fn limit_unsent(tcp: &TcpStream) {
    // An old system may not know it; slow uploads are then told from stalled ones less well.
    let _unknown = socket2::SockRef::from(tcp).set_tcp_notsent_lowat(MAX_UNSENT_BYTES);
}

#[cfg(not(target_os = "linux"))]
fn limit_unsent(_tcp: &TcpStream) {}
