//! From a checked configuration to a pipeline that is ready to run.

use std::error::Error;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use logweir_event::{Chunk, Payload};
use logweir_sinks::{DeadLetterSink, FileSink, NullSink, PayloadReceiver, Sink, StdoutSink};
use logweir_sources::{AckTracker, BufferPool, ChunkLimits, FileSource, Progress, Source, StdinSource};
use logweir_stages::{Decode, Encode, Filter, Projection, Sample, Stage, Truncate};
use tokio::sync::mpsc::Receiver;

use crate::channel::{ChannelStats, CountedSender, channels};
use crate::config::{Limits, OutputConfig, PipelineConfig, SinkConfig, SourceConfig, StageConfig};
use crate::lane::{Branch, Lane};
use crate::ledger::{Ledger, OutputReceipt};
use crate::status::Status;

/// A pipeline whose sinks are open and that has not begun to read.
pub struct Pipeline {
    pub(crate) source: OpenSource,
    pub(crate) chunk_limits: ChunkLimits,
    /// One for each lane.
    pub(crate) chunks: Vec<CountedSender<Chunk>>,
    /// The lanes, each with where its chunks come from.
    pub(crate) lanes: Vec<(Lane, Receiver<Chunk>)>,
    pub(crate) sinks: Vec<OpenSink>,
    pub(crate) dead_letters: Option<(DeadLetterSink, PayloadReceiver)>,
    pub(crate) status: Arc<Status>,
}

/// A source that has not begun to read.
pub(crate) struct OpenSource {
    /// How errors name it.
    pub(crate) component: &'static str,
    pub(crate) source: Box<dyn Source>,
}

/// An opened sink and what comes to it.
pub(crate) struct OpenSink {
    /// How errors name it.
    pub(crate) component: String,
    pub(crate) sink: Box<dyn Sink>,
    pub(crate) payloads: PayloadReceiver,
}

/// A source or sink that could not be opened; nothing has been started.
#[derive(Debug, thiserror::Error)]
#[error("pipeline `{pipeline}`: {component} cannot be opened")]
pub struct OpenError {
    /// The pipeline.
    pub pipeline: String,
    /// The source or sink.
    pub component: String,
    source: Box<dyn Error + Send + Sync>,
}

impl Pipeline {
    /// Opens the sinks and lays the channels; reads nothing.
    ///
    /// # Errors
    ///
    /// If the source, a sink or the dead-letter file cannot be opened.
    pub fn open(config: &PipelineConfig) -> Result<Self, OpenError> {
        log_memory(config);
        let n_lanes = config.limits.decoders;
        let capacity = config.limits.channel_batches;
        let pipeline = config.name.clone();
        let in_pipeline = |error: ComponentError| OpenError {
            pipeline: pipeline.clone(),
            component: error.component,
            source: error.source,
        };
        let source = open_source(&config.source).map_err(in_pipeline)?;

        let mut known = Vec::new();
        let (chunk_senders, chunk_receivers, chunk_stats) = channels("chunks", None, n_lanes, capacity);
        known.push(chunk_stats);
        let mut sinks = Vec::new();
        let mut payload_senders = Vec::new();
        for output in &config.outputs {
            let (component, sink) = open_sink(output).map_err(in_pipeline)?;
            let (senders, payloads) =
                payload_channels("payloads", output.name.clone(), n_lanes, capacity, &mut known);
            sinks.push(OpenSink { component, sink, payloads });
            payload_senders.push(senders);
        }
        let mut dead_letter_senders = Vec::new();
        let dead_letters = match &config.dead_letter {
            None => None,
            Some(dead_letter) => {
                let sink = DeadLetterSink::open(dead_letter.clone())
                    .map_err(|source| in_pipeline(component_error("dead_letter", source)))?;
                let (senders, payloads) =
                    payload_channels("dead_letters", None, n_lanes, capacity, &mut known);
                dead_letter_senders = senders;
                Some((sink, payloads))
            }
        };

        let ledger = Arc::new(Ledger::new(config.outputs.iter().map(|output| output.name.clone())));
        let status = Arc::new(Status {
            name: config.name.clone(),
            ledger: ledger.clone(),
            progress: Arc::new(Progress::new()),
            pool: BufferPool::new(config.limits.held_bytes, config.limits.chunk_bytes),
            tracker: AckTracker::new(),
            channels: known,
            dead_letters: dead_letters.as_ref().map(|(sink, _)| sink.stats()),
            running: AtomicBool::new(false),
            failures: Mutex::new(Vec::new()),
        });
        let mut lanes = Vec::with_capacity(n_lanes);
        // Each lane takes the last of every list of senders: the lanes are built from the last to the first.
        for chunks in chunk_receivers.into_iter().rev() {
            let payloads = payload_senders.iter_mut().filter_map(Vec::pop).collect();
            lanes.push((build_lane(config, &ledger, payloads, dead_letter_senders.pop()), chunks));
        }
        Ok(Self {
            source,
            chunk_limits: ChunkLimits {
                max_event_bytes: config.limits.max_event_bytes,
                chunk_bytes: config.limits.chunk_bytes,
            },
            chunks: chunk_senders,
            lanes,
            sinks,
            dead_letters,
            status,
        })
    }

