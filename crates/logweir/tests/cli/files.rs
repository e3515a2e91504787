//! Files that cannot be read, or not to their end: named, counted, and no harm to the others.

use std::fs::{self, File};
use std::os::unix::net::UnixListener;

use logweir_testkit::process::{Ran, Run, Signal, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::rig::{
    Feeder, SOON, admin, append, endless_events, event, failed, follow, logged, n_lines, pipeline, sample,
    succeeded, watched_pipeline,
};

const GOOD: &str = "{\"n\":1}\n";

/// Runs a pipeline over `include` and a good file.
fn run_with_good(scratch: &Scratch, include: &str) -> Ran {
    scratch.write("good.ndjson", GOOD);
    let source = format!("source: {{file: {{include: [{include}, good.ndjson], read: once}}}}");
    pipeline(scratch, &format!("{source}\nsink: {{stdout: {{}}}}\n")).output()
}

/// Checks that a file is named in an error that says `why`, and that the good one is still read.
#[track_caller]
fn check_named(scratch: &Scratch, include: &str, name: &str, why: &str) {
    let ran = run_with_good(scratch, include);
    let stderr = ran.stderr_text();
    assert!(stderr.contains(name) && stderr.contains(why), "{stderr}");
    assert_eq!(failed(&ran).count("written"), 1);
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), GOOD);
}

#[test]
fn a_missing_file_is_named() {
    check_named(&Scratch::new(), "absent.ndjson", "absent.ndjson", "No such file");
}

#[test]
fn a_directory_is_named() {
    let scratch = Scratch::new();
    scratch.write("logs/x.ndjson", GOOD);
    check_named(&scratch, "logs", "logs", "is a directory");
}

#[test]
fn a_pattern_that_matches_nothing_is_named() {
    check_named(&Scratch::new(), "\"day-*.ndjson\"", "day-*.ndjson", "no file matches");
}

