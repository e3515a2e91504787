//! What is slow goes on; what has stalled ends.

use std::time::{Duration, Instant};

use bytes::Bytes;
use logweir_net::{Body, Timeouts};
use logweir_testkit::http_server::{Act, Fault, HttpServer, Reply, Script};
use logweir_testkit::scratch::Scratch;

use crate::rigs::{LONG, MAX_BYTES, PATIENT, body, check_failed, client, post, send_to};

/// Long enough for a machine that is busy with others to move a few bytes.
const SHORT: Duration = Duration::from_secs(1);

const WATCHED: Timeouts = Timeouts { progress: SHORT, ..PATIENT };

#[tokio::test]
async fn a_server_that_does_nothing_more_is_given_up() {
    let reply = || Act::reply(Reply::new(200).body(vec![b'x'; 1000]));
    for act in [
        Act::fault(Fault::Stall).reading(0),
        Act::fault(Fault::Stall).reading(2),
        Act::fault(Fault::Stall),
        Act::status(200).after(LONG),
        reply().breaking_off(5, Fault::Stall),
        reply().breaking_off(500, Fault::Stall),
    ] {
        let started = Instant::now();
        let sent = send_to(Script::always(act), WATCHED).await;
        let shown = check_failed(&sent.and_then(body), 1106, "timeout");
        assert!(
            shown.starts_with("nothing moved to or from 127.0.0.1:") && shown.ends_with(" for 1 s"),
            "{shown}"
        );
        assert!(started.elapsed() >= SHORT);
    }
}

#[tokio::test]
async fn a_connection_from_the_pool_is_watched_like_a_new_one() {
    let server = HttpServer::start(Script::of([Act::status(200), Act::fault(Fault::Stall)]));
    let (client, request) = (client(WATCHED), post(&server.url(), Body::Empty));
    client.send(&request, MAX_BYTES).await.unwrap();
    // It is what the test is about: idle for longer than a request may be.
    tokio::time::sleep(SHORT * 2).await;
    let started = Instant::now();
    check_failed(&client.send(&request, MAX_BYTES).await, 1106, "timeout");
    assert!(started.elapsed() >= SHORT, "the time it was idle does not count");
    client.send(&request, MAX_BYTES).await.unwrap();
    assert_eq!(server.n_connections(), 2, "the stalled one was closed");
}

#[tokio::test]
async fn a_slow_upload_of_a_large_file_passes_and_a_stalled_one_ends() {
    let scratch = Scratch::new();
    let content: Vec<u8> = (0..8_000_000_u32).map(|i| (i / 7 % 251) as u8).collect();
    let file = Body::File(scratch.write("large", &content));
    // Five times as long in all as nothing may move.
    let slow = Act::status(200).reading_slowly(160_000, SHORT / 10);
    let stalled = Act::fault(Fault::Stall).reading(1_000_000);
    let server = HttpServer::start(Script::of([slow, stalled]));
    let (client, request) = (client(WATCHED), post(&server.url(), file));

    let started = Instant::now();
    let answer = client.send(&request, MAX_BYTES).await.unwrap();
    assert_eq!(answer.status, 200);
    assert!(started.elapsed() > SHORT * 4, "{:?}", started.elapsed());
    check_failed(&client.send(&request, MAX_BYTES).await, 1106, "timeout");

    let received = server.requests();
    assert!(received[0].body == content && received[0].is_whole);
    assert_eq!((received[1].body.len(), received[1].is_whole), (1_000_000, false));
}

#[tokio::test]
async fn a_slow_answer_passes_within_its_time() {
    let slow = || Script::always(Act::reply(Reply::new(200).body("taken")).dribbling(SHORT / 20));
    let answer = send_to(slow(), WATCHED).await.unwrap();
    assert_eq!(&answer.body[..], b"taken");
    // Nothing has stalled, but there is no end in sight.
    let timeouts = Timeouts { answer: SHORT / 4, ..WATCHED };
    let shown = check_failed(&send_to(slow(), timeouts).await.and_then(body), 1106, "timeout");
    assert!(
        shown.starts_with("the answer of ") && shown.ends_with(" was not whole within 0.25 s"),
        "{shown}"
    );
}

#[tokio::test]
async fn the_time_of_the_answer_does_not_count_while_the_upload_moves() {
    let slow = Act::status(200).reading_slowly(500_000, SHORT / 10);
    let server = HttpServer::start(Script::always(slow));
    let timeouts = Timeouts { answer: SHORT, ..PATIENT };
    let request = post(&server.url(), Body::Bytes(Bytes::from(vec![7; 12_000_000])));
    let started = Instant::now();
    client(timeouts).send(&request, MAX_BYTES).await.unwrap();
    assert!(started.elapsed() > SHORT * 2, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_server_that_answers_early_and_reads_no_more_keeps_no_connection() {
    let early = Act::reply(Reply::new(503)).reading(1000).breaking_off(usize::MAX, Fault::Stall);
    let server = HttpServer::start(Script::always(early));
    let request = post(&server.url(), Body::Bytes(Bytes::from(vec![7; 50_000_000])));
    let answer = client(PATIENT).send(&request, MAX_BYTES).await.unwrap();
    assert_eq!(answer.status, 503);
    let address = server.address();
    let closed = async {
        while has_connection_to(address.port()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, closed).await.expect("the connection is closed");
}

/// Returns whether this machine has an established connection to a port of its own.
fn has_connection_to(port: u16) -> bool {
    let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let to = format!("0100007F:{port:04X} 01");
    connections.lines().any(|line| line.split_once(": ").is_some_and(|(_, rest)| rest[14..].starts_with(&to)))
}
