//! What can be seen of one pipeline.

use std::collections::{BTreeMap, BTreeSet};

use super::{Count, Pair};

/// One pipeline.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct PipelineView {
    pub(crate) name: String,
    /// Whether its components run.
    pub(crate) is_running: bool,
    /// Whether it need not run.
    pub(crate) is_done: bool,
    /// How often it was opened again after a failure.
    pub(crate) restarts: Count,
    pub(crate) events_read: Count,
    pub(crate) bytes_read: Count,
    /// Dropped before the events reach the outputs, by reason; with a single sink, all that were dropped.
    pub(crate) dropped: BTreeMap<String, Count>,
    /// Cut, before the events reach the outputs.
    pub(crate) truncated: Count,
    /// The single sink, whose name is `None`, or each output.
    pub(crate) outputs: Vec<Output>,
    /// Bytes of the source that are not delivered.
    pub(crate) lag_bytes: Option<f64>,
    /// How old the oldest of them are.
    pub(crate) lag_seconds: Option<f64>,
    /// Bytes of chunks in memory.
    pub(crate) held_bytes: Option<f64>,
    /// How many they may be, where the process tells.
    pub(crate) held_limit: Option<f64>,
    pub(crate) channels: Vec<Channel>,
    /// The components that something holds up.
    pub(crate) waiting: Vec<String>,
    /// Failures by component and kind.
    pub(crate) errors: Vec<(String, String, Count)>,
    pub(crate) uploads: Vec<Upload>,
    /// Lines in the dead-letter file, their bytes, and whether it holds the source.
    pub(crate) dead_letters: Option<(Count, Count, bool)>,
    /// Followed files, those of them that are open, and those that were lost.
    pub(crate) files: Option<[f64; 3]>,
}

/// The way to one sink.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Output {
    /// `None` where there is a single one.
    pub(crate) name: Option<String>,
    pub(crate) events_written: Count,
    pub(crate) bytes_written: Count,
    /// Dropped on the way, by reason; of a single sink they are the pipeline's.
    pub(crate) dropped: BTreeMap<String, Count>,
    /// Cut on the way; of a single sink they are the pipeline's.
    pub(crate) truncated: Count,
    pub(crate) returned: Count,
    pub(crate) kept: Count,
    pub(crate) in_flight: f64,
}

/// A channel between components.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Channel {
    /// `chunks`, `payloads` or `dead_letters`.
    pub(crate) name: String,
    pub(crate) output: Option<String>,
    /// Batches that wait in it.
    pub(crate) depth: f64,
    /// Seconds that senders waited in each second, all lanes together.
    pub(crate) waited: Option<f64>,
}

/// The uploads of one output.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Upload {
    pub(crate) output: Option<String>,
    pub(crate) is_circuit_open: bool,
    /// What waits on the disk.
    pub(crate) spool_batches: f64,
    pub(crate) spool_bytes: f64,
    /// Attempts by outcome: `ok`, `retry`, `rejected`.
    pub(crate) attempts: BTreeMap<String, Count>,
    /// Batches found damaged in the spool.
    pub(crate) damaged: Count,
}

impl PipelineView {
    /// Returns what two scrapes say of a pipeline.
    pub(super) fn new(pair: &Pair<'_>, name: &str) -> Self {
        let of = [("pipeline", Some(name))];
        let shared = [("pipeline", Some(name)), ("output", None)];
        let is_set = |metric| pair.gauge(metric, &of).is_some_and(|value| value != 0.0);
        Self {
            name: name.to_owned(),
            is_running: is_set("logweir_pipeline_running"),
            is_done: is_set("logweir_pipeline_done"),
            restarts: pair.count("logweir_pipeline_restarts_total", &of),
            events_read: pair.count("logweir_events_read_total", &of),
            bytes_read: pair.count("logweir_bytes_read_total", &of),
            dropped: pair.counts_by("logweir_events_dropped_total", "reason", &shared),
            truncated: pair.count("logweir_events_truncated_total", &shared),
            outputs: output_names(pair, "logweir_events_written_total", name)
                .into_iter()
                .map(|output| Output::new(pair, name, output))
                .collect(),
            lag_bytes: pair.gauge("logweir_source_lag_bytes", &of),
            lag_seconds: pair.gauge("logweir_source_lag_seconds", &of),
            held_bytes: pair.gauge("logweir_held_bytes", &of),
            held_limit: pair.gauge("logweir_held_limit_bytes", &of),
            channels: channels(pair, name),
            waiting: waiting(pair, name),
            errors: errors(pair, name),
            uploads: output_names(pair, "logweir_spool_batches", name)
                .into_iter()
                .map(|output| Upload::new(pair, name, output))
                .collect(),
            dead_letters: pair.gauge("logweir_dead_letter_holding", &of).map(|holding| {
                let count = |metric| pair.count(metric, &of);
                (
                    count("logweir_dead_letter_lines_total"),
                    count("logweir_dead_letter_bytes_total"),
                    holding != 0.0,
                )
            }),
            files: pair.gauge("logweir_followed_files", &of).map(|followed| {
                let open = pair.gauge("logweir_followed_files_open", &of).unwrap_or_default();
                [followed, open, pair.count("logweir_files_lost_total", &of).total]
            }),
        }
    }

