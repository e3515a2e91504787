//! What the service manager is told.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use logweir_testkit::process::{Run, Running, Signal, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::rig::{SOON, append, follow, pipeline, succeeded};

/// The socket of a service manager.
struct Manager(UnixDatagram);

impl Manager {
    /// Starts a run that is to tell it.
    fn start(scratch: &Scratch, run: Run) -> (Self, Running) {
        let path = scratch.path("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        (Self(socket), run.env("NOTIFY_SOCKET", path).start())
    }

    /// Returns the next message, if there is one soon.
    fn next(&self) -> Option<String> {
        let mut bytes = [0; 4096];
        match self.0.recv(&mut bytes) {
            Ok(n_bytes) => Some(String::from_utf8(bytes[..n_bytes].to_vec()).unwrap()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits for a message with this line, and returns it and all before it.
    fn wait_for(&self, line: &str) -> Vec<String> {
        let mut messages = Vec::new();
        poll_until(line, SOON, || {
            messages.extend(self.next());
            messages.last()?.lines().any(|told| told == line).then_some(())
        });
        messages
    }
}

#[test]
fn it_is_told_when_all_runs_and_when_it_ends() {
    let scratch = Scratch::new();
    let (manager, running) =
        Manager::start(&scratch, pipeline(&scratch, &follow(&scratch, "sink: {stdout: {}}\n")));
    let messages = manager.wait_for("READY=1");
    assert!(messages.last().unwrap().contains("STATUS=ready\n"), "{messages:?}");
    running.signal(Signal::TERM);
    manager.wait_for("STOPPING=1");
    succeeded(&running.wait());
}

#[test]
fn it_is_told_of_a_reload_and_of_one_that_is_refused() {
    let scratch = Scratch::new();
    let (manager, running) =
        Manager::start(&scratch, pipeline(&scratch, &follow(&scratch, "sink: {stdout: {}}\n")));
    manager.wait_for("READY=1");
    running.signal(Signal::HUP);
    let message = manager.wait_for("RELOADING=1").pop().unwrap();
    let time = message.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC="));
    assert!(time.is_some_and(|time| time.parse::<u64>().is_ok_and(|time| time > 0)), "{message}");
    let message = manager.wait_for("READY=1").pop().unwrap();
    assert!(message.contains("STATUS=ready\n"), "{message}");

    scratch.write("pipeline.yaml", "source: 1\n");
    running.signal(Signal::HUP);
    manager.wait_for("RELOADING=1");
    let message = manager.wait_for("READY=1").pop().unwrap();
    assert!(message.contains("the last reload was refused: pipeline.yaml:1:"), "{message}");
    running.signal(Signal::TERM);
    succeeded(&running.wait());
}

#[test]
fn the_watchdog_is_told_again_and_again() {
    let scratch = Scratch::new();
    let run = pipeline(&scratch, &follow(&scratch, "sink: {stdout: {}}\n")).env("WATCHDOG_USEC", "100000");
    let (manager, running) = Manager::start(&scratch, run);
    for _ in 0..5 {
        manager.wait_for("WATCHDOG=1");
    }
    running.signal(Signal::TERM);
    succeeded(&running.wait());
}

#[test]
fn without_a_watchdog_nothing_is_told_of_it() {
    let scratch = Scratch::new();
    let (manager, running) =
        Manager::start(&scratch, pipeline(&scratch, &follow(&scratch, "sink: {stdout: {}}\n")));
    let mut messages = manager.wait_for("READY=1");
    running.signal(Signal::TERM);
    messages.extend(manager.wait_for("STOPPING=1"));
    assert!(messages.iter().all(|message| !message.contains("WATCHDOG")), "{messages:?}");
    succeeded(&running.wait());
}

#[test]
fn what_is_wrong_is_told_as_status() {
    let scratch = Scratch::new();
    scratch.write("file", "");
    let yaml = "source: {stdin: {}}\nsink: {stdout: {}}\ndead_letter: {file: {path: dead, max_bytes: 1}}\n\
                shutdown: {deadline: 0s}\n";
    let run = pipeline(&scratch, yaml).stdin("no event\n");
    let (manager, running) = Manager::start(&scratch, run);
    let told = poll_until("the full dead-letter file is told", SOON, || {
        manager.next().filter(|message| message.contains("dead_letter"))
    });
    assert!(told.starts_with("STATUS=pipeline: dead_letter: "), "{told}");
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code(), Some(1));
}

#[test]
fn a_manager_that_does_not_read_holds_nothing_up() {
    let scratch = Scratch::new();
    // So many signs of life that the socket is full long before the events have come out.
    let run = pipeline(&scratch, &follow(&scratch, "sink: {stdout: {}}\n")).env("WATCHDOG_USEC", "2000");
    let (_manager, running) = Manager::start(&scratch, run);
    poll_until("events go on", SOON, || {
        append(&scratch, "in/a", "{}\n");
        (running.stdout_so_far().len() > 3000).then_some(())
    });
    running.signal(Signal::TERM);
    succeeded(&running.wait());
}
