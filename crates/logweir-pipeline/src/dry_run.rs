//! One event through the real stages, without a source and without sinks.
//!
//! What it is built of is what a lane is built of, so it answers what a run would do with a line, and does nothing but
//! answer: no file is opened, nothing is sent, no book is kept.

mod explainer;
mod passage;

use bytes::Bytes;
use logweir_event::{Ack, Batch, Chunk, ColumnId, Position};
use logweir_stages::{Decode, Encode, Excerpt, Projection, Stage, Tally};

use self::explainer::Explainer;
pub use self::explainer::Explanation;
pub use self::passage::{Edit, Fate, OutputPassage, Passage, Read, Step, Verb};
use crate::config::{OutputConfig, PipelineConfig, StageConfig};
use crate::parts::{build_encode, build_stage};

/// The longest line ending, `\r\n`.
const MAX_ENDING_BYTES: usize = 2;

/// The fields that people know an event by.
const HANDLES: [&str; 2] = ["ScriptName", "Event.RayID"];

/// The stages of a pipeline, to be tried on one event at a time.
pub struct DryRun {
    decode: Decode,
    max_event_bytes: usize,
    /// The stages before the outputs.
    shared: Vec<DryStage>,
    outputs: Vec<DryOutput>,
    /// Where [`HANDLES`] are found.
    handles: [ColumnId; HANDLES.len()],
    /// The event at hand; between events just memory to be used again.
    batch: Batch,
}

/// A stage and what it is called.
struct DryStage {
    place: String,
    verb: Verb,
    stage: Box<dyn Stage>,
    explainer: Explainer,
}

/// An output without its sink.
struct DryOutput {
    name: Option<String>,
    stages: Vec<DryStage>,
    encode: Encode,
    /// The output's own copy of the event.
    batch: Batch,
}

impl DryRun {
    /// Returns the stages and encoders of a pipeline. It may run on a configuration whose files and destinations do not
    /// exist.
    pub fn new(config: &PipelineConfig) -> Self {
        let mut projection = Projection::default();
        let shared = build_stages("stages", &config.stages, &mut projection);
        let outputs = config.outputs.iter().map(|output| DryOutput::new(output, &mut projection)).collect();
        let handles = HANDLES.map(|key| projection.ask(key));
        let max_event_bytes = config.limits.max_event_bytes;
        let decode = Decode::new(&projection, max_event_bytes);
        Self { decode, max_event_bytes, shared, outputs, handles, batch: Batch::default() }
    }

    /// Returns what a run would do with a line, and why.
    ///
    /// The line comes with its ending or without, and without the byte-order mark that an input may begin with. What
    /// stands behind a line feed is another line, and not looked at.
    pub fn pass(&mut self, line: &[u8]) -> Passage {
        let end = line.iter().position(|&byte| byte == b'\n').map_or(line.len(), |at| at + 1);
        let read = self.read(&line[..end]);
        if read != Read::Event {
            return Passage { read, handles: Vec::new(), steps: Vec::new(), outputs: Vec::new() };
        }
        let handles = self.handles();
        let steps = take(&mut self.shared, &mut self.batch);
        let is_forwarded = self.batch.selection().contains(0);
        let outputs = self.outputs.iter_mut().filter(|_| is_forwarded);
        let outputs = outputs.map(|output| output.pass(&self.batch)).collect();
        self.batch.release();
        Passage { read, handles, steps, outputs }
    }

    /// Returns the fields that people know the event at hand by.
    fn handles(&self) -> Vec<(&'static str, Excerpt)> {
        let handle = |(name, column)| {
            let value = self.batch.field(0, column).filter(|value| *value != b"null")?;
            Some((name, Excerpt::new(value)))
        };
        HANDLES.into_iter().zip(self.handles).filter_map(handle).collect()
    }

    /// Decodes a line; of an event, the batch has it afterwards.
    fn read(&mut self, line: &[u8]) -> Read {
        // Whatever it ends in, it is no event: not even a copy of it is needed to say so.
        if line.len() > self.max_event_bytes.saturating_add(MAX_ENDING_BYTES) {
            return Read::Oversized;
        }
        let chunk = Chunk {
            bytes: Bytes::copy_from_slice(line),
            n_bytes_read: line.len() as u64,
            n_oversized: 0,
            end: Position::default(),
            ack: Ack::ignored(),
        };
        self.decode.decode(&chunk, 0, &mut self.batch);
        match self.batch.rejects() {
            [reject, ..] => Read::Malformed(reject.reason),
            [] if self.batch.n_oversized() > 0 => Read::Oversized,
            [] if self.batch.is_empty() => Read::Blank,
            [] => Read::Event,
        }
    }
}

impl DryOutput {
    fn new(config: &OutputConfig, projection: &mut Projection) -> Self {
        let place =
            config.name.as_ref().map_or(String::from("stages"), |name| format!("outputs.{name}.stages"));
        Self {
            name: config.name.clone(),
            stages: build_stages(&place, &config.stages, projection),
            encode: build_encode(config, projection),
            batch: Batch::default(),
        }
    }

    fn pass(&mut self, shared: &Batch) -> OutputPassage {
        self.batch.clone_from(shared);
        let steps = take(&mut self.stages, &mut self.batch);
        let is_written = self.batch.selection().contains(0);
        let rendered = is_written.then(|| rendered(&self.encode, &self.batch));
        self.batch.release();
        OutputPassage { name: self.name.clone(), steps, rendered }
    }
}

fn build_stages(place: &str, stages: &[StageConfig], projection: &mut Projection) -> Vec<DryStage> {
    let build = |(i, config): (usize, &StageConfig)| DryStage {
        place: format!("{place}[{i}]"),
        verb: Verb::of(config),
        stage: build_stage(config, projection),
        explainer: Explainer::new(config, projection),
    };
    stages.iter().enumerate().map(build).collect()
}

/// Takes the only event of a batch through stages, until one drops it.
fn take(stages: &mut [DryStage], batch: &mut Batch) -> Vec<Step> {
    let mut steps = Vec::new();
    for stage in stages {
        let before = batch.body(0);
        let explanation = stage.explainer.explain(batch);
        stage.stage.apply(batch, &mut Tally::default());
        let after = batch.body(0);
        let edit = (before != after)
            .then(|| Edit { before: batch.bytes(before).to_vec(), after: batch.bytes(after).to_vec() });
        let is_kept = batch.selection().contains(0);
        steps.push(Step { place: stage.place.clone(), verb: stage.verb, is_kept, explanation, edit });
        if !is_kept {
            break;
        }
    }
    steps
}

fn rendered(encode: &Encode, batch: &Batch) -> Vec<u8> {
    let payloads = encode.encode(batch, Position::default());
    payloads.flat_map(|payload| payload.parts().concat()).collect()
}
