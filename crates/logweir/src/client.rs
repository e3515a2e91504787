//! Asks the admin endpoint of a running logweir: what commands use that look at one.
//!
//! Plain HTTP/1.1, one connection for each request, since a person asks about once a second at most. Whatever goes wrong
//! is said in a sentence with what to do about it.

mod endpoint;

use std::io::ErrorKind;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) use self::endpoint::Endpoint;

/// How long it may take to be connected: who watches a machine does not want to wait for one that is gone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long an answer may take to begin, and one that is wanted whole to end.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is taken whole: hundreds of pipelines show less than one MiB of metrics.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// How much of an error's text is shown.
const MAX_SHOWN_CHARACTERS: usize = 1000;

/// An answer whose body is still to come.
pub(crate) struct Answer {
    /// What the endpoint says of the request.
    pub(crate) status: StatusCode,
    body: Incoming,
    /// Whom errors name.
    endpoint: String,
    /// Drives the connection; dropped with the answer, which closes it.
    _connection: JoinSet<()>,
}

/// Returns the runtime that commands ask on: the thread that calls it.
///
/// # Errors
///
/// If the system has no resources for it.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("the runtime cannot be started")
}

impl Endpoint {
    /// Asks for a path, with the token if there is one, and returns the answer as soon as it begins.
    ///
    /// # Errors
    ///
    /// If nobody listens, or what listens does not answer in time or in HTTP. Any status is an answer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the connection is closed.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        let (mut sender, connection) = self.connect().await?;
        let mut request = Request::get(path).header(HOST, self.to_string());
        if let Some(token) = self.token() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Empty::new()).with_context(|| format!("no request can ask for {path}"))?;
        let answered = timeout(ANSWER_TIMEOUT, sender.send_request(request)).await;
        let answered = answered.map_err(|_elapsed| self.is_silent())?;
        let (parts, body) = answered.map_err(|error| self.is_no_http(&error))?.into_parts();
        Ok(Answer { status: parts.status, body, endpoint: self.to_string(), _connection: connection })
    }

    /// Returns what `/metrics` has.
    ///
    /// # Errors
    ///
    /// Those of [`Endpoint::get`], and if whoever answers is not logweir.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`Endpoint::get`].
    pub(crate) async fn metrics(&self) -> anyhow::Result<String> {
        let answer = self.get("/metrics").await?;
        if answer.status != StatusCode::OK && answer.status != StatusCode::NOT_FOUND {
            return Err(answer.refusal().await);
        }
        let text = answer.text().await?;
        if !text.contains("logweir_build_info{") {
            bail!(
                "what answers on {self} is not logweir: its /metrics have no logweir_build_info; \
                 is the port that of `admin.listen`?"
            );
        }
        Ok(text)
    }

    async fn connect(&self) -> anyhow::Result<(SendRequest<Empty<Bytes>>, JoinSet<()>)> {
        let connecting = timeout(CONNECT_TIMEOUT, TcpStream::connect((self.host(), self.port()))).await;
        let connected = connecting.map_err(|_elapsed| {
            anyhow!(
                "{self} cannot be reached within {} s: is the address right, and does no firewall stand between?",
                CONNECT_TIMEOUT.as_secs()
            )
        })?;
        let stream = connected.map_err(|error| self.cannot_connect(&error))?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| self.is_no_http(&error))?;
        let mut driving = JoinSet::new();
        driving.spawn(async {
            // What is wrong with the connection is what the request or the body fails with.
            let _ = connection.await;
        });
        Ok((sender, driving))
    }

    fn cannot_connect(&self, error: &std::io::Error) -> anyhow::Error {
        if error.kind() == ErrorKind::ConnectionRefused {
            return anyhow!(
                "nothing listens on {self}: is logweir running, and does its pipeline file have `admin`? \
                 Its log says at the start where the admin endpoint listens"
            );
        }
        anyhow!("{self} cannot be reached: {error}; is the address right?")
    }

    fn is_silent(&self) -> anyhow::Error {
        anyhow!(
            "{self} takes connections and has not answered for {} s: is the process stopped, or the machine \
             overloaded?",
            ANSWER_TIMEOUT.as_secs()
        )
    }

    fn is_no_http(&self, error: &hyper::Error) -> anyhow::Error {
        anyhow!("what listens on {self} gave no answer in HTTP ({error}): is it logweir's admin endpoint?")
    }
}

impl Answer {
    /// Returns the next piece of the body, as it comes from the network; `None` at its end.
    ///
    /// # Errors
    ///
    /// If the connection breaks before the end.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no piece is lost.
    pub(crate) async fn next(&mut self) -> Option<anyhow::Result<Bytes>> {
        loop {
            match self.body.frame().await? {
                // Anything but data is a trailer, which says nothing here.
                Ok(frame) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Some(Ok(bytes));
                    }
                }
                Err(error) => {
                    return Some(Err(anyhow!("the connection to {} broke: {error}", self.endpoint)));
                }
            }
        }
    }

    /// Returns the whole body.
    ///
    /// # Errors
    ///
    /// If it is longer than 16 MiB, is not there in time, or breaks off.
    pub(crate) async fn text(mut self) -> anyhow::Result<String> {
        let endpoint = self.endpoint.clone();
        let collect = async {
            let mut bytes = Vec::new();
            while let Some(piece) = self.next().await {
                bytes.extend_from_slice(&piece?);
                if bytes.len() > MAX_ANSWER_BYTES {
                    bail!(
                        "{} answers with more than {MAX_ANSWER_BYTES} bytes: is it logweir?",
                        self.endpoint
                    );
                }
            }
            Ok(bytes)
        };
        let collected = timeout(ANSWER_TIMEOUT, collect).await;
        let bytes = collected.map_err(|_elapsed| {
            anyhow!("{endpoint} has not sent its whole answer within {} s", ANSWER_TIMEOUT.as_secs())
        })??;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns what an answer that is no success says, and what to do about it.
    pub(crate) async fn refusal(self) -> anyhow::Error {
        let (status, endpoint) = (self.status, self.endpoint.clone());
        let said: String =
            self.text().await.unwrap_or_default().trim().chars().take(MAX_SHOWN_CHARACTERS).collect();
        let said = match said.chars().next() {
            None => status.to_string(),
            Some('<') => format!("{status}, in a page for browsers: is it logweir's admin endpoint?"),
            Some(_) => said,
        };
        match status {
            StatusCode::UNAUTHORIZED => anyhow!(
                "{endpoint} does not take the token, or got none ({said}): name the pipeline file that runs there, or \
                 put its `admin.token` into LOGWEIR_TOKEN, or into a file for `--token-file`"
            ),
            _ => anyhow!("{endpoint} refuses: {said}"),
        }
    }
}
