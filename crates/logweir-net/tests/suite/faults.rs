//! Each way in which a request can get no answer.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use logweir_net::{Body, BodyEnd, Timeouts, Verdict};
use logweir_testkit::http_server::{Act, Fault, HttpServer, Reply, Script};
use socket2::{Domain, Socket, Type};

use crate::rigs::{MAX_BYTES, PATIENT, bytes, check_failed, client, post, send_to, shown};

#[tokio::test]
async fn nobody_listens_until_somebody_does() {
    let mut server = HttpServer::start(Script::of([]));
    let (client, request) = (client(PATIENT), post(&server.url(), bytes("one\n")));
    server.down();
    let shown = check_failed(&client.send(&request, MAX_BYTES).await, 1101, "connect");
    assert_eq!(shown, format!("cannot connect to {}: Connection refused (os error 111)", server.address()));
    server.up();
    client.send(&request, MAX_BYTES).await.unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_host_without_address() {
    // Reserved for names that do not exist (RFC 6761 section 6.4).
    let request = post("https://logs.invalid/secret?token=hunter2", bytes("one\n"));
    let timeouts = Timeouts { connect: Duration::from_secs(5), ..PATIENT };
    let shown = check_failed(&client(timeouts).send(&request, MAX_BYTES).await, 1105, "dns");
    assert!(shown.starts_with("cannot find the address of logs.invalid:443: "), "{shown}");
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time() {
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    // The system answers no more attempts once as many wait to be accepted.
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.set_nonblocking(true).unwrap();
            drop(socket.connect(&address.into()));
            socket
        })
        .collect();
    let timeouts = Timeouts { connect: Duration::from_millis(200), ..PATIENT };
    let request = post(&format!("http://{address}"), bytes("one\n"));
    let shown = check_failed(&client(timeouts).send(&request, MAX_BYTES).await, 1102, "connect_timeout");
    assert_eq!(shown, format!("no connection to {address} within 0.2 s"));
    drop(waiting);
}

#[tokio::test]
async fn a_handshake_that_is_not_done_in_time() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap();
    let timeouts = Timeouts { tls_handshake: Duration::from_millis(200), ..PATIENT };
    let request = post(&format!("https://{address}"), bytes("one\n"));
    let shown = check_failed(&client(timeouts).send(&request, MAX_BYTES).await, 1106, "timeout");
    assert_eq!(shown, format!("no secure connection to {address} within 0.2 s"));
}

#[tokio::test]
async fn connections_that_end_before_the_answer_does() {
    let reply = || Act::reply(Reply::new(200).body(vec![b'x'; 1000]));
    for act in [
        Act::fault(Fault::Reset).reading(0),
        Act::fault(Fault::Reset).reading(2),
        Act::fault(Fault::Reset),
        Act::fault(Fault::Close).reading(0),
        Act::fault(Fault::Close),
        reply().breaking_off(5, Fault::Reset),
        reply().breaking_off(5, Fault::Close),
    ] {
        let sent = send_to(Script::always(act.clone()), PATIENT).await;
        assert_eq!(sent.as_ref().unwrap_err().verdict(), Verdict::Retry { after: None });
        let shown = check_failed(&sent, 1104, "closed");
        assert!(shown.contains(" closed the connection: "), "{act:?}: {shown}");
    }
}

#[tokio::test]
async fn an_answer_whose_body_breaks_off_is_one_and_says_so() {
    for (status, fault) in [(200, Fault::Close), (200, Fault::Reset), (503, Fault::Close)] {
        let half = Act::reply(Reply::new(status).body(vec![b'x'; 1000])).breaking_off(500, fault);
        let server = HttpServer::start(Script::always(half));
        let (client, request) = (client(PATIENT), post(&server.url(), bytes("one\n")));
        for n in 1..3 {
            let answer = client.send(&request, MAX_BYTES).await.unwrap();
            assert_eq!(answer.status, status);
            // A reset takes with it what was not read yet.
            assert!(answer.body.len() < 500 && answer.body.iter().all(|&byte| byte == b'x'));
            let BodyEnd::Broken(failure) = answer.end else { panic!("{:?}", answer.end) };
            check_failed(&Err(failure), 1104, "closed");
            assert_eq!(server.n_connections(), n);
        }
    }
}

#[tokio::test]
async fn a_connection_reset_in_the_middle_of_a_large_body() {
    let server = HttpServer::start(Script::of([Act::fault(Fault::Reset).reading(1_000_000)]));
    let (client, body) = (client(PATIENT), Body::Bytes(Bytes::from(vec![7; 50_000_000])));
    let request = post(&server.url(), body);
    check_failed(&client.send(&request, MAX_BYTES).await, 1104, "closed");
    client.send(&request, MAX_BYTES).await.unwrap();
    let received = server.requests();
    assert_eq!((received[0].body.len(), received[0].is_whole), (1_000_000, false));
    assert_eq!((received[1].body.len(), received[1].is_whole), (50_000_000, true));
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    for said in ["220 mail.example ESMTP\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "\x15\x03\x01\x00\x02\x02\x16"] {
        let shown = check_failed(&send_to(Script::always(Act::bytes(said)), PATIENT).await, 1107, "protocol");
        assert!(shown.contains(" is no HTTP: "), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_before_the_request_was_read_is_one() {
    let early = Act::reply(Reply::new(413).body("too large")).reading(100_000);
    let server = HttpServer::start(Script::always(early));
    let request = post(&server.url(), Body::Bytes(Bytes::from(vec![7; 20_000_000])));
    let client = client(PATIENT);
    for n in 1..4 {
        let answer = client.send(&request, MAX_BYTES).await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (413, &b"too large"[..]));
        assert_eq!(server.n_connections(), n, "the rest of the request is still on its way there");
    }
}

#[tokio::test]
async fn a_success_before_the_request_was_read_counts_only_whole() {
    let request = |server: &HttpServer| post(&server.url(), Body::Bytes(Bytes::from(vec![7; 20_000_000])));
    let early = || Act::reply(Reply::new(200).body(vec![b'x'; 1000])).reading(100_000);
    let timeouts = Timeouts { progress: Duration::from_secs(1), ..PATIENT };
    for (fault, status, kind) in [(Fault::Reset, 1104, "closed"), (Fault::Stall, 1106, "timeout")] {
        let server = HttpServer::start(Script::always(early().breaking_off(500, fault)));
        check_failed(&client(timeouts).send(&request(&server), MAX_BYTES).await, status, kind);
    }
    let server = HttpServer::start(Script::always(early()));
    assert_eq!(client(PATIENT).send(&request(&server), MAX_BYTES).await.unwrap().status, 200);
}

#[tokio::test]
async fn what_is_no_url_is_refused_without_showing_it() {
    for url in ["/services?token=hunter2", "ftp://logs.example/hunter2", "logs.example:443"] {
        let request = Request::builder().uri(url).body(Body::Empty).unwrap();
        let shown = check_failed(&client(PATIENT).send(&request, MAX_BYTES).await, 1108, "request");
        assert!(!shown.contains("hunter2") && shown.contains("http"), "{shown}");
    }
    let request = post("https://exa_mple..com:1/", Body::Empty);
    let failure = client(PATIENT).send(&request, MAX_BYTES).await.unwrap_err();
    assert!(failure.status() >= 1101, "{}", shown(&failure));
}
