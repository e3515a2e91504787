//! What a scrape sees: the books and the state of every pipeline, given to the `metrics` facade.
//!
//! Nothing is counted twice: at each scrape all values are set from one copy of each pipeline's books, so that what is
//! scraped adds up exactly. `docs/metrics.md` describes them for users; a test compares it with [`METRICS`].

mod process;
mod tap;
mod text;

use std::time::{Duration, SystemTime};

use logweir_sinks::{DeadLetterStats, UploadSnapshot};
use logweir_sources::Rotation;
use metrics::{Label, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::board::Board;
use crate::ledger::{Accounts, OutputAccounts};
use crate::live::{Counters, FollowCounters, Live};
use crate::status::Status;

use self::text::{Scripts, histograms};

/// Whether a metric counts up or shows a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
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
const ABSENT: &str = "logweir_events_absent_total";
const RETURNED: &str = "logweir_events_returned_total";
const KEPT: &str = "logweir_events_kept_total";
const IN_FLIGHT: &str = "logweir_events_in_flight";
const TRUNCATED: &str = "logweir_events_truncated_total";
const TRUNCATED_CHARACTERS: &str = "logweir_truncated_characters_total";
const SCRIPT_TRUNCATED: &str = "logweir_script_events_truncated_total";
const SCRIPT_TRUNCATED_CHARACTERS: &str = "logweir_script_truncated_characters_total";
const BYTES_READ: &str = "logweir_bytes_read_total";
const BYTES_WRITTEN: &str = "logweir_bytes_written_total";
const ERRORS: &str = "logweir_component_errors_total";
const CHANNEL_DEPTH: &str = "logweir_channel_depth_batches";
const CHANNEL_WAIT: &str = "logweir_channel_wait_microseconds_total";
const HELD: &str = "logweir_held_bytes";
const HELD_LIMIT: &str = "logweir_held_limit_bytes";
const LAG: &str = "logweir_source_lag_bytes";
const UNDELIVERED: &str = "logweir_chunks_undelivered_total";
const DEAD_LETTER_LINES: &str = "logweir_dead_letter_lines_total";
const DEAD_LETTER_BYTES: &str = "logweir_dead_letter_bytes_total";
const DEAD_LETTER_HOLDING: &str = "logweir_dead_letter_holding";
const WAITING: &str = "logweir_component_waiting";
const RESTARTS: &str = "logweir_pipeline_restarts_total";
const RUNNING: &str = "logweir_pipeline_running";
const DONE: &str = "logweir_pipeline_done";
const LAG_SECONDS: &str = "logweir_source_lag_seconds";
const FILES: &str = "logweir_followed_files";
const FILES_OPEN: &str = "logweir_followed_files_open";
const ROTATIONS: &str = "logweir_file_rotations_total";
const REREAD: &str = "logweir_files_reread_total";
const LOST: &str = "logweir_files_lost_total";
const LOST_BYTES: &str = "logweir_files_lost_bytes_total";
const UNFINISHED: &str = "logweir_lines_unfinished_total";
const SKIPPED_NULS: &str = "logweir_files_skipped_zero_bytes_total";
const UPLOADS: &str = "logweir_uploads_total";
const UPLOAD_DURATION: &str = "logweir_upload_duration_seconds";
const UPLOAD_BATCHES: &str = "logweir_upload_batches_total";
const UPLOAD_EVENTS: &str = "logweir_upload_events_total";
const UPLOAD_RECOVERED: &str = "logweir_upload_recovered_events_total";
const UPLOAD_BYTES: &str = "logweir_upload_bytes_total";
const CIRCUIT_OPEN: &str = "logweir_upload_circuit_open";
const LAST_COMPLETE: &str = "logweir_upload_last_complete_timestamp_seconds";
const LAST_ERROR: &str = "logweir_upload_last_error_timestamp_seconds";
const SPOOL_BATCHES: &str = "logweir_spool_batches";
const SPOOL_BYTES: &str = "logweir_spool_bytes";
const SPOOL_DAMAGED: &str = "logweir_spool_damaged_batches_total";
const RELOADS: &str = "logweir_config_reloads_total";
const RELOAD_SUCCESS: &str = "logweir_config_reload_success";
const BUILD_INFO: &str = "logweir_build_info";

/// The lists of texts that truncate cuts, in the order of the books.
const FIELDS: [&str; 3] = ["exception_names", "exception_messages", "log_messages"];

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
    metric(
        ABSENT,
        Kind::Counter,
        None,
        "Events forwarded while this output was not there: before a reload brought it, or after one took it away.",
    ),
    metric(
        RETURNED,
        Kind::Counter,
        None,
        "Events that were read and not delivered, and that the source reads again.",
    ),
    metric(
        KEPT,
        Kind::Counter,
        None,
        "Events left in the spool when the pipeline stopped, for the next run to upload.",
    ),
    metric(IN_FLIGHT, Kind::Gauge, None, "Events read that are not yet written, dropped, returned or kept."),
    metric(TRUNCATED, Kind::Counter, None, "Events that a truncate stage cut."),
    metric(
        TRUNCATED_CHARACTERS,
        Kind::Counter,
        None,
        "Counted units of text that truncate stages removed, by field.",
    ),
    metric(SCRIPT_TRUNCATED, Kind::Counter, None, "Events that truncate cut, by the script they are of."),
    metric(
        SCRIPT_TRUNCATED_CHARACTERS,
        Kind::Counter,
        None,
        "Characters, or other units, that truncate removed, by the script and by field.",
    ),
    metric(
        BYTES_READ,
        Kind::Counter,
        Some(Unit::Bytes),
        "Decompressed bytes read, with line endings, blank and bad lines included.",
    ),
    metric(BYTES_WRITTEN, Kind::Counter, Some(Unit::Bytes), "Bytes taken by the sink."),
    metric(
        ERRORS,
        Kind::Counter,
        None,
        "Failures of a component, and troubles it waited out, retries included, by kind; bad data is no failure.",
    ),
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
    metric(HELD_LIMIT, Kind::Gauge, Some(Unit::Bytes), "Bytes of chunks that may be held in memory."),
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
    metric(WAITING, Kind::Gauge, None, "1 while something holds the component up, like a full disk, else 0."),
    metric(RUNNING, Kind::Gauge, None, "1 while the components of the pipeline are running, else 0."),
    metric(DONE, Kind::Gauge, None, "1 once the pipeline has finished well, or a reload has taken it away."),
    metric(
        RESTARTS,
        Kind::Counter,
        None,
        "How often the pipeline was started again, by the kind of failure.",
    ),
    metric(
        LAG_SECONDS,
        Kind::Gauge,
        Some(Unit::Seconds),
        "How long the oldest bytes have been there that are not read, or the oldest chunk that is not delivered.",
    ),
    metric(FILES, Kind::Gauge, None, "Files that are followed."),
    metric(FILES_OPEN, Kind::Gauge, None, "Files that are followed and open."),
    metric(ROTATIONS, Kind::Counter, None, "What has happened to followed files, by kind."),
    metric(
        REREAD,
        Kind::Counter,
        None,
        "Files read again from their beginning because nothing told what of them had been read.",
    ),
    metric(LOST, Kind::Counter, None, "Files gone or emptied before they were read to their end."),
    metric(
        LOST_BYTES,
        Kind::Counter,
        Some(Unit::Bytes),
        "Bytes, as far as is known, that were gone before they were read.",
    ),
    metric(
        UNFINISHED,
        Kind::Counter,
        None,
        "Lines cut off before they were finished, because their file was emptied.",
    ),
    metric(
        SKIPPED_NULS,
        Kind::Counter,
        Some(Unit::Bytes),
        "Zero bytes skipped at the beginning of files, where a writer went on behind an emptied part.",
    ),
    metric(UPLOADS, Kind::Counter, None, "Attempts to upload a batch, by outcome and status."),
    metric(
        UPLOAD_DURATION,
        Kind::Histogram,
        Some(Unit::Seconds),
        "How long attempts to upload a batch took, whatever came of them.",
    ),
    metric(UPLOAD_BATCHES, Kind::Counter, None, "Batches that were delivered or given up, by outcome."),
    metric(
        UPLOAD_EVENTS,
        Kind::Counter,
        None,
        "Events in batches that were delivered, and events refused for good, by outcome.",
    ),
    metric(
        UPLOAD_RECOVERED,
        Kind::Counter,
        None,
        "Of the events that were delivered, those that a former run had left in the spool.",
    ),
    metric(
        UPLOAD_BYTES,
        Kind::Counter,
        Some(Unit::Bytes),
        "Bytes of batches that were delivered, before and after compression, by form.",
    ),
    metric(
        CIRCUIT_OPEN,
        Kind::Gauge,
        None,
        "1 while so many uploads have failed in a row that only the oldest batch is tried, else 0.",
    ),
    metric(
        LAST_COMPLETE,
        Kind::Gauge,
        Some(Unit::Seconds),
        "When the last event happened of the last batch that was delivered with all before it; 0 before the first.",
    ),
    metric(
        LAST_ERROR,
        Kind::Gauge,
        Some(Unit::Seconds),
        "When an upload failed last; 0 once one has succeeded since.",
    ),
    metric(SPOOL_BATCHES, Kind::Gauge, None, "Batches in the spool, the one that grows included."),
    metric(SPOOL_BYTES, Kind::Gauge, Some(Unit::Bytes), "Bytes that batches take in the spool."),
    metric(
        SPOOL_DAMAGED,
        Kind::Counter,
        None,
        "Batches that were found damaged in the spool, or behind one that was, and lie aside in it.",
    ),
    process::STARTED,
    process::RESIDENT,
    tap::TAPS,
    tap::TAP_EVENTS,
    metric(RELOADS, Kind::Counter, None, "Reloads of the configuration, by outcome."),
    metric(
        RELOAD_SUCCESS,
        Kind::Gauge,
        None,
        "0 if the last reload of the configuration was refused, else 1.",
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
            // It is written from what was counted; see `histograms`.
            (Kind::Histogram, _) => {}
        }
    }
}

