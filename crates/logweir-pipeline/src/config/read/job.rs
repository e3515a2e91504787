//! Makes a pipeline of a Logpush job: filter, sample, truncate, encode, upload, in this order and no other.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use logweir_sinks::UploadSinkConfig;
use logweir_stages::{EncodeConfig, FilterConfig, SampleConfig, TruncateConfig, Unit};

use super::stage::DEFAULT_LIMIT;
use super::{Value, around, encode, name};
use crate::config::dataset::{FIELDS, WORKERS};
use crate::config::rules::{is_enabled, reading};
use crate::config::text::{Doc, Place};
use crate::config::walk::Checked;
use crate::config::{OutputConfig, PipelineConfig, SinkConfig, StageConfig};

/// The most characters of a job's name that its pipeline has of it: its files are named after it.
const MAX_NAME_CHARACTERS: usize = 100;

/// What the pipeline of a job is called.
pub(in crate::config) struct JobName {
    pub(in crate::config) name: String,
    /// What says so: the job's `name`, or the job.
    pub(in crate::config) place: Place,
    /// Whether a number was put behind it, because another job has the name.
    pub(in crate::config) is_numbered: bool,
    /// Whether the job is to run, so that there is such a pipeline.
    pub(in crate::config) is_enabled: bool,
}

/// Returns the pipelines of the jobs that are enabled.
pub(super) fn pipelines(root: &Checked, jobs: &[Checked], doc: &Doc) -> Option<Vec<PipelineConfig>> {
    let around = around(root, doc, reading(root)?)?;
    let mut pipelines = Vec::with_capacity(jobs.len());
    for (job, name) in jobs.iter().zip(job_names(root, doc)?) {
        let output = OutputConfig {
            name: None,
            stages: Vec::new(),
            encode: job_encode(job)?,
            sink: SinkConfig::Upload(Box::new(upload(job)?)),
        };
        let pipeline =
            PipelineConfig { name: name.name, stages: stages(job)?, outputs: vec![output], ..around.clone() };
        if name.is_enabled {
            pipelines.push(pipeline);
        }
    }
    Some(pipelines)
}

/// Returns what the pipeline of each job is called: `<file>.<job>`, and where jobs share a name, those that come later have a
/// number behind it. Jobs that are not enabled count, so that no other changes its name when one of them is.
pub(in crate::config) fn job_names(root: &Checked, doc: &Doc) -> Option<Vec<JobName>> {
    let file = name(root, doc)?;
    let mut taken = HashSet::new();
    // How far the numbers behind a name have been given away.
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut names = Vec::new();
    for job in root.get("jobs").map_or(&[][..], Checked::items) {
        let base = base_name(job);
        let first = format!("{file}.{base}");
        let number = numbers.entry(base.clone()).or_insert(1);
        let mut name = first.clone();
        while !taken.insert(name.clone()) {
            *number += 1;
            name = format!("{file}.{base}-{number}");
        }
        let place = job.get("name").unwrap_or(job).place;
        let is_numbered = name != first;
        names.push(JobName { name, place, is_numbered, is_enabled: is_enabled(job) });
    }
    Some(names)
}

/// Returns what a job is called by itself.
fn base_name(job: &Checked) -> String {
    let given = job.get("name").and_then(Checked::text).filter(|name| !name.is_empty());
    match (given, job.get("id").and_then(Checked::integer)) {
        (Some(name), _) => name.chars().take(MAX_NAME_CHARACTERS).collect(),
        (None, Some(id)) => format!("job-{id}"),
        (None, None) => String::from("job"),
    }
}

fn stages(job: &Checked) -> Option<Vec<StageConfig>> {
    let mut stages = Vec::new();
    match job.get("filter").map(|filter| &filter.value) {
        None => {}
        Some(Value::Text(text)) if text.is_empty() => {}
        Some(Value::JobFilter(filter)) => {
            stages.push(StageConfig::Filter(FilterConfig::from_term(&filter.term).ok()?));
        }
        Some(_) => return None,
    }
    if let Some(rate) = sample_rate(job)? {
        stages.push(StageConfig::Sample(SampleConfig::of_rate(rate)));
    }
    stages.push(StageConfig::Truncate(TruncateConfig::new(DEFAULT_LIMIT, Unit::Chars)));
    Some(stages)
}

/// Returns the share of events that a job delivers: `Some(None)` for all, `None` if what says so is bad.
#[expect(clippy::option_option, reason = "none and bad are different")]
fn sample_rate(job: &Checked) -> Option<Option<f64>> {
    let rate = match (job.get("output_options"), job.get("logpull_options").map(|options| &options.value)) {
        (Some(options), _) => match options.get("sample_rate").map(|rate| &rate.value) {
            None => None,
            Some(Value::Rate(rate)) => Some(*rate),
            Some(_) => return None,
        },
        (None, Some(Value::LogpullOptions(options))) => options.sample_rate,
        (None, Some(_)) => return None,
        (None, None) => None,
    };
    Some(rate.filter(|rate| *rate < 1.0))
}

/// Returns what a job writes of an event; `None` if what says so is bad.
pub(in crate::config) fn job_encode(job: &Checked) -> Option<EncodeConfig> {
    let mut config =
        match (job.get("output_options"), job.get("logpull_options").map(|options| &options.value)) {
            (Some(options), _) => encode(Some(options))?,
            (None, Some(Value::LogpullOptions(options))) => {
                let fields = options.fields.as_ref();
                EncodeConfig {
                    field_names: fields.map(|fields| fields.iter().map(|(name, _)| name.clone()).collect()),
                    redact_cve_2021_44228: options.redact_cve_2021_44228,
                    ..EncodeConfig::default()
                }
            }
            (None, Some(_)) => return None,
            (None, None) => EncodeConfig::default(),
        };
    if config.field_names.is_none()
        && job.get("dataset").is_some_and(|dataset| dataset.text() == Some(WORKERS))
    {
        config.field_names = Some(FIELDS.iter().map(|(name, _)| String::from(*name)).collect());
    }
    Some(config)
}

/// Returns where a job delivers to, and in which batches.
fn upload(job: &Checked) -> Option<UploadSinkConfig> {
    let Value::Destination(destination) = &job.get("destination_conf")?.value else { return None };
    let mut config = UploadSinkConfig::new((**destination).clone());
    // 0 is for no such bound, which leaves what holds by default.
    let bound = |name: &str| match job.get(name) {
        None => Some(None),
        Some(bound) => Some(Some(bound.integer()?).filter(|bound| *bound > 0)),
    };
    config.batch.max_bytes = bound("max_upload_bytes")?;
    if let Some(max_events) = bound("max_upload_records")? {
        config.batch.max_events = max_events;
    }
    if let Some(seconds) = bound("max_upload_interval_seconds")? {
        config.batch.max_interval = Duration::from_secs(seconds);
    }
    Some(config)
}
