//! The server of the tests itself, where the client does not show it.

use std::io::{Read, Write};
use std::net::TcpStream;

use logweir_testkit::http_server::{Act, HttpServer, Reply, Script};

/// Sends bytes and returns all that comes back until the server closes.
fn ask(server: &HttpServer, bytes: &[u8]) -> String {
    let mut tcp = TcpStream::connect(server.address()).unwrap();
    tcp.write_all(bytes).unwrap();
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn it_reads_chunks_and_keeps_the_connection() {
    let server = HttpServer::start(Script::of([]));
    let chunked = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\none\n\r\nA\r\n0123456789\r\n0\r\n\r\n";
    let last = b"PUT /b HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntwo";
    let answer = ask(&server, &[&chunked[..], &last[..]].concat());
    assert_eq!(answer.matches("HTTP/1.1 200 ").count(), 2);
    let received = server.requests();
    assert_eq!((&received[0].body[..], &received[1].body[..]), (&b"one\n0123456789"[..], &b"two"[..]));
    assert_eq!((received[0].connection, received[1].connection), (0, 0));
    assert!(received.iter().all(|request| request.is_whole));
}

#[test]
fn it_answers_head_without_a_body_and_plays_in_turns() {
    let flapping = [Act::reply(Reply::new(200).body("seen")), Act::status(503)];
    let server = HttpServer::start(Script::cycle(flapping));
    let statuses = (0..4).map(|_| ask(&server, b"HEAD / HTTP/1.0\r\n\r\n"));
    let statuses: Vec<_> =
        statuses.map(|answer| answer[9..12].to_owned() + &answer[answer.len() - 4..]).collect();
    assert_eq!(statuses, ["200\r\n\r\n", "503\r\n\r\n", "200\r\n\r\n", "503\r\n\r\n"]);
}
