//! `logweir explain`: its answer is what `run` does, and reads as it should.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;

use logweir_testkit::compress::gzip;
use logweir_testkit::generate::{Workload, write};
use logweir_testkit::process::Ran;
use logweir_testkit::samples::{DEEP, EVENTS, EXAMPLE_IN, truncate_cases};
use logweir_testkit::scratch::Scratch;
use logweir_testkit::strategies::{any_filter, any_stream};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::rig::{logweir, pipeline, succeeded};

/// Everything that there is to explain: filters with `and` and `or`, strata and weights, cutting, and two outputs, one of
/// which writes some fields. Nothing that it names exists.
const PIPELINE: &str = r#"
source: { file: { include: ["/nonexistent/*.ndjson"] } }
state_dir: /nonexistent/state
stages:
  - filter:
      where:
        or:
          - { key: Outcome, operator: "!eq", value: ok }
          - and:
              - { key: Event.Response.Status, operator: geq, value: 500 }
              - { key: ScriptName, operator: in, value: [checkout, cart] }
  - truncate: { limit: 50, report: Truncation }
  - sample:
      rate: 0.1
      rates: [{ where: { key: Outcome, operator: eq, value: exceededCpu }, rate: 0.5 }]
      key: Event.RayID
      weight_field: SampleInterval
      always_keep: { where: { key: Exceptions, operator: "!eq", value: "" } }
outputs:
  - name: all
    sink: { file: { path: /nonexistent/out/all.ndjson } }
  - name: short
    stages:
      - filter: { where: { key: Outcome, operator: eq, value: Exception } }
    encode: { field_names: [Outcome, ScriptName] }
    sink: { file: { path: /nonexistent/out/short.ndjson } }
dead_letter: { file: { path: /nonexistent/out/dead.ndjson } }
"#;

/// A pipeline with one stage and one sink.
fn with_stages(stages: &str) -> String {
    format!("source: {{ stdin: {{}} }}\nstages: {stages}\nsink: {{ stdout: {{}} }}\n")
}

/// Explains events that come by standard input.
fn explain(yaml: &str, args: &[&str], events: impl Into<Vec<u8>>) -> Ran {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", yaml);
    let args = [&["explain"], args, &["pipeline.yaml"]].concat();
    let ran = logweir(args).dir(scratch.dir()).stdin(events).output();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    ran
}

fn text(ran: &Ran) -> String {
    String::from_utf8(ran.stdout.clone()).unwrap()
}

