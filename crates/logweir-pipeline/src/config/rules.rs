//! The rules between the values of one file.

use std::collections::HashMap;

use logweir_sinks::PathTemplate;

use super::Limits;
use super::keys::{MAX_EDITS, MAX_GZIP_LEVEL};
use super::problem::Report;
use super::scalar::show_size;
use super::text::{Doc, Place};
use super::walk::{Checked, Value, sinks};

mod admin;
mod encode;
mod job;
mod job_filter;
mod report;
mod sample;
mod test;
mod upload;

pub(super) use job::{check_job, is_enabled};
pub(super) use test::{TestTarget, check_tests, test_target};

/// How a pipeline reads.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Files are followed, and read again from where they were delivered to.
    Follow,
    /// Whatever is read is read once.
    Once,
}

/// Returns how a pipeline reads; `None` where that is bad, which has been reported.
pub(super) fn reading(root: &Checked) -> Option<Reading> {
    let source = root.get("source")?;
    if source.get("stdin").is_some() {
        return Some(Reading::Once);
    }
    match source.get("file")?.get("read") {
        None => Some(Reading::Follow),
        Some(read) => match read.text()? {
            "follow" => Some(Reading::Follow),
            _ => Some(Reading::Once),
        },
    }
}

/// Checks the rules that one value alone cannot break.
pub(super) fn check(root: &Checked, doc: &Doc, report: &mut Report<'_>) {
    let shared = root.get("stages").map_or(&[][..], Checked::items);
    let outputs = root.get("outputs").map_or(&[][..], Checked::items);
    let n_shared = edits(shared, 0, report);
    let mut names: HashMap<&str, Place> = HashMap::new();
    for output in outputs {
        edits(output.get("stages").map_or(&[][..], Checked::items), n_shared, report);
        let Some((name, text)) = output.get("name").and_then(|name| Some((name, name.text()?))) else {
            continue;
        };
        if let Some(first) = names.get(text) {
            let (line, column) = doc.line_and_column(first.start);
            let help =
                format!("each output has a name of its own; the other is at line {line}, column {column}");
            report.add_with_help(name.place, "two outputs have this name", help);
        } else {
            names.insert(text, name.place);
        }
    }
    if let Some(limits) = root.get("limits") {
        held_bytes(limits, report);
    }
    admin::check(root, report);
    encode::check(root, report);
    report::check(root, report);
    sample::check(root, report);
    upload::check(root, report);
    job::check(root, doc, report);
    test::check_tests(root, doc, root, doc, report);
    if let Some(reading) = reading(root) {
        state_dir(root, reading, report);
        for sink in sinks(root).filter_map(|sink| sink.get("file")) {
            file_sink(sink, reading, report);
        }
    }
    if let Some(path) = root.get("sink").and_then(|sink| sink.get("file")?.get("path")) {
        output_token(path, report);
    }
}

/// Returns whether a sink collects batches, which wait in `state_dir` to be uploaded.
pub(super) fn collects_batches(sink: &Checked) -> bool {
    !["stdout", "file", "null"].iter().any(|name| sink.key_place(name).is_some())
        && matches!(&sink.value, Value::Map(fields) if !fields.is_empty())
}

/// Checks that there is a place for positions and batches where there are some, and only there.
fn state_dir(root: &Checked, reading: Reading, report: &mut Report<'_>) {
    let Some(source) = root.get("source") else { return };
    let file = source.key_place("file").unwrap_or(source.place);
    match (reading, root.key_place("state_dir")) {
        (Reading::Follow, None) => {
            let place = source.get("file").and_then(|file| file.key_place("read")).unwrap_or(file);
            report.add_with_help(
                place,
                "following files needs `state_dir`",
                "name a directory for their positions, `state_dir: /var/lib/logweir`; or write `read: once`",
            );
        }
        (Reading::Once, None) if spools(root).is_some() => report.add_with_help(
            spools(root).unwrap_or(file),
            "collecting batches needs `state_dir`",
            "name a directory where they wait to be uploaded, `state_dir: /var/lib/logweir`",
        ),
        (Reading::Once, Some(place)) if spools(root).is_none() => report.add_with_help(
            place,
            "`state_dir` goes only with files that are followed, or batches that are uploaded",
            "what is read once has no positions to keep: leave it out",
        ),
        _ => {}
    }
}

