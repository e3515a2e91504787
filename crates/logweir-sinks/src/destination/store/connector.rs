//! Our client, in the form in which the crate `object_store` wants one.

use async_trait::async_trait;
use http::StatusCode;
use http_body_util::BodyExt as _;
use logweir_net::{Answer, Body, BodyEnd, Client, Verdict};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};

use crate::destination::refusal::NO_ANSWER;
use crate::destination::{UploadError, UploadVerdict};

/// How much of an answer is read. What is asked of a store is answered in a few lines; only errors may have more.
const MAX_ANSWER: usize = 64 * 1024;

/// How much of what a store says is shown.
const MAX_CHARS: usize = 300;

/// Errors that a store gives a status of refusal, although the same may succeed when it is sent again: the server did
/// not get all of it in time; the parts that were begun are gone, and are begun anew.
const PASSING: [&str; 2] = ["RequestTimeout", "NoSuchUpload"];

/// Our client, as what makes clients.
#[derive(Clone, Debug)]
pub(super) struct Connector(pub(super) Client);

impl HttpConnector for Connector {
    /// Returns our client. What the options say of timeouts and trust is known to it already.
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service(self.0.clone())))
    }
}

#[derive(Debug)]
struct Service(Client);

#[async_trait]
impl HttpService for Service {
    /// Sends a request. What is no success is an error, which carries an [`UploadError`]: the library would lose the
    /// headers of the answer, and with them how long to wait.
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let server = request.uri().authority().map_or("?", http::uri::Authority::as_str).to_owned();
        let (parts, body) = request.into_parts();
        let body = Body::from(body.collect().await?.to_bytes());
        let request = http::Request::from_parts(parts, body);
        let answer = match self.0.send(&request, MAX_ANSWER).await {
            Ok(answer) => answer,
            Err(failure) => return Err(error(UploadError::unanswered(&failure))),
        };
        if answer.verdict() != Verdict::Done {
            return Err(error(refusal(&server, &answer)));
        }
        match &answer.end {
            BodyEnd::Whole => {}
            BodyEnd::Broken(failure) => return Err(error(UploadError::unanswered(failure))),
            BodyEnd::TooLong => {
                let verdict = UploadVerdict::Retry { after: None };
                let message = format!("the answer of {server} is too long");
                return Err(error(UploadError { status: NO_ANSWER, verdict, message }));
            }
        }
        let mut response = HttpResponse::new(answer.body.into());
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

fn error(error: UploadError) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}

/// Returns what it means that a store refused.
fn refusal(server: &str, answer: &Answer) -> UploadError {
    let text = String::from_utf8_lossy(&answer.body);
    let code = element(&text, "Code");
    let said = match (code, element(&text, "Message")) {
        (Some(code), Some(message)) => format!("{code}: {}", line(message)),
        (Some(code), None) => code.to_owned(),
        (None, _) => answer.excerpt(MAX_CHARS),
    };
    let mut refusal = UploadError::answered(server, answer, &said);
    let is_passing = code.is_some_and(|code| PASSING.contains(&code));
    // A conflict is with somebody else who changes the same object just now.
    if is_passing || answer.status == StatusCode::CONFLICT {
        refusal.verdict = UploadVerdict::Retry { after: None };
    }
    refusal
}

/// Returns the text of an element of an XML document, as all three stores write their errors.
fn element<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    Some(rest.split_once("</")?.0)
}

fn line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(MAX_CHARS).collect()
}
