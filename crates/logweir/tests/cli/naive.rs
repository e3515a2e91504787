//! The binary and the naive implementation come to the same bytes and the same counts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use logweir_testkit::generate::{Workload, write};
use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{self, Outcome, Stage};
use logweir_testkit::samples::{DEEP, EVENTS};
use logweir_testkit::scratch::Scratch;
use logweir_testkit::strategies::{any_filter, any_stream, mutated};
use proptest::prelude::*;
use serde_json::json;

use crate::rig::{Summary, logweir, pipeline, succeeded};

const MAX_EVENT_BYTES: usize = 4 << 20;
const FAILED: &str = r#"{"where":{"key":"Outcome","operator":"!eq","value":"ok"}}"#;

/// A pipeline in the form that both understand.
#[derive(Clone, Debug)]
struct Job {
    stages: Vec<Stage>,
    field_names: Option<Vec<String>>,
    max_event_bytes: usize,
    decoders: usize,
    chunk_bytes: usize,
}

impl Job {
    /// Returns a job with the default limits and one decoder.
    fn new(stages: Vec<Stage>) -> Self {
        Self {
            stages,
            field_names: None,
            max_event_bytes: MAX_EVENT_BYTES,
            decoders: 1,
            chunk_bytes: 512 << 10,
        }
    }

    /// Returns the job as a pipeline file; JSON, which is YAML too.
    fn yaml(&self, source: &serde_json::Value, sink: &serde_json::Value) -> String {
        let mut file = json!({
            "source": source,
            "stages": self.stages.iter().map(stage).collect::<Vec<_>>(),
            "sink": sink,
            "limits": {
                "max_event_bytes": self.max_event_bytes,
                "decoders": self.decoders,
                "chunk_bytes": self.chunk_bytes,
            },
        });
        if let Some(names) = &self.field_names {
            file["encode"] = json!({ "field_names": names });
        }
        escaped(&file.to_string())
    }

    fn oracle(&self, input: &[u8]) -> Outcome {
        oracle::run(&self.stages, self.field_names.as_deref(), input, self.max_event_bytes)
    }

    /// Checks that from stdin to stdout the binary comes to what the oracle comes to.
    #[track_caller]
    fn check(&self, input: &[u8]) {
        let scratch = Scratch::new();
        let yaml = self.yaml(&json!({ "stdin": {} }), &json!({ "stdout": {} }));
        let ran = pipeline(&scratch, &yaml).stdin(input).output();
        check_same(&ran.stdout, &succeeded(&ran), &self.oracle(input), input.len());
    }
}

/// Escapes the characters that may stand in JSON and not in YAML; they only occur inside strings.
fn escaped(json: &str) -> String {
    let escape = |c: char| match c {
        '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    json.chars().map(escape).collect()
}

fn stage(stage: &Stage) -> serde_json::Value {
    match stage {
        Stage::Filter(text) => json!({ "filter": text }),
        Stage::Sample { rate, key, seed, always_keep } => {
            let mut sample = json!({ "rate": rate, "seed": seed });
            if let Some(key) = key {
                sample["key"] = json!(key);
            }
            if let Some(filter) = always_keep {
                sample["always_keep"] = json!(filter);
            }
            json!({ "sample": sample })
        }
        Stage::SampleStrata { rate, rates, key, seed, always_keep, weight_field } => {
            let rates = rates.iter().map(|(filter, rate)| json!({ "where": filter, "rate": rate }));
            let options = [
                ("rates", (rates.len() > 0).then(|| rates.collect())),
                ("key", key.as_ref().map(|key| json!(key))),
                ("always_keep", always_keep.as_ref().map(|filter| json!(filter))),
                ("weight_field", weight_field.as_ref().map(|name| json!(name))),
            ];
            let mut sample = json!({ "rate": rate, "seed": seed });
            for (name, value) in options {
                if let Some(value) = value {
                    sample[name] = value;
                }
            }
            json!({ "sample": sample })
        }
        Stage::Truncate { limit, unit } => {
            json!({ "truncate": { "limit": limit, "unit": unit_name(*unit) } })
        }
        Stage::TruncateAndReport { limit, unit, report } => {
            json!({ "truncate": { "limit": limit, "unit": unit_name(*unit), "report": report } })
        }
    }
}

fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Chars => "chars",
        Unit::Utf16 => "utf16",
        Unit::Bytes => "bytes",
    }
}

