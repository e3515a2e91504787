//! What a scrape sees: the books and the state of every pipeline, given to the `metrics` facade.
//!
//! Nothing is counted twice: at each scrape all values are set from one copy of each pipeline's books, so that what is
//! scraped adds up exactly. `docs/metrics.md` describes them for users; a test compares it with [`METRICS`].

use std::sync::Arc;

use metrics::{Label, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::ledger::{Accounts, OutputAccounts};
use crate::status::Status;

/// Whether a metric counts up or shows a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A metric's name, kind, unit and help text.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its unit, where it has one.
    pub unit: Option<Unit>,
    /// What it says, in one line.
    pub help: &'static str,
}

const fn metric(name: &'static str, kind: Kind, unit: Option<Unit>, help: &'static str) -> Metric {
    Metric { name, kind, unit, help }
}

const READ: &str = "logweir_events_read_total";
const WRITTEN: &str = "logweir_events_written_total";
const DROPPED: &str = "logweir_events_dropped_total";
const FORWARDED: &str = "logweir_events_forwarded_total";
const RECEIVED: &str = "logweir_events_received_total";
const IN_FLIGHT: &str = "logweir_events_in_flight";
const TRUNCATED: &str = "logweir_events_truncated_total";
const TRUNCATED_CHARACTERS: &str = "logweir_truncated_characters_total";
const BYTES_READ: &str = "logweir_bytes_read_total";
const BYTES_WRITTEN: &str = "logweir_bytes_written_total";
const ERRORS: &str = "logweir_component_errors_total";
const CHANNEL_DEPTH: &str = "logweir_channel_depth_batches";
const CHANNEL_WAIT: &str = "logweir_channel_wait_microseconds_total";
const HELD: &str = "logweir_held_bytes";
const LAG: &str = "logweir_source_lag_bytes";
const UNDELIVERED: &str = "logweir_chunks_undelivered_total";
const DEAD_LETTER_LINES: &str = "logweir_dead_letter_lines_total";
const DEAD_LETTER_BYTES: &str = "logweir_dead_letter_bytes_total";
const DEAD_LETTER_HOLDING: &str = "logweir_dead_letter_holding";
const BUILD_INFO: &str = "logweir_build_info";

/// All metrics there are.
pub const METRICS: &[Metric] = &[
    metric(READ, Kind::Counter, None, "Events read, malformed and oversized ones included."),
    metric(WRITTEN, Kind::Counter, None, "Events taken by the sink."),
    metric(DROPPED, Kind::Counter, None, "Events that were not written, by reason."),
    metric(
        FORWARDED,
        Kind::Counter,
        None,
        "Events handed to the outputs of a pipeline that has several, to each all of them.",
    ),
    metric(RECEIVED, Kind::Counter, None, "Events that an output got from the shared part of its pipeline."),
    metric(IN_FLIGHT, Kind::Gauge, None, "Events read that are not yet written, dropped or failed."),
    metric(TRUNCATED, Kind::Counter, None, "Events that a truncate stage cut."),
    metric(
        TRUNCATED_CHARACTERS,
        Kind::Counter,
        None,
        "Counted units of text that truncate stages removed, by field.",
    ),
    metric(
        BYTES_READ,
        Kind::Counter,
        Some(Unit::Bytes),
        "Decompressed bytes read, with line endings, blank and bad lines included.",
    ),
    metric(BYTES_WRITTEN, Kind::Counter, Some(Unit::Bytes), "Bytes taken by the sink."),
    metric(ERRORS, Kind::Counter, None, "Failures of a component, by kind; bad data is no failure."),
    metric(CHANNEL_DEPTH, Kind::Gauge, None, "Batches that wait in a channel."),
    metric(
        CHANNEL_WAIT,
        Kind::Counter,
        Some(Unit::Microseconds),
        "Time that senders waited because a channel was full.",
    ),
    metric(
        HELD,
        Kind::Gauge,
        Some(Unit::Bytes),
        "Bytes of chunks held in memory, bounded by limits.held_bytes and one event.",
    ),
    metric(
        LAG,
        Kind::Gauge,
        Some(Unit::Bytes),
        "Bytes of the source, compressed ones as they lie, that are not yet delivered.",
    ),
    metric(UNDELIVERED, Kind::Counter, None, "Chunks of which some event was not delivered."),
    metric(DEAD_LETTER_LINES, Kind::Counter, None, "Malformed lines written to the dead-letter file."),
    metric(DEAD_LETTER_BYTES, Kind::Counter, Some(Unit::Bytes), "Bytes written to the dead-letter file."),
    metric(
        DEAD_LETTER_HOLDING,
        Kind::Gauge,
        None,
        "1 while a full or failing dead-letter file holds the source, else 0.",
    ),
    metric(BUILD_INFO, Kind::Gauge, None, "Always 1; the version is a label."),
];

