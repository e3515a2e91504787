//! The five verbs, from the outside: lines in, lines out, and every event counted.

#![allow(clippy::unwrap_used, reason = "the lint is for code that runs for users; helpers of tests may")]

mod decode;
mod encode;
mod filter;
mod oracle;
mod sample;
mod truncate;

use bytes::Bytes;
use logweir_event::{Ack, Batch, Chunk, Malformed, Position};
use logweir_stages::{
    Decode, Encode, EncodeConfig, Filter, FilterConfig, Projection, Sample, SampleConfig, Stage, Tally,
    Truncate, TruncateConfig, Unit,
};
use logweir_testkit::oracle as naive;

/// Longest event in bytes, unless a test says otherwise.
const MAX_EVENT_BYTES: usize = 4 << 20;

/// Runs stages and encode over `input`, cut into chunks of `lines_a_chunk` lines.
fn run(
    stages: &[naive::Stage],
    field_names: Option<&[String]>,
    input: &[u8],
    max_event_bytes: usize,
    lines_a_chunk: usize,
) -> naive::Outcome {
    let mut projection = Projection::default();
    let mut stages: Vec<_> = stages.iter().map(|stage| build(stage, &mut projection)).collect();
    let encode = Encode::new(&EncodeConfig { field_names: field_names.map(<[_]>::to_vec) }, &mut projection);
    let mut decode = Decode::new(&projection, max_event_bytes);
    let mut batch = Batch::default();
    let mut tally = Tally::default();
    let mut outcome = naive::Outcome::default();
    let lines: Vec<&[u8]> = input.split_inclusive(|&byte| byte == b'\n').collect();
    for lines in lines.chunks(lines_a_chunk) {
        let bytes = Bytes::from(lines.concat());
        let end = Position { input: 0, offset: bytes.len() as u64 };
        let chunk = Chunk { n_bytes_read: end.offset, bytes, n_oversized: 0, end, ack: Ack::ignored() };
        let mut from = 0;
        let mut is_first = true;
        while std::mem::take(&mut is_first) || from < chunk.bytes.len() {
            from = decode.decode(&chunk, from, &mut batch);
            for stage in &mut stages {
                stage.apply(&mut batch, &mut tally);
            }
            let payloads: Vec<_> = encode.encode(&batch).collect();
            let n_followed = payloads.iter().filter(|payload| payload.more_follows()).count();
            assert_eq!(n_followed, payloads.len() - 1, "all but the last are followed by more");
            for payload in payloads {
                outcome.output.extend(payload.parts().concat());
                outcome.written += payload.n_events();
            }
            outcome.read += (batch.len() + batch.rejects().len()) as u64 + batch.n_oversized();
            outcome.oversized += batch.n_oversized();
            for reject in batch.rejects() {
                let reasons = [Malformed::NotUtf8, Malformed::NotJson, Malformed::NotObject];
                outcome.malformed[reasons.iter().position(|&reason| reason == reject.reason).unwrap()] += 1;
            }
        }
    }
    outcome.filtered = tally.filtered;
    outcome.sampled_out = tally.sampled_out;
    outcome.truncated = tally.truncated;
    outcome.truncated_characters = tally.truncated_characters;
    outcome
}

fn build(stage: &naive::Stage, projection: &mut Projection) -> Box<dyn Stage> {
    match stage {
        naive::Stage::Filter(text) => {
            Box::new(Filter::new(&FilterConfig::from_json(text).unwrap(), projection))
        }
        naive::Stage::Sample { rate, key, seed, always_keep } => {
            let always_keep = always_keep.as_ref().map(|text| FilterConfig::from_json(text).unwrap());
            let config = SampleConfig { rate: *rate, key: key.clone(), seed: *seed, always_keep };
            Box::new(Sample::new(&config, projection))
        }
        naive::Stage::Truncate { limit, unit } => {
            let unit = match unit {
                naive::truncate::Unit::Chars => Unit::Chars,
                naive::truncate::Unit::Utf16 => Unit::Utf16,
                naive::truncate::Unit::Bytes => Unit::Bytes,
            };
            Box::new(Truncate::new(&TruncateConfig { limit: *limit as u64, unit }, projection))
        }
    }
}

/// Runs stages over `input` as one chunk, written as it is.
fn run_whole(stages: &[naive::Stage], input: &[u8]) -> naive::Outcome {
    run(stages, None, input, MAX_EVENT_BYTES, usize::MAX)
}

/// Returns the truncate stage of a limit in characters.
fn truncate_to(limit: usize) -> naive::Stage {
    naive::Stage::Truncate { limit, unit: naive::truncate::Unit::Chars }
}
