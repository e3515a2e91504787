//! From a checked configuration to a pipeline that is ready to run.

use std::collections::HashMap;
use std::error::Error;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use logweir_event::{Batch, Chunk, FileId, Payload};
use logweir_sinks::{DeadLetterSink, FileSink, NullSink, PayloadReceiver, Sink, SinkNames, StdoutSink};
use logweir_sources::{AckTracker, BufferPool, ChunkLimits, FileSource, Progress, Source, StdinSource};
use logweir_stages::{Decode, Encode, Filter, PAYLOAD_BYTES, Projection, Sample, Stage, Truncate};
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

/// A source or sink that could not be opened, or not beside the others; nothing has been started.
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
    /// Opens the sinks of all pipelines of a process and lays their channels; reads nothing.
    ///
    /// # Errors
    ///
    /// If a source, a sink or a dead-letter file cannot be opened, or two of them write to the same file, whatever
    /// its names are.
    pub fn open_all(configs: &[PipelineConfig]) -> Result<Vec<Self>, OpenError> {
        tracing::info!(instructions = %Decode::instructions(), "events are read");
        let pipelines = configs.iter().map(Self::open).collect::<Result<Vec<_>, _>>()?;
        let mut writers = HashMap::new();
        for pipeline in &pipelines {
            for (component, file) in pipeline.outputs() {
                let writer = format!("{component} of pipeline `{}`", pipeline.status.name);
                if let Some(other) = writers.insert(file, writer) {
                    let source = format!("{other} writes to the same file").into();
                    let (pipeline, component) = (pipeline.status.name.clone(), component.to_owned());
                    return Err(OpenError { pipeline, component, source });
                }
            }
        }
        Ok(pipelines)
    }

    /// Returns what it writes to, each with the component that does.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = (&str, FileId)> {
        let sinks = self.sinks.iter().map(|open| (open.component.as_str(), open.sink.writes_to()));
        let dead_letters = self.dead_letters.iter().map(|(sink, _)| ("dead_letter", sink.writes_to()));
        sinks.chain(dead_letters).filter_map(|(component, file)| Some((component, file?)))
    }

    fn open(config: &PipelineConfig) -> Result<Self, OpenError> {
        log_memory(config);
        let pipeline = config.name.clone();
        let in_pipeline = |error: ComponentError| OpenError {
            pipeline: pipeline.clone(),
            component: error.component,
            source: error.source,
        };
        let source = open_source(&config.source).map_err(in_pipeline)?;

        let mut known = Vec::new();
        let (chunk_senders, chunk_receivers) = lay("chunks", None, &config.limits, &mut known);
        let mut lanes: Vec<_> =
            chunk_receivers.into_iter().map(|chunks| (LaneEnds::default(), chunks)).collect();
        let mut sinks = Vec::new();
        for output in &config.outputs {
            let (component, sink) = open_sink(&pipeline, output).map_err(in_pipeline)?;
            let (senders, receivers) = lay("payloads", output.name.clone(), &config.limits, &mut known);
            for ((ends, _), sender) in lanes.iter_mut().zip(senders) {
                ends.payloads.push(sender);
            }
            sinks.push(OpenSink { component, sink, payloads: PayloadReceiver::new(receivers) });
        }
        let mut dead_letters = None;
        if let Some(dead_letter) = &config.dead_letter {
            let sink = DeadLetterSink::open(dead_letter.clone())
                .map_err(|source| in_pipeline(component_error("dead_letter", source)))?;
            let (senders, receivers) = lay("dead_letters", None, &config.limits, &mut known);
            for ((ends, _), sender) in lanes.iter_mut().zip(senders) {
                ends.dead_letters = Some(sender);
            }
            dead_letters = Some((sink, PayloadReceiver::new(receivers)));
        }

        let ledger = Arc::new(Ledger::new(config.outputs.iter().map(|output| output.name.clone())));
        let lanes =
            lanes.into_iter().map(|(ends, chunks)| (build_lane(config, &ledger, ends), chunks)).collect();
        let status = Arc::new(Status {
            name: config.name.clone(),
            ledger,
            progress: Arc::new(Progress::new()),
            pool: BufferPool::new(config.limits.held_bytes, config.limits.chunk_bytes),
            tracker: AckTracker::new(),
            channels: known,
            dead_letters: dead_letters.as_ref().map(|(sink, _)| sink.stats()),
            running: AtomicBool::new(false),
            failures: Mutex::new(Vec::new()),
        });
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

/// Where a lane sends what it makes.
#[derive(Default)]
struct LaneEnds {
    /// In the order of the outputs.
    payloads: Vec<CountedSender<Payload>>,
    dead_letters: Option<CountedSender<Payload>>,
}

/// Logs what memory a pipeline may come to take, as its configuration bounds it.
fn log_memory(config: &PipelineConfig) {
    let Limits { max_event_bytes, chunk_bytes, channel_batches, decoders, held_bytes } = config.limits;
    let n_outputs = config.outputs.len();
    // A lane has its scratch, and for itself and each output the edited lines of a chunk twice: as a truncate stage
    // makes one, and in the batch.
    let longest_chunk_bytes = chunk_bytes + max_event_bytes;
    let lane_bytes = Decode::max_scratch_bytes(max_event_bytes) + 2 * (1 + n_outputs) * longest_chunk_bytes;
    // What is copied for a payload no longer counts as held; some wait in a channel, and one is at either end.
    let n_queues = n_outputs + usize::from(config.dead_letter.is_some());
    let queue_bytes = (channel_batches + 2) * (chunk_bytes.max(PAYLOAD_BYTES) + max_event_bytes);
    // One line may grow a chunk beyond what may be held.
    let max_bytes = held_bytes + max_event_bytes + decoders * (lane_bytes + n_queues * queue_bytes);
    tracing::info!(pipeline = config.name, max_bytes, held_bytes, "memory is bounded");
}

/// Lays the channels of one kind, one for each lane, and makes them known to the metrics.
fn lay<T: Send + 'static>(
    name: &'static str,
    output: Option<String>,
    limits: &Limits,
    known: &mut Vec<Arc<ChannelStats>>,
) -> (Vec<CountedSender<T>>, Vec<Receiver<T>>) {
    let (senders, receivers, stats) = channels(name, output, limits.decoders, limits.channel_batches);
    known.push(stats);
    (senders, receivers)
}

