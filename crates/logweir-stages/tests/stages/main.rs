//! The five verbs, from the outside: lines in, lines out, and every event counted.

#![allow(clippy::unwrap_used, reason = "the lint is for code that runs for users; helpers of tests may")]

mod decode;
mod encode;
mod filter;
mod golden;
mod oracle;
mod places;
mod problems;
mod redact;
mod redaction;
mod sample;
mod template;
mod truncate;
mod verdict;
mod weights;

use bytes::Bytes;
use logweir_event::{Ack, Batch, BatchFrame, Chunk, Malformed, Payload, Position};
use logweir_stages::{
    Decode, Encode, EncodeConfig, Filter, FilterConfig, OutputType, Projection, RecordTemplate, Sample,
    SampleConfig, Stage, StratumConfig, Tally, Truncate, TruncateConfig, Unit,
};
use logweir_testkit::oracle as naive;
use logweir_testkit::oracle::encode::Options;

/// Longest event in bytes, unless a test says otherwise.
const MAX_EVENT_BYTES: usize = 4 << 20;

/// Input for the stages, and how it comes.
struct Input<'a> {
    bytes: &'a [u8],
    max_event_bytes: usize,
    /// Lines in a chunk.
    lines_a_chunk: usize,
}

/// What came of an input.
struct Encoded {
    frame: BatchFrame,
    /// Each with the chunk that it was read in.
    payloads: Vec<(Bytes, Payload)>,
    /// All but the output.
    outcome: naive::Outcome,
}

/// Whether payloads are to say where their events lie.
#[derive(Clone, Copy, PartialEq)]
enum WithPlaces {
    No,
    Yes,
}

