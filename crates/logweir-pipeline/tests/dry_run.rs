//! What a dry run says of a line is what the naive implementation makes of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;

use logweir_pipeline::{ConfigFile, DryRun, Fate, Passage, PipelineConfig, Read, Verb, load_texts};
use logweir_testkit::oracle::encode::Options;
use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{Outcome, Stage, run_as};
use logweir_testkit::samples::{DEEP, EVENTS, truncate_cases};
use logweir_testkit::strategies::{any_filter, any_line, any_options};
use proptest::prelude::*;
use serde_json::{Value, json};

const MAX_EVENT_BYTES: usize = 4 << 20;

/// Returns the pipeline of a file; JSON, which is YAML too.
fn config(file: &Value) -> PipelineConfig {
    // Characters that may stand in JSON and not in YAML; they only occur inside strings.
    let escape = |c: char| match c {
        '\u{7f}'..='\u{9f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    let text = file.to_string().chars().map(escape).collect();
    let file = ConfigFile { path: PathBuf::from("pipeline.yaml"), text };
    let loaded = load_texts(vec![file], &|_| None);
    loaded.unwrap_or_else(|problems| panic!("{problems}")).pipelines.remove(0)
}

fn stage(stage: &Stage) -> Value {
    match stage {
        Stage::Filter(text) => json!({ "filter": text }),
        Stage::Truncate { limit, unit } => {
            let unit = match unit {
                Unit::Chars => "chars",
                Unit::Utf16 => "utf16",
                Unit::Bytes => "bytes",
            };
            json!({ "truncate": { "limit": limit, "unit": unit } })
        }
        Stage::Sample { .. } => unreachable!("the strategy gives none"),
    }
}

/// Returns the pipeline of these stages, written as these options say.
fn pipeline(stages: &[Stage], options: &Options, max_event_bytes: usize) -> PipelineConfig {
    // A `$` stands for itself only in filters and templates.
    let plain = |text: &String| text.replace('$', "$$");
    let mut encode = json!({});
    let texts = [
        ("record_prefix", options.record_prefix.as_ref().map(plain)),
        ("record_suffix", options.record_suffix.as_ref().map(plain)),
        ("field_delimiter", options.field_delimiter.as_ref().map(plain)),
        ("record_template", options.record_template.clone()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            encode[name] = json!(text);
        }
    }
    if let Some(names) = &options.field_names {
        encode["field_names"] = names.iter().map(plain).collect();
    }
    if options.is_csv {
        encode["output_type"] = json!("csv");
    }
    encode["CVE-2021-44228"] = json!(options.is_redacted);
    config(&json!({
        "source": { "stdin": {} },
        "stages": stages.iter().map(stage).collect::<Vec<_>>(),
        "encode": encode,
        "sink": { "null": {} },
        "limits": { "max_event_bytes": max_event_bytes },
    }))
}

/// Returns what the naive implementation made of a single line.
fn fate(outcome: &Outcome) -> Fate {
    let counts = [
        outcome.written,
        outcome.filtered,
        outcome.sampled_out,
        outcome.malformed[0],
        outcome.malformed[1],
        outcome.malformed[2],
        outcome.oversized,
        1 - outcome.read,
    ];
    assert_eq!(counts.iter().sum::<u64>(), 1, "{outcome:?}");
    Fate::ALL[counts.iter().position(|&n| n == 1).unwrap()]
}

/// Checks that the only output gets of a line what the naive implementation writes.
#[track_caller]
fn check(dry_run: &mut DryRun, line: &[u8], expected: &Outcome) -> Passage {
    let passage = dry_run.pass(line);
    let shown = String::from_utf8_lossy(line);
    assert_eq!(passage.fate_in(0), fate(expected), "{shown}");
    let rendered = passage.outputs.first().and_then(|output| output.rendered.clone()).unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(&rendered), String::from_utf8_lossy(&expected.output), "{shown}");
    let n_cut =
        passage.steps.iter().filter(|step| step.verb == Verb::Truncate && step.edit.is_some()).count();
    if expected.written == 1 {
        assert_eq!(n_cut as u64, expected.truncated, "{shown}");
    }
    passage
}

fn any_stage() -> impl Strategy<Value = Stage> {
    let unit = prop_oneof![Just(Unit::Chars), Just(Unit::Utf16), Just(Unit::Bytes)];
    prop_oneof![
        any_filter().prop_map(Stage::Filter),
        (0..200usize, unit).prop_map(|(limit, unit)| Stage::Truncate { limit, unit }),
    ]
}

