//! Sinks that end before their time.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::thread::{self, JoinHandle};

use logweir_testkit::process::{Run, Signal, http_get, poll_until};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;

use crate::rig::{
    Feeder, SOON, admin, check_first_events, endless_events, event, failed, logged, logweir, make_fifo,
    n_lines, pipeline, sample, succeeded, summaries, watched_pipeline,
};

const PASS: &str = "source: {stdin: {}}\nsink: {stdout: {}}\n";

#[test]
fn a_reader_that_has_enough_ends_the_run_quietly() {
    let scratch = Scratch::new();
    let mut running = pipeline(&scratch, PASS).hold_stdin().hold_stdout().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    let mut stdout = BufReader::new(running.take_stdout().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, event(0));
    drop(stdout);
    assert!(feeder.finish().is_none(), "the input has no end");
    let ran = running.wait();
    let summary = succeeded(&ran);
    assert_eq!(n_lines(&ran.stderr), 1, "{}", ran.stderr_text());
    let (read, written) = (summary.n_whole_events(), summary.count("written"));
    assert!(written >= 1 && written < read, "{}", summary.0);
    assert_eq!(summary.count("failed"), read - written);
}

#[test]
fn head_in_a_shell_is_no_failure() {
    let scratch = Scratch::new();
    scratch.write("p.yaml", PASS);
    scratch.write("in.ndjson", EVENTS.repeat(4));
    // POSIX sh has no `pipefail`, so the exit code takes the way around a file.
    let script = "{ \"$0\" run --quiet p.yaml < in.ndjson; echo $? > code; } | head -n 1 | wc -l";
    let ran = Run::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_logweir")])
        .dir(scratch.dir())
        .deadline(SOON)
        .output();
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), "1");
    assert_eq!((ran.stderr_text().as_str(), scratch.read("code")), ("", b"0\n".to_vec()));
}

#[test]
fn a_line_that_was_half_read_when_the_reader_left_is_no_malformed_one() {
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nsink: {stdout: {}}\ndead_letter: {file: {path: dead.txt}}\n";
    scratch.write("p.yaml", yaml);
    scratch.write("in.ndjson", EVENTS.repeat(20));
    let command = format!(
        "cat in.ndjson | '{}' run --quiet --summary json p.yaml | head -n 1",
        env!("CARGO_BIN_EXE_logweir"),
    );
    let ran = Run::new("sh").args(["-c", &command]).dir(scratch.dir()).output();
    let summary = &crate::rig::summaries(&ran)[0];
    assert_eq!(summary.count("malformed.not_json"), 0, "{}", ran.stderr_text());
    assert!(summary.count("failed") > 0, "{}", ran.stderr_text());
    summary.check_balanced();
    assert!(scratch.read("dead.txt").is_empty());
}

