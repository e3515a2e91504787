//! Servers that take batches by POST.

mod bulk;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use logweir_net::{Answer, Body, Client, ClientConfig, Secret, Timeouts, TlsConfig, Verdict};
use url::Url;

use super::config::{
    ElasticsearchAuth, ElasticsearchConfig, Header, HttpConfig, HttpFlavour, LokiConfig, server,
};
use super::hidden::Hidden;
use super::{Destination, DestinationError, Envelope, Limits, Upload, UploadError, Uploaded};

/// What a body is said to be, unless a header is configured that says so.
const TEXT: &str = "text/plain; charset=utf-8";

/// How much of an answer is read: enough for what is wrong.
const MAX_ANSWER: usize = 64 * 1024;

/// How much of an answer of the bulk interface is read: 1.6 KB for each of the most events that it is given.
const MAX_BULK_ANSWER: usize = 16 * 1024 * 1024;

/// What Datadog's intake takes: 5 MB in a request before it is compressed, in which 1,000 events, of which each is cut
/// at 1 MB. (Its API reference, "Send logs".)
const DATADOG: Limits =
    Limits { max_bytes: Some(5_000_000), max_events: Some(1_000), max_event_bytes: Some(1_000_000) };

/// What a bulk request has at most. Elasticsearch has no bound on events, one of 100 MB on bytes, and advises a few MB
/// (its guide, "Tune for indexing speed"); the answer has a few words for each event.
const BULK: Limits = Limits { max_bytes: Some(10_000_000), max_events: Some(10_000), max_event_bytes: None };

/// What a push has at most: a batch larger than the burst that Loki's `ingestion_burst_size_mb` allows (6 MB unless
/// configured) would be refused whenever it came. An event longer than `max_line_size` (256 KB) is refused.
const PUSH: Limits =
    Limits { max_bytes: Some(4_000_000), max_events: None, max_event_bytes: Some(256 * 1024) };

/// A server that takes batches by POST.
pub(super) struct HttpDestination {
    name: String,
    /// The host and the port.
    server: String,
    client: Client,
    uri: Uri,
    /// Of each request, besides the encoding.
    headers: HeaderMap,
    limits: Limits,
    envelope: Envelope,
    hidden: Hidden,
}

impl HttpDestination {
    /// Returns a server that takes batches as they are.
    pub(super) fn post(config: &HttpConfig, timeouts: Timeouts) -> Result<Self, DestinationError> {
        let limits = match config.flavour {
            HttpFlavour::Datadog => DATADOG,
            _ => Limits::default(),
        };
        let parts = Parts {
            name: config.to_string(),
            url: url(&config.url, &config.to_string())?,
            content_type: TEXT,
            headers: &config.headers,
            tls: &config.tls,
            limits,
            envelope: Envelope::Plain,
        };
        Self::new(parts, timeouts)
    }

    /// Returns the bulk interface of Elasticsearch.
    pub(super) fn elasticsearch(
        config: &ElasticsearchConfig,
        timeouts: Timeouts,
    ) -> Result<Self, DestinationError> {
        let mut url = below(url(&config.url, &config.to_string())?, &["_bulk"]);
        // What is left out of the answer is most of it.
        url.query_pairs_mut().append_pair("filter_path", bulk::FILTER);
        let mut headers = config.headers.clone();
        headers.extend(authorization(&config.auth));
        let parts = Parts {
            name: config.to_string(),
            url,
            content_type: "application/x-ndjson",
            headers: &headers,
            tls: &config.tls,
            limits: BULK,
            envelope: Envelope::bulk(&config.index),
        };
        Self::new(parts, timeouts)
    }

    /// Returns the push interface of Loki.
    pub(super) fn loki(config: &LokiConfig, timeouts: Timeouts) -> Result<Self, DestinationError> {
        let name = config.to_string();
        if config.labels.is_empty() {
            return Err(refused(&name, "a stream has at least one label"));
        }
        let tenant = config
            .tenant
            .as_ref()
            .map(|tenant| Header { name: "X-Scope-OrgID".to_owned(), value: Secret::new(tenant.clone()) });
        let headers: Vec<_> = config.headers.iter().cloned().chain(tenant).collect();
        let parts = Parts {
            url: below(url(&config.url, &name)?, &["loki", "api", "v1", "push"]),
            name,
            content_type: "application/json",
            headers: &headers,
            tls: &config.tls,
            limits: PUSH,
            envelope: Envelope::push(&config.labels),
        };
        Self::new(parts, timeouts)
    }