#[track_caller]
fn check_same(output: &[u8], summary: &Summary, expected: &Outcome, n_bytes_in: usize) {
    let difference = oracle_difference(output, &expected.output);
    assert!(difference.is_none(), "{}", difference.unwrap_or_default());
    let counts = [
        ("read", expected.read),
        ("written", expected.written),
        ("filtered", expected.filtered),
        ("sampled_out", expected.sampled_out),
        ("malformed.not_utf8", expected.malformed[0]),
        ("malformed.not_json", expected.malformed[1]),
        ("malformed.not_object", expected.malformed[2]),
        ("oversized", expected.oversized),
        ("failed", 0),
        ("truncated", expected.truncated),
        ("truncated_characters", expected.truncated_characters.iter().sum()),
        ("bytes_in", n_bytes_in as u64),
        ("bytes_out", expected.output.len() as u64),
    ];
    for (key, expected) in counts {
        assert_eq!(summary.count(key), expected, "{key}: {}", summary.0);
    }
}

/// Returns where two outputs first differ, which of a few megabytes is all one wants to see.
fn oracle_difference(output: &[u8], expected: &[u8]) -> Option<String> {
    let split = |bytes| <[u8]>::split_inclusive(bytes, |&byte| byte == b'\n');
    let mut lines = split(output).zip(split(expected)).enumerate();
    if let Some((i, (line, expected))) = lines.find(|(_, (line, expected))| line != expected) {
        let [line, expected] = [line, expected].map(String::from_utf8_lossy);
        return Some(format!("line {} is\n{line}\nand should be\n{expected}", i + 1));
    }
    let n_lines = [output, expected].map(|bytes| split(bytes).count());
    (output.len() != expected.len()).then(|| format!("{} lines, and should be {}", n_lines[0], n_lines[1]))
}

fn generated(workload: Workload, n_bytes: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(workload, 7, n_bytes, &mut bytes).expect("memory takes all");
    bytes
}

fn the_usual_stages() -> Vec<Stage> {
    let sample = Stage::Sample {
        rate: 0.5,
        key: Some("Event.RayID".to_owned()),
        seed: 3,
        always_keep: Some(FAILED.to_owned()),
    };
    let cpu = r#"{"where":{"or":[{"key":"CPUTimeMs","operator":"geq","value":0},{"key":"Nope","operator":"eq","value":1}]}}"#;
    vec![Stage::Filter(cpu.to_owned()), sample, Stage::Truncate { limit: 300, unit: Unit::Chars }]
}

#[test]
fn real_events_pass_untouched() {
    let input = [EVENTS, DEEP].concat();
    let scratch = Scratch::new();
    let ran = pipeline(&scratch, "source: {stdin: {}}\nsink: {stdout: {}}\n").stdin(input.clone()).output();
    assert_eq!(succeeded(&ran).count("written"), 178);
    assert!(ran.stdout == input, "bytes changed");
}

#[test]
fn real_events_are_filtered_sampled_and_cut() {
    let input = [EVENTS, DEEP].concat();
    for decoders in [1, 2, 3] {
        for chunk_bytes in [4 << 10, 512 << 10] {
            Job { decoders, chunk_bytes, ..Job::new(the_usual_stages()) }.check(&input);
        }
    }
}

#[test]
fn generated_events_are_filtered_sampled_and_cut() {
    for (workload, decoders) in [(Workload::Mix, 3), (Workload::Small, 2), (Workload::Heavy, 1)] {
        Job { decoders, ..Job::new(the_usual_stages()) }.check(&generated(workload, 3_000_000));
    }
}

