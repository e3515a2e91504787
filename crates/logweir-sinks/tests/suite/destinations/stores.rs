//! What object stores answer when something is wrong, and what is made of it.

use std::time::Duration;

use logweir_net::Timeouts;
use logweir_sinks::{Compression, DestinationConfig, UploadError, UploadVerdict};
use logweir_testkit::http_server::{Act, Fault, HttpServer, Reply, Script};

use super::google_stub::{BUCKET, GoogleStub};
use super::uploading::{Uploading, noise};

const SECRET: &str = "hunter2/KEY+1";

fn s3(url: &str) -> DestinationConfig {
    let keys = "access-key-id=NAMED-KEY&secret-access-key=hunter2/KEY%2B1";
    DestinationConfig::parse(&format!("s3://bucket/{{DATE}}?region=r&{keys}&endpoint={url}")).unwrap()
}

fn azure(url: &str) -> DestinationConfig {
    let text = format!(
        "azure://account.blob.core.windows.net/c?endpoint={url}/account&sv=1&sp=w&sig=hunter2/KEY%2B1"
    );
    DestinationConfig::parse(&text).unwrap()
}

/// Returns the error of an upload to a server that does this with it.
fn error_of(config: fn(&str) -> DestinationConfig, act: Act) -> UploadError {
    let server = HttpServer::start(Script::always(act));
    let limits = Timeouts { progress: Duration::from_millis(300), ..Timeouts::default() };
    let uploading = Uploading::with_timeouts(&config(&server.url()), limits);
    let error = uploading.upload("n.log", b"x", Compression::None).1.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(server.requests().len(), 1, "one attempt is one request");
    error
}

#[track_caller]
fn check(act: &Act, expected: (u16, UploadVerdict), words: &str) {
    for config in [s3, azure] {
        let error = error_of(config, act.clone());
        assert_eq!((error.status, error.verdict), expected, "{error:?}");
        assert!(error.message.contains(words), "{error:?}");
    }
}

fn xml(status: u16, code: &str, message: &str) -> Reply {
    Reply::new(status).body(format!(
        "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}\n RequestId</Message><X>{SECRET}</X></Error>"
    ))
}

const RETRY: UploadVerdict = UploadVerdict::Retry { after: None };

#[test]
fn what_a_store_answers_becomes_a_status_and_a_verdict() {
    let told = |status, code| Act::reply(xml(status, code, &format!("not with {SECRET}")));
    check(
        &told(403, "AccessDenied"),
        (403, UploadVerdict::Reject),
        "answered 403: AccessDenied: not with *** RequestId",
    );
    check(&told(400, "ExpiredToken"), (400, UploadVerdict::Reject), "ExpiredToken");
    check(&told(404, "NoSuchBucket"), (404, UploadVerdict::Reject), "NoSuchBucket");
    check(&told(500, "InternalError"), (500, RETRY), "InternalError");
    check(&told(409, "OperationAborted"), (409, RETRY), "OperationAborted");
    check(&told(400, "RequestTimeout"), (400, RETRY), "RequestTimeout");
    check(
        &Act::reply(Reply::new(301).header("Location", "http://127.0.0.1:1/")),
        (301, UploadVerdict::Reject),
        "301",
    );
    check(&Act::reply(Reply::new(503).body("<html>down for <b>work</b>")), (503, RETRY), "down for");
    let slow_down = xml(503, "SlowDown", "later").header("Retry-After", "7");
    let after = UploadVerdict::Retry { after: Some(Duration::from_secs(7)) };
    check(&Act::reply(slow_down), (503, after), "SlowDown: later RequestId");
}

#[test]
fn what_a_store_does_not_answer_becomes_a_status_like_logpushs() {
    check(&Act::fault(Fault::Stall), (1106, RETRY), "nothing moved");
    check(&Act::fault(Fault::Reset).reading(0), (1104, RETRY), "closed the connection");
    // A store says in the body what came of it: also a 200 may be followed by an error (CompleteMultipartUpload).
    let torn = Act::reply(Reply::new(200).body(vec![b' '; 1000])).breaking_off(500, Fault::Close);
    check(&torn, (1104, RETRY), "closed the connection");
    check(&Act::bytes("SSH-2.0-OpenSSH\r\n"), (1107, RETRY), "is no HTTP");
    // Of what a store says that takes something, all is read, and a store says little.
    check(&Act::reply(Reply::new(200).body(vec![b' '; 100_000])), (1107, RETRY), "too long");
    check(&Act::status(200), (1108, RETRY), "");
}

#[test]
fn a_host_that_has_no_address_is_asked_again_later() {
    let text = "s3://b?region=r&access-key-id=I&secret-access-key=K&endpoint=no-such-host.invalid";
    let config = DestinationConfig::parse(text).unwrap();
    let error = Uploading::new(&config).upload("n.log", b"x", Compression::None).1.unwrap_err();
    assert_eq!((error.status, error.verdict), (1105, RETRY), "{error:?}");
}

