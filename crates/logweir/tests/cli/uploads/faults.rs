//! Whatever a destination does, nothing is lost or doubled, and everybody is told.

use std::time::Duration;

use logweir_testkit::http_server::{Act, Fault, HttpServer, Reply, Script};
use logweir_testkit::process::{peak_rss_bytes, poll_until};

use super::bucket::Bucket;
use super::{Uploader, http, s3};
use crate::rig::{SOON, event};

/// How long what stalls is waited for.
const SHORT: &str = "progress_timeout: 300ms, answer_timeout: 500ms";

/// The failures in a row after which a destination is taken to be down.
const N_FAILURES: u64 = 5;

/// Checks that it is seen from everywhere that uploads fail with this status.
fn check_is_down(uploader: &Uploader, status: u16) {
    uploader.wait_until_unready(&["circuit open since", "batches", "wait", &format!("(status {status})")]);
    poll_until("attempts are counted", SOON, || {
        (uploader.attempts("retry", status) >= N_FAILURES).then_some(())
    });
    assert_eq!(uploader.sample("logweir_upload_circuit_open", ""), 1);
    assert!(uploader.sample("logweir_upload_last_error_timestamp_seconds", "") > 0);
    assert_eq!(uploader.sample("logweir_events_written_total", ""), 0);
    let told = uploader.told();
    assert!(told["last_error"].is_string() && told["circuit_open"] == true, "{told}");
    assert!(told["error_message"].as_str().is_some_and(|message| !message.is_empty()), "{told}");
}

/// Checks that all is well again, and that everything has arrived.
fn check_is_well(uploader: Uploader, bucket: &Bucket) {
    uploader.wait_until_written();
    uploader.wait_until_ready();
    assert!(uploader.attempts("ok", 200) > 0);
    assert_eq!(uploader.sample("logweir_upload_circuit_open", ""), 0);
    assert_eq!(uploader.sample("logweir_upload_last_error_timestamp_seconds", ""), 0);
    let told = uploader.told();
    assert!(told["last_error"].is_null() && told["error_message"].is_null(), "a success resets both: {told}");
    assert!(told["last_complete"].as_str().is_some_and(|time| time.ends_with('Z')), "{told}");
    uploader.wait_for("logweir_spool_batches", 0);
    let n_events = uploader.n_events;
    assert_eq!(uploader.sample("logweir_upload_events_total", ",outcome=\"uploaded\""), n_events);
    bucket.check_has(n_events);
    uploader.succeed();
    bucket.check_has(n_events);
}

/// Checks a server that does this for a while, and then takes what it is given; `n_events` are offered before.
fn check(act: Act, status: u16, n_events: u64, upload: &str) {
    let (server, bucket) = (HttpServer::start(Script::always(act)), Bucket::default());
    let mut uploader = Uploader::start(&s3(&server.url(), upload));
    uploader.offer(n_events);
    check_is_down(&uploader, status);
    server.play(Script::always(bucket.taking()));
    uploader.offer(50);
    check_is_well(uploader, &bucket);
}

#[test]
fn a_server_that_is_down_for_a_while() {
    let bucket = Bucket::default();
    let mut server = HttpServer::start(Script::always(bucket.taking()));
    let mut uploader = Uploader::start(&s3(&server.url(), ""));
    server.down();
    uploader.offer(700);
    check_is_down(&uploader, 1101);
    uploader.offer(700);
    server.up();
    check_is_well(uploader, &bucket);
}

#[test]
fn a_server_with_an_error_of_its_own() {
    check(Act::reply(Reply::new(500).body("oh no")), 500, 700, "");
}

#[test]
fn connections_that_are_reset_in_the_middle() {
    check(Act::fault(Fault::Reset).reading(1000), 1104, 700, "compression: none");
}

#[test]
fn answers_that_are_torn() {
    check(Act::reply(Reply::new(200).body("half of this")).breaking_off(30, Fault::Reset), 1104, 700, "");
}

#[test]
fn a_server_that_does_not_speak_http() {
    check(Act::bytes("220 mail.example ESMTP\r\n"), 1107, 700, "");
}

