//! The pipeline file of a plan, each key with what it means.

use std::fmt::Write as _;

use super::plan::Plan;
use crate::args::{From, To};

/// The condition of an event whose Worker failed, or answered 5xx.
const IS_ERROR: [&str; 5] = [
    "or:",
    "  # The Worker failed,",
    "  - { key: Outcome, operator: '!eq', value: ok }",
    "  # or answered 5xx.",
    "  - { key: Event.Response.Status, operator: geq, value: 500 }",
];

/// Returns the text of the file.
pub(super) fn yaml(plan: &Plan) -> String {
    let mut text = String::from(
        "# A pipeline of Workers trace events, for `logweir run`. `logweir check` says whether it is right;\n\
         # docs/configuration.md has all keys, and `logweir schema` has editors complete them.\n\n",
    );
    text.push_str(&source(plan));
    text.push_str(&stages(plan));
    text.push_str(&sink(plan));
    if plan.from == From::Follow || is_uploaded(plan) {
        text.push_str(
            "\n# Where it is kept how far files have been delivered, and what is to be uploaded. It must outlive a restart.\n\
             state_dir: logweir-state\n",
        );
    }
    if plan.admin {
        text.push_str(
            "\n# Metrics for Prometheus and `logweir top`, and health; reached from this machine only.\n\
             admin:\n  listen: 127.0.0.1:9598\n",
        );
    }
    text + &tests(plan)
}

/// Returns a text as YAML, whatever is in it.
fn quoted(text: &str) -> String {
    // A string of JSON is one of YAML; a `$` would begin a variable.
    serde_json::Value::from(text.replace('$', "$$")).to_string()
}

fn is_uploaded(plan: &Plan) -> bool {
    matches!(plan.to, To::S3 | To::R2 | To::Http)
}

fn source(plan: &Plan) -> String {
    let read = match plan.from {
        From::Stdin => {
            return "# Where events come from: standard input, one event a line.\nsource:\n  stdin: {}\n"
                .to_owned();
        }
        From::Follow => {
            "    # Goes on as files grow and are rotated, and after a restart where it was.\n    read: follow\n"
        }
        From::Once => "    # Reads what is there, to the end, and ends.\n    read: once\n",
    };
    let inputs: Vec<_> = plan.inputs.iter().map(|input| format!("      - {}", quoted(input))).collect();
    let inputs = inputs.join("\n");
    format!(
        "# Where events come from: files with one event a line. Gzip and Zstandard are recognised.\n\
         source:\n  file:\n    # Paths and globs.\n    include:\n{inputs}\n{read}"
    )
}

fn stages(plan: &Plan) -> String {
    let mut text = String::new();
    match (plan.sample, plan.keep_errors) {
        (None, false) => {}
        (None, true) => {
            let _ = write!(
                text,
                "  # Only events for which this holds go on; the rest is counted as filtered.\n\
             \x20 - filter:\n      where:\n{}",
                is_error(8)
            );
        }
        (Some(rate), keeps_errors) => {
            let _ = writeln!(
                text,
                "  # Keeps this share of the events, chosen by a hash of the whole event: the same ones every time.\n\
                 \x20 - sample:\n      rate: {rate}"
            );
            if keeps_errors {
                let _ = write!(
                    text,
                    "      # Events for which this holds are kept whatever the share.\n\
                     \x20     always_keep:\n        where:\n{}",
                    is_error(10)
                );
            }
        }
    }
    if let Some(limit) = plan.truncate {
        let _ = writeln!(
            text,
            "  # Cuts the names and messages of exceptions and the messages of logs to this many characters together.\n\
             \x20 - truncate:\n      limit: {limit}"
        );
    }
    if text.is_empty() {
        return "\n# What is done to events, in this order: `filter`, `sample` and `truncate`. Nothing: they pass as they are.\n\
                stages: []\n"
            .to_owned();
    }
    format!("\n# What is done to events, in this order.\nstages:\n{text}")
}

/// Returns the condition of an error behind `n` blanks.
fn is_error(n: usize) -> String {
    let lines: Vec<_> = IS_ERROR.iter().map(|line| format!("{:n$}{line}", "")).collect();
    lines.join("\n") + "\n"
}

fn sink(plan: &Plan) -> String {
    let output = quoted(&plan.output);
    let (bucket, prefix) = plan.bucket();
    let prefix = if prefix.is_empty() {
        String::new()
    } else {
        format!(
            "    # What stands before the objects' names; {{DATE}} is the day of the first event.\n    prefix: {}\n",
            quoted(prefix)
        )
    };
    let bucket = quoted(bucket);
    let upload = "    # A batch is complete at whichever comes first; it is tried again until it is through.\n\
                  \x20   upload:\n      max_events: 100000\n      max_interval: 30s\n      compression: gzip\n";
    let keys = match plan.to {
        To::Stdout => "  stdout: {}\n".to_owned(),
        To::File => format!(
            "  file:\n    # {{DATE}} and {{HOUR}} stand for the time of writing, in UTC. Missing directories are made.\n    path: {output}\n"
        ),
        To::S3 => format!(
            "  s3:\n    bucket: {bucket}\n{prefix}    region: us-east-1\n\
             \x20   # Without these two the credentials are those of the environment, as for the tools of AWS.\n\
             \x20   # access_key_id: ${{AWS_ACCESS_KEY_ID}}\n    # secret_access_key: ${{AWS_SECRET_ACCESS_KEY}}\n{upload}"
        ),
        To::R2 => format!(
            "  r2:\n    bucket: {bucket}\n{prefix}    # From the environment, so that no secret is in this file.\n\
             \x20   account_id: ${{R2_ACCOUNT_ID}}\n    access_key_id: ${{R2_ACCESS_KEY_ID}}\n\
             \x20   secret_access_key: ${{R2_SECRET_ACCESS_KEY}}\n{upload}"
        ),
        To::Http => format!(
            "  http:\n    # Takes a batch as the body of a POST.\n    url: {output}\n\
             \x20   # From the environment, so that no secret is in this file.\n\
             \x20   headers:\n      Authorization: Bearer ${{LOGS_TOKEN}}\n{upload}"
        ),
    };
    format!("\n# Where they go.\nsink:\n{keys}")
}

/// Returns tests that hold for the plan.
fn tests(plan: &Plan) -> String {
    let error = "{ Outcome: exception, ScriptName: shop }";
    let mut text = String::from(
        "\n# What this file is to do, tried by `logweir test`. In a run they mean nothing.\ntests:\n",
    );
    // What a hash decides cannot be told beforehand.
    if plan.sample.is_none() || plan.keep_errors {
        let _ = writeln!(text, "  - name: an exception is kept\n    input: {error}\n    expect: {error}");
    }
    if plan.sample.is_none() {
        let outcome = if plan.keep_errors { "expect_dropped: filtered" } else { "expect: { Outcome: ok }" };
        let what = if plan.keep_errors { "what went well is not" } else { "so is what went well" };
        let _ = writeln!(text, "  - name: {what}\n    input: {{ Outcome: ok }}\n    {outcome}");
    }
    text.push_str(
        "  - name: what is no event is dropped\n    input: no event\n    expect_dropped: not_json\n",
    );
    text
}