    fn new(parts: Parts<'_>, timeouts: Timeouts) -> Result<Self, DestinationError> {
        let tls = parts.tls.clone();
        let client = Client::new(&ClientConfig { timeouts, tls })
            .map_err(|source| DestinationError::Tls { destination: parts.name.clone(), source })?;
        let url = Secret::new(parts.url.as_str());
        let uri = url.expose().parse().map_err(|_| refused(&parts.name, "its URL is none of HTTP"))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(parts.content_type));
        // What a body is said to be is no secret, and what servers refuse most often.
        let is_secret = |header: &&Header| !header.name.eq_ignore_ascii_case(CONTENT_TYPE.as_str());
        let mut hidden: Hidden = parts.headers.iter().filter(is_secret).map(|header| &header.value).collect();
        hidden.add_path(parts.url.path());
        hidden.add(&Secret::new(parts.url.query().unwrap_or_default()));
        for Header { name, value } in parts.headers {
            let wrong = || refused(&parts.name, format!("`{name}` is no header, or its value is none"));
            let value = value.header_value().map_err(|_| wrong())?;
            headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
        }
        Ok(Self {
            server: server(&url),
            name: parts.name,
            client,
            uri,
            headers,
            limits: parts.limits,
            envelope: parts.envelope,
            hidden,
        })
    }

    async fn post_file(&self, upload: &Upload) -> Result<Uploaded, UploadError> {
        let mut request = Request::new(Body::File(upload.path.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if let Some(encoding) = upload.content_encoding() {
            request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        let is_bulk = matches!(self.envelope, Envelope::Bulk(_));
        let max_answer = if is_bulk { MAX_BULK_ANSWER } else { MAX_ANSWER };
        match self.client.send(&request, max_answer).await {
            Ok(answer) if answer.verdict() != Verdict::Done => {
                Err(UploadError::refused(&self.server, &answer, &self.hidden))
            }
            Ok(answer) if is_bulk => self.bulk_answer(&answer, upload.n_events),
            Ok(answer) => Ok(Uploaded { status: answer.status.as_u16(), ..Uploaded::default() }),
            Err(failure) => Err(UploadError::unanswered(&failure)),
        }
    }

    /// Asks for the headers of an answer; returns its status, whatever it is.
    pub(super) async fn head(&self) -> Result<u16, UploadError> {
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = Method::HEAD;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().remove(CONTENT_TYPE);
        match self.client.send(&request, MAX_ANSWER).await {
            Ok(answer) => Ok(answer.status.as_u16()),
            Err(failure) => Err(UploadError::unanswered(&failure)),
        }
    }

    fn bulk_answer(&self, answer: &Answer, n_events: u64) -> Result<Uploaded, UploadError> {
        bulk::read(&self.server, answer, n_events).map_err(|mut error| {
            error.message = self.hidden.hide_in(&error.message);
            error
        })
    }
}

impl Destination for HttpDestination {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn envelope(&self) -> Envelope {
        self.envelope.clone()
    }

    fn key(&self, _date: &str, name: &str) -> String {
        name.to_owned()
    }

    fn upload<'a>(&'a self, upload: &'a Upload) -> BoxFuture<'a, Result<Uploaded, UploadError>> {
        self.post_file(upload).boxed()
    }
}

/// What makes a server what it is.
struct Parts<'a> {
    name: String,
    url: Url,
    content_type: &'static str,
    headers: &'a [Header],
    tls: &'a TlsConfig,
    limits: Limits,
    envelope: Envelope,
}

fn url(url: &Secret, destination: &str) -> Result<Url, DestinationError> {
    let is_http = |url: &Url| ["http", "https"].contains(&url.scheme());
    match Url::parse(url.expose()) {
        Ok(url) if is_http(&url) && url.username().is_empty() && url.password().is_none() => Ok(url),
        Ok(url) if is_http(&url) => {
            Err(refused(destination, "a user and a password do not belong into a URL"))
        }
        _ => Err(refused(destination, "its URL is none of HTTP")),
    }
}

/// Returns a URL with this behind its path.
fn below(mut url: Url, path: &[&str]) -> Url {
    url.path_segments_mut().expect("a URL of HTTP has a path").pop_if_empty().extend(path);
    url
}

fn authorization(auth: &ElasticsearchAuth) -> Option<Header> {
    let value = match auth {
        ElasticsearchAuth::None => return None,
        ElasticsearchAuth::Basic { user, password } => {
            let pair = format!("{user}:{}", password.expose());
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        }
        ElasticsearchAuth::ApiKey(key) => format!("ApiKey {}", key.expose()),
    };
    Some(Header { name: AUTHORIZATION.to_string(), value: Secret::new(value) })
}

fn refused(destination: &str, reason: impl Into<String>) -> DestinationError {
    DestinationError::Refused { destination: destination.to_owned(), reason: reason.into() }
}