    /// Returns what can be seen of it from outside, before, while and after it runs.
    pub fn status(&self) -> Arc<Status> {
        self.status.clone()
    }
}

/// Logs what memory a pipeline may come to take, as its configuration bounds it.
fn log_memory(config: &PipelineConfig) {
    let Limits { max_event_bytes, chunk_bytes, channel_batches, decoders, held_bytes } = config.limits;
    // One line may grow a chunk beyond what is held. A lane has its scratch, and a chunk's edited lines twice: as a
    // truncate stage makes them, and in the batch.
    let longest_chunk_bytes = chunk_bytes + max_event_bytes;
    let lane_bytes = Decode::MAX_SCRATCH_BYTES + 2 * longest_chunk_bytes;
    // What is copied for a payload no longer counts as held; each output has some waiting and one at either end.
    let payload_bytes = config.outputs.len() * (channel_batches + 2) * chunk_bytes;
    let max_bytes = held_bytes + max_event_bytes + decoders * (lane_bytes + payload_bytes);
    tracing::info!(pipeline = config.name, max_bytes, held_bytes, "memory is bounded");
}

fn payload_channels(
    name: &'static str,
    output: Option<String>,
    n_lanes: usize,
    capacity: usize,
    known: &mut Vec<Arc<ChannelStats>>,
) -> (Vec<CountedSender<Payload>>, PayloadReceiver) {
    let (senders, receivers, stats) = channels(name, output, n_lanes, capacity);
    known.push(stats);
    (senders, PayloadReceiver::new(receivers))
}

/// Builds one lane; all lanes ask for the same fields in the same order, so their columns agree.
fn build_lane(
    config: &PipelineConfig,
    ledger: &Arc<Ledger>,
    payloads: Vec<CountedSender<Payload>>,
    dead_letters: Option<CountedSender<Payload>>,
) -> Lane {
    let mut projection = Projection::default();
    let stages = build_stages(&config.stages, &mut projection);
    let branch = |(i, output): (usize, &OutputConfig)| Branch {
        stages: build_stages(&output.stages, &mut projection),
        encode: Encode::new(&output.encode, &mut projection),
        receipt: Arc::new(OutputReceipt { ledger: ledger.clone(), output: i }),
    };
    let outputs = config.outputs.iter().enumerate().map(branch).collect();
    let decode = Decode::new(&projection, config.limits.max_event_bytes);
    Lane { decode, stages, outputs, payloads, dead_letters, ledger: ledger.clone() }
}

fn build_stages(stages: &[StageConfig], projection: &mut Projection) -> Vec<Box<dyn Stage>> {
    let build = |stage: &StageConfig| -> Box<dyn Stage> {
        match stage {
            StageConfig::Filter(config) => Box::new(Filter::new(config, projection)),
            StageConfig::Sample(config) => Box::new(Sample::new(config, projection)),
            StageConfig::Truncate(config) => Box::new(Truncate::new(config, projection)),
        }
    };
    stages.iter().map(build).collect()
}

/// What could not be opened, and why.
struct ComponentError {
    component: String,
    source: Box<dyn Error + Send + Sync>,
}

fn component_error(component: &str, source: impl Error + Send + Sync + 'static) -> ComponentError {
    ComponentError { component: component.to_owned(), source: Box::new(source) }
}

fn open_source(config: &SourceConfig) -> Result<OpenSource, ComponentError> {
    let (component, source): (_, Result<Box<dyn Source>, _>) = match config {
        SourceConfig::Stdin => ("source.stdin", StdinSource::new().map(|source| Box::new(source) as _)),
        SourceConfig::File(config) => {
            ("source.file", FileSource::new(config).map(|source| Box::new(source) as _))
        }
    };
    let source = source.map_err(|error| component_error(component, error))?;
    Ok(OpenSource { component, source })
}

/// Returns how errors name the sink of an output, and the sink.
fn open_sink(output: &OutputConfig) -> Result<(String, Box<dyn Sink>), ComponentError> {
    let (kind, sink): (_, Result<Box<dyn Sink>, _>) = match &output.sink {
        SinkConfig::Stdout => ("sink.stdout", StdoutSink::new().map(|sink| Box::new(sink) as _)),
        SinkConfig::File(config) => {
            ("sink.file", FileSink::open(config.clone()).map(|sink| Box::new(sink) as _))
        }
        SinkConfig::Null => ("sink.null", Ok(Box::new(NullSink))),
    };
    let component = match &output.name {
        None => kind.to_owned(),
        Some(name) => format!("outputs.{name}.{kind}"),
    };
    let sink = sink.map_err(|error| component_error(&component, error))?;
    Ok((component, sink))
}
