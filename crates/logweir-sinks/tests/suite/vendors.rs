//! What each server that takes batches by POST is sent, against what its vendor documents.
//!
//! The pages are named in `docs/destinations.md`.

use std::collections::BTreeMap;
use std::time::Duration;

use logweir_net::{Secret, TlsConfig};
use logweir_sinks::{
    Compression, DestinationConfig, ElasticsearchAuth, ElasticsearchConfig, Header, LokiConfig, UploadError,
    UploadVerdict, Uploaded,
};
use logweir_testkit::http_server::{Act, Authority, Fault, HttpServer, Identity, Received, Reply, Script};
use logweir_testkit::scratch::Scratch;

use crate::destinations::uploading::{Uploading, gzip};
use crate::envelope::enveloped;

const GUID: &str = "6eb1c1b6-4ae8-4a01-8b2d-9f4a3d3f4c11";
const EVENTS: &str = "{\"n\":1}\n{\"n\":2}\n";
const GZIP: Compression = Compression::Gzip { level: 1 };
const RETRY: UploadVerdict = UploadVerdict::Retry { after: None };

/// A server with TLS, and what makes a client trust it.
struct Secure {
    server: HttpServer,
    ca: Scratch,
}

impl Secure {
    fn start(act: Act) -> Self {
        let authority = Authority::new();
        let ca = Scratch::new();
        ca.write("ca.pem", authority.pem());
        Self { server: HttpServer::start_tls(Script::always(act), authority.certify("127.0.0.1")), ca }
    }

    /// Returns the destination of this text, in which `HOST` is the server.
    fn config(&self, text: &str) -> DestinationConfig {
        let text = text.replace("HOST", &self.server.address().to_string());
        let DestinationConfig::Http(mut config) = DestinationConfig::parse(&text).unwrap() else {
            panic!("{text}")
        };
        config.tls.ca_file = Some(self.ca.path("ca.pem"));
        DestinationConfig::Http(config)
    }

    /// Uploads two events to a destination, and returns the request.
    fn post(&self, text: &str) -> Received {
        let uploading = Uploading::new(&self.config(text));
        let (_, uploaded) = uploading.upload("n.log.gz", &gzip(EVENTS.as_bytes()), GZIP);
        assert_eq!(uploaded.unwrap(), Uploaded { status: 200, ..Uploaded::default() });
        self.server.requests().pop().unwrap()
    }
}

/// Checks what all requests have in common, and the rest.
#[track_caller]
fn check(request: &Received, path: &str, headers: &[(&str, &str)]) {
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", path));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(request.header("content-length"), Some(request.body.len().to_string().as_str()));
    let names: Vec<_> = request.headers.iter().map(|(name, _)| name.to_lowercase()).collect();
    assert_eq!(names.iter().filter(|name| *name == "content-type").count(), 1, "{names:?}");
    for (name, value) in headers {
        assert_eq!(request.header(name), Some(*value), "{name}");
    }
    assert_eq!(String::from_utf8(request.content()).unwrap(), EVENTS);
}

const TEXT: (&str, &str) = ("content-type", "text/plain; charset=utf-8");