#[test]
fn other_pipelines_end_well_when_a_reader_has_enough() {
    let scratch = Scratch::new();
    scratch.write("in.ndjson", EVENTS);
    scratch.write("a.yaml", PASS);
    scratch.write(
        "b.yaml",
        "source: {file: {include: [in.ndjson], read: once}}\nsink: {file: {path: out.ndjson}}\n",
    );
    let args = ["run", "--quiet", "--summary", "json", "a.yaml", "b.yaml"];
    let mut running = logweir(args).dir(scratch.dir()).hold_stdin().hold_stdout().start();
    drop(running.take_stdout());
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    assert!(feeder.finish().is_none());
    let ran = running.wait();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let summaries = summaries(&ran);
    for summary in &summaries {
        summary.check_balanced();
    }
    assert_eq!(summaries[0].count("written"), 0);
    assert!(scratch.read("out.ndjson") == EVENTS);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_waited_for_and_told_and_what_it_did_not_take_by_the_deadline_has_failed() {
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nsink: {file: {path: /dev/full}}\nshutdown: {deadline: 200 ms}\n";
    let running = watched_pipeline(&scratch, yaml).stdin(EVENTS).start();
    let address = admin(&running);
    let labels = "pipeline=\"pipeline\",component=\"sink.file\"";
    poll_until("it waits", SOON, || {
        (sample(address, &format!("logweir_component_waiting{{{labels}}}")) == 1).then_some(())
    });
    let (status, body) = http_get(address, "/readyz").unwrap();
    assert_eq!(status, 503);
    assert!(body.starts_with("pipeline: sink.file: ") && body.contains("No space left"), "{body}");
    assert!(sample(address, &format!("logweir_component_errors_total{{{labels},kind=\"full\"}}")) > 0);
    running.signal(Signal::TERM);
    let ran = running.wait();
    let summary = failed(&ran);
    assert!(ran.stderr_text().contains("cannot write to /dev/full"), "{}", ran.stderr_text());
    assert_eq!(summary.count("written"), 0);
    assert!(
        summary.count("failed") > 0 && summary.count("failed") == summary.n_whole_events(),
        "{}",
        summary.0
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_behind_stdout_is_no_reader_that_has_enough() {
    let scratch = Scratch::new();
    scratch.write("p.yaml", format!("{PASS}shutdown: {{deadline: 200 ms}}\n"));
    let script = "exec \"$0\" run --log-format json --summary json p.yaml > /dev/full";
    let args = ["-c", script, env!("CARGO_BIN_EXE_logweir")];
    let running = Run::new("sh").args(args).dir(scratch.dir()).stdin(EVENTS).deadline(SOON).start();
    logged(&running, "the pipeline waits for it");
    running.signal(Signal::TERM);
    let ran = running.wait();
    let summary = failed(&ran);
    assert!(ran.stderr_text().contains("cannot write to stdout"), "{}", ran.stderr_text());
    assert_eq!(summary.count("failed"), summary.n_whole_events());
}

/// Makes a named pipe whose reader leaves after the first bytes: what is written then fails.
fn make_pipe_with_leaving_reader(scratch: &Scratch, name: &str) -> JoinHandle<()> {
    make_fifo(scratch, name);
    let path = scratch.path(name);
    thread::spawn(move || File::open(path).unwrap().read_exact(&mut [0; 100]).unwrap())
}

#[test]
fn a_pipeline_that_fails_harms_no_other_in_the_process() {
    let scratch = Scratch::new();
    // More than a pipe holds.
    scratch.write("in.ndjson", EVENTS.repeat(64));
    let source = "source: {file: {include: [in.ndjson], read: once}}";
    let reader = make_pipe_with_leaving_reader(&scratch, "pipe");
    scratch.write("bad.yaml", format!("{source}\nsink: {{file: {{path: pipe}}}}\n"));
    scratch.write("good.yaml", format!("{source}\nsink: {{file: {{path: out.ndjson}}}}\n"));
    let args = ["run", "--quiet", "--summary", "json", "bad.yaml", "good.yaml"];
    let ran = logweir(args).dir(scratch.dir()).output();
    reader.join().unwrap();
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    let summaries = summaries(&ran);
    for summary in &summaries {
        summary.check_balanced();
    }
    assert!(summaries[0].count("failed") > 0, "{}", summaries[0].0);
    assert_eq!((summaries[1].count("failed"), summaries[1].count("written")), (0, 64 * 176));
    assert!(scratch.read("out.ndjson") == EVENTS.repeat(64));
    assert!(
        ran.stderr_text().contains("bad") && ran.stderr_text().contains("cannot write to pipe"),
        "{}",
        ran.stderr_text()
    );
}

#[test]
fn a_failed_output_is_named_and_the_other_gets_what_was_read() {
    let scratch = Scratch::new();
    let reader = make_pipe_with_leaving_reader(&scratch, "pipe");
    let yaml = "source: {stdin: {}}\noutputs: [{name: bad, sink: {file: {path: pipe}}}, \
                {name: good, sink: {stdout: {}}}]\n";
    let mut running = pipeline(&scratch, yaml).hold_stdin().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    assert!(feeder.finish().is_none(), "the input has no end");
    let ran = running.wait();
    reader.join().unwrap();
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("outputs.bad.sink.file"), "{}", ran.stderr_text());
    let summary = crate::rig::summary(&ran);
    let (bad, good) = (summary.output("bad"), summary.output("good"));
    assert_eq!(summary.0["balanced"], true, "{}", summary.0);
    assert_eq!(bad.count("failed"), summary.n_whole_events() - bad.count("written"));
    assert_eq!((good.count("failed"), good.count("written")), (0, summary.n_whole_events()));
    assert!(bad.count("failed") > 0);
    assert_eq!(check_first_events(&ran.stdout), good.count("written"));
}

#[test]
fn a_sink_that_cannot_be_opened_stops_the_start() {
    let scratch = Scratch::new();
    scratch.write("file", "");
    let yaml = "source: {stdin: {}}\nsink: {file: {path: file/out.ndjson}}\n";
    let ran = pipeline(&scratch, yaml).stdin("{}\n").output();
    assert_eq!(ran.code(), Some(1));
    assert!(
        ran.stderr_text().contains("sink.file") && ran.stderr_text().contains("file"),
        "{}",
        ran.stderr_text()
    );
    assert_eq!(ran.stderr_text().lines().last(), Some(r#"{"pipelines":[]}"#), "nothing has run");
}

#[test]
fn a_slow_reader_gets_everything() {
    let scratch = Scratch::new();
    let mut running = pipeline(&scratch, PASS).hold_stdin().hold_stdout().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events().take(1000));
    let mut stdout = running.take_stdout().unwrap();
    feeder.wait_until_stalled();
    let mut out = Vec::new();
    let mut buffer = [0; 999];
    while out.len() < 1000 * 100 * event(0).len() {
        let n_read = stdout.read(&mut buffer).unwrap();
        if n_read == 0 || feeder.n_taken() == 1000 * 100 * event(0).len() as u64 {
            out.extend_from_slice(&buffer[..n_read]);
            break;
        }
        out.extend_from_slice(&buffer[..n_read]);
    }
    drop(feeder.finish());
    stdout.read_to_end(&mut out).unwrap();
    assert_eq!(succeeded(&running.wait()).count("written"), 100_000);
    assert_eq!(check_first_events(&out), 100_000);
}
