//! What two scrapes say together: totals from the later one, rates from their difference.

mod pipeline;

use std::collections::BTreeMap;
use std::time::Duration;

pub(crate) use self::pipeline::{Channel, Output, PipelineView, Upload};
use super::exposition::{Sample, Scrape};

/// Something that is counted.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Count {
    /// How many since the process began, or since it was started again.
    pub(crate) total: f64,
    /// How many a second between the two scrapes; `None` with the first one.
    pub(crate) per_second: Option<f64>,
}

/// All there is to see of a process.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct View {
    /// The version of the program.
    pub(crate) version: String,
    /// How long the process runs, where it tells.
    pub(crate) uptime: Option<Duration>,
    /// The memory that it has, where it tells, in bytes.
    pub(crate) resident: Option<f64>,
    /// Reloads that took effect, and those that were refused.
    pub(crate) reloads: [f64; 2],
    /// Whether the last reload was refused.
    pub(crate) is_reload_refused: bool,
    /// By name.
    pub(crate) pipelines: Vec<PipelineView>,
}

/// Two scrapes, to be asked about together.
pub(crate) struct Pair<'a> {
    now: &'a Scrape,
    /// The one before and how long that was, if the process was not started again in between.
    before: Option<(&'a Scrape, Duration)>,
}

impl View {
    /// Returns what can be seen at `unix_now`, in seconds.
    pub(crate) fn new(pair: &Pair<'_>, unix_now: f64) -> Self {
        let now = pair.now;
        let reloads = ["applied", "refused"]
            .map(|outcome| pair.count("logweir_config_reloads_total", &[("outcome", Some(outcome))]).total);
        let started = now.of("logweir_start_time_seconds").first().map(|sample| sample.value);
        let uptime = started.and_then(|started| Duration::try_from_secs_f64(unix_now - started).ok());
        let version = now.of("logweir_build_info").first().and_then(|sample| sample.label("version"));
        let mut names: Vec<_> = now
            .of("logweir_events_read_total")
            .iter()
            .filter_map(|sample| sample.label("pipeline"))
            .collect();
        names.sort_unstable();
        names.dedup();
        Self {
            version: version.unwrap_or("of an unknown version").to_owned(),
            uptime,
            resident: now
                .of("logweir_resident_memory_bytes")
                .first()
                .map(|sample| sample.value)
                .filter(|bytes| *bytes > 0.0),
            reloads,
            is_reload_refused: now
                .of("logweir_config_reload_success")
                .first()
                .is_some_and(|sample| sample.value == 0.0),
            pipelines: names.into_iter().map(|name| PipelineView::new(pair, name)).collect(),
        }
    }
}

impl<'a> Pair<'a> {
    /// Pairs a scrape with one that came before it by `elapsed`. If some counter has gone back, the process was started
    /// again, and the one before is let go.
    pub(crate) fn new(now: &'a Scrape, before: Option<(&'a Scrape, Duration)>) -> Self {
        let before = before.filter(|(before, elapsed)| !elapsed.is_zero() && !was_restarted(before, now));
        Self { now, before }
    }

    /// Tells whether there is a scrape before that counts on to this one.
    pub(crate) fn has_rates(&self) -> bool {
        self.before.is_some()
    }

    /// Returns the sum of a counter over all series with these labels; `None` as a value is a label that must be absent.
    fn count(&self, name: &str, labels: &[(&str, Option<&str>)]) -> Count {
        let total = sum(self.now, name, labels);
        let per_second = self.before.map(|(before, elapsed)| {
            // A sum of counters that do not go back does not either; rounding may.
            (total - sum(before, name, labels)).max(0.0) / elapsed.as_secs_f64()
        });
        Count { total, per_second }
    }

    /// Returns the sum of a gauge over all series with these labels, `None` if there are none.
    fn gauge(&self, name: &str, labels: &[(&str, Option<&str>)]) -> Option<f64> {
        let mut found = self.now.of(name).iter().filter(|sample| matches(sample, labels)).peekable();
        found.peek()?;
        Some(found.map(|sample| sample.value).sum())
    }

    /// Returns the counts of a counter by the values of a label, sorted; all series have `labels`.
    fn counts_by(&self, name: &str, by: &str, labels: &[(&str, Option<&str>)]) -> BTreeMap<String, Count> {
        let values = self.now.of(name).iter().filter(|sample| matches(sample, labels));
        let values: Vec<_> = values.filter_map(|sample| sample.label(by)).collect();
        let count = |value| {
            let labels: Vec<_> = labels.iter().copied().chain([(by, Some(value))]).collect();
            (value.to_owned(), self.count(name, &labels))
        };
        values.into_iter().map(count).collect()
    }
}

impl Count {
    /// Tells whether nothing was ever counted.
    pub(crate) fn is_zero(&self) -> bool {
        self.total == 0.0
    }
}

/// Tells whether a scrape is of a process that was started after the one of the scrape before.
fn was_restarted(before: &Scrape, now: &Scrape) -> bool {
    let started =
        |scrape: &Scrape| scrape.of("logweir_start_time_seconds").first().map(|sample| sample.value);
    if started(before) != started(now) {
        return true;
    }
    ["logweir_events_read_total", "logweir_bytes_read_total", "logweir_config_reloads_total"].iter().any(
        |name| {
            before.of(name).iter().any(|was| {
                let is = now.of(name).iter().find(|is| is.labels == was.labels);
                is.is_none_or(|is| is.value < was.value)
            })
        },
    )
}

fn sum(scrape: &Scrape, name: &str, labels: &[(&str, Option<&str>)]) -> f64 {
    // The sum of no floats is -0.0, which would show.
    scrape.of(name).iter().filter(|sample| matches(sample, labels)).map(|sample| sample.value).sum::<f64>()
        + 0.0
}

fn matches(sample: &Sample, labels: &[(&str, Option<&str>)]) -> bool {
    labels.iter().all(|(name, value)| sample.label(name) == *value)
}
