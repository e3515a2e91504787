//! Nothing that fails shows a secret.

use std::time::Duration;

use http::Request;
use http::header::AUTHORIZATION;
use logweir_net::{Body, Secret, Timeouts};
use logweir_testkit::http_server::{Act, Fault, HttpServer, Identity, Reply, Script};

use crate::rigs::{MAX_BYTES, PATIENT, bytes, client, shown};

/// A request with a secret wherever there can be one.
fn request(url: &str) -> Request<Body> {
    let url = format!("{}/hunter2?token=hunter2", url.replace("://", "://hunter2:hunter2@"));
    let authorization = Secret::new("Bearer hunter2").header_value().unwrap();
    Request::builder().uri(url).header(AUTHORIZATION, authorization).body(bytes("hunter2\n")).unwrap()
}

#[tokio::test]
async fn no_failure_shows_what_is_in_the_request() {
    let short = Duration::from_millis(200);
    let client =
        client(Timeouts { progress: short, answer: short, connect: PATIENT.connect, tls_handshake: short });
    let mut down = HttpServer::start(Script::of([]));
    down.down();
    let secure = HttpServer::start_tls(Script::of([]), Identity::self_signed("127.0.0.1"));
    let mut urls =
        vec![down.url(), secure.url(), "https://logs.invalid".to_owned(), "ftp://127.0.0.1".to_owned()];
    let broken: Vec<_> = [
        Act::fault(Fault::Reset),
        Act::fault(Fault::Stall),
        Act::bytes("hello"),
        Act::reply(Reply::new(200).body("one")).dribbling(short / 4),
    ]
    .into_iter()
    .map(|act| HttpServer::start(Script::always(act)))
    .collect();
    urls.extend(broken.iter().map(HttpServer::url));
    let mut statuses = Vec::new();
    for url in &urls {
        let failure = client.send(&request(url), MAX_BYTES).await.expect_err(url);
        let shown = format!("{} {failure:?} {}", shown(&failure), failure.kind());
        assert!(!shown.contains("hunter2"), "{shown}");
        statuses.push(failure.status());
    }
    assert_eq!(statuses, [1101, 1103, 1105, 1108, 1104, 1106, 1107, 1106]);
    assert!(!format!("{client:?}").contains("hunter2"));
    assert!(!format!("{:?}", request("http://127.0.0.1").headers()).contains("hunter2"));
}

#[tokio::test]
async fn what_a_server_repeats_can_be_hidden() {
    let repeated = Act::reply_by(|request| {
        Reply::new(403).body(format!("no such token: {}", request.header("authorization").unwrap()))
    });
    let server = HttpServer::start(Script::always(repeated));
    let answer = client(PATIENT).send(&request(&server.url()), MAX_BYTES).await.unwrap();
    assert_eq!(Secret::new("Bearer hunter2").hide_in(&answer.excerpt(80)), "no such token: ***");
}
