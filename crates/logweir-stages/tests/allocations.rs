//! Nothing is allocated for a single event: ten times the events in one batch cost the same number of allocations.

#![allow(clippy::unwrap_used, reason = "the lint is for code that runs for users; helpers of tests may")]

use bytes::Bytes;
use logweir_event::{Ack, Batch, Chunk, Position};
use logweir_stages::{
    Decode, Encode, EncodeConfig, Filter, FilterConfig, OutputType, Projection, RecordTemplate, Sample,
    SampleConfig, Stage, StratumConfig, Tally, Truncate, TruncateConfig, Unit,
};
use logweir_testkit::allocations::{COUNTING, CountingAllocator, count};

#[global_allocator]
static ALLOCATOR: &CountingAllocator = &COUNTING;

const FILTER: &str = r#"{"where":{"or":[
    {"key":"Outcome","operator":"!eq","value":"exception"},
    {"key":"Event.Request.Method","operator":"contains","value":"E"}]}}"#;

/// What a batch is encoded with.
struct Case {
    config: EncodeConfig,
    has_places: bool,
    has_weights: bool,
    /// Of truncate, to which all events are over or none is.
    limit: u64,
}

/// Returns each form in which events are written.
fn cases() -> Vec<Case> {
    let fields = EncodeConfig {
        field_names: Some(vec!["Event".to_owned(), "Outcome".to_owned(), "Missing".to_owned()]),
        redact_cve_2021_44228: true,
        ..EncodeConfig::default()
    };
    let template = RecordTemplate::parse("{{.Outcome}};{{.Event}}{{/* twice */}}{{.Event}}").unwrap();
    let csv = EncodeConfig {
        output_type: OutputType::Csv,
        record_delimiter: Some("\n".to_owned()),
        record_template: Some(template),
        ..fields.clone()
    };
    let as_it_is = EncodeConfig { redact_cve_2021_44228: true, ..EncodeConfig::default() };
    let limit = 16_384;
    vec![
        Case { config: EncodeConfig::default(), has_places: false, has_weights: false, limit },
        Case { config: EncodeConfig::default(), has_places: false, has_weights: false, limit: 1 },
        Case { config: EncodeConfig::default(), has_places: false, has_weights: true, limit },
        Case { config: as_it_is, has_places: true, has_weights: false, limit },
        Case { config: fields, has_places: true, has_weights: false, limit },
        Case { config: csv, has_places: true, has_weights: true, limit },
    ]
}

/// An event with two characters that truncate counts.
const LINE: &str = r#"{"Outcome":"o\u006b ${","EventTimestampMs":1,"Event":{"RayID":"a\u00e9","Request":{"Method":"GET"}},"ScriptName":"s\u0068op","Logs":[{"Message":["xy",1]}]}"#;

/// Returns the allocations of the second of two equal batches of `n` events, the first having made all room.
fn allocations(case: &Case, n: usize) -> usize {
    let mut projection = Projection::default();
    let filter = FilterConfig::from_json(FILTER).unwrap();
    let stratum = StratumConfig { filter: filter.clone(), rate: 0.95 };
    let sample = SampleConfig {
        key: Some("Event.RayID".to_owned()),
        rates: vec![stratum],
        weight_field: case.has_weights.then(|| "SampleInterval".to_owned()),
        ..SampleConfig::of_rate(0.9)
    };
    let truncate = TruncateConfig {
        limit: case.limit,
        unit: Unit::Chars,
        max_scripts: Some(10),
        report: Some("Cut".to_owned()),
    };
    let mut stages: Vec<Box<dyn Stage>> = vec![
        Box::new(Filter::new(&filter, &mut projection)),
        Box::new(Sample::new(&sample, &mut projection)),
        Box::new(Truncate::new(&truncate, &mut projection)),
    ];
    let mut encode = Encode::new(&case.config, &mut projection);
    if case.has_places {
        encode = encode.with_places(&mut projection);
    }
    let mut decode = Decode::new(&projection, 4 << 20);
    let mut batch = Batch::default();
    let bytes = Bytes::from(format!("{LINE}\n").repeat(n));
    let mut pass = || {
        let end = Position { input: 0, offset: bytes.len() as u64 };
        let chunk = Chunk { bytes: bytes.clone(), n_bytes_read: 0, n_oversized: 0, end, ack: Ack::ignored() };
        assert_eq!(decode.decode(&chunk, 0, &mut batch), bytes.len());
        let mut tally = Tally::default();
        for stage in &mut stages {
            stage.apply(&mut batch, &mut tally);
        }
        assert!(encode.encode(&batch, end).all(|payload| !payload.parts().is_empty()));
    };
    pass();
    count(pass)
}

/// All threads of the process are counted, so this is a program without the test harness, whose own thread allocates
/// when it pleases.
fn main() {
    for case in cases() {
        let (few, many) = (allocations(&case, 300), allocations(&case, 3_000));
        // The payload's copied bytes grow by doubling, and so do its places, so ten times as many may take a few steps
        // more.
        let n_more = if case.has_places { 8 } else { 4 };
        let config = case.config;
        assert!(many <= few + n_more, "{few} allocations for 300 events, {many} for 3,000: {config:?}");
        assert!(few < 40, "{few} allocations for a batch of 300 events: {config:?}");
    }
}
