//! What a pipeline is made of, and nothing of how its parts are set: names and kinds, in the order in which events pass
//! them. Everybody who reaches the admin endpoint may know it.

use std::path::PathBuf;

use crate::build::sink_component;
use crate::config::{PipelineConfig, SinkConfig, SourceConfig, StageConfig};

/// The parts of a pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outline {
    /// The kind of its source: `stdin` or `file`.
    pub source: &'static str,
    /// Whether the source goes on reading as its files grow.
    pub follows: bool,
    /// The verbs of the stages that all outputs share.
    pub stages: Vec<&'static str>,
    /// What comes behind these; never empty.
    pub outputs: Vec<OutputOutline>,
    /// Whether lines that are no events go to a file.
    pub has_dead_letter: bool,
    /// Where its positions and its batches are kept, which nobody is told.
    pub(crate) state_dir: Option<PathBuf>,
}

/// The parts of an output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputOutline {
    /// Its name; `None` for the only one.
    pub name: Option<String>,
    /// The verbs of its own stages.
    pub stages: Vec<&'static str>,
    /// The kind of its sink, as `file` or `s3`, in the word that metrics have for it.
    pub sink: &'static str,
    /// What metrics and errors name the sink.
    pub component: String,
    /// Whether it collects batches and uploads them.
    pub uploads: bool,
}

impl Outline {
    /// Returns the parts of a pipeline that is configured so.
    pub(crate) fn of(config: &PipelineConfig) -> Self {
        let outputs = config.outputs.iter().map(|output| OutputOutline {
            name: output.name.clone(),
            stages: verbs(&output.stages),
            sink: output.sink.kind(),
            component: sink_component(output),
            uploads: matches!(output.sink, SinkConfig::Upload(_)),
        });
        Self {
            source: match config.source {
                SourceConfig::Stdin => "stdin",
                SourceConfig::File(_) | SourceConfig::Follow(_) => "file",
            },
            follows: config.source.is_replayable(),
            stages: verbs(&config.stages),
            outputs: outputs.collect(),
            has_dead_letter: config.dead_letter.is_some(),
            state_dir: config.state_dir.clone(),
        }
    }
}

fn verbs(stages: &[StageConfig]) -> Vec<&'static str> {
    let verb = |stage: &StageConfig| match stage {
        StageConfig::Filter(_) => "filter",
        StageConfig::Sample(_) => "sample",
        StageConfig::Truncate(_) => "truncate",
    };
    stages.iter().map(verb).collect()
}
