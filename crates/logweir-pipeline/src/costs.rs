//! What each part of a pipeline costs, measured on some events.

use std::time::{Duration, Instant};

use bytes::Bytes;
use logweir_event::{Ack, Batch, Chunk, Position};
use logweir_stages::{Decode, Encode, Projection, Stage, Tally};

use crate::config::{OutputConfig, PipelineConfig};
use crate::parts::{build_encode, build_stages};

/// The events that are measured at once, as many times as the given ones have to be repeated: enough that reading the
/// clock costs nothing beside them.
const MIN_EVENTS: usize = 512;

/// What each part of a pipeline costs on some events.
#[derive(Clone, PartialEq, Debug)]
pub struct Costs {
    /// How many events were given.
    pub n_events: usize,
    /// Their bytes.
    pub n_bytes: usize,
    /// Finding the events and their fields.
    pub decode: Cost,
    /// The shared stages, in order.
    pub stages: Vec<Cost>,
    /// The outputs, in order.
    pub outputs: Vec<OutputCosts>,
}

/// What the parts of an output cost.
#[derive(Clone, PartialEq, Debug)]
pub struct OutputCosts {
    /// Its stages, in order.
    pub stages: Vec<Cost>,
    /// Making what is written.
    pub encode: Cost,
}

/// What one part costs: the least of several measurements, since whatever else the machine does only adds to it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cost {
    /// The share of the given events that come to it.
    pub share_in: f64,
    /// The share of the given events that leave it.
    pub share_out: f64,
    /// The time for each event that comes to it, in seconds.
    pub seconds: f64,
    /// The time for all events in relation to the bytes that were given: bytes a second, as if nothing else were to do.
    pub bytes_per_second: f64,
}

/// Measures what the parts of a pipeline cost on events, one on each line, for about `time`, and once at least. Nothing is
/// opened, read or written. `None` if there is no event among the lines.
pub fn measure(config: &PipelineConfig, lines: &[u8], time: Duration) -> Option<Costs> {
    let mut bench = Bench::new(config, lines)?;
    let begin = Instant::now();
    let mut best = bench.round();
    while begin.elapsed() < time {
        for (best, next) in best.iter_mut().zip(bench.round()) {
            best.time = best.time.min(next.time);
        }
    }
    Some(bench.costs(config, &best))
}

/// The parts of a pipeline, ready to be run on the same events again and again.
struct Bench {
    /// The events as often as they are repeated.
    bytes: Bytes,
    n_repeats: usize,
    /// How many bytes were given.
    n_given: usize,
    decode: Decode,
    stages: Vec<Box<dyn Stage>>,
    outputs: Vec<(Vec<Box<dyn Stage>>, Encode)>,
    batch: Batch,
    branch: Batch,
}

/// What one part did in one round.
struct Lap {
    n_in: usize,
    n_out: usize,
    time: Duration,
}

impl Bench {
    fn new(config: &PipelineConfig, lines: &[u8]) -> Option<Self> {
        let mut projection = Projection::default();
        let stages = build_stages(&config.stages, &mut projection);
        let output = |output: &OutputConfig| {
            (build_stages(&output.stages, &mut projection), build_encode(output, &mut projection))
        };
        let outputs = config.outputs.iter().map(output).collect();
        let mut given = lines.to_vec();
        if !given.ends_with(b"\n") {
            given.push(b'\n');
        }
        let decode = Decode::new(&projection, config.limits.max_event_bytes);
        let (batch, branch) = (Batch::default(), Batch::default());
        let bytes = Bytes::from(given);
        let n_given = bytes.len();
        let mut bench = Self { bytes, n_repeats: 1, n_given, decode, stages, outputs, batch, branch };
        bench.decode();
        let n_events = bench.batch.len();
        if n_events == 0 {
            return None;
        }
        bench.n_repeats = MIN_EVENTS.div_ceil(n_events);
        bench.bytes = Bytes::from(bench.bytes.repeat(bench.n_repeats));
        Some(bench)
    }

    /// Decodes the events, or the first part of them if they are very many.
    fn decode(&mut self) {
        let (bytes, n_bytes_read) = (self.bytes.clone(), self.bytes.len() as u64);
        let end = Position { input: 0, offset: n_bytes_read };
        let chunk = Chunk { bytes, n_bytes_read, n_oversized: 0, end, ack: Ack::ignored() };
        self.decode.decode(&chunk, 0, &mut self.batch);
    }

    /// Takes all events through all parts: what each did, in the order of [`Bench::costs`].
    fn round(&mut self) -> Vec<Lap> {
        let begin = Instant::now();
        self.decode();
        let n_events = self.batch.len();
        let mut laps = vec![Lap { n_in: n_events, n_out: n_events, time: begin.elapsed() }];
        laps.extend(self.stages.iter_mut().map(|stage| lap(&mut **stage, &mut self.batch)));
        let end = Position { input: 0, offset: self.bytes.len() as u64 };
        for (stages, encode) in &mut self.outputs {
            self.branch.clone_from(&self.batch);
            laps.extend(stages.iter_mut().map(|stage| lap(&mut **stage, &mut self.branch)));
            let n_events = self.branch.selection().count();
            let begin = Instant::now();
            let n_payloads = encode.encode(&self.branch, end).count();
            let time = begin.elapsed();
            std::hint::black_box(n_payloads);
            laps.push(Lap { n_in: n_events, n_out: n_events, time });
            self.branch.release();
        }
        self.batch.release();
        laps
    }

    /// Returns the costs in the order in which the laps were made.
    fn costs(&self, config: &PipelineConfig, laps: &[Lap]) -> Costs {
        let n_all = laps.first().map_or(1, |decode| decode.n_in.max(1));
        let mut costs = laps.iter().map(|lap| self.cost(lap, n_all));
        let mut next = || costs.next().expect("each part has made a lap");
        let decode = next();
        let stages = config.stages.iter().map(|_| next()).collect();
        let outputs = config.outputs.iter().map(|output| {
            let stages = output.stages.iter().map(|_| next()).collect();
            OutputCosts { stages, encode: next() }
        });
        let outputs = outputs.collect();
        Costs { n_events: n_all / self.n_repeats, n_bytes: self.n_given, decode, stages, outputs }
    }

    fn cost(&self, lap: &Lap, n_all: usize) -> Cost {
        let seconds = lap.time.as_secs_f64();
        Cost {
            share_in: lap.n_in as f64 / n_all as f64,
            share_out: lap.n_out as f64 / n_all as f64,
            seconds: seconds / lap.n_in.max(1) as f64,
            bytes_per_second: self.bytes.len() as f64 / seconds.max(1e-9),
        }
    }
}

/// Runs one stage on a batch.
fn lap(stage: &mut dyn Stage, batch: &mut Batch) -> Lap {
    let n_in = batch.selection().count();
    let begin = Instant::now();
    stage.apply(batch, &mut Tally::default());
    let time = begin.elapsed();
    Lap { n_in, n_out: batch.selection().count(), time }
}
