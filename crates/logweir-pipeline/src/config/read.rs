//! Turns checked values into the configuration.

use std::path::PathBuf;
use std::time::Duration;

use logweir_sinks::{
    AckLevel, Compression, DeadLetterConfig, FileMode, FileSinkConfig, PathTemplate, Rotation, Tail,
};
use logweir_sources::{FileSourceConfig, FollowConfig, StartAt};
use logweir_stages::{EncodeConfig, OutputType, RecordTemplate};

use super::keys::MAX_FIELD_NAMES;
use super::rules::{Reading, collects_batches, reading};
use super::text::Doc;
use super::walk::{Checked, Value};
use super::{Limits, OutputConfig, PipelineConfig, SinkConfig, SourceConfig};

mod admin;
mod destination;
mod job;
mod stage;
mod upload;

pub(super) use admin::admin;
pub(super) use destination::{destination, kind};
pub(super) use job::{job_encode, job_names};
pub(super) use stage::budget;

use stage::stages;
use upload::upload_sink;

/// The files that a source that follows keeps open if it is not told how many: half of what a process may commonly open.
const DEFAULT_OPEN_FILES: u64 = 512;

/// How long a stop may take that is not told how long.
const DEFAULT_DEADLINE: Duration = Duration::from_secs(30);

/// The levels of compression that the tools themselves have by default.
const DEFAULT_GZIP_LEVEL: u64 = 6;
const DEFAULT_ZSTD_LEVEL: u64 = 3;

/// Returns the pipelines of a file: one, or one for each job that is enabled; `None` where something that they need is
/// missing or bad, which is a problem that has been reported.
pub(super) fn pipelines(root: &Checked, doc: &Doc) -> Option<Vec<PipelineConfig>> {
    match root.get("jobs") {
        Some(jobs) => job::pipelines(root, jobs.items(), doc),
        None => pipeline(root, doc).map(|pipeline| vec![pipeline]),
    }
}

/// Returns the pipeline of a file; `None` where something that it needs is missing or bad, which is a problem that
/// has been reported.
fn pipeline(root: &Checked, doc: &Doc) -> Option<PipelineConfig> {
    let reading = reading(root)?;
    let outputs = match root.get("outputs") {
        Some(outputs) => outputs.items().iter().map(|one| output(one, reading)).collect::<Option<_>>()?,
        None => vec![OutputConfig {
            name: None,
            stages: Vec::new(),
            encode: encode(root.get("encode"))?,
            sink: sink(root.get("sink")?, reading)?,
        }],
    };
    Some(PipelineConfig { stages: stages(root.get("stages"))?, outputs, ..around(root, doc, reading)? })
}

/// Returns all of a pipeline but its stages and outputs.
fn around(root: &Checked, doc: &Doc, reading: Reading) -> Option<PipelineConfig> {
    Some(PipelineConfig {
        name: name(root, doc)?,
        source: source(root.get("source")?)?,
        stages: Vec::new(),
        outputs: Vec::new(),
        dead_letter: optional(root.get("dead_letter"), |config| dead_letter(config, reading))?,
        admin: optional(root.get("admin"), admin)?,
        state_dir: optional(root.get("state_dir"), path)?,
        deadline: deadline(root.get("shutdown"))?,
        limits: limits(root.get("limits"))?,
    })
}

/// Returns the name of the pipeline of a file: the one given, else the file's name without its ending.
pub(super) fn name(root: &Checked, doc: &Doc) -> Option<String> {
    match root.get("name") {
        Some(name) => text(name),
        None => Some(doc.path().file_stem().map_or_else(
            // A path without a last part is no file that could have been read, but a text may come with any path.
            || String::from("pipeline"),
            |stem| stem.to_string_lossy().into_owned(),
        )),
    }
}

