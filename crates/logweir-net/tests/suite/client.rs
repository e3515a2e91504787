//! What is sent, what comes back, and over which connections.

use bytes::Bytes;
use http::header::{AUTHORIZATION, USER_AGENT};
use http::{Method, Request, StatusCode};
use logweir_net::{Body, BodyEnd, Secret, Verdict};
use logweir_testkit::http_server::{Act, HttpServer, Reply, Script};

use crate::rigs::{LONG, MAX_BYTES, PATIENT, bytes, check_failed, client, post, send_to};

#[tokio::test]
async fn a_request_arrives_as_it_is_and_the_answer_comes_back() {
    let reply = Reply::new(202).header("X-Request-Id", "7").body("taken");
    let server = HttpServer::start(Script::always(Act::reply(reply)));
    let request = Request::builder()
        .method(Method::PUT)
        .uri(format!("{}/a%20b/c?d=e&f=%2F", server.url()))
        .header(AUTHORIZATION, Secret::new("Splunk hunter2").header_value().unwrap())
        .header("X-Twice", "one")
        .header("X-Twice", "two")
        .body(bytes("one\ntwo\n"))
        .unwrap();
    let answer = client(PATIENT).send(&request, MAX_BYTES).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::ACCEPTED, &b"taken"[..]));
    assert!(matches!(answer.end, BodyEnd::Whole), "{:?}", answer.end);
    assert_eq!((answer.verdict(), &answer.headers["x-request-id"]), (Verdict::Done, &"7".parse().unwrap()));

    let received = &server.requests()[0];
    assert_eq!((received.method.as_str(), received.path.as_str()), ("PUT", "/a%20b/c?d=e&f=%2F"));
    assert_eq!((&received.body[..], received.is_whole), (&b"one\ntwo\n"[..], true));
    assert_eq!(received.header("authorization"), Some("Splunk hunter2"));
    assert_eq!(received.header("content-length"), Some("8"));
    assert_eq!(received.header("host"), Some(server.address().to_string().as_str()));
    assert_eq!(received.header("user-agent"), Some(concat!("logweir/", env!("CARGO_PKG_VERSION"))));
    let twice = received.headers.iter().filter(|(name, _)| name == "x-twice");
    assert_eq!(twice.map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["one", "two"]);
}

#[tokio::test]
async fn our_name_can_be_another() {
    let server = HttpServer::start(Script::of([]));
    let mut request = post(&server.url(), Body::Empty);
    request.headers_mut().insert(USER_AGENT, "somebody/1".parse().unwrap());
    client(PATIENT).send(&request, MAX_BYTES).await.unwrap();
    let received = &server.requests()[0];
    assert_eq!(received.header("user-agent"), Some("somebody/1"));
    assert_eq!((received.header("content-length"), received.body.len()), (Some("0"), 0));
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer_and_redirects_are_not_followed() {
    for (status, verdict) in [
        (204, Verdict::Done),
        (302, Verdict::Reject),
        (404, Verdict::Reject),
        (408, Verdict::Retry { after: None }),
        (503, Verdict::Retry { after: None }),
    ] {
        let reply = Reply::new(status).header("Location", "/elsewhere");
        let server = HttpServer::start(Script::always(Act::reply(reply)));
        let answer = client(PATIENT).send(&post(&server.url(), bytes("x")), MAX_BYTES).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.verdict()), (status, verdict));
        assert_eq!(server.requests().len(), 1, "{status}");
    }
    let throttled = Script::always(Act::reply(Reply::new(429).header("Retry-After", "7")));
    let answer = send_to(throttled, PATIENT).await.unwrap();
    assert_eq!(answer.verdict(), Verdict::Retry { after: Some(std::time::Duration::from_secs(7)) });
}

#[tokio::test]
async fn requests_one_after_the_other_share_a_connection() {
    let server = HttpServer::start(Script::of([Act::status(500), Act::reply(Reply::new(400).body("no"))]));
    let (client, request) = (client(PATIENT), post(&server.url(), bytes("one\n")));
    for _ in 0..5 {
        client.send(&request, MAX_BYTES).await.unwrap();
    }
    assert_eq!((server.requests().len(), server.n_connections()), (5, 1));
}

#[tokio::test]
async fn a_connection_that_the_server_closed_meanwhile_costs_one_attempt_at_most() {
    let mut server = HttpServer::start(Script::of([]));
    let (client, request) = (client(PATIENT), post(&server.url(), bytes("one\n")));
    for _ in 0..3 {
        client.send(&request, MAX_BYTES).await.unwrap();
        server.down();
        server.up();
        // It may not know yet that the connection is closed.
        let sent = client.send(&request, MAX_BYTES).await;
        if sent.is_err() {
            check_failed(&sent, 1104, "closed");
            client.send(&request, MAX_BYTES).await.unwrap();
        }
    }
    assert_eq!((server.requests().len(), server.n_connections()), (6, 4));
}

#[tokio::test]
async fn of_a_long_answer_the_beginning_is_kept() {
    let reply = Reply::new(400).body(vec![b'x'; 1_000_000]);
    let server = HttpServer::start(Script::always(Act::reply(reply)));
    let (client, request) = (client(PATIENT), post(&server.url(), bytes("one\n")));
    for (max_bytes, is_whole) in [(0, false), (1000, false), (999_999, false), (1_000_000, true)] {
        let answer = client.send(&request, max_bytes).await.unwrap();
        assert_eq!((answer.body.len(), matches!(answer.end, BodyEnd::Whole)), (max_bytes, is_whole));
        assert!(is_whole || matches!(answer.end, BodyEnd::TooLong), "{:?}", answer.end);
    }
    // What is not read is not waited for: such a connection serves no other request.
    assert_eq!(server.n_connections(), 4);
}

#[tokio::test]
async fn requests_at_once_have_connections_of_their_own() {
    let server = HttpServer::start(Script::cycle([
        Act::status(200).after(std::time::Duration::from_millis(100)),
        Act::status(503),
    ]));
    let (client, request) =
        (client(PATIENT), post(&server.url(), Body::Bytes(Bytes::from(vec![7; 300_000]))));
    let answers = futures::future::join_all((0..8).map(|_| client.send(&request, MAX_BYTES))).await;
    let n_done = answers.iter().filter(|answer| answer.as_ref().unwrap().verdict() == Verdict::Done).count();
    assert_eq!(n_done, 4);
    assert!(server.requests().iter().all(|request| request.body.len() == 300_000));
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_no_connection_behind() {
    let server = HttpServer::start(Script::always(Act::status(200).after(LONG)));
    let client = client(PATIENT);
    let request = post(&server.url(), Body::Bytes(Bytes::from(vec![7; 5_000_000])));
    let given_up = async {
        tokio::select! {
            sent = client.send(&request, MAX_BYTES) => panic!("{sent:?}"),
            () = arrived(&server) => {}
        }
    };
    given_up.await;
    server.play(Script::of([]));
    client.send(&request, MAX_BYTES).await.unwrap();
    assert_eq!(server.n_connections(), 2);
}

/// Waits until the server has a request.
async fn arrived(server: &HttpServer) {
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
}
