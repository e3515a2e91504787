//! What a generation of a pipeline is made of: channels, and the lanes between them.

use std::sync::{Arc, OnceLock};

use logweir_event::{Batch, Chunk, Condition, Payload};
use logweir_sinks::PayloadReceiver;
use logweir_sources::{AckTracker, BufferPool, Progress};
use logweir_stages::{Decode, Encode, Filter, Projection, Sample, Stage, Truncate};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use crate::build::{Pipeline, source_component};
use crate::channel::{ChannelStats, CountedSender, channels};
use crate::config::{Limits, OutputConfig, PipelineConfig, SinkConfig, StageConfig};
use crate::lane::{Branch, Lane, Watched};
use crate::ledger::{Ledger, OutputReceipt};
use crate::live::Live;
use crate::tap::{LanePoints, Point, Points};

/// What keeps a followed source's positions, as errors name it.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The dead-letter file, as errors name it.
pub(crate) const DEAD_LETTER: &str = "dead_letter";

/// The lanes of a pipeline and what leads to and from them.
pub(crate) struct Parts {
    /// One for each lane.
    pub(crate) chunks: Vec<CountedSender<Chunk>>,
    /// The lanes, each with where its chunks come from.
    pub(crate) lanes: Vec<(Lane, Receiver<Chunk>)>,
    /// What comes to the sink of each output.
    pub(crate) payloads: Vec<PayloadReceiver>,
    /// What comes to the dead-letter file.
    pub(crate) dead_letters: Option<PayloadReceiver>,
    pub(crate) live: Arc<Live>,
}

impl Parts {
    /// Lays the channels of a pipeline and builds its lanes, which drop what nobody takes once `abort` is cancelled.
    pub(crate) fn new(pipeline: &Pipeline, abort: &CancellationToken) -> Self {
        let Pipeline { config, status, .. } = pipeline;
        let mut known = Vec::new();
        let (chunks, chunk_receivers) = lay("chunks", None, &config.limits, &mut known);
        let mut ends: Vec<_> = chunk_receivers.iter().map(|_| LaneEnds::default()).collect();
        let mut payloads = Vec::new();
        for output in &config.outputs {
            let (senders, receivers) = lay("payloads", output.name.clone(), &config.limits, &mut known);
            for (ends, sender) in ends.iter_mut().zip(senders) {
                ends.payloads.push(sender);
            }
            payloads.push(PayloadReceiver::new(receivers));
        }
        let dead_letters = config.dead_letter.as_ref().map(|_| {
            let (senders, receivers) = lay("dead_letters", None, &config.limits, &mut known);
            for (ends, sender) in ends.iter_mut().zip(senders) {
                ends.dead_letters = Some(sender);
            }
            PayloadReceiver::new(receivers)
        });
        let points = LanePoints::new(config);
        let live = Arc::new(live(pipeline, known, points.points(config)));
        let lanes = ends.into_iter();
        let lanes = lanes.map(|ends| build_lane(config, &status.ledger, ends, &points, abort.clone()));
        let lanes = lanes.zip(chunk_receivers).collect();
        Self { chunks, lanes, payloads, dead_letters, live }
    }
}

/// Returns what is to be seen of a generation.
fn live(pipeline: &Pipeline, channels: Vec<Arc<ChannelStats>>, points: Points) -> Live {
    let Pipeline { config, sinks, dead_letters, .. } = pipeline;
    let checkpoint = config.state_dir.iter().map(|_| CHECKPOINT);
    let dead_letter = dead_letters.iter().map(|_| DEAD_LETTER);
    let components = sinks.iter().map(|sink| sink.component.as_str()).chain(dead_letter).chain(checkpoint);
    let components = components.chain([source_component(&config.source)]);
    Live {
        progress: Arc::new(Progress::new()),
        pool: BufferPool::new(config.limits.held_bytes, config.limits.chunk_bytes),
        tracker: AckTracker::new(),
        channels,
        dead_letters: dead_letters.as_ref().map(logweir_sinks::DeadLetterSink::stats),
        conditions: components.map(|component| (component.to_owned(), Condition::new())).collect(),
        follow: OnceLock::new(),
        points,
    }
}

/// Where a lane sends what it makes.
#[derive(Default)]
struct LaneEnds {
    /// In the order of the outputs.
    payloads: Vec<CountedSender<Payload>>,
    dead_letters: Option<CountedSender<Payload>>,
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

/// What a branch is made of: its output, where its payloads go, and where its events can be watched.
type BranchParts<'a> = (&'a OutputConfig, CountedSender<Payload>, &'a (Vec<Arc<Point>>, Arc<Point>));

/// Builds one lane; all lanes ask for the same fields in the same order, so their columns agree.
fn build_lane(
    config: &PipelineConfig,
    ledger: &Arc<Ledger>,
    ends: LaneEnds,
    points: &LanePoints,
    abort: CancellationToken,
) -> Lane {
    let mut projection = Projection::default();
    let stages = watched(build_stages(&config.stages, &mut projection), &points.stages);
    let mut branch = |(output, payloads, (points, encoded)): BranchParts<'_>| Branch {
        stages: watched(build_stages(&output.stages, &mut projection), points),
        encoded: encoded.clone(),
        encode: build_encode(output, &mut projection),
        receipt: Arc::new(OutputReceipt {
            ledger: ledger.clone(),
            output: ledger.output(output.name.as_deref()),
        }),
        payloads,
        batch: Batch::default(),
    };
    let parts = config.outputs.iter().zip(ends.payloads).zip(&points.outputs);
    let branches = parts.map(|((output, payloads), points)| branch((output, payloads, points))).collect();
    Lane {
        decode: Decode::new(&projection, config.limits.max_event_bytes),
        decoded: points.decode.clone(),
        stages,
        branches,
        dead_letters: ends.dead_letters,
        ledger: ledger.clone(),
        abort,
        batch: Batch::default(),
    }
}

/// Returns stages with where each lets events be watched.
fn watched(stages: Vec<Box<dyn Stage>>, points: &[Arc<Point>]) -> Vec<Watched> {
    let stages = stages.into_iter().zip(points);
    stages.map(|(stage, point)| Watched { stage, point: point.clone() }).collect()
}

/// Returns the encoder of an output; one that collects batches is told where events lie.
pub(crate) fn build_encode(output: &OutputConfig, projection: &mut Projection) -> Encode {
    let encode = Encode::new(&output.encode, projection);
    match output.sink {
        SinkConfig::Upload(_) => encode.with_places(projection),
        SinkConfig::Stdout | SinkConfig::File(_) | SinkConfig::Null => encode,
    }
}

/// Builds the stages of a list, which ask for their fields.
pub(crate) fn build_stages(stages: &[StageConfig], projection: &mut Projection) -> Vec<Box<dyn Stage>> {
    stages.iter().map(|stage| build_stage(stage, projection)).collect()
}

/// Returns a stage, having asked `projection` for what it needs.
pub(crate) fn build_stage(config: &StageConfig, projection: &mut Projection) -> Box<dyn Stage> {
    match config {
        StageConfig::Filter(config) => Box::new(Filter::new(config, projection)),
        StageConfig::Sample(config) => Box::new(Sample::new(config, projection)),
        StageConfig::Truncate(config) => Box::new(Truncate::new(config, projection)),
    }
}
