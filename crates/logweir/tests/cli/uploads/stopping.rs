//! What is not uploaded when a pipeline stops is kept, and uploaded first by whoever comes next.

use std::fs;
use std::path::Path;
use std::time::Duration;

use logweir_testkit::http_server::{Act, HttpServer, Reply, Script};
use logweir_testkit::process::poll_until;
use serde_json::Value;

use super::bucket::Bucket;
use super::{Uploader, s3};
use crate::rig::{SOON, get};

/// A deadline that is over soon, where nothing can be delivered.
const SHORT_DEADLINE: &str = "shutdown: {deadline: 200ms}\n";

/// Returns the batches that wait in a spool, oldest first: the key of each, and its bytes.
fn waiting(spool: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(spool).unwrap().map(|entry| entry.unwrap().path());
    let mut entries: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    entries.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let entry: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        (entry["key"].as_str().unwrap().to_owned(), fs::read(path.with_extension("log.gz")).unwrap())
    };
    entries.iter().map(read).collect()
}

#[test]
fn what_waits_when_it_is_stopped_is_uploaded_first_by_the_next_run() {
    let bucket = Bucket::default();
    let server = HttpServer::start(Script::always(bucket.answering(Reply::new(503))));
    let sink = s3(&server.url(), "max_uploads: 1") + SHORT_DEADLINE;
    let mut uploader = Uploader::start(&sink);
    uploader.offer(350);
    uploader.wait_until_unready(&["circuit open", " 350 events)"]);
    uploader.wait_for("logweir_spool_batches", 4);
    let (scratch, summary) = uploader.end_with(0);
    assert_eq!(
        ["read", "kept", "written", "returned", "failed"].map(|key| summary.count(key)),
        [350, 350, 0, 0, 0]
    );
    assert_eq!(summary.0["balanced"], true);

    let waiting = waiting(&scratch.path("state/pipeline.spool"));
    assert_eq!(waiting.len(), 4);
    let tried = bucket.came().len();
    server.play(Script::always(bucket.taking()));
    let mut uploader = Uploader::start_in(scratch, 350, &sink);
    uploader.offer(200);
    uploader.wait_for("logweir_events_written_total", 200);
    assert_eq!(uploader.sample("logweir_upload_recovered_events_total", ""), 350);
    uploader.wait_for("logweir_spool_batches", 0);
    let (_, summary) = uploader.end_with(0);
    assert_eq!(["read", "kept", "written"].map(|key| summary.count(key)), [200, 0, 200]);

    bucket.check_has(550);
    let came = bucket.came().split_off(tried);
    let first: Vec<_> = came.iter().map(|(_, what)| what.as_str()).take(4).collect();
    let expected: Vec<_> = waiting.iter().map(|(key, _)| format!("PUT /logs/{key}")).collect();
    assert_eq!(first, expected);
    for (key, bytes) in &waiting {
        assert!(bucket.object(&format!("/logs/{key}")).as_ref() == Some(bytes), "{key} has other bytes");
    }
    let mut names: Vec<_> = came.iter().map(|(_, what)| what).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), came.len(), "a key was put twice");
}

#[test]
fn reloads_while_a_destination_is_down_lose_and_double_nothing() {
    let bucket = Bucket::default();
    let server = HttpServer::start(Script::always(Act::status(500)));
    let sink = s3(&server.url(), "") + SHORT_DEADLINE;
    let mut uploader = Uploader::start(&sink);
    for n_reloads in 1..=4 {
        uploader.offer(170);
        poll_until("all is read", SOON, || {
            (uploader.sample("logweir_events_read_total", "") == uploader.n_events).then_some(())
        });
        uploader.wait_until_unready(&["circuit open"]);
        uploader.reload(&sink);
        poll_until("it has been reloaded", SOON, || {
            let body = get(uploader.address, "/metrics");
            let applied = format!("logweir_config_reloads_total{{outcome=\"applied\"}} {n_reloads}\n");
            body.contains(&applied).then_some(())
        });
    }
    uploader.offer(170);
    server.play(Script::always(bucket.taking()));
    poll_until("all is uploaded", SOON, || {
        let labels = ",outcome=\"uploaded\"";
        (uploader.sample("logweir_upload_events_total", labels) == uploader.n_events).then_some(())
    });
    uploader.wait_until_ready();
    bucket.check_has(uploader.n_events);
    let n_events = uploader.n_events;
    let recovered = uploader.sample("logweir_upload_recovered_events_total", "");
    let (_, summary) = uploader.end_with(0);
    bucket.check_has(n_events);
    assert_eq!(summary.0["balanced"], true, "{}", summary.0);
    // What one generation keeps the next one uploads, or keeps in its turn.
    assert!(recovered > 0 && summary.count("kept") == recovered, "{recovered}: {}", summary.0);
    assert_eq!(summary.count("written") + recovered, n_events, "{}", summary.0);
}

#[test]
fn reloads_in_a_row_let_a_slow_destination_have_what_is_on_its_way() {
    let bucket = Bucket::default();
    let server = HttpServer::start(Script::always(bucket.taking().after(Duration::from_millis(40))));
    let sink = s3(&server.url(), "");
    let mut uploader = Uploader::start(&sink);
    for _ in 0..8 {
        uploader.offer(450);
        poll_until("something is on its way", SOON, || {
            (uploader.sample("logweir_spool_batches", "") > 0).then_some(())
        });
        // The second comes while what runs drains because of the first.
        let takes_over = || n_logged(&uploader.running.stderr_so_far(), "the new configuration takes over");
        let n_before = takes_over();
        uploader.reload(&sink);
        poll_until("it takes over", SOON, || (takes_over() > n_before).then_some(()));
        uploader.reload(&sink);
    }
    uploader.wait_until_written();
    bucket.check_has(uploader.n_events);
    let metrics = get(uploader.address, "/metrics");
    assert!(!metrics.contains("logweir_component_errors_total{"), "{metrics}");
    let summary = uploader.succeed();
    assert_eq!(summary.count("kept"), 0);
}

/// Returns how often something was logged.
fn n_logged(log: &[u8], text: &str) -> usize {
    String::from_utf8_lossy(log).matches(text).count()
}
