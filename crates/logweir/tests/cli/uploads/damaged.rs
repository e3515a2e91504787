//! Spools that are damaged, or left behind, while the destination is down.

use std::fs;
use std::time::Duration;

use logweir_testkit::process::poll_until;
use logweir_testkit::scratch::Scratch;

use super::{Uploader, bucket::check_numbers};

/// A directory that is not there yet: a destination that is down.
const SINK: &str = "sink: {directory: {path: objects, upload: {max_events: 100, max_interval: 100ms, first_pause: 10ms, \
                    longest_pause: 50ms}}}\nshutdown: {deadline: 200ms}\n";

/// Runs twice while the destination is down: 350 events are in the spool, and the second run has begun behind them.
fn leave_spooled() -> Scratch {
    let mut run = Uploader::start(SINK);
    run.offer(350);
    run.wait_for("logweir_spool_batches", 4);
    let n_events = run.n_events;
    let (scratch, summary) = run.end_with(0);
    assert_eq!(summary.count("kept"), 350, "{}", summary.0);
    let run = Uploader::start_in(scratch, n_events, SINK);
    run.wait_for("logweir_spool_batches", 4);
    // As long as checkpoints take.
    let still = run.sample("logweir_events_read_total", "");
    poll_until("time passes", Duration::from_secs(20), || (run.attempts("retry", 1108) > 20).then_some(()));
    assert_eq!(still, 0, "what is spooled is not read again");
    run.end().0
}

fn objects(scratch: &Scratch) -> Vec<Vec<u8>> {
    let mut days: Vec<_> =
        fs::read_dir(scratch.path("objects")).unwrap().map(|day| day.unwrap().path()).collect();
    days.sort_unstable();
    days.iter().filter(|path| path.is_file()).map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn what_was_damaged_in_the_spool_is_read_again_by_a_later_run_too() {
    let scratch = leave_spooled();
    let spool = scratch.path("state/pipeline.spool");
    let first = fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().path());
    let first =
        first.filter(|path| path.extension().is_some_and(|extension| extension == "gz")).min().unwrap();
    let mut bytes = fs::read(&first).unwrap();
    bytes[30] ^= 1;
    fs::write(&first, bytes).unwrap();

    fs::create_dir(scratch.path("objects")).unwrap();
    let run = Uploader::start_in(scratch, 350, SINK);
    run.wait_until_written();
    let (scratch, _) = run.end_with(0);
    check_numbers(&objects(&scratch), 350);
}

#[test]
fn nobody_leaves_behind_what_waits_to_be_uploaded() {
    let scratch = leave_spooled();
    for rest in [
        "sink: {file: {path: out.ndjson}}\n",
        "outputs: [{name: a, sink: {directory: {path: objects}}}, {name: b, sink: {\"null\": {}}}]\n",
    ] {
        let ran = Uploader::run(&scratch, rest).output();
        assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
        assert!(ran.stderr_text().contains("were not uploaded"), "{}", ran.stderr_text());
    }
    fs::create_dir(scratch.path("objects")).unwrap();
    let run = Uploader::start_in(scratch, 350, SINK);
    run.wait_for("logweir_upload_recovered_events_total", 350);
    let (scratch, _) = run.end_with(0);
    check_numbers(&objects(&scratch), 350);
    let mut run = Uploader::start_in(scratch, 350, "sink: {file: {path: out.ndjson}}\n");
    run.offer(1);
    run.wait_for("logweir_events_written_total", 1);
    run.end_with(0);
}