/// Returns where batches are collected, if they are.
fn spools(root: &Checked) -> Option<Place> {
    let sink = sinks(root).find(|sink| collects_batches(sink)).map(|sink| sink.place);
    root.key_place("jobs").or(sink)
}

/// Checks what a file sink's keys mean together, and with how the pipeline reads.
fn file_sink(sink: &Checked, reading: Reading, report: &mut Report<'_>) {
    let text = |key: &str| sink.get(key).and_then(Checked::text);
    if text("mode") == Some("overwrite")
        && let Some(mode) = sink.get("mode")
    {
        let is_template = text("path").is_some_and(|path| path.contains(['{', '}']));
        let why = match reading {
            Reading::Follow => Some("`overwrite` would destroy what was delivered before a restart"),
            Reading::Once if is_template => Some("`overwrite` goes only with a path without `{…}`"),
            Reading::Once if sink.get("rotate").is_some() => Some("`overwrite` does not go with `rotate`"),
            Reading::Once => None,
        };
        if let Some(why) = why {
            report.add_with_help(mode.place, why, "leave `mode` out: events are added");
        }
    }
    // Beside a given `ack` it has been judged.
    if let (None, Reading::Once, Some(place)) = (sink.get("ack"), reading, sink.key_place("sync_every")) {
        let help = "write `ack: synced` as well; by default only the events of followed files are synced";
        report.add_with_help(place, "`sync_every` goes only with `ack`: `synced`", help);
    }
    level(sink, "none", report);
}

/// Checks that the level is one of the compression, which by default is `default`.
fn level(sink: &Checked, default: &str, report: &mut Report<'_>) {
    let is_gzip = sink.get("compression").map_or(Some(default), Checked::text) == Some("gzip");
    if let Some(level) = sink.get("compression_level").filter(|_| is_gzip)
        && level.integer().is_some_and(|number| number > MAX_GZIP_LEVEL)
    {
        let help = format!("from 1 to {MAX_GZIP_LEVEL}");
        report.add_with_help(level.place, "gzip has no such level", help);
    }
}

/// Refuses the name of an output where the only one has none.
fn output_token(path: &Checked, report: &mut Report<'_>) {
    if path.text().is_some_and(|text| PathTemplate::parse(text).is_ok_and(|path| path.has_output())) {
        let help = "a single `sink` has no name: leave the token out";
        report.add_with_help(path.place, "`{output}` stands for nothing here", help);
    }
}

/// Counts the stages of a list that edit events, which come after `before` others, and reports the first that is too
/// many.
fn edits(stages: &[Checked], before: usize, report: &mut Report<'_>) -> usize {
    let weight = |stage: &Checked| stage.get("sample").and_then(|sample| sample.key_place("weight_field"));
    let edit = |stage: &Checked| stage.key_place("truncate").or_else(|| weight(stage));
    let places: Vec<Place> = stages.iter().filter_map(edit).collect();
    let room = MAX_EDITS.saturating_sub(before);
    // Where the shared stages alone are too many, that has been said.
    if before <= MAX_EDITS
        && let Some(first) = places.get(room)
    {
        let message = format!("this is editing stage {} on the way to an output", MAX_EDITS + 1);
        let help = format!(
            "at most {MAX_EDITS}, `truncate` and `sample` with `weight_field` together: the texts that each may add to a \
             chunk have to fit beside it"
        );
        report.add_with_help(*first, message, help);
    }
    before + places.len()
}

/// Checks that a source can read a chunk while another is on its way.
fn held_bytes(limits: &Checked, report: &mut Report<'_>) {
    let defaults = Limits::default();
    let value = |name: &str, default: usize| match limits.get(name) {
        None => Some(default as u64),
        Some(given) => given.integer(),
    };
    let Some(chunk) = value("chunk_bytes", defaults.chunk_bytes) else { return };
    let Some(bound) = value("held_bytes", defaults.held_bytes) else { return };
    if bound >= 2 * chunk {
        return;
    }
    // Every chunk size is less than half of the default, so one of the two is given.
    let given = limits.get("held_bytes").or_else(|| limits.get("chunk_bytes"));
    let place = given.map_or(limits.place, |given| given.place);
    let help = format!("`held_bytes` holds two chunks at least, which are {}", show_size(2 * chunk));
    report.add_with_help(place, "`held_bytes` is less than twice `chunk_bytes`", help);
}
