//! What the options of an encoding mean together, and for the sinks that it goes to.

use logweir_stages::{EncodeConfig, OutputType};

use super::collects_batches;
use crate::config::Limits;
use crate::config::problem::Report;
use crate::config::read;
use crate::config::walk::Checked;

/// The options that stand around a batch, or between its events.
const OF_BATCHES: [&str; 3] = ["batch_prefix", "batch_suffix", "record_delimiter"];

/// Checks the encodings of a pipeline, each with its sink.
pub(super) fn check(root: &Checked, report: &mut Report<'_>) {
    let limits = read::limits(root.get("limits")).unwrap_or_default();
    let outputs = root.get("outputs").map_or(&[][..], Checked::items);
    for output in std::iter::once(root).chain(outputs) {
        if let Some(encode) = output.get("encode") {
            one(encode, &limits, report);
            if let Some(sink) = output.get("sink") {
                with_sink(encode, sink, report);
            }
        }
    }
}

/// Checks what options mean together.
fn one(encode: &Checked, limits: &Limits, report: &mut Report<'_>) {
    let Some(config) = read::encode(Some(encode)) else { return };
    problems(&config, encode, limits, report);
}

/// Reports what is wrong with options beside each other, at the keys of the map that they stand in.
pub(super) fn problems(config: &EncodeConfig, options: &Checked, limits: &Limits, report: &mut Report<'_>) {
    for problem in config.problems(limits.max_event_bytes) {
        let place = options.key_place(problem.option).unwrap_or(options.place);
        match problem.help {
            Some(help) => report.add_with_help(place, problem.message, help),
            None => report.add(place, problem.message),
        }
    }
}

/// Checks that a sink can have what the options ask for.
fn with_sink(encode: &Checked, sink: &Checked, report: &mut Report<'_>) {
    let wraps_events = ["elasticsearch", "loki"].iter().any(|name| sink.key_place(name).is_some());
    let help = if wraps_events {
        "it is for sinks that deliver a batch as it is; this one wraps each event by itself: leave it out"
    } else if collects_batches(sink) || sink.key_place("null").is_some() {
        return;
    } else {
        "it is for sinks that collect batches, which this one does not: leave it out"
    };
    let is_set = |name: &&&str| encode.get(name).and_then(Checked::text).is_some_and(|text| !text.is_empty());
    for name in OF_BATCHES.iter().filter(is_set) {
        let place = encode.key_place(name).unwrap_or(encode.place);
        report.add_with_help(place, format!("there is no place here for `{name}`"), help);
    }
    let Some(config) = read::encode(Some(encode)) else { return };
    // How long an event may become does not matter here, and what else is wrong has been said.
    if config.problems(0).is_empty() && !config.is_one_line_an_event() {
        if config.output_type == OutputType::Csv {
            let place = encode.key_place("output_type").unwrap_or(encode.place);
            let message = "a text in csv may have line feeds, and events could not be told apart here";
            let help = "csv is for sinks that deliver a batch as it is, as `directory` or `s3`: write `output_type: ndjson`";
            return report.add_with_help(place, message, help);
        }
        let at_fault = ["record_suffix", "record_template", "record_prefix", "field_delimiter"];
        let place = at_fault.iter().find_map(|name| encode.key_place(name)).unwrap_or(encode.place);
        let help =
            "end `record_suffix` with a line feed, and have no other, so that events can be told apart";
        report.add_with_help(place, "each event has to be one line here", help);
    }
}