/// Sets every metric to what holds now; `version` is the program's. Returns, as text to be shown behind what the recorder
/// renders, those that the facade cannot take over: histograms, and what has labels that anybody may have written.
///
/// Between this and rendering nobody else may publish to the same recorder, or two copies mix.
#[must_use]
pub fn publish(board: &Board, version: &'static str) -> String {
    gauge!(BUILD_INFO, "version" => version).set(1.0);
    let reloads = board.reloads();
    counter!(RELOADS, "outcome" => "applied").absolute(reloads.n_applied);
    counter!(RELOADS, "outcome" => "refused").absolute(reloads.n_refused);
    gauge!(RELOAD_SUCCESS).set(as_gauge(reloads.refused.is_none()));
    process::publish(board.started);
    tap::publish(&board.taps);
    let mut scripts = Scripts::default();
    for status in board.statuses() {
        let accounts = status.ledger.accounts();
        publish_pipeline(&status, &accounts);
        scripts.add(&status.name, &accounts);
    }
    histograms(board) + &scripts.text()
}

fn publish_pipeline(status: &Status, accounts: &Accounts) {
    let labels = vec![Label::new("pipeline", status.name.clone())];
    publish_accounts(accounts, &labels);
    gauge!(RUNNING, labels.clone()).set(as_gauge(status.is_running()));
    gauge!(DONE, labels.clone()).set(as_gauge(status.is_done()));
    for (reason, n) in status.restarts() {
        counter!(RESTARTS, with(&labels, "reason", reason)).absolute(n);
    }
    for (output, upload) in status.all_uploads() {
        publish_upload(&upload, &with_output(&labels, output.as_deref()));
    }
    let (live, counters) = status.seen();
    if let Some(live) = live {
        // Of a pipeline that a reload took away nothing is late any more.
        let lag = if status.is_gone() { Duration::ZERO } else { live.lag() };
        gauge!(LAG_SECONDS, labels.clone()).set(lag.as_secs_f64());
        publish_live(&live, &counters, &labels);
    }
    publish_counters(counters, &labels);
}

