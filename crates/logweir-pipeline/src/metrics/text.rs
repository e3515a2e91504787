//! Metrics that are written as text here, because the facade cannot take them over.
//!
//! It has no way to set a histogram, and what renders it makes one label of two that differ in backslashes: two series
//! of one name, of which Prometheus refuses the whole scrape.

use std::fmt::Write as _;

use logweir_sinks::Durations;
use logweir_stages::ScriptTally;

use super::{FIELDS, Kind, METRICS, Metric, SCRIPT_TRUNCATED, SCRIPT_TRUNCATED_CHARACTERS};
use crate::board::Board;
use crate::ledger::Accounts;

/// Returns the histograms as a scrape sees them: they are counted where things happen, in buckets.
pub(super) fn histograms(board: &Board) -> String {
    let metric = METRICS.iter().find(|metric| metric.kind == Kind::Histogram);
    let Some(&Metric { name, .. }) = metric else { return String::new() };
    let mut lines = String::new();
    for status in board.statuses() {
        for (output, upload) in status.all_uploads() {
            let labels = labels(&status.name, output.as_deref());
            let bounds = Durations::BOUNDS.iter().map(f64::to_string).chain([String::from("+Inf")]);
            let counts = upload.durations.cumulated().into_iter().chain([upload.durations.count()]);
            for (bound, n) in bounds.zip(counts) {
                let _ = writeln!(lines, "{name}_bucket{{{labels},le=\"{bound}\"}} {n}");
            }
            let (sum, count) = (upload.durations.total().as_secs_f64(), upload.durations.count());
            let _ = writeln!(lines, "{name}_sum{{{labels}}} {sum}\n{name}_count{{{labels}}} {count}");
        }
    }
    family(name, "histogram", &lines)
}

/// What was cut of each script's events, as a scrape sees it.
#[derive(Default)]
pub(super) struct Scripts {
    /// The series of events.
    events: String,
    /// Those of characters.
    characters: String,
}

impl Scripts {
    /// Adds what the books of a pipeline say.
    pub(super) fn add(&mut self, pipeline: &str, accounts: &Accounts) {
        self.add_tally(&accounts.tally.scripts, &labels(pipeline, None));
        for output in &accounts.outputs {
            self.add_tally(&output.tally.scripts, &labels(pipeline, output.name.as_deref()));
        }
    }

    fn add_tally(&mut self, tally: &ScriptTally, labels: &str) {
        for (script, cuts) in tally.iter() {
            let labels = format!("{labels},script=\"{}\"", escaped(script));
            let _ = writeln!(self.events, "{SCRIPT_TRUNCATED}{{{labels}}} {}", cuts.events);
            for (field, n) in FIELDS.into_iter().zip(cuts.characters) {
                let name = SCRIPT_TRUNCATED_CHARACTERS;
                let _ = writeln!(self.characters, "{name}{{{labels},field=\"{field}\"}} {n}");
            }
        }
    }

    /// Returns all that was added.
    pub(super) fn text(&self) -> String {
        family(SCRIPT_TRUNCATED, "counter", &self.events)
            + &family(SCRIPT_TRUNCATED_CHARACTERS, "counter", &self.characters)
    }
}

/// Returns the series of one metric with what says what it is; nothing where there are none.
fn family(name: &str, kind: &str, series: &str) -> String {
    let metric = METRICS.iter().find(|metric| metric.name == name);
    match metric {
        Some(Metric { help, .. }) if !series.is_empty() => {
            format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{series}\n")
        }
        _ => String::new(),
    }
}

/// Returns the labels of a pipeline, and of an output if it has a name. These have no character that would have to be
/// escaped.
fn labels(pipeline: &str, output: Option<&str>) -> String {
    let output = output.map(|output| format!(",output=\"{output}\"")).unwrap_or_default();
    format!("pipeline=\"{pipeline}\"{output}")
}

/// Returns a label as the format wants it between its quotes.
fn escaped(label: &str) -> String {
    label.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}
