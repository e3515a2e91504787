//! The JSON Schema judges as the program does.
//!
//! JSON is YAML, so a JSON value serves as a file for both. Whatever is done to the structure of a good file, the two
//! agree on whether the outcome is good.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::PathBuf;

use jsonschema::Validator;
use logweir_pipeline::{ConfigFile, load_texts, schema};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).expect("the schema is one")
}

/// Returns what the program finds wrong with a file, if anything.
fn problems(file: &Value) -> Option<String> {
    let file = ConfigFile { path: PathBuf::from("pipeline.yaml"), text: file.to_string() };
    load_texts(vec![file], &|_| None).err().map(|problems| problems.to_string())
}

/// Files that use all of the structure, with no `${…}` and none of the rules that a schema cannot say.
fn good() -> Vec<Value> {
    let condition = json!({ "key": "Outcome", "operator": "eq", "value": "exception" });
    let file = json!({ "include": ["logs/*.ndjson"], "exclude": ["logs/old.ndjson"], "read": "once" });
    vec![
        json!({ "source": { "stdin": {} }, "sink": { "stdout": null } }),
        json!({
            "name": "one",
            "source": { "file": file },
            "stages": [
                { "filter": { "where": { "and": [condition, { "or": [condition] }] } } },
                {
                    "sample": {
                        "rate": 0.25, "key": "Event.RayID", "seed": 3, "always_keep": { "where": condition },
                        "rates": [{ "where": { "and": [condition] }, "rate": 1 }], "weight_field": "SampleInterval",
                    },
                },
                { "truncate": { "limit": 100, "unit": "bytes" } },
            ],
            "encode": { "field_names": ["Outcome", "Logs"] },
            "sink": { "file": { "path": "out/a.ndjson", "mode": "overwrite" } },
            "dead_letter": { "file": { "path": "out/dead.ndjson", "max_bytes": "1 GB" } },
            "admin": { "listen": "127.0.0.1:9598" },
            "limits": {
                "max_event_bytes": 2048, "chunk_bytes": "8 KiB", "channel_batches": 2, "decoders": 1, "held_bytes": 99999,
            },
        }),
        json!({
            "source": { "stdin": null },
            "stages": null,
            "outputs": [
                { "name": "a", "stages": [{ "truncate": null }], "encode": null, "sink": { "null": {} } },
                { "name": "b", "sink": { "file": { "path": "out/b.ndjson" } } },
            ],
            "shutdown": { "deadline": "10s" },
            "tests": [
                { "name": "in a", "output": "a", "input": ["x", { "a": [1.0] }], "expect": { "a": null } },
                { "name": "in b", "output": "b", "input_file": "in.ndjson", "expect_file": "out.ndjson" },
                { "name": "dropped", "output": "b", "input": "${x}", "expect_dropped": "filtered" },
            ],
        }),
        json!({
            "source": { "file": {
                "include": ["logs/*.ndjson"], "read": "follow", "start_at": "end", "open_files": 100,
            } },
            "sink": { "file": {
                "path": "out/{DATE}.gz", "ack": "synced", "sync_every": "1s",
                "rotate": { "max_bytes": "1 MiB", "every": "1h" }, "compression": "gzip", "compression_level": 2,
            } },
            "state_dir": "state",
            "shutdown": null,
        }),
        json!({
            "source": { "stdin": {} },
            "encode": {
                "field_names": ["Outcome"], "output_type": "csv", "field_delimiter": "\t", "record_prefix": "",
                "record_suffix": "\n", "record_template": "x", "timestamp_format": "unix", "CVE-2021-44228": true,
                "batch_prefix": "", "batch_suffix": "", "record_delimiter": "",
            },
            "sink": { "null": {} },
        }),
        json!({
            "source": { "file": { "include": ["logs/*.ndjson"] } },
            "state_dir": "state",
            "jobs": [
                {
                    "id": 1, "dataset": "dns_logs", "kind": "", "name": "a.b", "enabled": true,
                    "destination_conf": "file:///out", "ownership_challenge": "a", "frequency": "high",
                    "max_upload_bytes": 5_000_000, "max_upload_records": 0, "max_upload_interval_seconds": 30,
                    "transformer_id": null, "last_complete": "x", "last_error": null, "error_message": null,
                    "output_options": {
                        "field_names": ["a"], "output_type": "csv", "batch_prefix": "[", "sample_rate": 0.5,
                        "CVE-2021-44228": null, "merge_subrequests": false,
                    },
                },
                { "destination_conf": "file:///out", "output_options": null },
            ],
        }),
    ]
}

