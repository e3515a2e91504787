//! logrotate turns a directory over every second under load while the daemon is killed again and again.
//!
//! logrotate itself loses what is written between its copy and its truncation. So what is owed is what can be found in
//! the directory at the end, in files of any generation: every such event is in the output at least once.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use logweir_testkit::process::{Running, Signal, let_pass, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::rig::{event, logweir, workspace};

/// How long the load goes on.
const LOAD: Duration = Duration::from_secs(12);
/// How long a daemon lives before it is killed.
const LIVES: [u64; 5] = [40, 700, 150, 1300, 350];

fn start(scratch: &Scratch) -> Running {
    let run = logweir(["run", "--quiet", "--summary", "json", "pipelines/follow.yaml"]).dir(workspace());
    let run = run.env("LOGS", scratch.path("logs")).env("OUT", scratch.path("out"));
    run.env("STATE", scratch.path("state"))
        .env("LISTEN", "127.0.0.1:0")
        .deadline(Duration::from_secs(120))
        .start()
}

/// Appends numbered events until told to stop, to whatever lies at `path`; returns how many.
fn write_events(path: &Path, stop: &AtomicBool) -> u64 {
    let open = || OpenOptions::new().create(true).append(true).open(path).unwrap();
    let mut file = open();
    let mut n_events = 0;
    while !stop.load(Ordering::Relaxed) {
        let lines: String = (n_events..n_events + 200).map(event).collect();
        file.write_all(lines.as_bytes()).unwrap();
        n_events += 200;
        let_pass(Duration::from_millis(5));
        // As a program does that is told to open its log anew.
        let is_moved = fs::metadata(path).is_ok_and(|there| there.ino() != file.metadata().unwrap().ino());
        if is_moved || !path.exists() {
            file = open();
        }
    }
    n_events
}

fn rotate(config: &Path, state: &Path) {
    let ran = Command::new("logrotate").arg("--force").arg("--state").args([state, config]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// Returns how often each number is in the events of a file, decompressed if need be.
fn numbers(path: &Path, found: &mut HashMap<u64, u32>) {
    let mut bytes = Vec::new();
    let file = File::open(path).unwrap();
    if path.extension().is_some_and(|ending| ending == "gz") {
        flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    } else {
        { file }.read_to_end(&mut bytes).unwrap();
    }
    for line in String::from_utf8(bytes).unwrap().lines() {
        let number =
            serde_json::from_str::<serde_json::Value>(line).ok().and_then(|event| event["n"].as_u64());
        if let Some(number) = number {
            *found.entry(number).or_default() += 1;
        }
    }
}

fn in_directory(directory: &Path) -> HashMap<u64, u32> {
    let mut found = HashMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        numbers(&entry.unwrap().path(), &mut found);
    }
    found
}

#[track_caller]
fn check(options: &str) {
    let scratch = Scratch::new();
    let logs = scratch.path("logs");
    fs::create_dir_all(&logs).unwrap();
    let log = logs.join("shop.ndjson");
    let config: PathBuf = scratch
        .write("logrotate.conf", format!("{} {{\n rotate 1000\n missingok\n {options}\n}}\n", log.display()));
    let stop = AtomicBool::new(false);
    let started = Instant::now();
    let (n_written, n_kills) = thread::scope(|scope| {
        let writer = scope.spawn(|| write_events(&log, &stop));
        let rotating = scope.spawn(|| {
            while started.elapsed() < LOAD {
                let_pass(Duration::from_secs(1));
                rotate(&config, &scratch.path("logrotate.state"));
            }
        });
        let mut n_kills = 0;
        for life in LIVES.into_iter().cycle() {
            let daemon = start(&scratch);
            let_pass(Duration::from_millis(life));
            daemon.signal(Signal::KILL);
            daemon.wait();
            n_kills += 1;
            if started.elapsed() >= LOAD {
                break;
            }
        }
        rotating.join().unwrap();
        stop.store(true, Ordering::Relaxed);
        (writer.join().unwrap(), n_kills)
    });
    let owed = in_directory(&logs);
    assert!(owed.len() as u64 > n_written / 2, "logrotate lost most of it: {} of {n_written}", owed.len());

    let daemon = start(&scratch);
    let output = scratch.path("out/followed.ndjson");
    poll_until("all events are in the output", Duration::from_secs(60), || {
        // Reading it all takes the time that the daemon needs.
        let_pass(Duration::from_millis(200));
        let mut delivered = HashMap::new();
        numbers(&output, &mut delivered);
        owed.keys().all(|number| delivered.contains_key(number)).then_some(())
    });
    daemon.signal(Signal::TERM);
    let ran = daemon.wait();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    assert!(n_kills > 1, "it was killed {n_kills} times only");
}

#[test]
fn renamed_by_logrotate() {
    check("create");
}

#[test]
fn renamed_and_compressed_by_logrotate() {
    check("create\n compress\n delaycompress");
}

#[test]
fn copied_and_truncated_by_logrotate() {
    check("copytruncate");
}

#[test]
fn copied_truncated_and_compressed_by_logrotate() {
    check("copytruncate\n compress");
}
