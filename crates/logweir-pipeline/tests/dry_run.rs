//! What a dry run says of a line is what the naive implementation makes of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;

use logweir_pipeline::{
    ConfigFile, Counted, DryRun, Explanation, Fate, Judged, Judgement, Passage, PipelineConfig, Read, Row,
    Spending, Step, TextFate, TextRow, Verb, load_texts,
};
use logweir_testkit::oracle::encode::Options;
use logweir_testkit::oracle::json::{Node, parse};
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
            json!({ "truncate": { "limit": limit, "unit": unit_name(*unit) } })
        }
        Stage::TruncateAndReport { limit, unit, report } => {
            json!({ "truncate": { "limit": limit, "unit": unit_name(*unit), "report": report } })
        }
        Stage::Sample { .. } => unreachable!("one with strata can do all that one without can"),
        Stage::SampleStrata { rate, rates, key, seed, always_keep, weight_field } => {
            let rates: Vec<_> =
                rates.iter().map(|(filter, rate)| json!({ "where": filter, "rate": rate })).collect();
            let mut sample = json!({ "rate": rate, "seed": seed });
            if !rates.is_empty() {
                sample["rates"] = json!(rates);
            }
            for (name, text) in [("key", key), ("always_keep", always_keep), ("weight_field", weight_field)] {
                if let Some(text) = text {
                    sample[name] = json!(text);
                }
            }
            json!({ "sample": sample })
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
    passage.steps.iter().for_each(check_explained);
    let lost: u64 = passage.steps.iter().map(|step| lost(step).iter().sum::<u64>()).sum();
    if expected.read == 1 {
        assert_eq!(lost, expected.truncated_characters.iter().sum::<u64>(), "{shown}");
    }
    passage
}

/// Checks that the explanation of a step agrees with what the stage did.
#[track_caller]
fn check_explained(step: &Step) {
    match &step.explanation {
        Explanation::Filter(judgement) => {
            assert_eq!((step.verb, judgement.holds), (Verb::Filter, step.is_kept));
            check_adds_up(judgement);
        }
        Explanation::Sample(draw) => {
            assert_eq!((step.verb, draw.is_kept), (Verb::Sample, step.is_kept));
            assert!(step.edit.is_none() || draw.weight.is_some());
            draw.strata.iter().for_each(|stratum| check_adds_up(&stratum.judgement));
        }
        Explanation::Truncate(spending) => {
            assert_eq!(step.verb, Verb::Truncate);
            check_spending(spending, step);
        }
    }
}

/// Checks that what a condition comes to follows from its parts, and that some of them are named as the reason.
#[track_caller]
fn check_adds_up(judgement: &Judgement) {
    let (parts, holds) = match &judgement.condition {
        Judged::All(parts) => (parts, parts.iter().all(|part| part.holds)),
        Judged::Any(parts) => (parts, parts.iter().any(|part| part.holds)),
        Judged::Is(_) => return assert_eq!(judgement.reasons().len(), 1),
    };
    assert_eq!(holds, judgement.holds);
    assert!(!judgement.reasons().is_empty());
    parts.iter().for_each(check_adds_up);
}

/// Returns how much a step cut, by list.
fn lost(step: &Step) -> [u64; 3] {
    match &step.explanation {
        Explanation::Truncate(Spending { counted: Counted::Texts { total, kept, .. }, .. }) => {
            std::array::from_fn(|i| total[i] - kept[i])
        }
        _ => [0; 3],
    }
}

/// Checks that the rows of a table tell what became of each text in the event.
#[track_caller]
fn check_spending(spending: &Spending, step: &Step) {
    let Counted::Texts { rows, kept, .. } = &spending.counted else {
        return assert_eq!(step.edit, None);
    };
    let is_cut = |row: &Row| match row {
        Row::Text(row) => row.fate != TextFate::Whole,
        Row::More { fate, .. } => *fate != TextFate::Whole,
    };
    assert_eq!(rows.iter().any(is_cut), step.edit.is_some());
    let sum: u64 = rows.iter().map(kept_of).sum();
    assert_eq!(sum, kept.iter().sum::<u64>());
    assert!(sum <= spending.limit);
    assert!(spending.report.is_none() || step.edit.is_some());
    let Some(edit) = &step.edit else { return };
    let after = parse(&edit.after).unwrap();
    for row in rows {
        if let Row::Text(row) = row {
            check_row(row, at(&after, &row.path).as_ref());
        }
    }
}

