//! The reference is what the program does: its files are those that are made now, its examples are good, and what it calls
//! a default is one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use logweir_pipeline::{ConfigFile, PipelineConfig, load_texts, reference, schema};
use serde_json::{Value, json};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference")
}

/// Returns the pipelines of a file; what it reads from files of secrets is made up.
fn load(text: &str) -> Vec<PipelineConfig> {
    // A file of a secret need not be here: a variable stands in its place.
    let text = without_files(text);
    let file = ConfigFile { path: PathBuf::from("shop.yaml"), text };
    load_texts(vec![file], &|_| Some(String::from("https://a-secret-of-an-example.test/"))).unwrap().pipelines
}

/// Puts a variable in the place of each `${file:…}`.
fn without_files(text: &str) -> String {
    let mut parts = text.split("${file:");
    let mut replaced = parts.next().unwrap().to_owned();
    for part in parts {
        let (_, rest) = part.split_once('}').unwrap();
        replaced.push_str("${SECRET}");
        replaced.push_str(rest);
    }
    replaced
}

#[test]
fn the_files_of_the_reference_are_those_that_the_table_of_keys_makes() {
    let pages: BTreeMap<_, _> =
        reference().into_iter().map(|page| (page.file.to_owned(), page.text)).collect();
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::create_dir_all(directory()).unwrap();
        for (file, text) in &pages {
            fs::write(directory().join(file), text).unwrap();
        }
    }
    let there: BTreeSet<_> = fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, pages.keys().cloned().collect());
    for (file, text) in &pages {
        let is = fs::read_to_string(directory().join(file)).unwrap();
        assert!(is == *text, "docs/reference/{file} is not what the keys say: run with UPDATE_EXPECTED=1");
    }
}

#[test]
fn the_examples_of_the_reference_are_good() {
    let pages = reference();
    let examples: Vec<_> = pages.iter().filter_map(|page| Some((page.file, page.example?))).collect();
    assert!(examples.len() > 25, "{}", examples.len());
    for (file, example) in examples {
        assert!(!load(example).is_empty(), "{file}");
    }
}

#[test]
fn every_sink_source_and_stage_has_a_page() {
    let files: BTreeSet<_> = reference().into_iter().map(|page| page.file).collect();
    let schema = schema();
    let stage = &schema["properties"]["stages"]["items"];
    for (kind, shape) in [
        ("source", &schema["properties"]["source"]),
        ("sink", &schema["properties"]["sink"]),
        ("stage", stage),
    ] {
        let names = shape["properties"].as_object().unwrap();
        assert!(names.len() > 1);
        for name in names.keys() {
            assert!(files.contains(format!("{kind}-{name}.md").as_str()), "{kind} {name}");
        }
    }
}

/// Sets each default of the schema that a file leaves out, one at a time.
fn with_each_default(file: &Value, part: &Value, schema: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    match part {
        Value::Object(members) => {
            let Some(properties) = schema["properties"].as_object() else { return };
            for (key, property) in properties {
                let at = format!("{at}/{key}");
                match (members.get(key), property.get("default")) {
                    (Some(inner), _) => with_each_default(file, inner, property, &at, found),
                    (None, Some(default)) => {
                        let mut changed = file.clone();
                        let (parent, key) = at.rsplit_once('/').unwrap();
                        changed.pointer_mut(parent).unwrap()[key] = default.clone();
                        found.push((at, changed));
                    }
                    (None, None) => {}
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                with_each_default(file, item, &schema["items"], &format!("{at}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn what_is_called_a_default_is_what_holds_without_it() {
    let stages = json!([{ "sample": { "rate": 0.5 } }, { "truncate": {} }]);
    let follow = json!({ "file": { "include": ["in/*"] } });
    let common = |sink: Value| {
        json!({
            "source": follow, "state_dir": "state", "stages": stages, "encode": { "field_names": ["Outcome"] },
            "sink": sink, "shutdown": {}, "limits": {}, "admin": { "tap": {}, "token": "0123456789abcdef" },
        })
    };
    let secret = "0123456789abcdef";
    let sinks = [
        json!({ "file": { "path": "out", "ack": "synced", "rotate": { "every": "1h" } } }),
        json!({ "s3": { "bucket": "b", "access_key_id": "a", "secret_access_key": secret, "upload": {} } }),
        json!({ "http": { "url": "https://a.test/", "upload": {} } }),
        json!({ "datadog": { "api_key": secret } }),
        json!({ "splunk": { "url": "https://a.test/", "token": secret, "channel": "0aa0aa00-1111-4222-8333-444444444444" } }),
        json!({ "elasticsearch": { "url": "https://a.test/", "index": "i" } }),
        json!({ "loki": { "url": "https://a.test/", "labels": { "a": "b" } } }),
    ];
    let mut shown = BTreeSet::new();
    let schema = schema();
    for sink in sinks {
        let file = common(sink);
        let without = load(&file.to_string());
        let mut changed = Vec::new();
        with_each_default(&file, &file, &schema, "", &mut changed);
        for (at, file) in changed {
            assert_eq!(load(&file.to_string()), without, "{at} is not by default {:?}", file.pointer(&at));
            shown.insert(at);
        }
    }
    assert!(shown.len() > 30, "{shown:?}");
    // A job's are in a list of their own.
    let job = json!({
        "source": follow, "state_dir": "state",
        "jobs": [{
            "dataset": "workers_trace_events", "destination_conf": "https://a.test/", "output_options": {},
        }],
    });
    let mut changed = Vec::new();
    with_each_default(&job, &job, &schema, "", &mut changed);
    assert!(!changed.is_empty());
    for (at, file) in changed {
        assert_eq!(load(&file.to_string()), load(&job.to_string()), "{at}");
    }
}
