//! One HTTP client for all destinations.

use std::error::Error;
use std::fmt;
use std::io;
use std::iter::successors;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use http::header::{CONTENT_LENGTH, HeaderValue, USER_AGENT};
use http::{Method, Request, Version};
use http_body::Body as _;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::answer::{Answer, BodyEnd, read_body};
use crate::body::{Body, BodyError, OpenBody};
use crate::connector::{Connector, cause, server_of};
use crate::failure::{Cause, Failure};
use crate::timeouts::Timeouts;
use crate::tls::{TlsConfig, TlsError};
use crate::watchdog::Watchdog;

/// How long a connection is kept for the next request: less than servers keep theirs, most of them a minute, some
/// twenty seconds, so that a request seldom meets one that is just being closed.
const IDLE: Duration = Duration::from_secs(15);

/// The most connections to one host that are kept: more than any destination has uploads at once.
const MAX_IDLE: usize = 16;

/// Who we say that we are.
const OUR_NAME: &str = concat!("logweir/", env!("CARGO_PKG_VERSION"));

/// What a [`Client`] needs to know.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ClientConfig {
    /// How long each phase of a request may take.
    pub timeouts: Timeouts,
    /// Whom we trust.
    pub tls: TlsConfig,
}

/// An HTTP/1.1 client that keeps its connections. A clone is the same client.
///
/// Each request has a connection to itself, so that a stalled one is told by its connection; that is why it is not
/// HTTP/2, where requests share one and a stalled one hides behind those that move. Redirects are not followed, no
/// proxy is used, and a compressed answer is given as it is.
#[derive(Clone)]
pub struct Client {
    http: legacy::Client<Connector, OpenBody>,
    timeouts: Timeouts,
}

impl Client {
    /// Returns a client without connections. It reads the system's certificates, which takes some milliseconds.
    ///
    /// # Errors
    ///
    /// If `ca_file` cannot be read or holds no certificate of an authority.
    pub fn new(config: &ClientConfig) -> Result<Self, TlsError> {
        let connector = Connector::new(config.tls.load()?, config.timeouts);
        // Connections are served by tasks of the library's. Each ends with its connection: with the last clone of the
        // client, when it was idle for long, or when a watchdog cuts it.
        let mut builder = legacy::Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(MAX_IDLE);
        Ok(Self { http: builder.build(connector), timeouts: config.timeouts })
    }

    /// Sends a request, once, and returns the answer with up to `max_answer_bytes` of its body.
    ///
    /// `Host` and `User-Agent` are added unless they are there; `Content-Length` is always the body's. An answer of any
    /// status is an answer: see [`Answer::verdict`]. One that comes before the request was sent whole counts too, and so
    /// does one whose body breaks off, as [`Answer::end`] says; but not both if it tells of success. The request can be
    /// sent again.
    ///
    /// # Errors
    ///
    /// If there was no answer, no more than a part of its head, or a success that broke off before the request was sent.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection is closed at once; how much of the request has been sent, and whether
    /// the server took it, is unknown.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with IO and time.
    pub async fn send(&self, request: &Request<Body>, max_answer_bytes: usize) -> Result<Answer, Failure> {
        let server = server_of(request.uri())?;
        let body = match request.body().open().await {
            Ok(body) => body,
            Err(error) => return Err(Failure::Request { server, source: Arc::new(error) }),
        };
        let is_sent = body.is_sent();
        let mut outgoing = outgoing(request, body);
        let captured = capture_connection(&mut outgoing);
        let mut watchdog = Watchdog::new(captured, self.timeouts, server.clone());
        let head = tokio::select! {
            biased;
            // Dropped, as nobody needs it any more, or after it is done.
            head = self.http.request(outgoing) => head.map_err(|error| failure(server.clone(), &error))?,
            // Cancel safe.
            stalled = watchdog.stalled() => return Err(stalled),
        };
        let was_sent = is_sent.load(Ordering::Acquire);
        let (head, incoming) = head.into_parts();
        let mut body = BytesMut::new();
        let end = tokio::select! {
            biased;
            // Both cancel safe.
            end = read_body(incoming, &mut body, max_answer_bytes) => {
                end.unwrap_or_else(|error| BodyEnd::Broken(failure(server, &error)))
            }
            stalled = watchdog.stalled() => BodyEnd::Broken(stalled),
        };
        match &end {
            BodyEnd::Whole if is_sent.load(Ordering::Acquire) => watchdog.release(),
            // Who promises before all is there, and then breaks off, may have died with it.
            BodyEnd::Broken(failure) if head.status.is_success() && !was_sent => {
                return Err(failure.clone());
            }
            _ => {}
        }
        Ok(Answer { status: head.status, headers: head.headers, body: body.freeze(), end })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeouts", &self.timeouts).finish_non_exhaustive()
    }
}

/// Returns a request as it is sent once.
fn outgoing(request: &Request<Body>, body: OpenBody) -> Request<OpenBody> {
    let mut outgoing = Request::new(body);
    *outgoing.method_mut() = request.method().clone();
    *outgoing.uri_mut() = request.uri().clone();
    *outgoing.version_mut() = Version::HTTP_11;
    *outgoing.headers_mut() = request.headers().clone();
    let length = outgoing.body().size_hint().exact().expect("every body knows its length");
    if length > 0 || takes_body(request.method()) {
        outgoing.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    outgoing.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static(OUR_NAME));
    outgoing
}

/// Returns whether to say so if there is no body: some servers wait for one else (RFC 9110 section 8.6).
fn takes_body(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH].contains(method)
}

/// Returns what an error of the library means.
fn failure(server: String, error: &(dyn Error + 'static)) -> Failure {
    if let Some(failure) = cause::<Failure>(error) {
        return failure.clone();
    }
    if let Some(BodyError(source)) = cause(error) {
        return Failure::Request { server, source: Arc::clone(source) as Cause };
    }
    let source: Cause = Arc::new(io::Error::other(innermost(error)));
    match cause::<hyper::Error>(error) {
        Some(error) if error.is_parse() => Failure::Protocol { server, source },
        Some(error) if error.is_user() => Failure::Request { server, source },
        _ => Failure::Closed { server, source },
    }
}

/// Returns what the last of the causes says: those before it say the same less exactly.
fn innermost(error: &(dyn Error + 'static)) -> String {
    successors(Some(error), |&error| error.source()).last().unwrap_or(error).to_string()
}
