//! Batches that a destination refuses.

use logweir_testkit::http_server::{HttpServer, Reply, Script};
use logweir_testkit::process::poll_until;

use super::bucket::Bucket;
use super::{Uploader, http};
use crate::rig::SOON;

#[test]
fn what_is_refused_is_held_until_somebody_mends_it() {
    let bucket = Bucket::default();
    let refusal = Reply::new(403).body("the token has expired");
    let server = HttpServer::start(Script::always(bucket.answering(refusal)));
    let mut uploader = Uploader::start(&http(&server.url(), "on_reject: hold"));
    uploader.offer(350);
    let said =
        uploader.wait_until_unready(&["the destination refuses", "all behind it waits", "(status 403)"]);
    assert!(said.contains("the token has expired"), "{said}");
    poll_until("it is tried again", SOON, || (uploader.attempts("rejected", 403) > 10).then_some(()));
    assert_eq!(uploader.sample("logweir_events_written_total", ""), 0);
    assert_eq!(uploader.sample("logweir_upload_events_total", ",outcome=\"rejected\""), 0);

    server.play(Script::always(bucket.taking()));
    uploader.wait_until_written();
    uploader.wait_until_ready();
    bucket.check_has(350);
    uploader.succeed();
}

#[test]
fn what_is_refused_is_dropped_where_that_is_asked_for_and_fails_the_run() {
    let bucket = Bucket::default();
    let refused = || bucket.answering(Reply::new(403));
    let server = HttpServer::start(Script::of([refused(), refused()]).then_always(bucket.taking()));
    let mut uploader = Uploader::start(&http(&server.url(), "on_reject: drop, max_interval: 1d"));
    uploader.offer(500);
    uploader.wait_for("logweir_events_written_total", 300);
    let count = |name: &str, labels: &str| uploader.sample(name, labels);
    assert_eq!(count("logweir_upload_batches_total", ",outcome=\"rejected\""), 2);
    assert_eq!(count("logweir_upload_events_total", ",outcome=\"rejected\""), 200);
    assert_eq!(count("logweir_upload_events_total", ",outcome=\"uploaded\""), 300);
    assert_eq!(count("logweir_events_dropped_total", ",reason=\"failed\""), 200);
    assert_eq!((uploader.attempts("rejected", 403), uploader.attempts("ok", 200)), (2, 3));
    uploader.wait_until_ready();
    let (_, summary) = uploader.end_with(1);
    summary.check_balanced();
    assert_eq!(["read", "written", "failed", "kept"].map(|key| summary.count(key)), [500, 300, 200, 0]);
}
