//! A first signal stops reading and delivers what was read; a second one ends at once.

use std::io::Write as _;

use logweir_testkit::process::{Signal, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::rig::{
    Feeder, SOON, admin, check_first_events, endless_events, event, failed, get, logged, n_lines, pipeline,
    sample, succeeded, watched_pipeline,
};

const PASS: &str = "source: {stdin: {}}\nsink: {stdout: {}}\n";

/// Checks that a signal in the middle of an endless input lets out, whole, every event that was read.
#[track_caller]
fn check_drains(signal: Signal) {
    let scratch = Scratch::new();
    let mut running = pipeline(&scratch, PASS).hold_stdin().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    poll_until("megabytes have come out", SOON, || (running.stdout_so_far().len() > 4 << 20).then_some(()));
    running.signal(signal);
    let ran = running.wait();
    assert!(feeder.finish().is_none(), "the input has no end");
    let summary = succeeded(&ran);
    assert_eq!(check_first_events(&ran.stdout), summary.count("written"));
    assert_eq!(summary.n_whole_events(), summary.count("written"));
}

#[test]
fn sigterm_drains() {
    check_drains(Signal::TERM);
}

#[test]
fn sigint_drains() {
    check_drains(Signal::INT);
}

#[test]
fn a_signal_ends_a_run_whose_input_is_silent() {
    let scratch = Scratch::new();
    let yaml = format!("{PASS}dead_letter: {{file: {{path: dead.txt}}}}\n");
    let mut running = pipeline(&scratch, &yaml).hold_stdin().start();
    let mut stdin = running.take_stdin().unwrap();
    // Nobody can read the half line behind the event again, so it must not vanish.
    stdin.write_all(format!("{}{{\"half\":", event(0)).as_bytes()).unwrap();
    poll_until("the event comes out", SOON, || (!running.stdout_so_far().is_empty()).then_some(()));
    running.signal(Signal::TERM);
    let ran = running.wait();
    assert_eq!(succeeded(&ran).n_whole_events(), 1);
    assert_eq!(check_first_events(&ran.stdout), 1);
    assert_eq!(scratch.read("dead.txt"), b"{\"half\":\n");
    drop(stdin);
}

#[test]
fn a_signal_before_anything_was_read_ends_with_nothing() {
    let scratch = Scratch::new();
    let mut running = watched_pipeline(&scratch, PASS).hold_stdin().start();
    let stdin = running.take_stdin();
    let address = admin(&running);
    poll_until("it runs", SOON, || (get(address, "/healthz") == "alive\n").then_some(()));
    running.signal(Signal::INT);
    assert_eq!(succeeded(&running.wait()).count("read"), 0);
    drop(stdin);
}

#[test]
fn a_signal_between_files_leaves_the_rest_unread() {
    let scratch = Scratch::new();
    for name in ["a", "b", "c"] {
        scratch.write(format!("in/{name}"), endless_events().take(300).flatten().collect::<Vec<u8>>());
    }
    let yaml = "source: {file: {include: [\"in/*\"], read: once}}\nsink: {stdout: {}}\n\
                limits: {chunk_bytes: 4 KiB, held_bytes: 64 KiB}\n";
    let mut running = watched_pipeline(&scratch, yaml).hold_stdout().start();
    let stdout = running.take_stdout().unwrap();
    let address = admin(&running);
    poll_until("it has begun", SOON, || {
        (sample(address, "logweir_events_written_total{pipeline=\"pipeline\"}") > 0).then_some(())
    });
    running.signal(Signal::TERM);
    logged(&running, "stops reading");
    let reader = std::thread::spawn(move || std::io::read_to_string(stdout).unwrap());
    let ran = running.wait();
    let summary = succeeded(&ran);
    assert_eq!(check_first_events(reader.join().unwrap().as_bytes()), summary.count("written"));
    assert!(summary.count("read") < 30_000, "the first file has more than can be held");
}

#[test]
fn a_second_signal_ends_at_once_although_nobody_takes_what_is_in_flight() {
    let scratch = Scratch::new();
    let mut running = watched_pipeline(&scratch, PASS).hold_stdin().hold_stdout().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    let stdout = running.take_stdout();
    feeder.wait_until_stalled();
    running.signal(Signal::TERM);
    logged(&running, "stops reading");
    assert!(n_lines(&running.stderr_so_far()) >= 2);
    running.signal(Signal::TERM);
    let ran = running.wait();
    let summary = failed(&ran);
    let [written, n_failed] = ["written", "failed"].map(|key| summary.count(key));
    assert!(n_failed > 0 && n_failed == summary.n_whole_events() - written, "{}", summary.0);
    assert!(feeder.finish().is_none());
    drop(stdout);
}

#[test]
fn one_signal_waits_for_a_reader_that_is_only_slow() {
    let scratch = Scratch::new();
    let mut running = watched_pipeline(&scratch, PASS).hold_stdin().hold_stdout().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    let stdout = running.take_stdout().unwrap();
    feeder.wait_until_stalled();
    running.signal(Signal::TERM);
    logged(&running, "stops reading");
    let reader = std::thread::spawn(move || std::io::read_to_string(stdout).unwrap());
    let ran = running.wait();
    let summary = succeeded(&ran);
    assert_eq!(check_first_events(reader.join().unwrap().as_bytes()), summary.n_whole_events());
    drop(feeder);
}