proptest! {
    #[test]
    fn a_dry_run_says_what_the_naive_implementation_does(
        stages in prop::collection::vec(any_stage(), 0..4),
        options in any_options(),
        lines in prop::collection::vec(any_line(), 1..6),
        max_event_bytes in prop_oneof![3 => Just(MAX_EVENT_BYTES), 1 => 10..400usize],
    ) {
        // What stands around and between events is not an event's; and no file may name a field twice.
        let field_names = options.field_names.clone().map(|mut names| {
            names.sort();
            names.dedup();
            names
        });
        let options =
            Options { field_names, batch_prefix: None, batch_suffix: None, record_delimiter: None, ..options };
        let mut dry_run = DryRun::new(&pipeline(&stages, &options, max_event_bytes));
        for line in lines {
            // Only at the start of an input is a byte-order mark none of a line's bytes.
            let input = [b"\n", &line[..]].concat();
            check(&mut dry_run, &line, &run_as(&stages, &options, &input, max_event_bytes));
        }
    }
}

#[test]
fn each_worked_case_is_cut_as_it_must_be() {
    for case in truncate_cases() {
        let stages = [Stage::Truncate { limit: case.limit, unit: Unit::Chars }];
        let mut dry_run = DryRun::new(&pipeline(&stages, &Options::default(), MAX_EVENT_BYTES));
        let expected = run_as(&stages, &Options::default(), case.input.as_bytes(), MAX_EVENT_BYTES);
        check(&mut dry_run, case.input.as_bytes(), &expected);
    }
}

#[test]
fn real_events_fare_as_they_must() {
    let failed = r#"{"where":{"key":"Outcome","operator":"!eq","value":"ok"}}"#;
    let stages = [Stage::Filter(failed.to_owned()), Stage::Truncate { limit: 100, unit: Unit::Chars }];
    let mut dry_run = DryRun::new(&pipeline(&stages, &Options::default(), MAX_EVENT_BYTES));
    for line in [EVENTS, DEEP].concat().split_inclusive(|&byte| byte == b'\n') {
        check(&mut dry_run, line, &run_as(&stages, &Options::default(), line, MAX_EVENT_BYTES));
    }
}

#[test]
fn each_output_has_its_own_stages_and_fate() {
    let errors = json!({ "where": { "key": "Outcome", "operator": "!eq", "value": "ok" } });
    let mut dry_run = DryRun::new(&config(&json!({
        "source": { "stdin": {} },
        "stages": [{ "truncate": { "limit": 10 } }],
        "outputs": [
            { "name": "all", "encode": { "field_names": ["Outcome"] }, "sink": { "null": {} } },
            { "name": "errors", "stages": [{ "truncate": {} }, { "filter": errors }], "sink": { "null": {} } },
        ],
    })));
    let passage = dry_run.pass(br#"{"Outcome":"ok","Logs":[{"Message":["0123456789ab"]}]}"#);
    assert_eq!(passage.fate(), None);
    assert_eq!([passage.fate_in(0), passage.fate_in(1)], [Fate::Written, Fate::Filtered]);
    assert_eq!(passage.outputs[0].rendered.as_deref(), Some(&b"{\"Outcome\":\"ok\"}\n"[..]));
    assert_eq!(passage.outputs[1].rendered, None);
    assert_eq!(passage.dropped_by_in(1).unwrap().place, "outputs.errors.stages[1]");
    assert_eq!(passage.dropped_by_in(0), None);
    let edit = passage.steps[0].edit.as_ref().unwrap();
    assert!(edit.before.ends_with(b"\"0123456789ab\"]}]}"));
    assert!(edit.after.ends_with(b"\"0123456789<<<Logpush: messages truncated>>>\"]}]}"));

    let passage = dry_run.pass(b"[1]\n");
    assert_eq!([passage.fate(), Some(passage.fate_in(1))], [Some(Fate::NotObject); 2]);
    assert!(passage.outputs.is_empty() && passage.steps.is_empty());
}

#[test]
fn only_the_first_line_is_looked_at() {
    let mut dry_run = DryRun::new(&pipeline(&[], &Options::default(), 10));
    for (line, read, rendered) in [
        ("{}", Read::Event, "{}\n"),
        ("{}\r\n", Read::Event, "{}\r\n"),
        ("{}\n[]\n", Read::Event, "{}\n"),
        ("", Read::Blank, ""),
        (" \r\n{}", Read::Blank, ""),
        ("{       }\r\n", Read::Event, "{       }\r\n"),
        ("{         }", Read::Oversized, ""),
        ("{         }\n", Read::Oversized, ""),
        ("{                    }\n", Read::Oversized, ""),
        ("{          \n}", Read::Oversized, ""),
    ] {
        let passage = dry_run.pass(line.as_bytes());
        let written = passage.outputs.first().and_then(|output| output.rendered.clone()).unwrap_or_default();
        assert_eq!((passage.read, &written[..]), (read, rendered.as_bytes()), "{line:?}");
    }
}
