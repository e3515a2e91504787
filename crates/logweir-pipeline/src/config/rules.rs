//! The rules between the values of one file.

use std::collections::HashMap;

use super::Limits;
use super::keys::MAX_TRUNCATES;
use super::problem::Report;
use super::scalar::show_size;
use super::text::{Doc, Place};
use super::walk::Checked;

/// Checks the rules that one value alone cannot break.
pub(super) fn check(root: &Checked, doc: &Doc, report: &mut Report<'_>) {
    let shared = root.get("stages").map_or(&[][..], Checked::items);
    let outputs = root.get("outputs").map_or(&[][..], Checked::items);
    let n_shared = truncates(shared, 0, report);
    let mut names: HashMap<&str, Place> = HashMap::new();
    for output in outputs {
        truncates(output.get("stages").map_or(&[][..], Checked::items), n_shared, report);
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
}

/// Counts the truncate stages of a list that come after `before` others, and reports the first that is too many.
fn truncates(stages: &[Checked], before: usize, report: &mut Report<'_>) -> usize {
    let places: Vec<Place> = stages.iter().filter_map(|stage| stage.key_place("truncate")).collect();
    let room = MAX_TRUNCATES.saturating_sub(before);
    // Where the shared stages alone are too many, that has been said.
    if before <= MAX_TRUNCATES
        && let Some(first) = places.get(room)
    {
        let message = format!("this is truncate stage {} on the way to an output", MAX_TRUNCATES + 1);
        report.add_with_help(
            *first,
            message,
            format!("at most {MAX_TRUNCATES}: the texts that each may add to a chunk have to fit beside it"),
        );
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
