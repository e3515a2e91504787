//! `/pipelines`: what each pipeline is made of. It names kinds and verbs, and tells no values, paths or secrets.

use logweir_pipeline::{Board, Outline, OutputOutline, Phase, Status};
use serde::Serialize;

/// Returns a JSON object with an item for each pipeline, those that a reload took away included, ending in a line feed.
pub(super) fn pipelines(board: &Board) -> String {
    let statuses = board.statuses();
    let pipelines = statuses.iter().filter_map(|status| PipelineJson::new(status)).collect();
    let json = serde_json::to_string(&PipelinesJson { pipelines });
    json.expect("booleans and strings can be written as JSON") + "\n"
}

#[derive(Serialize)]
struct PipelinesJson {
    pipelines: Vec<PipelineJson>,
}

#[derive(Serialize)]
struct PipelineJson {
    name: String,
    state: &'static str,
    source: &'static str,
    follows: bool,
    stages: Vec<&'static str>,
    outputs: Vec<OutputJson>,
    dead_letter: bool,
}

#[derive(Serialize)]
struct OutputJson {
    /// `null` for a pipeline's single sink.
    name: Option<String>,
    stages: Vec<&'static str>,
    sink: &'static str,
    /// What metrics name the sink.
    component: String,
    uploads: bool,
}

impl PipelineJson {
    fn new(status: &Status) -> Option<Self> {
        let Outline { source, follows, stages, outputs, has_dead_letter, .. } = status.outline()?;
        Some(Self {
            name: status.name.clone(),
            state: state(status.phase()),
            source,
            follows,
            stages,
            outputs: outputs.into_iter().map(OutputJson::new).collect(),
            dead_letter: has_dead_letter,
        })
    }
}

impl OutputJson {
    fn new(output: OutputOutline) -> Self {
        let OutputOutline { name, stages, sink, component, uploads } = output;
        Self { name, stages, sink, component, uploads }
    }
}

fn state(phase: Phase) -> &'static str {
    match phase {
        Phase::Starting => "starting",
        Phase::Running => "running",
        Phase::Waiting => "waiting",
        Phase::Ended => "ended",
        Phase::Finished => "finished",
        Phase::Gone => "gone",
    }
}
