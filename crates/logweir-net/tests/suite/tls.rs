//! Whom the client trusts.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener};
use std::path::PathBuf;
use std::thread;

use logweir_net::{Answer, Body, BodyEnd, Client, ClientConfig, Failure, TlsConfig, TlsError, Verdict};
use logweir_testkit::http_server::{Act, Authority, HttpServer, Identity, Reply, Script};
use logweir_testkit::scratch::Scratch;

use crate::rigs::{MAX_BYTES, PATIENT, bytes, check_failed, post, shown};

fn client(tls: TlsConfig) -> Client {
    Client::new(&ClientConfig { timeouts: PATIENT, tls }).unwrap()
}

fn trusting(ca_file: PathBuf) -> Client {
    client(TlsConfig { ca_file: Some(ca_file), insecure_skip_verify: false })
}

fn start(identity: Identity) -> HttpServer {
    HttpServer::start_tls(Script::always(Act::reply(Reply::new(200).body("taken"))), identity)
}

async fn send(client: &Client, server: &HttpServer) -> Result<Answer, Failure> {
    client.send(&post(&server.url(), bytes("one\n")), MAX_BYTES).await
}

#[tokio::test]
async fn a_server_certified_by_the_ca_file_is_trusted_and_another_is_not() {
    let (scratch, authority) = (Scratch::new(), Authority::new());
    let both = [Authority::new().pem(), authority.pem()].concat();
    let client = trusting(scratch.write("ca.pem", both));
    let server = start(authority.certify("127.0.0.1"));
    for _ in 0..3 {
        assert_eq!(&send(&client, &server).await.unwrap().body[..], b"taken");
    }
    assert_eq!((server.requests()[2].body.as_slice(), server.n_connections()), (&b"one\n"[..], 1));

    let stranger = start(Authority::new().certify("127.0.0.1"));
    let shown = check_failed(&send(&client, &stranger).await, 1103, "tls");
    let expected =
        "its certificate is signed by nobody who is trusted here (`ca_file` names one more authority)";
    assert_eq!(shown, format!("no secure connection to {}: {expected}", stranger.address()));
    assert!(stranger.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_closes_without_taking_leave_has_answered() {
    let (scratch, authority) = (Scratch::new(), Authority::new());
    // As the HTTP servers of several languages do it: nothing but the end of the connection ends the body, and TLS is
    // not told.
    let rude = Script::always(Act::bytes("HTTP/1.0 200 OK\r\n\r\ntaken"));
    let server = HttpServer::start_tls(rude, authority.certify("127.0.0.1"));
    let client = trusting(scratch.write("ca.pem", authority.pem()));
    let answer = send(&client, &server).await.unwrap();
    assert_eq!((answer.verdict(), &answer.body[..]), (Verdict::Done, &b"taken"[..]));
    assert!(matches!(answer.end, BodyEnd::Broken(_)), "{:?}", answer.end);
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (scratch, authority) = (Scratch::new(), Authority::new());
    let server = start(authority.certify("logs.example"));
    let client = trusting(scratch.write("ca.pem", authority.pem()));
    let shown = check_failed(&send(&client, &server).await, 1103, "tls");
    assert!(shown.contains("not valid for name \"127.0.0.1\"") && shown.contains("logs.example"), "{shown}");
}

#[tokio::test]
async fn who_signs_himself_is_trusted_only_if_anybody_is() {
    let server = start(Identity::self_signed("elsewhere.example"));
    check_failed(&send(&client(TlsConfig::default()), &server).await, 1103, "tls");
    let anybody = client(TlsConfig { ca_file: None, insecure_skip_verify: true });
    assert_eq!(send(&anybody, &server).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_server_without_tls_is_said_to_be_none() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let request = post(&format!("https://{}", listener.local_addr().unwrap()), Body::Empty);
    let server = thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        tcp.shutdown(Shutdown::Write).unwrap();
        // Until the client closes.
        drop(tcp.read_to_end(&mut Vec::new()));
    });
    let sent = client(TlsConfig::default()).send(&request, MAX_BYTES).await;
    server.join().unwrap();
    check_failed(&sent, 1103, "tls");
}

#[test]
fn a_ca_file_that_is_none_is_refused_by_name() {
    let scratch = Scratch::new();
    let refused = |path: PathBuf| {
        let tls = TlsConfig { ca_file: Some(path), insecure_skip_verify: false };
        Client::new(&ClientConfig { tls, ..ClientConfig::default() }).unwrap_err()
    };
    let missing = refused(scratch.path("missing.pem"));
    assert!(
        matches!(missing, TlsError::Read { .. }) && shown(&missing).contains("missing.pem"),
        "{missing:?}"
    );
    let empty = refused(scratch.write("empty.pem", "nothing in here\n"));
    assert!(matches!(empty, TlsError::Empty { .. }) && shown(&empty).contains("empty.pem"), "{empty:?}");
    let begin = "-----BEGIN CERTIFICATE-----\n";
    let torn = refused(scratch.write("torn.pem", begin));
    assert!(matches!(torn, TlsError::Read { .. }) && shown(&torn).contains("torn.pem"), "{torn:?}");
    let odd = refused(scratch.write("odd.pem", format!("{begin}AAAA\n-----END CERTIFICATE-----\n")));
    assert!(matches!(odd, TlsError::Unusable { .. }) && shown(&odd).contains("odd.pem"), "{odd:?}");
}