#[test]
fn a_server_that_never_answers() {
    check(Act::fault(Fault::Stall), 1106, 700, SHORT);
}

#[test]
fn a_slow_loris() {
    check(Act::status(200).dribbling(Duration::from_millis(100)), 1106, 700, SHORT);
}

#[test]
fn an_upload_that_stalls() {
    // Far more than the system takes in where nobody reads.
    let upload = format!("{SHORT}, compression: none, max_events: 100000, max_interval: 1s");
    check(Act::fault(Fault::Stall).reading(1000), 1106, 60_000, &upload);
}

#[test]
fn a_server_that_flaps() {
    let bucket = Bucket::default();
    let acts = [
        Act::status(503),
        bucket.taking(),
        Act::fault(Fault::Reset).reading(100),
        Act::fault(Fault::Close),
        bucket.taking(),
        Act::status(500),
    ];
    let server = HttpServer::start(Script::cycle(acts));
    let mut uploader = Uploader::start(&s3(&server.url(), ""));
    for _ in 0..10 {
        uploader.offer(200);
    }
    uploader.wait_until_written();
    for status in [503, 500, 1104] {
        assert!(uploader.attempts("retry", status) > 0, "{status}");
    }
    check_is_well(uploader, &bucket);
}

#[test]
fn a_server_that_asks_to_be_left_alone() {
    const PAUSE: Duration = Duration::from_secs(2);
    let bucket = Bucket::default();
    let throttled = bucket.answering(Reply::new(429).header("Retry-After", "2"));
    let server = HttpServer::start(Script::of([throttled]).then_always(bucket.taking()));
    let mut uploader = Uploader::start(&http(&server.url(), "max_uploads: 1"));
    uploader.offer(500);
    uploader.wait_until_written();
    let came = bucket.came();
    assert!(came[1].0 - came[0].0 >= PAUSE, "{came:?}");
    assert_eq!(uploader.attempts("retry", 429), 1);
    check_is_well(uploader, &bucket);
}

#[test]
fn a_host_that_nobody_knows_until_the_configuration_is_mended() {
    let bucket = Bucket::default();
    let server = HttpServer::start(Script::always(bucket.taking()));
    let deadline = "shutdown: {deadline: 100ms}\n";
    let mut uploader = Uploader::start(&(s3("http://no-such-host.invalid", "") + deadline));
    uploader.offer(300);
    check_is_down(&uploader, 1105);
    uploader.reload(&(s3(&server.url(), "") + deadline));
    uploader.offer(300);
    uploader.wait_until_ready();
    poll_until("all is uploaded", SOON, || {
        let labels = ",outcome=\"uploaded\"";
        (uploader.sample("logweir_upload_events_total", labels) == uploader.n_events).then_some(())
    });
    bucket.check_has(uploader.n_events);
    let n_events = uploader.n_events;
    uploader.end_with(0);
    bucket.check_has(n_events);
}

#[test]
#[cfg(target_os = "linux")]
fn a_server_that_is_down_costs_no_memory_however_long() {
    const MIB: u64 = 1 << 20;
    let bucket = Bucket::default();
    let mut server = HttpServer::start(Script::always(bucket.taking()));
    server.down();
    let limits = "limits: {decoders: 2, chunk_bytes: 64 KiB, held_bytes: 8 MiB}\n";
    let mut uploader = Uploader::start(&(s3(&server.url(), "max_events: 20000") + limits));
    let n_block = 20 * MIB / event(0).len() as u64;
    let mut peaks = Vec::new();
    for _ in 0..10 {
        uploader.offer(n_block);
        uploader.wait_for("logweir_events_read_total", uploader.n_events);
        peaks.push(peak_rss_bytes(uploader.running.pid()).expect("it runs") / MIB);
    }
    check_is_down(&uploader, 1101);
    // Twenty megabytes in it has come to need whatever it needs; the other 180 cost nothing more.
    assert!(peaks[9] < 64 && peaks[9] <= peaks[0] + 8, "{peaks:?} MiB");
    server.up();
    check_is_well(uploader, &bucket);
}
