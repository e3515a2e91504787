//! After the first signal a run ends within its deadline, whatever waits or hangs, and says what was left.

use std::io::Read as _;
use std::time::{Duration, Instant};

use logweir_testkit::process::{Ran, Running, Signal, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::rig::{
    Feeder, SOON, admin, check_first_events, endless_events, event, failed, follow, logged, make_fifo,
    n_lines, pipeline, sample, succeeded, summary, watched_pipeline,
};

/// Short, and long enough to tell it from no time at all.
const DEADLINE: Duration = Duration::from_millis(300);

const SHUTDOWN: &str = "shutdown: {deadline: 300 ms}\n";

/// What a run may take beyond its deadline on a machine that is busy with other tests; it is about a second.
const MARGIN: Duration = Duration::from_secs(15);

/// Sends the first signal and waits for the end, which must come by the deadline and not before.
#[track_caller]
fn end_by_deadline(running: Running) -> Ran {
    let since = Instant::now();
    running.signal(Signal::TERM);
    let ran = running.wait();
    let took = since.elapsed();
    assert!((DEADLINE..DEADLINE + MARGIN).contains(&took), "{took:?}: {}", ran.stderr_text());
    assert!(ran.stderr_text().contains("the deadline is over"), "{}", ran.stderr_text());
    ran
}

#[test]
fn a_reader_that_does_not_read_holds_nothing_up_beyond_the_deadline() {
    let scratch = Scratch::new();
    let yaml = format!("source: {{stdin: {{}}}}\nsink: {{stdout: {{}}}}\n{SHUTDOWN}");
    let mut running = pipeline(&scratch, &yaml).hold_stdin().hold_stdout().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    let mut stdout = running.take_stdout().unwrap();
    feeder.wait_until_stalled();
    let ran = end_by_deadline(running);
    let summary = failed(&ran);
    assert_eq!(summary.count("failed"), summary.n_whole_events() - summary.count("written"));
    assert!(summary.count("failed") > 0, "{}", summary.0);
    // What counts as written is what the pipe has, save the rest of an event that it had no room for.
    let mut out = Vec::new();
    stdout.read_to_end(&mut out).unwrap();
    let whole = out.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    assert!(check_first_events(&out[..whole]) >= summary.count("written"));
    assert!(feeder.finish().is_none());
}

#[test]
fn a_named_pipe_that_nobody_reads_holds_nothing_up_beyond_the_deadline() {
    let scratch = Scratch::new();
    make_fifo(&scratch, "out");
    let yaml = format!("source: {{stdin: {{}}}}\nsink: {{file: {{path: out}}}}\n{SHUTDOWN}");
    let mut running = pipeline(&scratch, &yaml).hold_stdin().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    feeder.wait_until_stalled();
    let summary = failed(&end_by_deadline(running));
    assert_eq!((summary.count("written"), summary.count("failed")), (0, summary.n_whole_events()));
    assert!(feeder.finish().is_none());
}

#[test]
fn what_flows_does_not_wait_for_the_deadline() {
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nsink: {stdout: {}}\nshutdown: {deadline: 1h}\n";
    let mut running = pipeline(&scratch, yaml).hold_stdin().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    poll_until("megabytes have come out", SOON, || (running.stdout_so_far().len() > 4 << 20).then_some(()));
    running.signal(Signal::TERM);
    let ran = running.wait();
    assert!(!ran.stderr_text().contains("deadline"), "{}", ran.stderr_text());
    assert_eq!(check_first_events(&ran.stdout), succeeded(&ran).count("written"));
    drop(feeder);
}

#[test]
fn without_any_time_nothing_that_waits_is_waited_for() {
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nsink: {stdout: {}}\nshutdown: {deadline: 0s}\n";
    let mut running = watched_pipeline(&scratch, yaml).hold_stdin().hold_stdout().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    let stdout = running.take_stdout();
    feeder.wait_until_stalled();
    running.signal(Signal::TERM);
    let summary = failed(&running.wait());
    assert!(summary.count("failed") > 0, "{}", summary.0);
    drop(stdout);
}

#[test]
fn what_the_deadline_cuts_off_is_returned_and_read_again_by_the_next_run() {
    let scratch = Scratch::new();
    let events: Vec<u8> = endless_events().take(300).flatten().collect();
    scratch.write("in/a", &events);
    let yaml =
        follow(&scratch, "sink: {stdout: {}}\nlimits: {chunk_bytes: 16 KiB, held_bytes: 1 MiB}\n") + SHUTDOWN;
    let mut running = watched_pipeline(&scratch, &yaml).hold_stdout().start();
    let mut stdout = running.take_stdout().unwrap();
    let address = admin(&running);
    poll_until("the pipe is full", SOON, || {
        (sample(address, "logweir_channel_depth_batches{pipeline=\"pipeline\",channel=\"payloads\"}") > 4)
            .then_some(())
    });
    let ran = end_by_deadline(running);
    // Events that are returned are safe: the exit code tells nothing of them.
    let first = succeeded(&ran);
    assert_eq!(first.count("returned"), first.count("read") - first.count("written"));
    assert!(first.count("returned") > 0 && first.count("read") < 30_000, "{}", first.0);
    assert!(ran.stderr_text().contains("\"returned\":"), "{}", ran.stderr_text());
    let mut out = Vec::new();
    stdout.read_to_end(&mut out).unwrap();
    assert!(n_lines(&out) as u64 >= first.count("written"));

    let running = pipeline(&scratch, &yaml).start();
    poll_until("the rest comes", SOON, || {
        running.stdout_so_far().ends_with(event(29_999).as_bytes()).then_some(())
    });
    running.signal(Signal::TERM);
    let ran = running.wait();
    let second = succeeded(&ran);
    // It begins no later than behind what was written, and has all from there on.
    let n_skipped = 30_000 - second.count("written");
    assert!(n_skipped <= first.count("written"), "{n_skipped} {}", first.0);
    assert_eq!(ran.stdout, events[events.len() - ran.stdout.len()..]);
    assert_eq!(n_lines(&ran.stdout) as u64, second.count("written"));
}

#[test]
fn a_second_signal_does_not_wait_for_the_deadline() {
    let scratch = Scratch::new();
    scratch.write("in/a", endless_events().take(300).flatten().collect::<Vec<u8>>());
    let mut running =
        watched_pipeline(&scratch, &follow(&scratch, "sink: {stdout: {}}\n")).hold_stdout().start();
    let stdout = running.take_stdout();
    let address = admin(&running);
    poll_until("events are on their way", SOON, || {
        (sample(address, "logweir_events_in_flight{pipeline=\"pipeline\"}") > 0).then_some(())
    });
    running.signal(Signal::TERM);
    logged(&running, "stops reading");
    running.signal(Signal::TERM);
    let ran = running.wait();
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    let summary = summary(&ran);
    summary.check_balanced();
    assert!(summary.count("returned") > 0 && summary.count("failed") == 0, "{}", summary.0);
    drop(stdout);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_gives_back_what_it_did_not_take_and_that_is_no_failure() {
    let scratch = Scratch::new();
    scratch.write("in/a", event(0).repeat(100));
    let yaml = follow(&scratch, "sink: {file: {path: /dev/full}}\n") + SHUTDOWN;
    let running = watched_pipeline(&scratch, &yaml).start();
    logged(&running, "the pipeline waits for it");
    let ran = end_by_deadline(running);
    let summary = succeeded(&ran);
    assert_eq!((summary.count("returned"), summary.count("read")), (100, 100));
    assert!(ran.stderr_text().contains("a component has given up"), "{}", ran.stderr_text());
    // The next run finds all of it.
    let running = pipeline(&scratch, &follow(&scratch, "sink: {stdout: {}}\n")).start();
    poll_until("all comes out", SOON, || {
        (running.stdout_so_far() == event(0).repeat(100).as_bytes()).then_some(())
    });
    running.signal(Signal::TERM);
    succeeded(&running.wait());
}

#[test]
fn a_named_pipe_that_nobody_reads_gives_back_what_was_followed() {
    let scratch = Scratch::new();
    make_fifo(&scratch, "out");
    scratch.write("in/a", event(0).repeat(100));
    let yaml = follow(&scratch, "sink: {file: {path: out}}\n") + SHUTDOWN;
    let running = watched_pipeline(&scratch, &yaml).start();
    let address = admin(&running);
    poll_until("it is on its way", SOON, || {
        (sample(address, "logweir_events_in_flight{pipeline=\"pipeline\"}") == 100).then_some(())
    });
    let summary = succeeded(&end_by_deadline(running));
    assert_eq!((summary.count("returned"), summary.count("written")), (100, 0));
}
