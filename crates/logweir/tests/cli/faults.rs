//! What the system refuses, the daemon waits out: injected into the real binary by a library that is loaded before the C
//! library and fails calls on the output while a file says so.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use logweir_testkit::process::{Run, Running, Signal, http_get, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::metrics::Scrape;
use crate::rig::{
    SOON, admin, append, check_first_events, event, follow, sample, succeeded, watched_pipeline,
};

const WRITTEN: &str = "logweir_events_written_total{pipeline=\"pipeline\"}";
const OUTPUT: &str = "out/events.ndjson";

/// A daemon whose output can be made to fail.
struct Faulty {
    scratch: Scratch,
    running: Running,
    address: SocketAddr,
    n_events: u64,
}

impl Faulty {
    fn start(sink: &str) -> Self {
        let scratch = Scratch::new();
        append(&scratch, "in/events.ndjson", "");
        let yaml = follow(&scratch, &format!("sink: {{file: {{path: {OUTPUT}, {sink}}}}}\n"));
        let run = watched_pipeline(&scratch, &yaml)
            .env("LD_PRELOAD", shim(&scratch))
            .env("LOGWEIR_FAULT", scratch.path("fault"))
            .env("LOGWEIR_FAULT_FILE", OUTPUT);
        let running = run.start();
        let address = admin(&running);
        Self { scratch, running, address, n_events: 0 }
    }

    /// Appends events to what is followed.
    fn offer(&mut self, n_events: u64) {
        let events: String = (self.n_events..self.n_events + n_events).map(event).collect();
        append(&self.scratch, "in/events.ndjson", events);
        self.n_events += n_events;
    }

    /// Waits until all events that were offered are written, by the books.
    fn wait_until_written(&self) {
        poll_until("all is written", SOON, || {
            self.check_books();
            (sample(self.address, WRITTEN) == self.n_events).then_some(())
        });
    }

    fn check_books(&self) {
        let scrape = Scrape::new(self.address);
        let count = |name: &str| scrape.sum(name, &["pipeline=\"pipeline\""], &[]);
        let settled =
            ["logweir_events_written_total", "logweir_events_dropped_total", "logweir_events_returned_total"];
        let accounted = settled.map(count).into_iter().sum::<u64>() + count("logweir_events_in_flight");
        assert_eq!(count("logweir_events_read_total"), accounted);
    }

    fn fail(&self, kind: &str) {
        self.scratch.write("fault", kind);
    }

    fn heal(&self) {
        fs::remove_file(self.scratch.path("fault")).unwrap();
    }

    /// Waits until the daemon says that it is not ready.
    fn wait_until_unready(&self) -> String {
        poll_until("it is not ready", SOON, || {
            self.check_books();
            let (status, body) = http_get(self.address, "/readyz").unwrap();
            (status == 503).then_some(body)
        })
    }

    /// Stops it and checks that each event was written once, in order.
    fn finish(self) {
        poll_until("it is ready", SOON, || {
            (http_get(self.address, "/readyz").unwrap().0 == 200).then_some(())
        });
        self.running.signal(Signal::TERM);
        let ran = self.running.wait();
        let summary = succeeded(&ran);
        assert_eq!(summary.count("written"), self.n_events);
        assert_eq!(check_first_events(&self.scratch.read(OUTPUT)), self.n_events);
    }
}

/// Compiles the library; returns where it is.
fn shim(scratch: &Scratch) -> PathBuf {
    let library = scratch.path("shim.so");
    let source = scratch.write("shim.c", include_str!("faults/shim.c"));
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compile = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .output();
    let ran = compile.expect("a C compiler is there");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    library
}

#[test]
fn a_failed_sync_is_read_again_without_a_restart_and_nothing_is_lost_or_doubled() {
    let mut daemon = Faulty::start("ack: synced, sync_every: 10 ms");
    daemon.offer(1000);
    daemon.wait_until_written();
    daemon.fail("sync");
    daemon.offer(1000);
    let said = daemon.wait_until_unready();
    assert!(said.contains("sync"), "{said}");
    let restarts = "logweir_pipeline_restarts_total{pipeline=\"pipeline\",reason=\"sync\"}";
    poll_until("the pipeline is opened anew", SOON, || (sample(daemon.address, restarts) >= 2).then_some(()));
    assert_eq!(sample(daemon.address, WRITTEN), 1000, "what is not synced is not written");
    daemon.heal();
    daemon.wait_until_written();
    daemon.offer(1000);
    daemon.wait_until_written();
    daemon.finish();
}

#[track_caller]
fn check_waits_out(kind: &str, said: &str) {
    for sink in ["ack: written", "ack: synced, sync_every: 10 ms"] {
        let mut daemon = Faulty::start(sink);
        daemon.offer(1000);
        daemon.wait_until_written();
        daemon.fail(kind);
        daemon.offer(1000);
        let text = daemon.wait_until_unready();
        assert!(text.contains(said), "{text}");
        assert_eq!(sample(daemon.address, WRITTEN), 1000);
        daemon.heal();
        daemon.wait_until_written();
        daemon.finish();
    }
}

#[test]
fn a_full_disk_is_waited_out() {
    check_waits_out("full", "No space left");
}

#[test]
fn errors_of_the_disk_are_waited_out() {
    check_waits_out("write", "Input/output error");
}

#[test]
fn writes_that_take_only_a_part_tear_and_double_nothing() {
    for sink in ["ack: written", "ack: synced"] {
        let mut daemon = Faulty::start(sink);
        daemon.fail("short");
        for _ in 0..5 {
            daemon.offer(1000);
            daemon.wait_until_written();
        }
        daemon.heal();
        daemon.finish();
    }
}
#[test]
fn more_files_than_may_be_open_are_all_read() {
    let scratch = Scratch::new();
    for file in 0..200 {
        append(&scratch, &format!("in/{file}.ndjson"), event(file));
    }
    let yaml = follow(&scratch, "sink: {file: {path: out.ndjson}}\nadmin: {listen: \"127.0.0.1:0\"}\n");
    scratch.write("pipeline.yaml", yaml);
    let script = "ulimit -n 60 && exec \"$0\" run --log-format json --summary json pipeline.yaml";
    let run =
        Run::new("sh").args(["-c", script, env!("CARGO_BIN_EXE_logweir")]).dir(scratch.dir()).deadline(SOON);
    let running = run.start();
    let address = admin(&running);
    poll_until("all files are read", SOON, || (sample(address, WRITTEN) == 200).then_some(()));
    for file in 0..200 {
        append(&scratch, &format!("in/{file}.ndjson"), event(1000 + file));
    }
    poll_until("all files are read on", SOON, || (sample(address, WRITTEN) == 400).then_some(()));
    running.signal(Signal::TERM);
    assert_eq!(succeeded(&running.wait()).count("written"), 400);
}