/// Returns a pointer to every value of a tree, the root first.
fn pointers(value: &Value) -> Vec<String> {
    let mut found = vec![(String::new(), value)];
    let mut at = 0;
    while let Some((pointer, value)) = found.get(at).cloned() {
        match value {
            Value::Object(members) => {
                let members = members.iter().map(|(key, value)| (format!("{pointer}/{key}"), value));
                found.extend(members);
            }
            Value::Array(items) => {
                found.extend(items.iter().enumerate().map(|(n, value)| (format!("{pointer}/{n}"), value)));
            }
            _ => {}
        }
        at += 1;
    }
    found.into_iter().map(|(pointer, _)| pointer).collect()
}

/// Something done to a file.
#[derive(Clone, Debug)]
enum Change {
    Replace(Value),
    Remove,
    AddKey(&'static str, Value),
    AddItem(Value),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        value().prop_map(Change::Replace),
        Just(Change::Remove),
        (key(), value()).prop_map(|(key, value)| Change::AddKey(key, value)),
        value().prop_map(Change::AddItem),
    ]
}

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "name",
        "source",
        "stages",
        "encode",
        "sink",
        "outputs",
        "dead_letter",
        "admin",
        "limits",
        "stdin",
        "file",
        "include",
        "read",
        "filter",
        "where",
        "sample",
        "rate",
        "truncate",
        "limit",
        "unit",
        "path",
        "mode",
        "null",
        "stdout",
        "field_names",
        "state_dir",
        "shutdown",
        "start_at",
        "ack",
        "sync_every",
        "compression",
        "compression_level",
        "rotate",
        "jobs",
        "enabled",
        "filter",
        "output_options",
        "output_type",
        "record_suffix",
        "sample_rate",
        "CVE-2021-4428",
        "transformer_id",
        "max_upload_records",
        "tests",
        "input",
        "expect",
        "expect_dropped",
        "expect_file",
        "x",
    ])
}

fn value() -> impl Strategy<Value = Value> {
    let condition = json!({ "key": "CPUTimeMs", "operator": "gt", "value": "10" });
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(-1),
        json!(0.5),
        json!(2.0),
        json!(1.5),
        json!(5000),
        json!(1e30),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!("a"),
        json!("a b"),
        json!("a{b}"),
        json!("[{]"),
        json!("once"),
        json!("follow"),
        json!("end"),
        json!("written"),
        json!("sampled_out"),
        json!("synced"),
        json!("gzip"),
        json!("none"),
        json!("30s"),
        json!("2 h"),
        json!("{DATE:%Y}/{{x}}"),
        json!("{HOUR}/"),
        json!("{hour}"),
        json!("utf16"),
        json!("append"),
        json!("64 KiB"),
        json!("64 kib"),
        json!("0.5"),
        json!("[::1]:80"),
        json!([]),
        json!(["a"]),
        json!(["a", "b"]),
        json!([condition]),
        json!({}),
        json!({ "stdin": {} }),
        json!({ "stdout": {} }),
        json!({ "stdin": {}, "stdout": {} }),
        json!({ "truncate": {} }),
        json!({ "where": condition }),
        condition,
    ])
}

fn apply(file: &mut Value, at: Index, change: Change) {
    let pointers = pointers(file);
    let pointer = at.get(&pointers);
    if matches!(change, Change::Remove) {
        let Some((parent, last)) = pointer.rsplit_once('/') else { return };
        match file.pointer_mut(parent) {
            Some(Value::Object(members)) => drop(members.remove(last)),
            Some(Value::Array(items)) => drop(items.remove(last.parse().unwrap())),
            _ => unreachable!("a parent is a map or a list"),
        }
        return;
    }
    let place = file.pointer_mut(pointer).unwrap();
    match (change, place) {
        (Change::Replace(value), place) => *place = value,
        (Change::AddKey(key, value), Value::Object(members)) => drop(members.insert(key.to_owned(), value)),
        (Change::AddItem(value), Value::Array(items)) => items.push(value),
        _ => {}
    }
}

