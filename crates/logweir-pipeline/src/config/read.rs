//! Turns checked values into the configuration.

use std::path::PathBuf;

use logweir_sinks::{AckLevel, DeadLetterConfig, FileMode, FileSinkConfig, PathTemplate};
use logweir_sources::FileSourceConfig;
use logweir_stages::{EncodeConfig, FilterConfig, SampleConfig, TruncateConfig, Unit};

use super::text::Doc;
use super::walk::{Checked, Value};
use super::{AdminConfig, Limits, OutputConfig, PipelineConfig, SinkConfig, SourceConfig, StageConfig};

/// The budget of a truncate stage that names none: Logpush's.
const DEFAULT_LIMIT: u64 = 16_384;

/// Returns the pipeline of a file; `None` where something that it needs is missing or bad, which is a problem that
/// has been reported.
pub(super) fn pipeline(root: &Checked, doc: &Doc) -> Option<PipelineConfig> {
    let outputs = match root.get("outputs") {
        Some(outputs) => outputs.items().iter().map(output).collect::<Option<_>>()?,
        None => vec![OutputConfig {
            name: None,
            stages: Vec::new(),
            encode: encode(root.get("encode"))?,
            sink: sink(root.get("sink")?)?,
        }],
    };
    Some(PipelineConfig {
        name: name(root, doc)?,
        source: source(root.get("source")?)?,
        stages: stages(root.get("stages"))?,
        outputs,
        dead_letter: optional(root.get("dead_letter"), dead_letter)?,
        admin: optional(root.get("admin"), admin)?,
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
    Some(SourceConfig::File(FileSourceConfig { include, exclude }))
}

fn stages(list: Option<&Checked>) -> Option<Vec<StageConfig>> {
    list.map_or(&[][..], Checked::items).iter().map(stage).collect()
}

fn stage(stage: &Checked) -> Option<StageConfig> {
    if let Some(condition) = stage.get("filter") {
        return filter(condition).map(StageConfig::Filter);
    }
    if let Some(config) = stage.get("sample") {
        return sample(config).map(StageConfig::Sample);
    }
    truncate(stage.get("truncate")?).map(StageConfig::Truncate)
}

fn filter(condition: &Checked) -> Option<FilterConfig> {
    match &condition.value {
        Value::Filter(filter) => Some(filter.clone()),
        _ => None,
    }
}

fn sample(config: &Checked) -> Option<SampleConfig> {
    let Value::Rate(rate) = config.get("rate")?.value else { return None };
    Some(SampleConfig {
        rate,
        key: optional(config.get("key"), text)?,
        seed: optional(config.get("seed"), Checked::integer)?.unwrap_or(0),
        always_keep: optional(config.get("always_keep"), filter)?,
    })
}

fn truncate(config: &Checked) -> Option<TruncateConfig> {
    let unit = match config.get("unit") {
        None => Unit::Chars,
        Some(unit) => match unit.text()? {
            "chars" => Unit::Chars,
            "utf16" => Unit::Utf16,
            "bytes" => Unit::Bytes,
            _ => return None,
        },
    };
    let limit = optional(config.get("limit"), Checked::integer)?.unwrap_or(DEFAULT_LIMIT);
    Some(TruncateConfig { limit, unit })
}

fn encode(config: Option<&Checked>) -> Option<EncodeConfig> {
    let names = config.and_then(|config| config.get("field_names"));
    Some(EncodeConfig { field_names: optional(names, texts)? })
}

fn output(output: &Checked) -> Option<OutputConfig> {
    Some(OutputConfig {
        name: Some(text(output.get("name")?)?),
        stages: stages(output.get("stages"))?,
        encode: encode(output.get("encode"))?,
        sink: sink(output.get("sink")?)?,
    })
}

fn sink(sink: &Checked) -> Option<SinkConfig> {
    if sink.get("stdout").is_some() {
        return Some(SinkConfig::Stdout);
    }
    if sink.get("null").is_some() {
        return Some(SinkConfig::Null);
    }
    let file = sink.get("file")?;
    let mode = match file.get("mode") {
        None => FileMode::default(),
        Some(mode) => match mode.text()? {
            "append" => FileMode::Append,
            "overwrite" => FileMode::Overwrite,
            _ => return None,
        },
    };
    let path = PathTemplate::fixed(path(file.get("path")?)?);
    Some(SinkConfig::File(FileSinkConfig { mode, ..FileSinkConfig::new(path) }))
}

fn dead_letter(config: &Checked) -> Option<DeadLetterConfig> {
    let file = config.get("file")?;
    let max_bytes = optional(file.get("max_bytes"), Checked::integer)?;
    Some(DeadLetterConfig { path: path(file.get("path")?)?, max_bytes, ack: AckLevel::default() })
}

fn admin(config: &Checked) -> Option<AdminConfig> {
    match config.get("listen")?.value {
        Value::Address(listen) => Some(AdminConfig { listen }),
        _ => None,
    }
}

fn limits(config: Option<&Checked>) -> Option<Limits> {
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

fn texts(list: &Checked) -> Option<Vec<String>> {
    list.items().iter().map(text).collect()
}

/// Reads a value that may be left out: `Some(None)` if it is, `None` if it is bad.
#[expect(clippy::option_option, reason = "left out and bad are different")]
fn optional<T>(value: Option<&Checked>, read: impl Fn(&Checked) -> Option<T>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}