    /// Returns the events that were taken by sinks; with several outputs each counts.
    pub(crate) fn events_written(&self) -> Count {
        add(self.outputs.iter().map(|output| output.events_written))
    }

    /// Returns the events that were dropped for whatever reason, wherever.
    pub(crate) fn all_dropped(&self) -> Count {
        let on_the_way = self.outputs.iter().filter(|output| output.name.is_some());
        add(self
            .dropped
            .values()
            .copied()
            .chain(on_the_way.flat_map(|output| output.dropped.values().copied())))
    }

    /// Returns the events that are on their way; with several outputs, of the one with the most.
    pub(crate) fn in_flight(&self) -> f64 {
        self.outputs.iter().map(|output| output.in_flight).fold(0.0, f64::max)
    }

    /// Tells whether something is wrong that somebody should look at.
    pub(crate) fn is_in_trouble(&self) -> bool {
        !self.waiting.is_empty()
            || self.uploads.iter().any(|upload| upload.is_circuit_open)
            || self.dead_letters.is_some_and(|(_, _, is_holding)| is_holding)
    }
}

impl Output {
    fn new(pair: &Pair<'_>, pipeline: &str, name: Option<&str>) -> Self {
        let of = [("pipeline", Some(pipeline)), ("output", name)];
        Self {
            name: name.map(str::to_owned),
            events_written: pair.count("logweir_events_written_total", &of),
            bytes_written: pair.count("logweir_bytes_written_total", &of),
            dropped: pair.counts_by("logweir_events_dropped_total", "reason", &of),
            truncated: pair.count("logweir_events_truncated_total", &of),
            returned: pair.count("logweir_events_returned_total", &of),
            kept: pair.count("logweir_events_kept_total", &of),
            in_flight: pair.gauge("logweir_events_in_flight", &of).unwrap_or_default(),
        }
    }
}

impl Upload {
    fn new(pair: &Pair<'_>, pipeline: &str, output: Option<&str>) -> Self {
        let of = [("pipeline", Some(pipeline)), ("output", output)];
        let gauge = |metric| pair.gauge(metric, &of).unwrap_or_default();
        Self {
            output: output.map(str::to_owned),
            is_circuit_open: gauge("logweir_upload_circuit_open") != 0.0,
            spool_batches: gauge("logweir_spool_batches"),
            spool_bytes: gauge("logweir_spool_bytes"),
            attempts: pair.counts_by("logweir_uploads_total", "outcome", &of),
            damaged: pair.count("logweir_spool_damaged_batches_total", &of),
        }
    }
}

/// Returns the outputs that a metric of a pipeline has, sorted.
fn output_names<'a>(pair: &Pair<'a>, metric: &str, pipeline: &str) -> BTreeSet<Option<&'a str>> {
    let samples = pair.now.of(metric).iter().filter(|sample| sample.label("pipeline") == Some(pipeline));
    samples.map(|sample| sample.label("output")).collect()
}

fn channels(pair: &Pair<'_>, pipeline: &str) -> Vec<Channel> {
    let samples = pair.now.of("logweir_channel_depth_batches").iter();
    let samples = samples.filter(|sample| sample.label("pipeline") == Some(pipeline));
    let mut channels: Vec<_> = samples
        .filter_map(|sample| {
            let (name, output) = (sample.label("channel")?, sample.label("output"));
            let of = [("pipeline", Some(pipeline)), ("channel", Some(name)), ("output", output)];
            let waited = pair.count("logweir_channel_wait_microseconds_total", &of).per_second;
            Some(Channel {
                name: name.to_owned(),
                output: output.map(str::to_owned),
                depth: sample.value,
                waited: waited.map(|micros| micros / 1e6),
            })
        })
        .collect();
    channels.sort_by(|a, b| (&a.name, &a.output).cmp(&(&b.name, &b.output)));
    channels
}

fn waiting(pair: &Pair<'_>, pipeline: &str) -> Vec<String> {
    let samples = pair.now.of("logweir_component_waiting").iter();
    let waiting = samples.filter(|sample| sample.label("pipeline") == Some(pipeline) && sample.value != 0.0);
    let mut waiting: Vec<_> =
        waiting.filter_map(|sample| sample.label("component").map(str::to_owned)).collect();
    waiting.sort_unstable();
    waiting
}

fn errors(pair: &Pair<'_>, pipeline: &str) -> Vec<(String, String, Count)> {
    let samples = pair.now.of("logweir_component_errors_total").iter();
    let samples = samples.filter(|sample| sample.label("pipeline") == Some(pipeline));
    let mut errors: Vec<_> = samples
        .filter_map(|sample| {
            let (component, kind) = (sample.label("component")?, sample.label("kind")?);
            let of = [("pipeline", Some(pipeline)), ("component", Some(component)), ("kind", Some(kind))];
            let count = pair.count("logweir_component_errors_total", &of);
            Some((component.to_owned(), kind.to_owned(), count))
        })
        .collect();
    errors.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    errors
}

fn add(counts: impl Iterator<Item = Count>) -> Count {
    counts.fold(Count { total: 0.0, per_second: None }, |sum, count| Count {
        total: sum.total + count.total,
        per_second: match (sum.per_second, count.per_second) {
            (sum, None) => sum,
            (sum, Some(count)) => Some(sum.unwrap_or_default() + count),
        },
    })
}