/// Runs stages and encode over the input.
fn encoded(
    stages: &[naive::Stage],
    options: &Options,
    with_places: WithPlaces,
    input: &Input<'_>,
) -> Encoded {
    let mut projection = Projection::default();
    let mut stages: Vec<_> = stages.iter().map(|stage| build(stage, &mut projection)).collect();
    let config = config(options);
    assert_eq!(config.problems(input.max_event_bytes), []);
    let mut encode = Encode::new(&config, &mut projection);
    if with_places == WithPlaces::Yes {
        encode = encode.with_places(&mut projection);
    }
    let mut decode = Decode::new(&projection, input.max_event_bytes);
    let mut batch = Batch::default();
    let mut tally = Tally::default();
    let mut outcome = naive::Outcome::default();
    let mut payloads = Vec::new();
    let lines: Vec<&[u8]> = input.bytes.split_inclusive(|&byte| byte == b'\n').collect();
    let mut end = Position { input: 3, offset: 1 << 40 };
    for lines in lines.chunks(input.lines_a_chunk) {
        let bytes = Bytes::from(lines.concat());
        let n_bytes_read = bytes.len() as u64;
        end.offset += n_bytes_read;
        let chunk = Chunk { n_bytes_read, bytes, n_oversized: 0, end, ack: Ack::ignored() };
        let mut from = 0;
        let mut is_first = true;
        while std::mem::take(&mut is_first) || from < chunk.bytes.len() {
            from = decode.decode(&chunk, from, &mut batch);
            for stage in &mut stages {
                stage.apply(&mut batch, &mut tally);
            }
            let made: Vec<_> = encode.encode(&batch, end).collect();
            let n_followed = made.iter().filter(|payload| payload.more_follows()).count();
            assert_eq!(n_followed, made.len() - 1, "all but the last are followed by more");
            for payload in made {
                outcome.written += payload.n_events();
                payloads.push((chunk.bytes.clone(), payload));
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
    let by_script = tally.scripts.iter();
    outcome.truncated_by_script =
        by_script.map(|(script, cuts)| (script.to_owned(), (cuts.events, cuts.characters))).collect();
    Encoded { frame: encode.frame(), payloads, outcome }
}

impl Encoded {
    /// Puts all payloads together as the one batch that a sink would make of them.
    fn batch(&self, n_delimiter_bytes: usize) -> Vec<u8> {
        let mut batch = self.frame.prefix.to_vec();
        let mut is_first = true;
        for (_, payload) in &self.payloads {
            let bytes = payload.parts().concat();
            let has_delimiter = payload.n_events() > 0 && std::mem::take(&mut is_first);
            self.join(&mut batch, &bytes[if has_delimiter { n_delimiter_bytes } else { 0 }..]);
        }
        self.join(&mut batch, &self.frame.suffix);
        batch
    }

    /// Appends a piece; where it makes a lookup with what stands before it, that is for the sink to see.
    fn join(&self, batch: &mut Vec<u8>, piece: &[u8]) {
        if self.frame.is_redacted && batch.ends_with(b"$") && piece.starts_with(b"{") {
            batch.pop();
            batch.push(b'x');
        }
        batch.extend_from_slice(piece);
    }
}

/// Returns the same options as the product has them.
fn config(options: &Options) -> EncodeConfig {
    let template = |text: &String| RecordTemplate::parse(text).unwrap();
    EncodeConfig {
        field_names: options.field_names.clone(),
        output_type: if options.is_csv { OutputType::Csv } else { OutputType::Ndjson },
        batch_prefix: options.batch_prefix.clone(),
        batch_suffix: options.batch_suffix.clone(),
        record_prefix: options.record_prefix.clone(),
        record_suffix: options.record_suffix.clone(),
        record_delimiter: options.record_delimiter.clone(),
        field_delimiter: options.field_delimiter.clone(),
        record_template: options.record_template.as_ref().map(template),
        redact_cve_2021_44228: options.is_redacted,
    }
}

/// Runs stages over the input, which is written as one batch.
fn run(stages: &[naive::Stage], options: &Options, input: &Input<'_>) -> naive::Outcome {
    let encoded = encoded(stages, options, WithPlaces::No, input);
    assert!(encoded.payloads.iter().all(|(_, payload)| payload.places().is_none()));
    let output = encoded.batch(options.record_delimiter.as_ref().map_or(0, String::len));
    naive::Outcome { output, ..encoded.outcome }
}

fn build(stage: &naive::Stage, projection: &mut Projection) -> Box<dyn Stage> {
    match stage {
        naive::Stage::Filter(text) => {
            Box::new(Filter::new(&FilterConfig::from_json(text).unwrap(), projection))
        }
        naive::Stage::Sample { rate, key, seed, always_keep } => {
            let always_keep = always_keep.as_ref().map(|text| FilterConfig::from_json(text).unwrap());
            let config =
                SampleConfig { key: key.clone(), seed: *seed, always_keep, ..SampleConfig::of_rate(*rate) };
            Box::new(Sample::new(&config, projection))
        }
        naive::Stage::SampleStrata { rate, rates, key, seed, always_keep, weight_field } => {
            let filter = |text: &String| FilterConfig::from_json(text).unwrap();
            let stratum = |(text, rate): &(String, f64)| StratumConfig { filter: filter(text), rate: *rate };
            let config = SampleConfig {
                rate: *rate,
                rates: rates.iter().map(stratum).collect(),
                key: key.clone(),
                seed: *seed,
                always_keep: always_keep.as_ref().map(filter),
                weight_field: weight_field.clone(),
            };
            Box::new(Sample::new(&config, projection))
        }
        naive::Stage::Truncate { limit, unit } => {
            Box::new(Truncate::new(&truncate_config(*limit, *unit, None), projection))
        }
        naive::Stage::TruncateAndReport { limit, unit, report } => {
            Box::new(Truncate::new(&truncate_config(*limit, *unit, Some(report)), projection))
        }
    }
}

fn truncate_config(limit: usize, unit: naive::truncate::Unit, report: Option<&String>) -> TruncateConfig {
    let unit = match unit {
        naive::truncate::Unit::Chars => Unit::Chars,
        naive::truncate::Unit::Utf16 => Unit::Utf16,
        naive::truncate::Unit::Bytes => Unit::Bytes,
    };
    TruncateConfig { limit: limit as u64, unit, max_scripts: Some(1), report: report.cloned() }
}

/// Runs stages over `input` as one chunk, written as it is.
fn run_whole(stages: &[naive::Stage], input: &[u8]) -> naive::Outcome {
    run(stages, &Options::default(), &whole(input))
}

/// Returns input that comes as one chunk.
fn whole(bytes: &[u8]) -> Input<'_> {
    Input { bytes, max_event_bytes: MAX_EVENT_BYTES, lines_a_chunk: usize::MAX }
}

/// Returns the truncate stage of a limit in characters.
fn truncate_to(limit: usize) -> naive::Stage {
    naive::Stage::Truncate { limit, unit: naive::truncate::Unit::Chars }
}