#[test]
fn a_file_that_cannot_be_opened_is_named() {
    // Root may open what nobody else may, but neither follows a link to itself nor reads a socket.
    let scratch = Scratch::new();
    std::os::unix::fs::symlink("loop.ndjson", scratch.path("loop.ndjson")).unwrap();
    check_named(&scratch, "loop.ndjson", "loop.ndjson", "cannot open");
    let _socket = UnixListener::bind(scratch.path("socket")).unwrap();
    check_named(&scratch, "socket", "socket", "is a socket");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_fails_while_it_is_read_is_named() {
    // Address 0 of a process is not mapped, so reading its memory from there fails.
    check_named(&Scratch::new(), "/proc/self/mem", "/proc/self/mem", "cannot read");
}

#[test]
fn a_file_under_two_names_is_read_once() {
    let scratch = Scratch::new();
    scratch.write("good.ndjson", GOOD);
    std::os::unix::fs::symlink("good.ndjson", scratch.path("again.ndjson")).unwrap();
    let ran = run_with_good(&scratch, "again.ndjson, \"*.ndjson\"");
    assert_eq!(succeeded(&ran).count("read"), 1);
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_named_and_the_next_is_read() {
    let scratch = Scratch::new();
    let bytes: Vec<u8> = endless_events().take(500).flatten().collect();
    let path = scratch.write("a.ndjson", &bytes);
    scratch.write("b.ndjson", GOOD);
    let yaml = "source: {file: {include: [a.ndjson, b.ndjson], read: once}}\nsink: {stdout: {}}\n\
                limits: {chunk_bytes: 4 KiB, held_bytes: 8 KiB, decoders: 1}";
    let mut running = watched_pipeline(&scratch, yaml).hold_stdout().start();
    let stdout = running.take_stdout().unwrap();
    let address = admin(&running);
    let n_read = || sample(address, "logweir_bytes_read_total{pipeline=\"pipeline\"}");
    poll_until("the file is being read", SOON, || (n_read() > 0).then_some(()));
    // Nobody reads what comes out: less than a tenth of the file has been read, and now it ends in the middle of it.
    assert!(n_read() < bytes.len() as u64 / 10);
    let n_left = bytes.len() as u64 / 2;
    File::options().write(true).open(&path).unwrap().set_len(n_left).unwrap();

    let reader = std::thread::spawn(move || std::io::read_to_string(stdout).unwrap());
    let ran = running.wait();
    let stdout = reader.join().unwrap();
    let summary = failed(&ran);
    assert!(ran.stderr_text().contains("a.ndjson ended at byte"), "{}", ran.stderr_text());
    // All whole lines of the half that was left, and the other file.
    let half = &bytes[..n_left as usize];
    let n_whole = n_lines(half) as u64;
    let expected: String = (0..n_whole).map(event).chain([GOOD.to_owned()]).collect();
    assert!(stdout == expected, "{} lines instead of {}", stdout.lines().count(), n_whole + 1);
    assert_eq!(summary.count("malformed.not_json"), u64::from(!half.ends_with(b"\n")));
    assert_eq!(summary.count("bytes_in"), n_left + GOOD.len() as u64);
}

#[test]
fn a_named_pipe_is_read_until_its_writer_is_gone() {
    let scratch = Scratch::new();
    let path = scratch.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writer = std::thread::spawn(move || fs::write(path, GOOD).unwrap());
    let yaml = "source: {file: {include: [pipe], read: once}}\nsink: {stdout: {}}\n";
    let ran = pipeline(&scratch, yaml).output();
    assert_eq!(succeeded(&ran).count("written"), 1);
    writer.join().unwrap();
}

#[test]
fn standard_input_may_come_in_any_pieces() {
    let scratch = Scratch::new();
    let mut running = pipeline(&scratch, "source: {stdin: {}}\nsink: {stdout: {}}\n").hold_stdin().start();
    let bytes: Vec<u8> = endless_events().take(2).flatten().collect();
    let pieces: Vec<Vec<u8>> = bytes.chunks(97).map(<[u8]>::to_vec).collect();
    drop(Feeder::start(running.take_stdin().unwrap(), pieces.into_iter()).finish());
    let ran = running.wait();
    assert_eq!(succeeded(&ran).count("written"), 200);
    assert!(ran.stdout == bytes);
}

#[test]
fn a_pattern_of_the_working_directory_does_not_take_in_the_output() {
    let scratch = Scratch::new();
    scratch.write("a.ndjson", GOOD);
    let yaml = "source: {file: {include: ['*.ndjson'], read: once}}\nsink: {file: {path: out.ndjson}}\n";
    let ran = pipeline(&scratch, yaml).output();
    assert_eq!(ran.code(), Some(2), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("this file is read by a source as well"), "{}", ran.stderr_text());
}

#[test]
fn an_output_found_by_a_winding_way_is_named_and_not_read() {
    let scratch = Scratch::new();
    scratch.write("s/a.ndjson", GOOD);
    scratch.write("in.ndjson", GOOD);
    let yaml =
        "source: {file: {include: ['s*/../*.ndjson'], read: once}}\nsink: {file: {path: out.ndjson}}\n";
    let ran = pipeline(&scratch, yaml).output();
    assert!(ran.stderr_text().contains("is written to by this process"), "{}", ran.stderr_text());
    assert_eq!(failed(&ran).count("written"), 1);
    assert_eq!(scratch.read("out.ndjson"), GOOD.as_bytes());
}

#[test]
fn a_shell_that_appends_a_file_to_itself_is_stopped() {
    let scratch = Scratch::new();
    scratch.write("p.yaml", "source: {stdin: {}}\nsink: {stdout: {}}\n");
    scratch.write("f.ndjson", GOOD.repeat(100_000));
    let command = format!("'{}' run --quiet p.yaml < f.ndjson >> f.ndjson", env!("CARGO_BIN_EXE_logweir"));
    let ran = Run::new("sh").args(["-c", &command]).dir(scratch.dir()).output();
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stderr_text().contains("stdin is written to by this process"), "{}", ran.stderr_text());
    assert_eq!(scratch.read("f.ndjson").len(), GOOD.len() * 100_000);
}

#[test]
fn two_names_of_standard_output_are_one_output() {
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\noutputs:\n  - {name: a, sink: {stdout: {}}}\n  \
                - {name: b, sink: {file: {path: /dev/stdout}}}\n";
    let ran = pipeline(&scratch, yaml).stdin(GOOD).output();
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("writes to the same file"), "{}", ran.stderr_text());
}

#[test]
fn a_named_pipe_needs_no_reader_where_there_is_nothing_to_write() {
    let scratch = Scratch::new();
    assert_eq!(Run::new("mkfifo").args(["pipe"]).dir(scratch.dir()).output().code(), Some(0));
    let yaml = "source: {stdin: {}}\nsink: {file: {path: pipe}}\n";
    assert_eq!(succeeded(&pipeline(&scratch, yaml).stdin("[]\n").output()).count("read"), 1);
}

#[test]
fn that_there_is_no_file_yet_is_said_and_files_that_come_are_read() {
    let scratch = Scratch::new();
    let running = watched_pipeline(&scratch, &follow(&scratch, "sink: {stdout: {}}\n")).start();
    logged(&running, "no file is there yet that include matches");
    append(&scratch, "in/a", event(0));
    poll_until("the event is written", SOON, || (!running.stdout_so_far().is_empty()).then_some(()));
    running.signal(Signal::TERM);
    succeeded(&running.wait());
}