#[test]
fn real_events_are_weighed_between_two_truncates() {
    let not_ok = r#"{"where":{"key":"Outcome","operator":"!eq","value":"ok"}}"#.to_owned();
    let weighed = |seed| Stage::SampleStrata {
        rate: 0.3,
        rates: vec![(not_ok.clone(), 0.9), (FAILED.to_owned(), 0.01)],
        key: None,
        seed,
        always_keep: None,
        weight_field: Some("SampleInterval".to_owned()),
    };
    let cut = |limit| Stage::Truncate { limit, unit: Unit::Chars };
    let stages = vec![cut(900), weighed(0), cut(200), weighed(1)];
    let names = ["SampleInterval", "Logs", "Outcome"].map(str::to_owned).to_vec();
    for field_names in [None, Some(names)] {
        let job = Job { field_names, decoders: 2, chunk_bytes: 4 << 10, ..Job::new(stages.clone()) };
        let outcome = job.oracle(EVENTS);
        assert!(outcome.written > 10 && outcome.sampled_out > 10, "{outcome:?}");
        job.check(EVENTS);
    }
}

#[test]
fn fields_are_chosen_after_two_truncates() {
    let stages = [900, 200].map(|limit| Stage::Truncate { limit, unit: Unit::Utf16 });
    let names = ["Logs", "Outcome", "Nope", "Exceptions"].map(str::to_owned).to_vec();
    let job =
        Job { field_names: Some(names), decoders: 2, chunk_bytes: 4 << 10, ..Job::new(stages.to_vec()) };
    job.check(EVENTS);
}

#[test]
fn events_longer_than_allowed_are_counted() {
    let job = Job { max_event_bytes: 1_500, decoders: 2, chunk_bytes: 4 << 10, ..Job::new(Vec::new()) };
    let outcome = job.oracle(EVENTS);
    assert!(outcome.oversized > 5 && outcome.written > 5, "{outcome:?}");
    job.check(EVENTS);
}

#[test]
fn files_come_to_what_they_come_to_one_by_one() {
    let scratch = Scratch::new();
    let bom = [&b"\xef\xbb\xbf"[..], &EVENTS[..100_000]].concat();
    let inputs = [("a.ndjson", bom), ("b.ndjson", Vec::new()), ("c.ndjson", EVENTS.to_vec())];
    let mut expected = Outcome::default();
    let job = Job { decoders: 3, chunk_bytes: 4 << 10, ..Job::new(the_usual_stages()) };
    for (name, bytes) in &inputs {
        scratch.write(PathBuf::from("in").join(name), bytes);
        expected = sum(expected, job.oracle(bytes));
    }
    let source = json!({ "file": { "include": ["in/*.ndjson"], "read": "once" } });
    let sink = json!({ "file": { "path": "out/deep/events.ndjson", "mode": "overwrite" } });
    let ran = pipeline(&scratch, &job.yaml(&source, &sink)).output();
    let n_bytes_in = inputs.iter().map(|(_, bytes)| bytes.len()).sum();
    check_same(&scratch.read("out/deep/events.ndjson"), &succeeded(&ran), &expected, n_bytes_in);
}

fn sum(a: Outcome, b: Outcome) -> Outcome {
    let add = |a: [u64; 3], b: [u64; 3]| std::array::from_fn(|i| a[i] + b[i]);
    Outcome {
        output: [a.output, b.output].concat(),
        read: a.read + b.read,
        written: a.written + b.written,
        filtered: a.filtered + b.filtered,
        sampled_out: a.sampled_out + b.sampled_out,
        malformed: add(a.malformed, b.malformed),
        oversized: a.oversized + b.oversized,
        truncated: a.truncated + b.truncated,
        truncated_characters: add(a.truncated_characters, b.truncated_characters),
        // The summary does not tell.
        truncated_by_script: BTreeMap::new(),
    }
}