#[test]
fn parts_that_cannot_all_be_put_are_given_up() {
    let stub = GoogleStub::start();
    let ours = || GoogleStub::act(&stub.held);
    let config = GoogleStub::destination(&stub.server.url(), BUCKET, "");
    let uploading = Uploading::new(&config);
    let content = noise(20 * 1024 * 1024);
    let faults = [
        (Act::fault(Fault::Reset).reading(3_000_000), 1104, RETRY),
        (Act::status(500), 500, RETRY),
        (Act::reply(xml(404, "NoSuchUpload", "it is gone")), 404, RETRY),
        (Act::reply(xml(403, "AccessDenied", "no")), 403, UploadVerdict::Reject),
    ];
    for (act, status, verdict) in faults {
        stub.server.play(Script::of([ours(), ours(), act]).then_always(ours()));
        let error = uploading.upload("large.log", &content, Compression::None).1.unwrap_err();
        assert_eq!((error.status, error.verdict), (status, verdict), "{error:?}");
        let held = stub.held.lock().unwrap();
        assert!(held.parts.is_empty(), "parts are left");
        assert!(held.objects.is_empty(), "something is there that is not whole");
    }
    stub.server.play(Script::always(ours()));
    uploading.upload("large.log", &content, Compression::None).1.unwrap();
    assert!(stub.held.lock().unwrap().objects["bucket/large.log"] == content);
}

#[test]
fn a_store_that_says_no_after_it_said_yes_is_asked_again() {
    // As S3 may at the end of an upload in parts.
    let begun = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
    let part = || Act::reply(Reply::new(200).header("ETag", "\"p\""));
    let no = xml(200, "InternalError", "We encountered an internal error.");
    let server = HttpServer::start(Script::of([
        Act::reply(Reply::new(200).body(begun)),
        part(),
        part(),
        part(),
        Act::reply(no),
        Act::status(204),
    ]));
    let content = noise(17 * 1024 * 1024);
    let uploaded = Uploading::new(&s3(&server.url())).upload("large.log", &content, Compression::None).1;
    assert_eq!(uploaded.unwrap_err().verdict, RETRY);
    let last = server.requests().pop().unwrap();
    assert_eq!(last.method, "DELETE");
}

#[test]
fn what_s3_is_asked_says_what_it_is_given() {
    let server = HttpServer::start(Script::always(Act::reply(Reply::new(200).header("ETag", "\"e\""))));
    let DestinationConfig::S3(mut config) = s3(&server.url()) else { unreachable!("it is one") };
    (config.is_encrypted, config.has_checksums) = (true, true);
    let uploading = Uploading::new(&DestinationConfig::S3(config));
    for compression in [Compression::Gzip { level: 1 }, Compression::Zstd { level: 1 }, Compression::None] {
        uploading.upload("n.log.gz", b"content", compression).1.unwrap();
    }
    let requests = server.requests();
    let types: Vec<_> = requests.iter().map(|request| request.header("content-type").unwrap()).collect();
    assert_eq!(types, ["application/gzip", "application/zstd", "text/plain; charset=utf-8"]);
    let first = &requests[0];
    assert_eq!((first.method.as_str(), first.path.as_str()), ("PUT", "/bucket/20261122/n.log.gz"));
    assert_eq!((first.body.as_slice(), first.header("content-encoding")), (&b"content"[..], None));
    assert_eq!(first.header("x-amz-server-side-encryption"), Some("AES256"));
    let sum = "7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=";
    assert_eq!(first.header("x-amz-checksum-sha256"), Some(sum));
    assert!(first.header("authorization").unwrap().starts_with("AWS4-HMAC-SHA256 Credential=NAMED-KEY/"));
    assert!(first.header("user-agent").unwrap().starts_with("logweir/"));
}

#[test]
fn a_host_that_is_the_buckets_own_has_no_bucket_in_its_paths() {
    let server = HttpServer::start(Script::always(Act::reply(Reply::new(200).header("ETag", "\"e\""))));
    // Hosts of such names have no address on every machine; but a bucket may have a number for a name.
    for (bucket, path) in [("127", "/p/n.log"), ("12", "/12/p/n.log")] {
        let keys = "access-key-id=I&secret-access-key=K";
        let text = format!("s3://{bucket}/p?region=r&{keys}&endpoint={}", server.url());
        let config = DestinationConfig::parse(&text).unwrap();
        Uploading::new(&config).upload("n.log", b"x", Compression::None).1.unwrap();
        assert_eq!(server.requests().pop().unwrap().path, path);
    }
}