/// Problems that a schema has no words for.
const BEYOND_A_SCHEMA: [&str; 20] = [
    "goes only with the dataset",
    "say which one is tested",
    "this pipeline has no `",
    " has this name",
    "`overwrite`",
    "by default only the events of followed files are synced",
    "gzip has no such level",
    "stands for nothing here",
    "files of these names may be written",
    "is too large",
    "have this name",
    "is less than twice",
    "written by another output",
    "read by a source",
    "writes to the standard output",
    "needs `field_names`",
    "each event has to be one line here",
    "there is no place here for",
    "events could not be told apart here",
    "the standard input feeds one job only",
];

/// Returns whether a filter is given as text, or another template than the good one: whether such a text is what it has to
/// be is beyond a schema too.
fn has_filter_text(file: &Value) -> bool {
    let is_filter =
        |pointer: &str| ["/filter", "/always_keep", "/where"].iter().any(|end| pointer.ends_with(end));
    let is_beyond = |pointer: &String| {
        let text = file.pointer(pointer).and_then(Value::as_str);
        text.is_some_and(|text| {
            is_filter(pointer) || pointer.ends_with("/record_template") && text.contains("{{")
        })
    };
    pointers(file).iter().any(is_beyond)
}

#[test]
fn good_files_are_good_for_both() {
    let validator = validator();
    for file in good() {
        assert_eq!(problems(&file), None, "{file}");
        let errors: Vec<String> = validator.iter_errors(&file).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{file}");
    }
}

#[test]
fn the_schema_takes_variables_where_the_program_does() {
    let validator = validator();
    let with = |rate: Value, word: Value| {
        json!({
            "name": word,
            "source": { "file": { "include": [word], "read": word } },
            "stages": [{ "sample": { "rate": rate, "key": word } }],
            "sink": { "file": { "path": word } },
        })
    };
    assert!(validator.is_valid(&with(json!("${RATE}"), json!("${WORD:-x}"))));
    assert!(!validator.is_valid(&with(json!("$RATE"), json!("${WORD:-x}"))));
    assert!(!validator.is_valid(&with(json!("${RATE}"), json!("{WORD}"))));
}

#[test]
fn every_key_says_what_it_does() {
    let schema = schema();
    let mut open = vec![&schema];
    let mut n_keys = 0;
    while let Some(part) = open.pop() {
        if let Some(Value::Object(properties)) = part.get("properties") {
            for (key, property) in properties.iter().filter(|(_, property)| property.is_object()) {
                // The condition of a filter is described where it is defined.
                let described = property.get("description").is_some() || property.get("$ref").is_some();
                assert!(described || key == "operator" || key == "value", "{key} is not described");
                n_keys += 1;
            }
        }
        match part {
            // A condition names keys that are described where they belong.
            Value::Object(members) => {
                open.extend(members.iter().filter(|(key, _)| *key != "if").map(|(_, member)| member));
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(n_keys > 50, "only {n_keys} keys");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_schema_and_the_program_agree(
        which in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), change()), 1..4),
    ) {
        thread_local!(static VALIDATOR: Validator = validator());
        let good = good();
        let mut file = which.get(&good).clone();
        for (at, change) in changes {
            apply(&mut file, at, change);
        }
        let found = problems(&file);
        if let Some(found) = &found {
            prop_assume!(!BEYOND_A_SCHEMA.iter().any(|words| found.contains(words)));
        }
        prop_assume!(!has_filter_text(&file));
        let valid = VALIDATOR.with(|validator| validator.is_valid(&file));
        prop_assert_eq!(found.is_none(), valid, "{:#}\n{}", file, found.unwrap_or_default());
    }
}