#[test]
fn a_file_sink_adds_or_begins_anew() {
    let scratch = Scratch::new();
    scratch.write("out.ndjson", "{\"was\":\"here\"}\n");
    for (mode, before) in [("append", "{\"was\":\"here\"}\n"), ("overwrite", "")] {
        scratch.write(
            "p.yaml",
            format!("source: {{stdin: {{}}}}\nsink: {{file: {{path: out.ndjson, mode: {mode}}}}}\n"),
        );
        let ran = logweir(["run", "--quiet", "p.yaml"]).dir(scratch.dir()).stdin("{}").output();
        assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
        assert_eq!(String::from_utf8(scratch.read("out.ndjson")).unwrap(), format!("{before}{{}}\n"));
    }
}

fn any_strata() -> impl Strategy<Value = Stage> {
    let rates = prop::collection::vec((any_filter(), prop_oneof![Just(1.0), 0.3..1.0f64]), 0..3);
    let field = prop_oneof![Just("SampleInterval"), Just("Outcome"), Just("Event.RayID")];
    (0.3..1.0f64, rates, any::<u64>(), prop::option::of(any_filter()), prop::option::of(field)).prop_map(
        |(rate, rates, seed, always_keep, field)| Stage::SampleStrata {
            rate,
            rates,
            key: None,
            seed,
            always_keep,
            weight_field: field.map(str::to_owned),
        },
    )
}

fn any_stage() -> impl Strategy<Value = Stage> {
    let rate = prop_oneof![Just(1.0), 0.01..1.0f64];
    let key = prop::option::of(prop_oneof![Just("Outcome"), Just("Event.RayID"), Just("Logs")]);
    let unit = prop_oneof![Just(Unit::Chars), Just(Unit::Utf16), Just(Unit::Bytes)];
    prop_oneof![
        any_filter().prop_map(Stage::Filter),
        any_strata(),
        (rate, key, any::<u64>(), prop::option::of(any_filter())).prop_map(
            |(rate, key, seed, always_keep)| {
                Stage::Sample { rate, key: key.map(str::to_owned), seed, always_keep }
            }
        ),
        (0..400usize, unit.clone()).prop_map(|(limit, unit)| Stage::Truncate { limit, unit }),
        (0..400usize, unit).prop_map(|(limit, unit)| {
            Stage::TruncateAndReport { limit, unit, report: String::from("Truncation") }
        }),
    ]
}

fn any_job() -> impl Strategy<Value = Job> {
    let name = prop_oneof![Just("Logs"), Just("Outcome"), Just("Exceptions"), Just("Missing")];
    let names = prop::collection::btree_set(name.prop_map(str::to_owned), 1..4);
    (
        prop::collection::vec(any_stage(), 0..4),
        prop::option::of(names.prop_map(|names| names.into_iter().collect())),
        prop_oneof![Just(MAX_EVENT_BYTES), Just(1024)],
        1..4usize,
        prop_oneof![Just(4 << 10), Just(512 << 10)],
    )
        .prop_map(|(stages, field_names, max_event_bytes, decoders, chunk_bytes)| Job {
            stages,
            field_names,
            max_event_bytes,
            decoders,
            chunk_bytes,
        })
}

/// Many lines, so that small chunks cut them.
fn any_input() -> impl Strategy<Value = Vec<u8>> {
    let real = prop::sample::subsequence(
        EVENTS.split_inclusive(|&byte| byte == b'\n').filter(|line| line.len() < 8_000).collect::<Vec<_>>(),
        1..12,
    );
    let real = real.prop_map(|lines| lines.concat());
    prop_oneof![
        any_stream(),
        prop::collection::vec(any_stream(), 1..8).prop_map(|streams| streams.join(&b'\n')),
        real.clone(),
        real.prop_flat_map(mutated),
    ]
}

proptest! {
    // Each case is a process, so they are few; the stages themselves are compared by the thousand elsewhere.
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_job_over_any_input(job in any_job(), input in any_input()) {
        job.check(&input);
    }
}
