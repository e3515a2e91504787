//! Turns checked values into the configuration of stages.

use logweir_stages::{FilterConfig, SampleConfig, StratumConfig, TruncateConfig, Unit};

use super::{optional, text};
use crate::config::StageConfig;
use crate::config::walk::{Checked, Value};

/// The budget of a truncate stage that names none: Logpush's.
pub(super) const DEFAULT_LIMIT: u64 = 16_384;

pub(super) fn stages(list: Option<&Checked>) -> Option<Vec<StageConfig>> {
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

pub(super) fn filter(condition: &Checked) -> Option<FilterConfig> {
    match &condition.value {
        Value::Filter(filter) => Some(filter.clone()),
        _ => None,
    }
}

fn sample(config: &Checked) -> Option<SampleConfig> {
    let strata = config.get("rates").map_or(&[][..], Checked::items);
    Some(SampleConfig {
        rate: rate(config)?,
        rates: strata.iter().map(stratum).collect::<Option<_>>()?,
        key: optional(config.get("key"), text)?,
        seed: optional(config.get("seed"), Checked::integer)?.unwrap_or(0),
        always_keep: optional(config.get("always_keep"), filter)?,
        weight_field: optional(config.get("weight_field"), text)?,
    })
}

fn stratum(config: &Checked) -> Option<StratumConfig> {
    Some(StratumConfig { filter: filter(config.get("where")?)?, rate: rate(config)? })
}

fn rate(config: &Checked) -> Option<f64> {
    match config.get("rate")?.value {
        Value::Rate(rate) => Some(rate),
        _ => None,
    }
}

fn truncate(config: &Checked) -> Option<TruncateConfig> {
    let (limit, unit) = budget(config)?;
    // The shape bounds it far below what a `usize` holds anywhere.
    let max_scripts = optional(config.get("max_scripts"), Checked::integer)?.map(|most| most as usize);
    let report = optional(config.get("report"), text)?;
    Some(TruncateConfig { limit, unit, max_scripts, report })
}

/// Returns the limit of a truncate stage, and what it counts.
pub(in crate::config) fn budget(config: &Checked) -> Option<(u64, Unit)> {
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
    Some((limit, unit))
}