/// Tells the recorder kind, unit and help text of every metric.
pub fn describe() {
    for &Metric { name, kind, unit, help } in METRICS {
        match (kind, unit) {
            (Kind::Counter, Some(unit)) => describe_counter!(name, unit, help),
            (Kind::Counter, None) => describe_counter!(name, help),
            (Kind::Gauge, Some(unit)) => describe_gauge!(name, unit, help),
            (Kind::Gauge, None) => describe_gauge!(name, help),
        }
    }
}

/// Sets every metric to what holds now; `version` is the program's.
///
/// Between this and rendering nobody else may publish to the same recorder, or two copies mix.
pub fn publish(pipelines: &[Arc<Status>], version: &'static str) {
    gauge!(BUILD_INFO, "version" => version).set(1.0);
    for status in pipelines {
        publish_pipeline(status);
    }
}

fn publish_pipeline(status: &Status) {
    let labels = vec![Label::new("pipeline", status.name.clone())];
    publish_accounts(&status.ledger.accounts(), &labels);
    for ((component, kind), n) in status.failure_counts() {
        let labels = with(&with(&labels, "component", &component), "kind", kind);
        counter!(ERRORS, labels).absolute(n);
    }
    for channel in &status.channels {
        let labels = with_output(&with(&labels, "channel", channel.name), channel.output.as_deref());
        gauge!(CHANNEL_DEPTH, labels.clone()).set(channel.depth() as f64);
        counter!(CHANNEL_WAIT, labels).absolute(channel.waited_micros());
    }
    gauge!(HELD, labels.clone()).set(status.pool.held() as f64);
    gauge!(LAG, labels.clone()).set(status.progress.lag(status.tracker.delivered_source_bytes()) as f64);
    counter!(UNDELIVERED, labels.clone()).absolute(status.tracker.undelivered());
    if let Some(dead_letters) = &status.dead_letters {
        counter!(DEAD_LETTER_LINES, labels.clone()).absolute(dead_letters.n_lines());
        counter!(DEAD_LETTER_BYTES, labels.clone()).absolute(dead_letters.n_bytes());
        gauge!(DEAD_LETTER_HOLDING, labels).set(f64::from(u8::from(dead_letters.is_holding())));
    }
}

fn publish_accounts(accounts: &Accounts, labels: &[Label]) {
    counter!(READ, labels.to_vec()).absolute(accounts.read);
    counter!(BYTES_READ, labels.to_vec()).absolute(accounts.bytes_in);
    for (reason, n) in ["not_utf8", "not_json", "not_object"].into_iter().zip(accounts.malformed) {
        counter!(DROPPED, with(labels, "reason", reason)).absolute(n);
    }
    counter!(DROPPED, with(labels, "reason", "oversized")).absolute(accounts.oversized);
    publish_tally(&accounts.tally, labels);
    if let Some(output) = accounts.single_output() {
        return publish_output(output, labels);
    }
    counter!(FORWARDED, labels.to_vec()).absolute(accounts.forwarded);
    for output in &accounts.outputs {
        let labels = with_output(labels, output.name.as_deref());
        counter!(RECEIVED, labels.clone()).absolute(output.received);
        publish_tally(&output.tally, &labels);
        publish_output(output, &labels);
    }
}

fn publish_tally(tally: &logweir_stages::Tally, labels: &[Label]) {
    counter!(DROPPED, with(labels, "reason", "filtered")).absolute(tally.filtered);
    counter!(DROPPED, with(labels, "reason", "sampled_out")).absolute(tally.sampled_out);
    counter!(TRUNCATED, labels.to_vec()).absolute(tally.truncated);
    let fields = ["exception_names", "exception_messages", "log_messages"];
    for (field, n) in fields.into_iter().zip(tally.truncated_characters) {
        counter!(TRUNCATED_CHARACTERS, with(labels, "field", field)).absolute(n);
    }
}

fn publish_output(output: &OutputAccounts, labels: &[Label]) {
    counter!(WRITTEN, labels.to_vec()).absolute(output.written);
    counter!(DROPPED, with(labels, "reason", "failed")).absolute(output.failed);
    counter!(BYTES_WRITTEN, labels.to_vec()).absolute(output.bytes_out);
    gauge!(IN_FLIGHT, labels.to_vec()).set(output.in_flight().unwrap_or(0) as f64);
}

fn with(labels: &[Label], key: &'static str, value: &str) -> Vec<Label> {
    let mut labels = labels.to_vec();
    labels.push(Label::new(key, value.to_owned()));
    labels
}

fn with_output(labels: &[Label], output: Option<&str>) -> Vec<Label> {
    match output {
        None => labels.to_vec(),
        Some(output) => with(labels, "output", output),
    }
}