fn source(source: &Checked) -> Option<SourceConfig> {
    if source.get("stdin").is_some() {
        return Some(SourceConfig::Stdin);
    }
    let file = source.get("file")?;
    let include = texts(file.get("include")?)?;
    let exclude = optional(file.get("exclude"), texts)?.unwrap_or_default();
    if file.get("read").is_some_and(|read| read.text() == Some("once")) {
        return Some(SourceConfig::File(FileSourceConfig { include, exclude }));
    }
    let start_at = match file.get("start_at") {
        None => StartAt::Beginning,
        Some(start_at) => match start_at.text()? {
            "beginning" => StartAt::Beginning,
            "end" => StartAt::End,
            _ => return None,
        },
    };
    let open_files = optional(file.get("open_files"), Checked::integer)?.unwrap_or(DEFAULT_OPEN_FILES);
    let open_files = usize::try_from(open_files).ok()?;
    Some(SourceConfig::Follow(FollowConfig { include, exclude, start_at, open_files }))
}

/// Returns what is written of an event, by the options of a pipeline or of a job.
pub(super) fn encode(config: Option<&Checked>) -> Option<EncodeConfig> {
    let Some(config) = config else { return Some(EncodeConfig::default()) };
    let output_type = match config.get("output_type") {
        None => OutputType::default(),
        Some(kind) => match kind.text()? {
            "ndjson" => OutputType::Ndjson,
            "csv" => OutputType::Csv,
            _ => return None,
        },
    };
    let literal = |name: &str| optional(config.get(name), text);
    let redact = |name: &str| optional(config.get(name), Checked::bool);
    let redact = [redact("CVE-2021-44228")?, redact("CVE-2021-4428")?];
    Some(EncodeConfig {
        field_names: optional(config.get("field_names"), field_names)?,
        output_type,
        batch_prefix: literal("batch_prefix")?,
        batch_suffix: literal("batch_suffix")?,
        record_prefix: literal("record_prefix")?,
        record_suffix: literal("record_suffix")?,
        record_delimiter: literal("record_delimiter")?,
        field_delimiter: literal("field_delimiter")?,
        record_template: optional(config.get("record_template"), template)?,
        redact_cve_2021_44228: redact.contains(&Some(true)),
    })
}

/// Returns the names of fields; too many of them are bad, and not looked into.
fn field_names(list: &Checked) -> Option<Vec<String>> {
    texts(list).filter(|names| names.len() <= MAX_FIELD_NAMES)
}

fn template(value: &Checked) -> Option<RecordTemplate> {
    match &value.value {
        Value::Template(template) => Some(template.clone()),
        _ => None,
    }
}

fn output(output: &Checked, reading: Reading) -> Option<OutputConfig> {
    Some(OutputConfig {
        name: Some(text(output.get("name")?)?),
        stages: stages(output.get("stages"))?,
        encode: encode(output.get("encode"))?,
        sink: sink(output.get("sink")?, reading)?,
    })
}

fn sink(sink: &Checked, reading: Reading) -> Option<SinkConfig> {
    if sink.get("stdout").is_some() {
        return Some(SinkConfig::Stdout);
    }
    if sink.get("null").is_some() {
        return Some(SinkConfig::Null);
    }
    if collects_batches(sink) {
        return upload_sink(sink).map(|config| SinkConfig::Upload(Box::new(config)));
    }
    file_sink(sink.get("file")?, reading).map(SinkConfig::File)
}

fn file_sink(file: &Checked, reading: Reading) -> Option<FileSinkConfig> {
    let mode = match file.get("mode") {
        None => FileMode::default(),
        Some(mode) => match mode.text()? {
            "append" => FileMode::Append,
            "overwrite" => FileMode::Overwrite,
            _ => return None,
        },
    };
    let ack = match file.get("ack") {
        None => ack(reading),
        Some(ack) => match ack.text()? {
            "written" => AckLevel::Written,
            "synced" => AckLevel::Synced,
            _ => return None,
        },
    };
    Some(FileSinkConfig {
        path: PathTemplate::parse(file.get("path")?.text()?).ok()?,
        mode,
        ack,
        sync_every: optional(file.get("sync_every"), duration)?.unwrap_or(FileSinkConfig::SYNC_EVERY),
        rotate: optional(file.get("rotate"), rotation)?.unwrap_or_default(),
        compression: compression(file, Compression::None, DEFAULT_GZIP_LEVEL)?,
        tail: tail(reading),
    })
}