/// Publishes what goes up and down. What former generations had, and this one has not, is shown as nothing: it would
/// stay as it was otherwise.
fn publish_live(live: &Live, counters: &Counters, labels: &[Label]) {
    for (name, output) in counters.waited_micros.keys() {
        let labels = with_output(&with(labels, "channel", name), output.as_deref());
        gauge!(CHANNEL_DEPTH, labels).set(live.depth(name, output.as_deref()) as f64);
    }
    for component in &counters.components {
        gauge!(WAITING, with(labels, "component", component)).set(as_gauge(live.is_waiting(component)));
    }
    gauge!(HELD, labels.to_vec()).set(live.pool.held() as f64);
    gauge!(HELD_LIMIT, labels.to_vec()).set(live.pool.limit() as f64);
    gauge!(LAG, labels.to_vec()).set(live.progress.lag(live.tracker.delivered_source_bytes()) as f64);
    if let Some(stats) = live.follow.get() {
        gauge!(FILES, labels.to_vec()).set(stats.n_files() as f64);
        gauge!(FILES_OPEN, labels.to_vec()).set(stats.n_open() as f64);
    }
    if counters.dead_letters.is_some() {
        let is_holding = live.dead_letters.as_ref().is_some_and(DeadLetterStats::is_holding);
        gauge!(DEAD_LETTER_HOLDING, labels.to_vec()).set(as_gauge(is_holding));
    }
}

