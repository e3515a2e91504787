//! The example pipelines do what their first lines say.

use std::fs;

use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{self, Outcome, Stage};
use logweir_testkit::process::{Run, Signal, poll_until};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;

use crate::rig::{Feeder, SOON, Summary, admin, get, logweir, sample, succeeded, summary, workspace};

const NOT_OK: &str = r#"{"where":{"key":"Outcome","operator":"!eq","value":"ok"}}"#;

/// Returns a run of an example from the root of the workspace, writing to the scratch directory.
pub(crate) fn example(name: &str, scratch: &Scratch) -> Run {
    let file = format!("pipelines/{name}.yaml");
    let run = logweir(["run", "--log-format", "json", "--summary", "json", &file]).dir(workspace());
    run.env("OUT", scratch.dir()).env("LISTEN", "127.0.0.1:0")
}

fn shipped_events() -> Vec<u8> {
    fs::read(workspace().join("pipelines/quickstart.ndjson")).unwrap()
}

pub(crate) fn cut(limit: usize) -> Stage {
    Stage::Truncate { limit, unit: Unit::Chars }
}

pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[track_caller]
pub(crate) fn check(summary: &Summary, output: &[u8], expected: &Outcome) {
    assert!(expected.written > 0, "an example that writes nothing shows nothing");
    assert_eq!(String::from_utf8_lossy(output), String::from_utf8_lossy(&expected.output));
    let counts = ["read", "written", "filtered", "sampled_out", "truncated"].map(|key| summary.count(key));
    let [read, written] = [expected.read, expected.written];
    assert_eq!(counts, [read, written, expected.filtered, expected.sampled_out, expected.truncated]);
}

#[test]
fn every_example_is_run_by_a_test() {
    let mut files: Vec<_> = fs::read_dir(workspace().join("pipelines"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
        .collect();
    files.sort_unstable();
    let known = [
        "archive",
        "cheaper",
        "errors",
        "fan-out",
        "follow",
        "logpush",
        "logpush-job",
        "quickstart",
        "watched",
    ];
    assert_eq!(files, known);
}

#[test]
fn quickstart() {
    let ran = example("quickstart", &Scratch::new()).output();
    let filter = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#.to_owned();
    let expected = oracle::run(&[Stage::Filter(filter), cut(200)], None, &shipped_events(), 4 << 20);
    assert!(expected.filtered > 0 && expected.truncated > 0, "{expected:?}");
    check(&succeeded(&ran), &ran.stdout, &expected);
}

#[test]
fn errors() {
    let filter = r#"{"where":{"or":[{"key":"Outcome","operator":"!eq","value":"ok"},
        {"key":"Event.Response.Status","operator":"geq","value":500}]}}"#;
    let ran = example("errors", &Scratch::new()).stdin(EVENTS).output();
    check(
        &succeeded(&ran),
        &ran.stdout,
        &oracle::run(&[Stage::Filter(filter.to_owned())], None, EVENTS, 4 << 20),
    );
}

#[test]
fn follow() {
    let scratch = Scratch::new();
    let run =
        || example("follow", &scratch).env("LOGS", scratch.path("logs")).env("STATE", scratch.path("state"));
    let expected = oracle::run(&[cut(16_384)], None, EVENTS, 4 << 20);
    let mut output = Vec::new();
    // A second run goes on where the first one ended.
    for name in ["a.ndjson", "b.ndjson"] {
        scratch.write(format!("logs/{name}"), EVENTS);
        output.extend_from_slice(&expected.output);
        let running = run().start();
        poll_until("all is delivered", SOON, || {
            let written = fs::metadata(scratch.path("followed.ndjson")).map_or(0, |file| file.len());
            (written >= output.len() as u64).then_some(())
        });
        running.signal(Signal::TERM);
        check(&succeeded(&running.wait()), &expected.output, &expected);
        assert_eq!(scratch.read("followed.ndjson"), output);
    }
    assert_eq!(scratch.read("followed-no-events.txt"), b"");
}

