//! Small pipelines that each show one thing, to learn from and to be checked.
//!
//! A scenario is a directory in `scenarios`: `pipeline.yaml`, whose first lines say what it shows; `in.ndjson`, which
//! comes in by standard input, or files in `in`; `out.ndjson`, what comes out by standard output; `out`, the files it
//! writes, where it writes some; and `summary.json`, the summary but for the time. `UPDATE_EXPECTED=1 cargo test`
//! writes what is expected anew, to be read with `git diff`.

use std::fs;
use std::path::{Path, PathBuf};

use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{self, Stage};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use crate::rig::{logweir, summary};

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// Returns the names in a directory, sorted; none if there is no such directory.
fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

/// Checks that a file has this content, or writes it if that was asked for.
fn check_file(path: &Path, content: &[u8]) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let expected = fs::read(path).unwrap_or_default();
    let [expected, content] = [&expected, content].map(String::from_utf8_lossy);
    assert!(expected == content, "{} is\n{expected}\nbut what came is\n{content}", path.display());
}

/// Runs a scenario and checks everything that comes of it.
fn check(dir: &Path) {
    let scratch = Scratch::new();
    for name in names(&dir.join("in")) {
        scratch.write(Path::new("in").join(&name), fs::read(dir.join("in").join(&name)).unwrap());
    }
    scratch.write("pipeline.yaml", fs::read(dir.join("pipeline.yaml")).unwrap());
    let input = fs::read(dir.join("in.ndjson")).unwrap_or_default();
    let args = ["run", "--quiet", "--summary", "json", "pipeline.yaml"];
    let ran = logweir(args).dir(scratch.dir()).stdin(input).output();
    assert_eq!(ran.code(), Some(0), "{}: {}", dir.display(), ran.stderr_text());

    check_file(&dir.join("out.ndjson"), &ran.stdout);
    let written = names(&scratch.path("out"));
    for name in &written {
        check_file(&dir.join("out").join(name), &scratch.read(Path::new("out").join(name)));
    }
    assert_eq!(names(&dir.join("out")), written, "{}", dir.display());
    let mut summary = summary(&ran).0;
    assert_eq!(summary["balanced"], true, "{summary}");
    summary.as_object_mut().unwrap().remove("seconds");
    check_file(&dir.join("summary.json"), format!("{summary:#}\n").as_bytes());
}

#[test]
fn scenarios_come_out_as_they_say() {
    let all = names(&scenarios());
    assert!(all.len() >= 12, "{all:?}");
    for name in all {
        let dir = scenarios().join(name);
        let yaml = fs::read_to_string(dir.join("pipeline.yaml")).unwrap();
        assert!(yaml.starts_with("# "), "{} does not say what it shows", dir.display());
        check(&dir);
    }
}

fn filter(condition: &str) -> Stage {
    Stage::Filter(format!("{{\"where\":{condition}}}"))
}

fn truncate(limit: usize, unit: Unit) -> Stage {
    Stage::Truncate { limit, unit }
}

/// A scenario's name, its stages, and the fields to write.
type Known = (&'static str, Vec<Stage>, Option<Vec<String>>);

/// Returns the stages of the scenarios that the naive implementation understands, with the fields to write.
fn known() -> Vec<Known> {
    let failed = r#"{"key":"Outcome","operator":"!eq","value":"ok"}"#;
    let sample = |always_keep: Option<&str>| Stage::Sample {
        rate: 0.25,
        key: Some("Event.RayID".to_owned()),
        seed: 0,
        always_keep: always_keep.map(|condition| format!("{{\"where\":{condition}}}")),
    };
    let slow = r#"{"and":[{"key":"ScriptName","operator":"in","value":["shop","cart"]},
        {"or":[{"key":"CPUTimeMs","operator":"geq","value":50},{"key":"Event.Response.Status","operator":"geq","value":500}]}]}"#;
    let names = ["Outcome", "ScriptName", "Logs", "Nope"].map(str::to_owned).to_vec();
    vec![
        ("always-keep", vec![sample(Some(failed))], None),
        ("byte-exact", vec![truncate(16_384, Unit::Chars)], None),
        ("deep-nesting", vec![filter(r#"{"key":"a.b","operator":"eq","value":1}"#)], None),
        ("duplicate-keys", vec![filter(r#"{"key":"Outcome","operator":"eq","value":"ok"}"#)], None),
        ("exceptions-cut", vec![truncate(20, Unit::Chars)], None),
        ("field-names", Vec::new(), Some(names)),
        ("filter-and-truncate", vec![filter(failed), truncate(24, Unit::Chars)], None),
        ("line-endings", vec![truncate(4, Unit::Chars)], None),
        ("nested-filter", vec![filter(slow)], None),
        ("sample-by-request", vec![sample(None)], None),
        ("second-truncate", vec![truncate(20, Unit::Chars), truncate(10, Unit::Chars)], None),
        ("surrogates", vec![truncate(3, Unit::Chars)], None),
        ("units", vec![truncate(6, Unit::Utf16)], None),
    ]
}

#[test]
fn the_naive_implementation_expects_the_same() {
    for (name, stages, field_names) in known() {
        let dir = scenarios().join(name);
        let input = fs::read(dir.join("in.ndjson")).unwrap();
        let outcome = oracle::run(&stages, field_names.as_deref(), &input, 4 << 20);
        let expected = fs::read(dir.join("out.ndjson")).unwrap();
        let [output, expected] = [&outcome.output, &expected].map(|bytes| String::from_utf8_lossy(bytes));
        assert_eq!(output, expected, "{name}");
        let summary: Value = serde_json::from_slice(&fs::read(dir.join("summary.json")).unwrap()).unwrap();
        let counts = ["read", "written", "filtered", "sampled_out", "truncated"];
        let naive = [outcome.read, outcome.written, outcome.filtered, outcome.sampled_out, outcome.truncated];
        assert_eq!(counts.map(|key| summary[key].as_u64().unwrap()), naive, "{name}: {counts:?}");
    }
}