/// Builds one lane; all lanes ask for the same fields in the same order, so their columns agree.
fn build_lane(config: &PipelineConfig, ledger: &Arc<Ledger>, ends: LaneEnds) -> Lane {
    let mut projection = Projection::default();
    let stages = build_stages(&config.stages, &mut projection);
    let branch = |(i, (output, payloads)): (usize, (&OutputConfig, CountedSender<Payload>))| Branch {
        stages: build_stages(&output.stages, &mut projection),
        encode: Encode::new(&output.encode, &mut projection),
        receipt: Arc::new(OutputReceipt { ledger: ledger.clone(), output: i }),
        payloads,
        batch: Batch::default(),
    };
    let branches = config.outputs.iter().zip(ends.payloads).enumerate().map(branch).collect();
    Lane {
        decode: Decode::new(&projection, config.limits.max_event_bytes),
        stages,
        branches,
        dead_letters: ends.dead_letters,
        ledger: ledger.clone(),
        batch: Batch::default(),
    }
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
fn open_sink(pipeline: &str, output: &OutputConfig) -> Result<(String, Box<dyn Sink>), ComponentError> {
    let names = SinkNames { pipeline, output: output.name.as_deref() };
    let (kind, sink): (_, Result<Box<dyn Sink>, _>) = match &output.sink {
        SinkConfig::Stdout => ("sink.stdout", StdoutSink::new().map(|sink| Box::new(sink) as _)),
        SinkConfig::File(config) => {
            ("sink.file", FileSink::open(config.clone(), &names).map(|sink| Box::new(sink) as _))
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