#[test]
fn splunk_gets_raw_events_with_a_channel() {
    let secure = Secure::start(Act::reply(Reply::new(200).body(r#"{"text":"Success","code":0}"#)));
    let request = secure.post(&format!(
        "splunk://HOST/services/collector/raw?channel={GUID}&insecure-skip-verify=false&sourcetype=cf:json&header_Authorization=Splunk%20TOKEN"
    ));
    let path = format!("/services/collector/raw?channel={GUID}&sourcetype=cf:json");
    check(&request, &path, &[("Authorization", "Splunk TOKEN"), TEXT]);
}

#[test]
fn datadog_gets_lines_within_its_limits() {
    let secure = Secure::start(Act::status(200));
    let text = "datadog://HOST/api/v2/logs?header_DD-API-KEY=KEY&ddsource=cloudflare&service=S&host=H&ddtags=env:p,a:b";
    let request = secure.post(text);
    let path = "/api/v2/logs?ddsource=cloudflare&service=S&host=H&ddtags=env:p,a:b";
    check(&request, path, &[("DD-API-KEY", "KEY"), TEXT]);
    let limits = Uploading::new(&secure.config(text)).destination.limits();
    assert_eq!(limits.max_bytes, Some(5_000_000));
    assert_eq!((limits.max_events, limits.max_event_bytes), (Some(1000), Some(1_000_000)));
}

#[test]
fn sumo_and_sentinelone_get_lines() {
    let secure = Secure::start(Act::status(200));
    let sumo = secure.post("sumo://HOST/receiver/v1/http/ZaVnC4dhaV==?header_X-Sumo-Category=workers");
    check(&sumo, "/receiver/v1/http/ZaVnC4dhaV==", &[("X-Sumo-Category", "workers"), TEXT]);
    let sentinelone = secure.post(
        "sentinelone://HOST/services/collector/raw?sourcetype=marketplace-cloudflare-latest&header_Authorization=Bearer%20K",
    );
    let path = "/services/collector/raw?sourcetype=marketplace-cloudflare-latest";
    check(&sentinelone, path, &[("Authorization", "Bearer K"), TEXT]);
}

#[test]
fn new_relic_and_elastic_get_what_they_need_over_https() {
    let secure = Secure::start(Act::status(200));
    let new_relic = secure.post("https://HOST/log/v1?Api-Key=LICENSE&format=cloudflare");
    check(&new_relic, "/log/v1?Api-Key=LICENSE&format=cloudflare", &[TEXT]);
    let elastic = secure.post("https://HOST/?header_X-Secret=S&header_Content-Type=application/json");
    check(&elastic, "/", &[("X-Secret", "S"), ("content-type", "application/json")]);
}

#[test]
fn the_upload_of_a_new_job_is_what_logpush_sends() {
    let secure = Secure::start(Act::status(200));
    Uploading::new(&secure.config("https://HOST/in?header_X=1")).test().unwrap();
    let request = secure.server.requests().pop().unwrap();
    assert_eq!(request.content(), br#"{"content":"tests"}"#);
    assert_eq!((request.header("content-encoding"), request.header("x")), (Some("gzip"), Some("1")));
}

#[test]
fn other_compressions_are_named_too() {
    let secure = Secure::start(Act::status(200));
    let uploading = Uploading::new(&secure.config("https://HOST/"));
    for (compression, encoding) in [(Compression::Zstd { level: 1 }, Some("zstd")), (Compression::None, None)]
    {
        uploading.upload("n", b"content", compression).1.unwrap();
        let request = secure.server.requests().pop().unwrap();
        assert_eq!(
            (request.header("content-encoding"), request.body.as_slice()),
            (encoding, &b"content"[..])
        );
    }
}

#[test]
fn who_is_not_trusted_gets_nothing() {
    let server = HttpServer::start_tls(Script::of([]), Identity::self_signed("127.0.0.1"));
    let splunk =
        format!("splunk://{}/services/collector/raw?channel={GUID}&header_Authorization=S", server.address());
    let config = DestinationConfig::parse(&splunk).unwrap();
    let error = Uploading::new(&config).upload("n", b"x", GZIP).1.unwrap_err();
    assert_eq!((error.status, error.verdict), (1103, RETRY), "{error:?}");
    assert!(server.requests().is_empty());
    let config = DestinationConfig::parse(&format!("{splunk}&insecure-skip-verify=true")).unwrap();
    Uploading::new(&config).upload("n", b"x", GZIP).1.unwrap();
    let DestinationConfig::Http(mut config) = config else { unreachable!("it is one") };
    config.tls = TlsConfig { ca_file: Some("/no/such/ca.pem".into()), insecure_skip_verify: false };
    let refused = DestinationConfig::Http(config).connect(logweir_net::Timeouts::default()).err().unwrap();
    assert!(refused.to_string().starts_with("cannot reach splunk://127.0.0.1:"), "{refused}");
}

#[test]
fn refusals_say_what_the_server_said_but_no_secret() {
    let echo = Act::reply_by(|request| {
        let all = format!("{} {:?}", request.path, request.headers);
        Reply::new(429).header("Retry-After", "3").body(all)
    });
    let secure = Secure::start(echo);
    let text =
        "https://HOST/hooks/hunter2-path?key=hunter2%2Bquery&header_Authorization=Bearer%20hunter2-token";
    let error = Uploading::new(&secure.config(text)).upload("n", b"x", GZIP).1.unwrap_err();
    assert_eq!(error.status, 429);
    assert_eq!(error.verdict, UploadVerdict::Retry { after: Some(Duration::from_secs(3)) });
    assert!(error.message.starts_with("127.0.0.1:") && error.message.contains("answered 429"), "{error:?}");
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    let elastic = "wrong Content-Type header, expecting application/json";
    let secure = Secure::start(Act::reply(Reply::new(415).body(elastic)));
    let config = secure.config("https://HOST/?header_Content-Type=application/jsonl");
    let error = Uploading::new(&config).upload("n", b"x", GZIP).1.unwrap_err();
    assert!(error.message.ends_with(elastic), "{error:?}");
    let huge = Secure::start(Act::reply(Reply::new(413).body("too large")));
    let error = Uploading::new(&huge.config("https://HOST/")).upload("n", b"x", GZIP).1.unwrap_err();
    assert_eq!((error.status, error.verdict), (413, UploadVerdict::Reject));
}

fn elasticsearch(url: &str) -> ElasticsearchConfig {
    ElasticsearchConfig {
        url: Secret::new(format!("{url}/prefix/?pipeline=p")),
        index: "workers".to_owned(),
        auth: ElasticsearchAuth::ApiKey(Secret::new("hunter2-key==")),
        headers: vec![Header { name: "X-Found".to_owned(), value: Secret::new("cluster") }],
        tls: TlsConfig::default(),
    }
}

/// Sends three events to an Elasticsearch that answers this.
fn bulk(answer: Reply) -> Result<Uploaded, UploadError> {
    bulk_act(Act::reply(answer))
}

fn bulk_act(act: Act) -> Result<Uploaded, UploadError> {
    let server = HttpServer::start(Script::always(act));
    let uploading = Uploading::new(&DestinationConfig::Elasticsearch(elasticsearch(&server.url())));
    uploading.upload_events("n", b"x", GZIP, 3).1
}

fn items(statuses: [u16; 3]) -> Reply {
    let item = |status: u16| match status {
        200..=299 => format!(r#"{{"create":{{"status":{status}}}}}"#),
        _ => {
            format!(r#"{{"create":{{"status":{status},"error":{{"type":"t{status}","reason":"because"}}}}}}"#)
        }
    };
    let has_errors = statuses.iter().any(|status| *status >= 300);
    let body = format!(r#"{{"errors":{has_errors},"items":[{}]}}"#, statuses.map(item).join(","));
    Reply::new(200).body(body)
}

#[test]
fn elasticsearch_gets_a_bulk_request() {
    let server = HttpServer::start(Script::always(Act::reply(items([201, 201, 201]))));
    let uploading = Uploading::new(&DestinationConfig::Elasticsearch(elasticsearch(&server.url())));
    let events = [("{\"n\":1}\n", 0), ("{\"n\":2}\n", 0), ("{\"n\":3}\n", 0)];
    let content = enveloped(&uploading.destination.envelope(), &events);
    uploading.upload_events("n", &gzip(content.as_bytes()), GZIP, 3).1.unwrap();
    let request = server.requests().pop().unwrap();
    let filter = "errors%2Citems.*.status%2Citems.*.error.type%2Citems.*.error.reason";
    assert_eq!(request.method, "POST");
    assert_eq!(request.path, format!("/prefix/_bulk?pipeline=p&filter_path={filter}"));
    assert_eq!(request.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(request.header("authorization"), Some("ApiKey hunter2-key=="));
    assert_eq!(request.header("x-found"), Some("cluster"));
    assert_eq!(String::from_utf8(request.content()).unwrap(), content);
    let limits = uploading.destination.limits();
    assert_eq!((limits.max_bytes, limits.max_events), (Some(10_000_000), Some(10_000)));
    assert!(!format!("{:?}", elasticsearch(&server.url())).contains("hunter2"));
}

#[test]
fn elasticsearch_takes_a_user_and_a_password() {
    let server = HttpServer::start(Script::of([]));
    let (user, password) = ("elastic".to_owned(), Secret::new("changeme"));
    let config = ElasticsearchConfig {
        auth: ElasticsearchAuth::Basic { user, password },
        ..elasticsearch(&server.url())
    };
    let uploading = Uploading::new(&DestinationConfig::Elasticsearch(config));
    // Whoever answers 200 without a word is no Elasticsearch.
    let error = uploading.upload("n", b"x", GZIP).1.unwrap_err();
    assert_eq!((error.status, error.verdict), (1107, RETRY), "{error:?}");
    assert_eq!(server.requests()[0].header("authorization"), Some("Basic ZWxhc3RpYzpjaGFuZ2VtZQ=="));
}

#[test]
fn each_event_of_a_bulk_request_has_its_own_fate() {
    let taken = |n_rejected, first: Option<&str>| {
        Ok(Uploaded { status: 200, n_rejected, first_error: first.map(str::to_owned) })
    };
    assert_eq!(bulk(items([201, 200, 201])), taken(0, None));
    assert_eq!(bulk(items([409, 409, 201])), taken(0, None), "sent before");
    assert_eq!(bulk(items([201, 400, 413])), taken(2, Some("t400: because")));
    for (statuses, status, verdict) in [
        ([201, 429, 400], 429, RETRY),
        ([503, 201, 201], 503, RETRY),
        ([403, 201, 429], 429, RETRY),
        ([403, 403, 403], 403, UploadVerdict::Reject),
        ([404, 201, 201], 404, UploadVerdict::Reject),
    ] {
        let error = bulk(items(statuses)).unwrap_err();
        assert_eq!((error.status, error.verdict), (status, verdict), "{error:?}");
        assert!(error.message.contains(&format!("t{status}: because")), "{error:?}");
    }
    let unclear = [
        Reply::new(200).body(r#"{"errors":false,"items":[]}"#),
        Reply::new(200).body("<html>welcome</html>"),
        Reply::new(200).body(r#"{"errors":false}"#),
    ];
    for answer in unclear {
        let error = bulk(answer).unwrap_err();
        assert_eq!((error.status, error.verdict), (1107, RETRY), "{error:?}");
    }
    // Without all of it nobody knows which events were taken.
    let error = bulk_act(Act::reply(items([201; 3])).breaking_off(100, Fault::Close)).unwrap_err();
    assert_eq!((error.status, error.verdict), (1104, RETRY), "{error:?}");
    let error = bulk(Reply::new(401).body("hunter2-key== is none")).unwrap_err();
    assert_eq!((error.status, error.verdict), (401, UploadVerdict::Reject));
    assert!(!error.message.contains("hunter2"), "{error:?}");
}

#[test]
fn loki_gets_one_stream() {
    let server = HttpServer::start(Script::always(Act::status(204)));
    let config = LokiConfig {
        url: Secret::new(server.url()),
        labels: BTreeMap::from([("job".to_owned(), "workers".to_owned())]),
        tenant: Some("tenant1".to_owned()),
        headers: vec![Header { name: "Authorization".to_owned(), value: Secret::new("Bearer T") }],
        tls: TlsConfig::default(),
    };
    let uploading = Uploading::new(&DestinationConfig::Loki(config.clone()));
    let content = enveloped(&uploading.destination.envelope(), &[("{\"n\":1}\n", 1_714_878_560_011)]);
    let uploaded = uploading.upload("n", &gzip(content.as_bytes()), GZIP).1.unwrap();
    assert_eq!(uploaded.status, 204);
    let request = server.requests().pop().unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/loki/api/v1/push"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(request.header("x-scope-orgid"), Some("tenant1"));
    assert_eq!(request.header("authorization"), Some("Bearer T"));
    let found: serde_json::Value = serde_json::from_slice(&request.content()).unwrap();
    let expected = serde_json::json!({"streams": [{
        "stream": {"job": "workers"},
        "values": [["1714878560011000000", "{\"n\":1}"]],
    }]});
    assert_eq!(found, expected);
    assert_eq!(uploading.destination.limits().max_event_bytes, Some(256 * 1024));
    let without_labels = LokiConfig { labels: BTreeMap::new(), ..config };
    let refused =
        DestinationConfig::Loki(without_labels).connect(logweir_net::Timeouts::default()).err().unwrap();
    assert!(refused.to_string().contains("at least one label"), "{refused}");
}

#[test]
fn what_has_an_envelope_is_tried_with_it() {
    let server = HttpServer::start(Script::always(Act::reply(
        Reply::new(200).body(r#"{"errors":false,"items":[{"create":{"status":201}}]}"#),
    )));
    let uploading = Uploading::new(&DestinationConfig::Elasticsearch(elasticsearch(&server.url())));
    uploading.test().unwrap();
    let content = String::from_utf8(server.requests()[0].content()).unwrap();
    assert!(content.starts_with("{\"create\":{\"_index\":\"workers\",\"_id\":\""), "{content}");
    assert!(content.ends_with("\"}}\n{\"content\":\"tests\"}\n"), "{content}");
}
