//! Killed again and again while it uploads, it delivers each event once.

use std::path::Path;
use std::time::Duration;

use logweir_testkit::http_server::{HttpServer, Script};
use logweir_testkit::process::{Signal, let_pass, poll_until};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use super::bucket::{Bucket, content, objects};
use super::{FOLLOWED, Uploader, s3};
use crate::rig::{SOON, append, event, logweir, n_lines};

/// How often it is killed.
const N_KILLS: u64 = 50;
/// How many milliseconds it lives before that: from hardly long enough to begin to several batches.
const LIVES: [u64; 7] = [40, 220, 90, 400, 130, 60, 300];
/// How many events come in each life.
const N_EVENTS: u64 = 330;

/// Kills a pipeline with this sink again and again, and lets it live until `n_delivered` says that everything is there.
/// Returns how many events there are.
pub(super) fn kill_again_and_again(sink: &str, n_delivered: impl Fn() -> u64) -> u64 {
    let (scratch, mut n_events) = (Scratch::new(), 0);
    for kill in 0..N_KILLS {
        let events = |half: u64| -> String {
            let first = n_events + half * N_EVENTS / 2;
            (first..first + N_EVENTS / 2).map(event).collect()
        };
        append(&scratch, FOLLOWED, events(0));
        let running = Uploader::run(&scratch, sink).start();
        let life = Duration::from_millis(LIVES[kill as usize % LIVES.len()]);
        let_pass(life / 2);
        append(&scratch, FOLLOWED, events(1));
        let_pass(life / 2);
        running.signal(Signal::KILL);
        let ran = running.wait();
        assert_eq!(ran.code(), None, "it ended by itself: {}", ran.stderr_text());
        n_events += N_EVENTS;
    }
    assert!(n_delivered() > 0, "no life was long enough");
    let uploader = Uploader::start_in(scratch, n_events, sink);
    poll_until("all is delivered", SOON, || (n_delivered() >= n_events).then_some(()));
    let (scratch, summary) = uploader.end_with(0);
    assert_eq!(["kept", "returned", "failed"].map(|key| summary.count(key)), [0; 3], "{}", summary.0);
    let is_batch = |path: &Path| path.extension().is_some_and(|ending| ending == "gz" || ending == "json");
    let left: Vec<_> =
        objects(&scratch.path("state/pipeline.spool")).into_iter().map(|(path, _)| path).collect();
    assert!(!left.iter().any(|path| is_batch(path)), "{left:?}");
    n_events
}

#[test]
fn killed_while_a_slow_store_takes_batches() {
    let bucket = Bucket::default();
    let server = HttpServer::start(Script::always(bucket.taking().after(Duration::from_millis(40))));
    let n_events = kill_again_and_again(&s3(&server.url(), ""), || {
        bucket.objects().iter().map(|object| n_lines(&content(object)) as u64).sum()
    });
    bucket.check_has(n_events);
    assert!(bucket.came().len() > bucket.keys().len(), "no batch was put again: no kill hit an upload");
}

#[test]
fn the_selftest_loses_and_doubles_nothing_that_is_uploaded() {
    let scratch = Scratch::new();
    let args = ["selftest", "--crash", "--upload", "--kills", "25", "--seed", "11", "--json", "--dir", "."];
    let ran = logweir(args).dir(scratch.dir()).deadline(2 * SOON).output();
    let report: Value =
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr_text()));
    assert_eq!(
        (ran.code(), &report["passed"], &report["kills"]),
        (Some(0), &true.into(), &25.into()),
        "{report}"
    );
    assert_eq!(["lost", "duplicated", "altered"].map(|key| report[key].as_u64()), [Some(0); 3], "{report}");
    assert!(report["delivered"].as_u64() > Some(0) && report["delivered"] == report["written"], "{report}");
}

#[cfg(feature = "services")]
#[test]
fn killed_while_an_s3_server_takes_batches() {
    use logweir_testkit::service::Service;

    use super::bucket::check_numbers;

    let data = Scratch::new();
    std::fs::create_dir(data.path("logs")).unwrap();
    let service = Service::s3s_fs(data.dir());
    let delivered =
        || -> Vec<Vec<u8>> { objects(&data.path("logs")).into_iter().map(|(_, bytes)| bytes).collect() };
    let n_events = kill_again_and_again(&s3(&service.url(), ""), || {
        delivered().iter().map(|object| n_lines(&content(object)) as u64).sum()
    });
    check_numbers(&delivered(), n_events);
}