/// Returns the objects that `--json` prints.
fn objects(ran: &Ran) -> Vec<Value> {
    text(ran).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Returns how many events an output fared so, by fate, and all that is written to it.
fn fates(objects: &[Value], output: usize) -> (BTreeMap<String, u64>, String) {
    let (mut fates, mut written) = (BTreeMap::new(), String::new());
    for object in objects {
        let output = &object["outputs"][output];
        let fate = output["fate"].as_str().unwrap();
        *fates.entry(fate.to_owned()).or_insert(0) += 1;
        assert_eq!(fate == "written", output["written"].is_string() && output["why"].is_null(), "{object}");
        written.push_str(output["written"].as_str().unwrap_or_default());
    }
    (fates, written)
}

/// Checks that a run writes what was explained, and counts each event where it was said to end.
#[track_caller]
fn check_same_as_run(yaml: &str, events: &[u8]) {
    let (fates, written) = fates(&objects(&explain(yaml, &["--json"], events)), 0);
    let scratch = Scratch::new();
    let ran = pipeline(&scratch, yaml).stdin(events).output();
    let summary = succeeded(&ran);
    assert_eq!(String::from_utf8_lossy(&ran.stdout), written);
    for (fate, key) in [
        ("written", "written"),
        ("filtered", "filtered"),
        ("sampled_out", "sampled_out"),
        ("not_utf8", "malformed.not_utf8"),
        ("not_json", "malformed.not_json"),
        ("not_object", "malformed.not_object"),
        ("oversized", "oversized"),
    ] {
        assert_eq!(fates.get(fate).copied().unwrap_or(0), summary.count(key), "{fate}: {}", summary.0);
    }
    assert_eq!(fates.values().sum::<u64>(), summary.count("read"));
}

const EVENTS_OF_ALL_KINDS: &str = r#"{"Outcome":"ok","ScriptName":"checkout","Event":{"RayID":"8a1f","Response":{"Status":200}}}

{"Outcome":"exception","ScriptName":"cart","Event":{"RayID":"8a20"},"Logs":[{"Message":["a long text of more than fifty characters, counted one by one",7]}]}
{"Outcome":"exceededCpu","Event":{"RayID":"8a21","Response":{"Status":"503"}},"Exceptions":[]}
{"Outcome":"ok","Outcome":"canceled","ScriptName":"caf\u00e9","SampleInterval":4,"Exceptions":""}
{"Outcome":"canceled","Exceptions":"","Event":{"RayID":"x5"}}
{"Outcome": broken}
["no object"]
"#;

#[test]
fn it_says_in_words_what_each_stage_did_and_why() {
    insta::assert_snapshot!("words", text(&explain(PIPELINE, &[], EVENTS_OF_ALL_KINDS)));
}

#[test]
fn it_says_the_same_in_json() {
    let lines: Vec<_> = objects(&explain(PIPELINE, &["--json"], EVENTS_OF_ALL_KINDS))
        .iter()
        .map(|object| format!("{object:#}"))
        .collect();
    insta::assert_snapshot!("json", lines.join("\n"));
}

#[test]
fn it_shows_where_the_characters_of_the_documented_example_went() {
    let ran = explain(&with_stages("[truncate: { limit: 50 }]"), &[], EXAMPLE_IN);
    insta::assert_snapshot!("documented_example", text(&ran));
}

#[test]
fn it_says_where_a_line_is_no_event() {
    let lines = b"{\"a\":1,}\n{\"a\":\"\xff\"}\n42\n{\"a\":1} {}\n{\"a\n{\"long\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n";
    let yaml = format!("{}limits: {{ max_event_bytes: 20 }}\n", with_stages("[]"));
    insta::assert_snapshot!("malformed", text(&explain(&yaml, &[], *lines)));
}

#[test]
fn each_worked_case_of_cutting_is_explained_as_it_is_run() {
    let mut by_limit: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    for case in truncate_cases() {
        by_limit.entry(case.limit).or_default().extend(format!("{}\n", case.input).bytes());
    }
    assert!(by_limit.len() > 3);
    for (limit, events) in by_limit {
        let yaml = with_stages(&format!("[truncate: {{ limit: {limit} }}]"));
        check_same_as_run(&yaml, &events);
        for object in objects(&explain(&yaml, &["--json", "--only", "cut"], events)) {
            let truncate = &object["stages"][0]["truncate"];
            let texts = truncate["texts"].as_array().unwrap();
            let kept: u64 = texts.iter().map(|text| text["kept"].as_u64().unwrap()).sum();
            assert!(kept <= limit as u64, "{truncate:#}");
            assert!(texts.iter().any(|text| text["fate"] != "whole"), "{truncate:#}");
        }
    }
}

#[test]
fn real_and_generated_events_are_explained_as_they_are_run() {
    let stages = r#"[
        filter: { where: { or: [{ key: Outcome, operator: "!eq", value: ok }, { key: CPUTimeMs, operator: gt, value: 3 }] } },
        sample: { rate: 0.3, key: Event.RayID, weight_field: W, rates: [{ where: { key: Outcome, operator: "!eq", value: ok }, rate: 0.8 }] },
        truncate: { limit: 60 }]"#;
    let mut events = [EVENTS, DEEP].concat();
    write(Workload::Mix, 5, 300_000, &mut events).unwrap();
    check_same_as_run(&with_stages(stages), &events);
}

proptest! {
    // Each case starts two processes.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_events_are_explained_as_they_are_run(
        filter in any_filter(),
        stream in prop::collection::vec(any_stream(), 1..5),
        limit in 0..60u64,
        max_event_bytes in prop_oneof![Just(4usize << 20), 10..400usize],
        rate in 0.3..1.0f64,
    ) {
        let file = json!({
            "source": { "stdin": {} },
            "stages": [
                { "truncate": { "limit": limit } },
                { "sample": { "rate": rate, "key": "Outcome", "always_keep": filter } },
                { "filter": filter },
            ],
            "encode": { "field_names": ["Outcome", "Logs", "Exceptions", "Event"] },
            "sink": { "stdout": {} },
            "limits": { "max_event_bytes": max_event_bytes },
        });
        // Characters that may stand in JSON and not in YAML; they only occur inside strings.
        let escape = |c: char| match c {
            '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        };
        let yaml: String = file.to_string().chars().map(escape).collect();
        check_same_as_run(&yaml, &stream.concat());
    }
}

