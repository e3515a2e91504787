//! Bodies from memory and from files.

use std::fs;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use logweir_net::Body;
use logweir_testkit::http_server::{Act, HttpServer, Script};
use logweir_testkit::scratch::Scratch;
use proptest::prelude::*;

use crate::rigs::{MAX_BYTES, PATIENT, check_failed, client, post};

fn content(n_bytes: usize) -> Vec<u8> {
    (0..n_bytes).map(|i| (i % 251) as u8).collect()
}

#[tokio::test]
async fn bodies_of_all_lengths_arrive_whole_from_memory_and_from_a_file() {
    let (scratch, server) = (Scratch::new(), HttpServer::start(Script::of([])));
    let client = client(PATIENT);
    for n_bytes in [0, 1, 65_535, 65_536, 65_537, 131_072, 1_000_000] {
        let content = content(n_bytes);
        let file = Body::File(scratch.write("body", &content));
        for body in [Body::Bytes(Bytes::from(content.clone())), file] {
            client.send(&post(&server.url(), body), MAX_BYTES).await.unwrap();
            let received = server.requests().pop().unwrap();
            assert!(received.body == content, "{n_bytes}");
            assert_eq!(received.header("content-length"), Some(n_bytes.to_string().as_str()));
        }
    }
}

#[tokio::test]
async fn a_compressed_file_can_be_sent_again_and_is_read_anew() {
    let (scratch, server) = (Scratch::new(), HttpServer::start(Script::of([Act::status(500)])));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"one\ntwo\n").unwrap();
    let path = scratch.write("batch.gz", gzip.finish().unwrap());
    let mut request = post(&server.url(), Body::File(path));
    request.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    for _ in 0..2 {
        client(PATIENT).send(&request, MAX_BYTES).await.unwrap();
    }
    let received = server.wait_for(2);
    assert!(received.iter().all(|request| request.content() == b"one\ntwo\n"));
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_no_trouble_of_the_network() {
    let (scratch, server) = (Scratch::new(), HttpServer::start(Script::of([])));
    let request = post(&server.url(), Body::File(scratch.path("nothing")));
    let shown = check_failed(&client(PATIENT).send(&request, MAX_BYTES).await, 1108, "request");
    assert!(
        shown.contains("cannot make the request to 127.0.0.1") && shown.contains("No such file"),
        "{shown}"
    );
    assert_eq!(server.n_connections(), 0);
}

#[tokio::test]
async fn a_file_that_becomes_shorter_is_noticed_and_one_that_grows_is_sent_as_it_was() {
    let scratch = Scratch::new();
    let slow = Act::status(200).reading_slowly(500_000, Duration::from_millis(20));
    let server = HttpServer::start(Script::always(slow));
    let client = client(PATIENT);
    for (n_after, is_sent) in [(100_000, false), (30_000_000, true)] {
        let path = scratch.write("body", vec![7; 20_000_000]);
        let request = post(&server.url(), Body::File(path.clone()));
        let change = async {
            // Once the server is being sent it, but not all of it yet.
            while server.n_served() == 0 {
                tokio::task::yield_now().await;
            }
            fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(n_after).unwrap();
        };
        let (sent, ()) = tokio::join!(client.send(&request, MAX_BYTES), change);
        if is_sent {
            assert_eq!(sent.unwrap().status, 200);
            assert_eq!(server.requests().pop().unwrap().body.len(), 20_000_000);
        } else {
            let shown = check_failed(&sent, 1108, "request");
            assert!(shown.contains("the file became shorter while it was sent"), "{shown}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_body_arrives_byte_for_byte(body in proptest::collection::vec(any::<u8>(), 0..200_000)) {
        let server = HttpServer::start(Script::of([]));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let request = post(&server.url(), Body::Bytes(Bytes::from(body.clone())));
        runtime.block_on(client(PATIENT).send(&request, MAX_BYTES)).unwrap();
        prop_assert!(server.requests()[0].body == body);
    }
}
