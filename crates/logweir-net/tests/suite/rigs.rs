//! What the tests share.

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use logweir_net::{Answer, Body, BodyEnd, Client, ClientConfig, Failure, Timeouts};
use logweir_testkit::http_server::{HttpServer, Script};

/// More than any answer here has.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// Much longer than anything on this machine takes, so that a test fails in the end where a timeout does not come.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Timeouts of which none comes.
pub(crate) const PATIENT: Timeouts =
    Timeouts { connect: LONG, tls_handshake: LONG, progress: LONG, answer: LONG };

pub(crate) fn client(timeouts: Timeouts) -> Client {
    Client::new(&ClientConfig { timeouts, ..ClientConfig::default() }).unwrap()
}

pub(crate) fn post(url: &str, body: Body) -> Request<Body> {
    Request::builder().method(Method::POST).uri(url).body(body).unwrap()
}

pub(crate) fn bytes(text: &'static str) -> Body {
    Body::from(Bytes::from_static(text.as_bytes()))
}

/// Sends a small request to a server that plays this script.
pub(crate) async fn send_to(script: Script, timeouts: Timeouts) -> Result<Answer, Failure> {
    let server = HttpServer::start(script);
    client(timeouts).send(&post(&server.url(), bytes("one\n")), MAX_BYTES).await
}

/// Returns the answer if its body came to its end.
pub(crate) fn body(answer: Answer) -> Result<Answer, Failure> {
    match answer.end {
        BodyEnd::Broken(failure) => Err(failure),
        BodyEnd::Whole | BodyEnd::TooLong => Ok(answer),
    }
}

/// Returns an error with all of its causes, as a log shows it.
pub(crate) fn shown(error: &dyn Error) -> String {
    let errors = successors(Some(error), |&error| error.source());
    errors.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Fails unless it is a failure with this status; returns it as a log shows it.
#[track_caller]
pub(crate) fn check_failed(sent: &Result<Answer, Failure>, status: u16, kind: &str) -> String {
    let failure = sent.as_ref().expect_err("the server does not answer");
    let shown = shown(failure);
    assert_eq!((failure.status(), failure.kind()), (status, kind), "{shown}");
    shown
}