fn kept_of(row: &Row) -> u64 {
    match row {
        Row::Text(TextRow { units, fate: TextFate::Whole, .. })
        | Row::More { units, fate: TextFate::Whole, .. } => *units,
        Row::Text(TextRow { fate: TextFate::Cut(kept), .. }) => *kept,
        Row::Text(_) | Row::More { .. } => 0,
    }
}

/// Returns the value at a path like `Logs[3].Message[1]`.
fn at(event: &Node, path: &str) -> Option<Node> {
    path.split('.').try_fold(event.clone(), |node, step| {
        let mut parts = step.split('[');
        let node = node.get(parts.next()?)?;
        parts.try_fold(node, |node, index| {
            node.elements().into_iter().nth(index.strip_suffix(']')?.parse().ok()?)
        })
    })
}

/// Checks what stands in a cut event where a text stood.
#[track_caller]
fn check_row(row: &TextRow, found: Option<&Node>) {
    let marked = |node: &Node| node.text().is_some_and(|text| text.to_wtf8().ends_with(b" truncated>>>"));
    match (row.fate, found) {
        (TextFate::Whole, Some(node)) => {
            if row.text.is_whole() {
                assert_eq!(node.raw(), row.text.text(), "{row:?}");
            }
        }
        (TextFate::Cut(_), Some(node)) => assert!(marked(node), "{row:?}"),
        (TextFate::Marker, Some(node)) => {
            assert!(marked(node) || matches!(&node.elements()[..], [one] if marked(one)), "{row:?}");
        }
        (TextFate::Dropped, None) => {}
        (fate, found) => panic!("{fate:?}, but {found:?} is there: {row:?}"),
    }
}

fn any_sample() -> impl Strategy<Value = Stage> {
    let rate = || prop_oneof![Just(1.0), 0.3..1.0f64];
    let key = prop::option::of(prop_oneof![Just("Outcome"), Just("Event.RayID"), Just("Logs")]);
    let weight_field = prop::option::of(prop_oneof![Just("SampleInterval"), Just("Outcome")]);
    let rates = prop::collection::vec((any_filter(), rate()), 0..3);
    (rate(), rates, key, any::<u64>(), prop::option::of(any_filter()), weight_field).prop_map(
        |(rate, rates, key, seed, always_keep, weight_field)| Stage::SampleStrata {
            rate,
            rates,
            key: key.map(str::to_owned),
            seed,
            always_keep,
            weight_field: weight_field.map(str::to_owned),
        },
    )
}

fn any_stage() -> impl Strategy<Value = Stage> {
    let unit = prop_oneof![Just(Unit::Chars), Just(Unit::Utf16), Just(Unit::Bytes)];
    prop_oneof![
        any_filter().prop_map(Stage::Filter),
        any_sample(),
        (0..200usize, unit.clone()).prop_map(|(limit, unit)| Stage::Truncate { limit, unit }),
        (0..200usize, unit).prop_map(|(limit, unit)| {
            Stage::TruncateAndReport { limit, unit, report: String::from("Truncation") }
        }),
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

#[test]
fn a_million_texts_make_a_short_table() {
    let log = |n: usize| format!("{{\"Message\":[\"{}\"]}}", "x".repeat(n));
    let logs = [vec![log(1); 20_000], vec![log(2); 20_000]].concat().join(",");
    let exceptions = vec!["{\"Name\":\"E\",\"Message\":\"m\"}"; 10_000].join(",");
    let event = format!("{{\"Logs\":[{logs}],\"Exceptions\":[{exceptions}]}}");
    let stages = [Stage::Truncate { limit: 30_000, unit: Unit::Chars }];
    let mut dry_run = DryRun::new(&pipeline(&stages, &Options::default(), MAX_EVENT_BYTES));
    let expected = run_as(&stages, &Options::default(), event.as_bytes(), MAX_EVENT_BYTES);
    let passage = check(&mut dry_run, event.as_bytes(), &expected);
    let Explanation::Truncate(Spending { counted: Counted::Texts { rows, .. }, .. }) =
        &passage.steps[0].explanation
    else {
        panic!("{passage:?}");
    };
    assert!(rows.len() < 40, "{rows:?}");
    let n_texts: u64 = rows
        .iter()
        .map(|row| match row {
            Row::Text(_) => 1,
            Row::More { n_texts, .. } => *n_texts,
        })
        .sum();
    assert_eq!(n_texts, 60_000);
}