fn publish_counters(counters: Counters, labels: &[Label]) {
    for ((component, kind), n) in counters.errors {
        counter!(ERRORS, with(&with(labels, "component", &component), "kind", kind)).absolute(n);
    }
    for ((name, output), micros) in counters.waited_micros {
        let labels = with_output(&with(labels, "channel", name), output.as_deref());
        counter!(CHANNEL_WAIT, labels).absolute(micros);
    }
    counter!(UNDELIVERED, labels.to_vec()).absolute(counters.undelivered);
    if let Some([n_lines, n_bytes]) = counters.dead_letters {
        counter!(DEAD_LETTER_LINES, labels.to_vec()).absolute(n_lines);
        counter!(DEAD_LETTER_BYTES, labels.to_vec()).absolute(n_bytes);
    }
    if let Some(follow) = counters.follow {
        publish_follow(&follow, labels);
    }
}

fn publish_follow(follow: &FollowCounters, labels: &[Label]) {
    for (rotation, n) in Rotation::ALL.into_iter().zip(follow.rotations) {
        counter!(ROTATIONS, with(labels, "kind", rotation.name())).absolute(n);
    }
    counter!(REREAD, labels.to_vec()).absolute(follow.n_reread);
    counter!(LOST, labels.to_vec()).absolute(follow.n_lost);
    counter!(LOST_BYTES, labels.to_vec()).absolute(follow.n_lost_bytes);
    counter!(UNFINISHED, labels.to_vec()).absolute(follow.n_unfinished);
    counter!(SKIPPED_NULS, labels.to_vec()).absolute(follow.n_skipped_nuls);
}

fn publish_upload(upload: &UploadSnapshot, labels: &[Label]) {
    for ((outcome, status), n) in &upload.attempts {
        let labels = with(labels, "outcome", outcome.name());
        counter!(UPLOADS, with(&labels, "status", &status.to_string())).absolute(*n);
    }
    let batches = [("uploaded", upload.batches_uploaded), ("rejected", upload.batches_rejected)];
    let events = [("uploaded", upload.events_uploaded), ("rejected", upload.events_rejected)];
    for (name, outcomes) in [(UPLOAD_BATCHES, batches), (UPLOAD_EVENTS, events)] {
        for (outcome, n) in outcomes {
            counter!(name, with(labels, "outcome", outcome)).absolute(n);
        }
    }
    counter!(UPLOAD_RECOVERED, labels.to_vec()).absolute(upload.events_recovered);
    counter!(UPLOAD_BYTES, with(labels, "form", "raw")).absolute(upload.bytes_raw);
    counter!(UPLOAD_BYTES, with(labels, "form", "compressed")).absolute(upload.bytes_compressed);
    counter!(SPOOL_DAMAGED, labels.to_vec()).absolute(upload.spool_damaged);
    gauge!(CIRCUIT_OPEN, labels.to_vec()).set(as_gauge(upload.is_circuit_open));
    gauge!(LAST_COMPLETE, labels.to_vec()).set(as_timestamp(upload.last_complete));
    gauge!(LAST_ERROR, labels.to_vec()).set(as_timestamp(upload.last_error));
    gauge!(SPOOL_BATCHES, labels.to_vec()).set(upload.spool_batches as f64);
    gauge!(SPOOL_BYTES, labels.to_vec()).set(upload.spool_bytes as f64);
}

/// Returns a time in seconds since the Unix epoch; 0 for none.
fn as_timestamp(time: Option<SystemTime>) -> f64 {
    let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.unwrap_or_default().as_secs_f64()
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
        counter!(ABSENT, labels.clone()).absolute(output.absent);
        publish_tally(&output.tally, &labels);
        publish_output(output, &labels);
    }
}

fn publish_tally(tally: &logweir_stages::Tally, labels: &[Label]) {
    counter!(DROPPED, with(labels, "reason", "filtered")).absolute(tally.filtered);
    counter!(DROPPED, with(labels, "reason", "sampled_out")).absolute(tally.sampled_out);
    counter!(TRUNCATED, labels.to_vec()).absolute(tally.truncated);
    for (field, n) in FIELDS.into_iter().zip(tally.truncated_characters) {
        counter!(TRUNCATED_CHARACTERS, with(labels, "field", field)).absolute(n);
    }
}

fn publish_output(output: &OutputAccounts, labels: &[Label]) {
    counter!(WRITTEN, labels.to_vec()).absolute(output.written);
    counter!(DROPPED, with(labels, "reason", "failed")).absolute(output.failed);
    counter!(RETURNED, labels.to_vec()).absolute(output.returned);
    counter!(KEPT, labels.to_vec()).absolute(output.kept);
    counter!(BYTES_WRITTEN, labels.to_vec()).absolute(output.bytes_out);
    gauge!(IN_FLIGHT, labels.to_vec()).set(output.in_flight().unwrap_or(0) as f64);
}

fn as_gauge(holds: bool) -> f64 {
    f64::from(u8::from(holds))
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
