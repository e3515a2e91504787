//! The program that is counted: takes its standard input through decode, the stages and encode, as a lane of a
//! pipeline does, and writes what comes out.

use std::io::{Read as _, Write as _, stdin, stdout};

use anyhow::anyhow;
use bytes::Bytes;
use logweir_event::{Ack, Batch, Chunk, Payload, Position};
use logweir_stages::{
    Decode, Encode, EncodeConfig, Filter, FilterConfig, Projection, Stage, Tally, Truncate, TruncateConfig,
    Unit,
};

/// What the filter says; the oracle is given the same.
pub(crate) const FILTER: &str = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#;
/// What the truncation leaves of an event, in characters: the budget of a Logpush job.
pub(crate) const LIMIT: u32 = 16_384;
/// The longest event that is one; the default of a pipeline.
pub(crate) const MAX_EVENT_BYTES: usize = 4 << 20;

/// Size of a chunk; the default of a pipeline.
const CHUNK_BYTES: usize = 512 * 1024;

/// Reads all of standard input, and only then begins.
///
/// # Errors
///
/// If the input cannot be read or the output not be written.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut input = Vec::new();
    stdin().lock().read_to_end(&mut input)?;
    let mut lane = Lane::new()?;
    let mut payloads = Vec::new();
    let mut out = stdout().lock();
    for chunk in chunks(&Bytes::from(input)) {
        take_a_chunk_through_the_lane(&mut lane, &chunk, &mut payloads);
        for payload in payloads.drain(..) {
            for part in payload.parts() {
                out.write_all(part)?;
            }
            payload.written();
        }
    }
    Ok(out.flush()?)
}

/// The function whose instructions count, with those of all that it calls. Callgrind knows it by its name: it stays
/// a function of its own, and nothing in it, no closure either, has a name that holds this one.
#[inline(never)]
fn take_a_chunk_through_the_lane(lane: &mut Lane, chunk: &Chunk, payloads: &mut Vec<Payload>) {
    let mut end = 0;
    while end < chunk.bytes.len() {
        end = lane.pass(chunk, end, payloads);
    }
}

/// What a lane of a pipeline with one output owns.
struct Lane {
    decode: Decode,
    stages: Vec<Box<dyn Stage>>,
    encode: Encode,
    batch: Batch,
}

impl Lane {
    fn new() -> anyhow::Result<Self> {
        let filter = FilterConfig::from_json(FILTER).map_err(|problems| anyhow!("{problems:?}"))?;
        let truncate = TruncateConfig::new(LIMIT.into(), Unit::Chars);
        let mut projection = Projection::default();
        let stages: Vec<Box<dyn Stage>> = vec![
            Box::new(Filter::new(&filter, &mut projection)),
            Box::new(Truncate::new(&truncate, &mut projection)),
        ];
        let encode = Encode::new(&EncodeConfig::default(), &mut projection);
        let decode = Decode::new(&projection, MAX_EVENT_BYTES);
        Ok(Self { decode, stages, encode, batch: Batch::default() })
    }

    /// Takes the events of a chunk from byte `from` on as far as one batch goes, and returns how far that is.
    fn pass(&mut self, chunk: &Chunk, from: usize, payloads: &mut Vec<Payload>) -> usize {
        let end = self.decode.decode(chunk, from, &mut self.batch);
        let mut tally = Tally::default();
        for stage in &mut self.stages {
            stage.apply(&mut self.batch, &mut tally);
        }
        payloads.extend(self.encode.encode(&self.batch, chunk.end));
        self.batch.release();
        end
    }
}

/// Cuts the input as a source does: whole lines, as many as a chunk takes, and at least one.
fn chunks(input: &Bytes) -> impl Iterator<Item = Chunk> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = input.get(start..).filter(|rest| !rest.is_empty())?;
        let full = &rest[..CHUNK_BYTES.min(rest.len())];
        let n_bytes = memchr::memrchr(b'\n', full)
            .or_else(|| memchr::memchr(b'\n', rest))
            .map_or(rest.len(), |at| at + 1);
        let bytes = input.slice(start..start + n_bytes);
        start += n_bytes;
        let end = Position { input: 0, offset: start as u64 };
        Some(Chunk { bytes, n_bytes_read: n_bytes as u64, n_oversized: 0, end, ack: Ack::ignored() })
    })
}