/// Returns when an event counts as delivered if nothing is said: where it could be read again, only once it is safe.
fn ack(reading: Reading) -> AckLevel {
    match reading {
        Reading::Follow => AckLevel::Synced,
        Reading::Once => AckLevel::Written,
    }
}

/// Returns what becomes of half an event at the end of an output: where it is read again it is set aside.
fn tail(reading: Reading) -> Tail {
    match reading {
        Reading::Follow => Tail::SetAside,
        Reading::Once => Tail::EndLine,
    }
}

fn rotation(config: &Checked) -> Option<Rotation> {
    Some(Rotation {
        max_bytes: optional(config.get("max_bytes"), Checked::integer)?,
        every: optional(config.get("every"), duration)?,
    })
}

/// Returns how something is compressed, by default as `default` says, and where that is gzip on the level `gzip_level`.
fn compression(config: &Checked, default: Compression, gzip_level: u64) -> Option<Compression> {
    let level = optional(config.get("compression_level"), Checked::integer)?;
    let name = match (config.get("compression"), default) {
        (Some(given), _) => given.text()?,
        (None, Compression::None) => "none",
        (None, Compression::Gzip { .. }) => "gzip",
        (None, Compression::Zstd { .. }) => "zstd",
    };
    match name {
        "none" => Some(Compression::None),
        "gzip" => {
            let level = u32::try_from(level.unwrap_or(gzip_level)).ok()?;
            Some(Compression::Gzip { level })
        }
        "zstd" => {
            let level = i32::try_from(level.unwrap_or(DEFAULT_ZSTD_LEVEL)).ok()?;
            Some(Compression::Zstd { level })
        }
        _ => None,
    }
}

fn dead_letter(config: &Checked, reading: Reading) -> Option<DeadLetterConfig> {
    let file = config.get("file")?;
    let max_bytes = optional(file.get("max_bytes"), Checked::integer)?;
    Some(DeadLetterConfig { path: path(file.get("path")?)?, max_bytes, ack: ack(reading) })
}

fn deadline(shutdown: Option<&Checked>) -> Option<Duration> {
    let deadline = shutdown.and_then(|shutdown| shutdown.get("deadline"));
    Some(optional(deadline, duration)?.unwrap_or(DEFAULT_DEADLINE))
}

/// Returns the bounds on memory and work.
pub(super) fn limits(config: Option<&Checked>) -> Option<Limits> {
    let defaults = Limits::default();
    let Some(config) = config else { return Some(defaults) };
    let value = |name: &str, default: usize| match config.get(name) {
        None => Some(default),
        Some(given) => usize::try_from(given.integer()?).ok(),
    };
    Some(Limits {
        max_event_bytes: value("max_event_bytes", defaults.max_event_bytes)?,
        chunk_bytes: value("chunk_bytes", defaults.chunk_bytes)?,
        channel_batches: value("channel_batches", defaults.channel_batches)?,
        decoders: value("decoders", defaults.decoders)?,
        held_bytes: value("held_bytes", defaults.held_bytes)?,
    })
}

fn text(value: &Checked) -> Option<String> {
    value.text().map(str::to_owned)
}

fn path(value: &Checked) -> Option<PathBuf> {
    value.text().map(PathBuf::from)
}

fn duration(value: &Checked) -> Option<Duration> {
    value.integer().map(Duration::from_millis)
}

fn texts(list: &Checked) -> Option<Vec<String>> {
    match &list.value {
        Value::List(items) => items.iter().map(text).collect(),
        _ => None,
    }
}

/// Reads a value that may be left out: `Some(None)` if it is, `None` if it is bad.
#[expect(clippy::option_option, reason = "left out and bad are different")]
fn optional<T>(value: Option<&Checked>, read: impl Fn(&Checked) -> Option<T>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}
