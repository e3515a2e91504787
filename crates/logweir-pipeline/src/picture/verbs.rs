//! What decode, the stages and encode do, in words.

use logweir_stages::{
    EncodeConfig, FilterConfig, OutputType, SampleConfig, StratumConfig, TruncateConfig, Unit,
};

use super::{Part, grouped};
use crate::config::{OutputConfig, PipelineConfig, StageConfig};
use crate::costs::Cost;

/// Says what decode does, and which fields it looks for.
pub(super) fn decode(config: &PipelineConfig, cost: Option<Cost>) -> Part {
    let fields = fields(config);
    let looks_for = match &fields[..] {
        [] => String::from("checks that each line is an event; no stage asks for a field"),
        fields => format!("checks that each line is an event, and finds {}", fields.join(", ")),
    };
    let limits = &config.limits;
    let lanes = match limits.decoders {
        1 => String::from("1 decoder"),
        n => format!("{n} decoders side by side"),
    };
    let phrases = vec![
        looks_for,
        format!("{lanes}; a line of more than {} bytes is skipped", grouped(limits.max_event_bytes as u64)),
    ];
    Part { title: String::from("decode"), phrases, cost }
}

/// Returns the fields that somebody asks for, each once, in the order in which they are asked for.
fn fields(config: &PipelineConfig) -> Vec<String> {
    let mut fields: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !fields.iter().any(|known| known == name) {
            fields.push(name.to_owned());
        }
    };
    config.stages.iter().for_each(|stage| fields_of(stage, &mut add));
    for output in &config.outputs {
        output.stages.iter().for_each(|stage| fields_of(stage, &mut add));
        output.encode.field_names.iter().flatten().for_each(|name| add(name));
    }
    fields
}

fn fields_of(stage: &StageConfig, add: &mut impl FnMut(&str)) {
    let mut asked = |filter: &FilterConfig| filter.asked().iter().for_each(|asked| add(asked.key));
    match stage {
        StageConfig::Filter(filter) => asked(filter),
        StageConfig::Sample(SampleConfig { key, always_keep, rates, weight_field, .. }) => {
            always_keep.iter().chain(rates.iter().map(|stratum| &stratum.filter)).for_each(asked);
            key.iter().chain(weight_field).for_each(|name| add(name));
        }
        StageConfig::Truncate(TruncateConfig { report, .. }) => {
            let report = report.iter().map(String::as_str);
            ["Exceptions", "Logs"].into_iter().chain(report).for_each(add);
        }
    }
}

/// Says what the stages of a list do, which stand at `place`.
pub(super) fn stages(stages: &[StageConfig], place: &str, costs: &[Cost]) -> Vec<Part> {
    let part = |(n, stage): (usize, &StageConfig)| {
        let (verb, phrases) = words(stage);
        Part { title: format!("{place}[{n}] {verb}"), phrases, cost: costs.get(n).copied() }
    };
    stages.iter().enumerate().map(part).collect()
}

fn words(stage: &StageConfig) -> (&'static str, Vec<String>) {
    match stage {
        StageConfig::Filter(filter) => ("filter", vec![format!("keeps events for which {filter}")]),
        StageConfig::Sample(sample) => ("sample", sampled(sample)),
        StageConfig::Truncate(TruncateConfig { limit, unit, report, .. }) => {
            let unit = match unit {
                Unit::Chars => "characters",
                Unit::Utf16 => "UTF-16 units",
                Unit::Bytes => "bytes",
            };
            let limit = grouped(*limit);
            let mut phrases =
                vec![format!("cuts the texts of Exceptions and Logs to {limit} {unit} an event")];
            phrases.extend(report.iter().map(|name| format!("and writes into {name} what it cut")));
            ("truncate", phrases)
        }
    }
}

fn sampled(sample: &SampleConfig) -> Vec<String> {
    let by = match &sample.key {
        Some(key) => format!("by {key}, all events with the same one alike"),
        None => String::from("by the whole event"),
    };
    let mut phrases: Vec<String> = Vec::new();
    phrases.extend(sample.always_keep.iter().map(|filter| format!("keeps every event for which {filter}")));
    let stratum = |stratum: &StratumConfig| {
        format!("of those for which {} keeps {}", stratum.filter, share(stratum.rate))
    };
    phrases.extend(sample.rates.iter().map(stratum));
    let rest = if phrases.is_empty() { "" } else { "of all others " };
    phrases.push(format!("{rest}keeps {} {by}, seed {}", share(sample.rate), sample.seed));
    phrases.extend(
        sample
            .weight_field
            .iter()
            .map(|name| format!("and writes into {name} how many events each stands for")),
    );
    phrases
}

/// Says what an output writes of an event.
pub(super) fn encode(output: &OutputConfig, title: String, cost: Option<Cost>) -> Part {
    let EncodeConfig { field_names, output_type, record_template, .. } = &output.encode;
    let mut phrases = vec![match (field_names, record_template) {
        (_, Some(_)) => String::from("writes the template of each event"),
        (Some(names), None) => {
            let form = if *output_type == OutputType::Csv { "as CSV" } else { "as a line of JSON" };
            format!("writes {} {form}", names.join(", "))
        }
        (None, None) => String::from("writes each event as it is by then, byte for byte"),
    }];
    if output.encode.redact_cve_2021_44228 {
        phrases.push(String::from("with `${` redacted, for CVE-2021-44228"));
    }
    Part { title, phrases, cost }
}

/// Returns a share as a person writes it.
fn share(rate: f64) -> String {
    // Rounded far behind what anybody writes, so that 0.07 is not 7.000000000000001 %.
    format!("{} %", (rate * 1e14).round() / 1e12)
}
