//! Running and watching programs that every machine has.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use logweir_testkit::process::{Run, Signal, http_get, peak_rss_bytes, poll_until};
use logweir_testkit::scratch::Scratch;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn feeds_and_collects_more_than_a_pipe_holds() {
    let input: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
    let ran = Run::new("cat").stdin(input.clone()).output();
    assert!(ran.status.success());
    assert_eq!(ran.stdout, input);
}

#[test]
fn tells_code_and_stderr() {
    let dir = Scratch::new();
    dir.write("sub/file", "x");
    let ran = Run::new("sh")
        .args(["-c", "ls; echo $NAME >&2; exit 3"])
        .env("NAME", "value")
        .dir(dir.path("sub"))
        .output();
    assert_eq!(
        (ran.code(), ran.stdout.as_slice(), ran.stderr_text().as_str()),
        (Some(3), &b"file\n"[..], "value\n")
    );
}

#[test]
fn a_program_that_reads_nothing_is_no_problem() {
    assert!(Run::new("true").stdin(vec![0; 1 << 20]).output().status.success());
}

#[test]
#[should_panic(expected = "did not end in time")]
fn a_program_that_does_not_end_is_killed() {
    Run::new("sleep").args(["1000"]).deadline(Duration::from_millis(50)).output();
}

#[test]
fn talks_to_a_program_that_runs() {
    let mut running = Run::new("cat").hold_stdin().start();
    let mut stdin = running.take_stdin().unwrap();
    stdin.write_all(b"one\n").unwrap();
    poll_until("cat repeats a line", SOON, || (running.stdout_so_far() == b"one\n").then_some(()));
    if cfg!(target_os = "linux") {
        assert!(peak_rss_bytes(running.pid()).unwrap() > 100_000);
    }
    stdin.write_all(b"two\n").unwrap();
    drop(stdin);
    assert_eq!(running.wait().stdout, b"one\ntwo\n");
}

#[test]
fn a_program_waits_for_a_test_that_does_not_read() {
    let mut running = Run::new("cat").stdin(vec![b'x'; 1 << 20]).hold_stdout().start();
    let mut stdout = running.take_stdout().unwrap();
    let mut first = [0; 10];
    stdout.read_exact(&mut first).unwrap();
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    assert_eq!(first.len() + rest.len(), 1 << 20);
    assert!(running.wait().stdout.is_empty());
}

#[test]
fn signals_arrive() {
    let running = Run::new("sh")
        .args(["-c", "trap 'echo caught; exit 7' TERM; echo ready; while :; do :; done"])
        .start();
    poll_until("the trap is set", SOON, || (running.stdout_so_far() == b"ready\n").then_some(()));
    running.signal(Signal::TERM);
    let ran = running.wait();
    assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(7), &b"ready\ncaught\n"[..]));
}

#[test]
#[should_panic(expected = "waited 20ms in vain: the impossible")]
fn waiting_ends_at_the_deadline() {
    poll_until("the impossible", Duration::from_millis(20), || None::<()>);
}

#[test]
fn waiting_ends_when_there_is_something() {
    let start = Instant::now();
    let mut n = 0;
    let found = poll_until("the third look", SOON, || {
        n += 1;
        (n == 3).then_some("found")
    });
    assert_eq!(found, "found");
    assert!(start.elapsed() < SOON);
}

#[test]
fn asks_over_http() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // All of it: closing a connection with something unread resets it.
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        stream.write_all(b"HTTP/1.0 503 Busy\r\nX: y\r\n\r\nnot\r\n\r\nyet").unwrap();
        request
    });
    assert_eq!(http_get(address, "/readyz").unwrap(), (503, "not\r\n\r\nyet".to_owned()));
    assert!(server.join().unwrap().starts_with(b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1:"));
}
