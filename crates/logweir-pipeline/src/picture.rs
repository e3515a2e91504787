//! A pipeline in words: its parts in the order in which events pass them, and what each does.

mod places;
mod verbs;

use crate::config::{OutputConfig, PipelineConfig};
use crate::costs::{Cost, Costs};
use crate::memory::MemoryBound;

/// A pipeline in words.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    /// The name of the pipeline.
    pub pipeline: String,
    /// Where the events come from.
    pub source: Part,
    /// How they are found.
    pub decode: Part,
    /// The stages that all outputs share.
    pub stages: Vec<Part>,
    /// What happens to them behind these.
    pub outputs: Vec<Branch>,
    /// Where lines go that are no events.
    pub dead_letter: Option<Part>,
    /// How much memory all this may take.
    pub memory: MemoryBound,
}

/// An output in words.
#[derive(Clone, PartialEq, Debug)]
pub struct Branch {
    /// Its name; `None` for the only one.
    pub name: Option<String>,
    /// Its own stages.
    pub stages: Vec<Part>,
    /// What is written of an event.
    pub encode: Part,
    /// Where it goes.
    pub sink: Part,
}

/// A part of a pipeline in words.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// What it is, as `stages[0] filter`.
    pub title: String,
    /// What it does: some phrases, each for a line of its own.
    pub phrases: Vec<String>,
    /// What it costs, if that was measured.
    pub cost: Option<Cost>,
}

impl Picture {
    /// Returns a pipeline in words, with what its parts cost if that has been measured of it.
    pub fn of(config: &PipelineConfig, costs: Option<&Costs>) -> Self {
        let shared = costs.map_or(&[][..], |costs| &costs.stages);
        let outputs = config.outputs.iter().enumerate().map(|(n, output)| {
            let costs = costs.and_then(|costs| costs.outputs.get(n));
            let stages = costs.map_or(&[][..], |costs| &costs.stages);
            Branch {
                name: output.name.clone(),
                stages: verbs::stages(&output.stages, &place(output, "stages"), stages),
                encode: verbs::encode(output, place(output, "encode"), costs.map(|costs| costs.encode)),
                sink: places::sink(config, output),
            }
        });
        Self {
            pipeline: config.name.clone(),
            source: places::source(config),
            decode: verbs::decode(config, costs.map(|costs| costs.decode)),
            stages: verbs::stages(&config.stages, "stages", shared),
            outputs: outputs.collect(),
            dead_letter: config.dead_letter.as_ref().map(places::dead_letter),
            memory: MemoryBound::of(config),
        }
    }
}

/// Returns how a key of an output is named.
fn place(output: &OutputConfig, key: &str) -> String {
    match &output.name {
        None => key.to_owned(),
        Some(name) => format!("outputs.{name}.{key}"),
    }
}

/// Returns a number with a comma between its thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}