#[test]
fn logpush() {
    // The events of the sample all come from the script that the example leaves out.
    let input = String::from_utf8(EVENTS.to_vec())
        .unwrap()
        .replace("\"ScriptName\":\"log-lab\"", "\"ScriptName\":\"shop\"");
    let filter = r#"{"where":{"and":[{"key":"Outcome","operator":"!eq","value":"exception"},
        {"key":"ScriptName","operator":"!eq","value":"log-lab"}]}}"#;
    let sample = Stage::Sample { rate: 0.5, key: None, seed: 0, always_keep: None };
    let fields = names(&["Event", "EventTimestampMs", "Outcome", "Exceptions", "Logs", "ScriptName"]);
    let stages = [Stage::Filter(filter.to_owned()), sample, cut(16_384)];
    let ran = example("logpush", &Scratch::new()).stdin(input.clone()).output();
    let expected = oracle::run(&stages, Some(&fields), input.as_bytes(), 4 << 20);
    assert!(expected.sampled_out > 0, "{expected:?}");
    check(&succeeded(&ran), &ran.stdout, &expected);
}

#[test]
fn cheaper() {
    let scratch = Scratch::new();
    let events = scratch.write("in.ndjson", EVENTS);
    let sample = Stage::SampleStrata {
        rate: 0.1,
        rates: vec![(NOT_OK.to_owned(), 1.0)],
        key: Some("Event.RayID".to_owned()),
        seed: 0,
        always_keep: None,
        weight_field: Some("SampleInterval".to_owned()),
    };
    let ran = example("cheaper", &scratch).env("EVENTS", events).output();
    let expected = oracle::run(&[sample, cut(4096)], None, EVENTS, 4 << 20);
    check(&succeeded(&ran), &scratch.read("cheaper.ndjson"), &expected);
}

#[test]
fn fan_out() {
    let scratch = Scratch::new();
    let events = scratch.write("in.ndjson", [EVENTS, b"no event\n"].concat());
    let ran = example("fan-out", &scratch).env("EVENTS", events).output();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let summary = summary(&ran);
    assert_eq!((summary.count("read"), summary.count("forwarded")), (177, 176));
    assert_eq!(summary.0["balanced"], true, "{}", summary.0);
    assert_eq!(scratch.read("no-events.txt"), b"no event\n");

    let fields = names(&["EventTimestampMs", "ScriptName", "Outcome", "Exceptions", "Logs"]);
    let archive = oracle::run(&[cut(1024)], Some(&fields), EVENTS, 4 << 20);
    let on_call = oracle::run(&[Stage::Filter(NOT_OK.to_owned())], None, EVENTS, 4 << 20);
    for (name, expected) in [("archive", archive), ("on-call", on_call)] {
        let output = summary.output(name);
        assert!(scratch.read(format!("{name}.ndjson")) == expected.output, "{name}");
        let counts = ["received", "written", "filtered", "failed"].map(|key| output.count(key));
        assert_eq!(counts, [176, expected.written, expected.filtered, 0], "{name}");
    }
}

#[test]
fn watched() {
    let mut running = example("watched", &Scratch::new()).hold_stdin().start();
    let address = admin(&running);
    let feeder = Feeder::start(running.take_stdin().unwrap(), std::iter::once(EVENTS));
    poll_until("all events are counted as written", SOON, || {
        (sample(address, "logweir_events_written_total{pipeline=\"watched\"}") == 176).then_some(())
    });
    assert_eq!(get(address, "/readyz"), "ready\n");
    drop(feeder.finish());
    let ran = running.wait();
    check(&succeeded(&ran), &ran.stdout, &oracle::run(&[cut(16_384)], None, EVENTS, 4 << 20));
}

#[test]
fn the_readme_shows_what_the_quickstart_says() {
    let ran = logweir(["run", "pipelines/quickstart.yaml"]).dir(workspace()).output();
    let readme = std::fs::read_to_string(workspace().join("README.md")).unwrap();
    let stderr = ran.stderr_text();
    // The rows of the table are indented; the line above them has the time.
    let rows: Vec<_> = stderr.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(rows.len(), 8, "{stderr}");
    for row in rows {
        assert!(readme.lines().any(|line| line == row), "{row}");
    }
}