#[test]
fn only_events_of_a_kind_are_explained_and_keep_their_numbers() {
    let numbers = |args: &[&str]| -> Vec<u64> {
        let objects = objects(&explain(PIPELINE, &[&["--json"], args].concat(), EVENTS_OF_ALL_KINDS));
        objects.iter().map(|object| object["event"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers(&[]), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(numbers(&["--limit", "2"]), [1, 2]);
    assert_eq!(numbers(&["--only", "cut"]), [2]);
    assert_eq!(numbers(&["--only", "written", "--limit", "1"]), [2]);
    let dropped = numbers(&["--only", "dropped"]);
    assert_eq!(dropped, [1, 2, 3, 4, 5, 6, 7], "the second output gets none");
    let ran = explain(PIPELINE, &["--only", "cut"], "{}\n");
    assert_eq!(ran.stderr_text(), "standard input: no event is of the kind asked for\n");
    assert_eq!(explain(PIPELINE, &[], "\n \r\n").stderr_text(), "standard input: there is no event\n");
}

#[test]
fn one_of_several_jobs_can_be_asked_about() {
    let job = |name: &str, value: &str| {
        let filter = format!(r#"{{"where":{{"key":"Outcome","operator":"eq","value":"{value}"}}}}"#);
        json!({
            "name": name, "dataset": "workers_trace_events", "enabled": true, "filter": filter,
            "destination_conf": format!("file:///nonexistent/{name}"),
        })
    };
    let file = json!({
        "source": { "file": { "include": ["/nonexistent/*"] } },
        "state_dir": "/nonexistent/state",
        "jobs": [job("fine", "ok"), job("bad", "exception")],
    });
    let event = "{\"Outcome\":\"ok\"}\n";
    let all = objects(&explain(&file.to_string(), &["--json"], event));
    let fates: Vec<_> = all.iter().map(|object| object["outputs"][0]["fate"].as_str().unwrap()).collect();
    assert_eq!(fates, ["written", "filtered"]);
    for name in ["bad", "pipeline.bad"] {
        let one = objects(&explain(&file.to_string(), &["--json", "--job", name], event));
        assert_eq!(one, all[1..]);
    }
    let scratch = Scratch::new();
    scratch.write("jobs.yaml", file.to_string());
    let ran = logweir(["explain", "--pipeline", "worse", "jobs.yaml"]).dir(scratch.dir()).stdin("").output();
    assert_eq!(ran.code(), Some(2));
    assert_eq!(
        ran.stderr_text(),
        "jobs.yaml: there is no pipeline `worse`; there is `jobs.fine`, `jobs.bad`\n"
    );
}

#[test]
fn a_job_that_is_not_enabled_is_explained_if_it_is_asked_for_or_there_is_no_other() {
    let job = |name: &str, enabled: bool| {
        json!({
            "name": name, "dataset": "workers_trace_events", "enabled": enabled,
            "destination_conf": "${NO_SUCH_VARIABLE}",
        })
    };
    let file = |jobs: Value| {
        let source = json!({ "file": { "include": ["/nonexistent/*"] } });
        json!({ "source": source, "state_dir": "/nonexistent", "jobs": jobs }).to_string()
    };
    let of = |ran: &Ran| -> Vec<String> {
        objects(ran).iter().map(|object| object["pipeline"].as_str().unwrap().to_owned()).collect()
    };
    let both = file(json!([job("on", true), job("off", false)]));
    let ran = explain(&both, &["--json"], "{}\n");
    assert_eq!((of(&ran), ran.stderr_text()), (vec![String::from("pipeline.on")], String::new()));
    let note = "note: the job pipeline.off is not enabled: a run does not have it\n";
    for (file, args) in
        [(both, &["--json", "--job", "off"][..]), (file(json!([job("off", false)])), &["--json"])]
    {
        let ran = explain(&file, args, "{}\n");
        assert_eq!((of(&ran), ran.stderr_text().as_str()), (vec![String::from("pipeline.off")], note));
    }
}

#[test]
fn what_stages_do_is_said_wherever_events_come_from_and_go_to() {
    let file = "
source: { file: { include: [\"${NO_SUCH_VARIABLE}\"] } }
stages: [{ filter: { where: { key: Outcome, operator: eq, value: ok } } }]
sink: { s3: { bucket: \"${NO_SUCH_VARIABLE}\", secret_access_key: \"${file:/no/such/file}\" } }
state_dir: \"${NO_SUCH_VARIABLE}\"
dead_letter: { file: { path: \"${NO_SUCH_VARIABLE}\", max_bytes: 1000 } }
admin: { listen: nowhere }
tests: [{ nonsense: true }]
";
    let shown = text(&explain(file, &[], "{\"Outcome\":\"bad\"}\nno event\n"));
    assert!(shown.contains("false  Outcome eq \"ok\"  is \"bad\""), "{shown}");
    assert!(shown.contains("it goes to the dead-letter file"), "{shown}");
}

#[test]
fn what_a_cut_left_out_is_not_mixed_with_what_it_wrote() {
    let log =
        |(at, text): (usize, &str)| format!(r#"{{"Level":"log","Message":["{text}"],"TimestampMs":{at}}}"#);
    let logs: Vec<_> = ["aaaaaaaaaaaaaa", "bbbbbbbbbbbbbb", "ccc"].into_iter().enumerate().map(log).collect();
    let event = format!(r#"{{"Logs":[{}]}}"#, logs.join(","));
    let stages = "[truncate: { limit: 20, report: Truncation }]";
    let shown = text(&explain(&with_stages(stages), &[], format!("{event}\n")));
    let signs = |sign: char| -> String {
        let lines = shown.lines().filter_map(|line| line.trim_start().strip_prefix(sign));
        lines.map(str::trim).collect()
    };
    assert_eq!(
        signs('-'),
        r#""bbbbbbbbbbbbbb"{"Level": "log","Message": ["ccc"],"TimestampMs": 2]"#,
        "{shown}"
    );
    let come = signs('+');
    assert!(
        come.starts_with(r#""bbbbbb<<<Logpush: messages truncated>>>"],"Truncation": {"Limit": 20"#),
        "{shown}"
    );
}

#[test]
fn files_are_read_compressed_or_not_and_what_cannot_be_read_is_named() {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", with_stages("[]"));
    scratch.write("plain", b"\xef\xbb\xbf{}\n");
    scratch.write("packed", gzip(b"{}\n"));
    for file in ["plain", "packed"] {
        let ran = logweir(["explain", "pipeline.yaml", file]).dir(scratch.dir()).output();
        assert_eq!(
            text(&ran),
            "event 1, line 1\n  written as it was read, 3 bytes\n\n",
            "{}",
            ran.stderr_text()
        );
    }
    let packed = explain(&with_stages("[]"), &[], gzip(b"{}\n"));
    assert_eq!(text(&packed), "event 1, line 1\n  written as it was read, 3 bytes\n\n");
    let ran = logweir(["explain", "pipeline.yaml", "missing"]).dir(scratch.dir()).output();
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stderr_text().starts_with("missing cannot be read: "), "{}", ran.stderr_text());
    let ran = logweir(["explain", "plain", "plain"]).dir(scratch.dir()).output();
    assert_eq!(ran.code(), Some(2), "{}", ran.stderr_text());
}

#[test]
fn nothing_is_opened_or_written_but_the_answer() {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", PIPELINE.replace("/nonexistent/", ""));
    let ran = logweir(["explain", "pipeline.yaml"]).dir(scratch.dir()).stdin(EVENTS_OF_ALL_KINDS).output();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let names: Vec<_> =
        fs::read_dir(scratch.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["pipeline.yaml"]);
}

#[test]
fn what_a_terminal_would_obey_is_shown_and_not_sent() {
    let event = "{\"Outcome\":\"\u{9b}31m\u{202e}x\u{7f}\"}\n";
    let filter = "[filter: { where: { key: Outcome, operator: eq, value: ok } }]";
    let shown = text(&explain(&with_stages(filter), &[], event));
    assert!(shown.contains(r#"is "\u{9b}31m\u{202e}x\u{7f}""#), "{shown}");
    assert!(!shown.contains(['\u{9b}', '\u{202e}', '\u{7f}', '\u{1b}']), "{shown}");
}

/// Returns what a terminal gets, with these variables.
fn in_a_terminal(variables: &[(&str, &str)]) -> String {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", with_stages("[filter: { where: { key: A, operator: eq, value: 1 } }]"));
    scratch.write("events", "{\"A\":2}\n");
    let terminal = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_logweir"));
    command.args(["explain", "pipeline.yaml", "events"]);
    command.cwd(scratch.dir());
    command.env_remove("NO_COLOR");
    command.env("TERM", "xterm-256color");
    for (name, value) in variables {
        command.env(name, value);
    }
    let mut child = terminal.slave.spawn_command(command).unwrap();
    drop(terminal.slave);
    let mut shown = Vec::new();
    // Once the other end is closed, reading a terminal fails where a pipe would end.
    let _ = terminal.master.try_clone_reader().unwrap().read_to_end(&mut shown);
    assert!(child.wait().unwrap().success());
    String::from_utf8(shown).unwrap()
}

#[test]
fn colours_are_for_terminals_and_for_who_wants_them() {
    let coloured = in_a_terminal(&[]);
    assert!(coloured.contains("\u{1b}[31mfalse"), "{coloured}");
    let plain = in_a_terminal(&[("NO_COLOR", "1")]);
    assert!(plain.contains("false  A eq 1  is 2") && !plain.contains('\u{1b}'), "{plain}");
    let piped = text(&explain(PIPELINE, &[], EVENTS_OF_ALL_KINDS));
    assert!(!piped.contains('\u{1b}'), "{piped}");
}

#[test]
fn whoever_reads_no_further_is_no_error() {
    let events = "{\"Outcome\":\"exception\"}\n".repeat(20_000);
    let mut running = logweir(["explain", "pipeline.yaml"]);
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", with_stages("[]"));
    running = running.dir(scratch.dir()).stdin(events).hold_stdout();
    let mut running = running.start();
    drop(running.take_stdout());
    let ran = running.wait();
    assert_eq!((ran.code(), ran.stderr_text()), (Some(0), String::new()));
}
