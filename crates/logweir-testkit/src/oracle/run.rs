//! A whole pipeline, event by event.

use std::collections::BTreeMap;

use logweir_event::Malformed;

use super::decode::{Event, Line, decode};
use super::encode::{Options, render};
use super::filter::Filter;
use super::json::Node;
use super::member::set_member;
use super::sample::Sample;
use super::truncate::{Unit, script, truncate};

/// One stage of a pipeline.
#[derive(Clone, Debug)]
pub enum Stage {
    /// Keeps the events that pass a filter, given as JSON text.
    Filter(String),
    /// Keeps a share of the events.
    Sample {
        /// The share, in (0, 1].
        rate: f64,
        /// The field to hash; the whole event without one.
        key: Option<String>,
        /// Seed of the hash.
        seed: u64,
        /// A filter, as JSON text, for events that are kept in any case.
        always_keep: Option<String>,
    },
    /// Keeps a share of each kind of events, and says of a kept one how many it stands for.
    SampleStrata {
        /// The share of the rest, in (0, 1].
        rate: f64,
        /// Filters, as JSON text, each with the share of the events for which it is the first that holds.
        rates: Vec<(String, f64)>,
        /// The field to hash; the whole event without one.
        key: Option<String>,
        /// Seed of the hash.
        seed: u64,
        /// A filter, as JSON text, for events that are kept in any case.
        always_keep: Option<String>,
        /// The field for how many it stands for; none is written without one.
        weight_field: Option<String>,
    },
    /// Cuts the texts of events to a budget.
    Truncate {
        /// The budget, in units.
        limit: usize,
        /// What is counted.
        unit: Unit,
    },
    /// Does the same, and writes into each event that it cuts what is missing.
    TruncateAndReport {
        /// The budget, in units.
        limit: usize,
        /// What is counted.
        unit: Unit,
        /// The field that says it.
        report: String,
    },
}

/// What comes out of a pipeline, and what became of every event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// What is written.
    pub output: Vec<u8>,
    /// Events read: all lines that are not blank.
    pub read: u64,
    /// Events written.
    pub written: u64,
    /// Events that a filter dropped.
    pub filtered: u64,
    /// Events that a sample dropped.
    pub sampled_out: u64,
    /// Lines that are no events, in the order of [`Malformed`]: not UTF-8, not JSON, not an object.
    pub malformed: [u64; 3],
    /// Lines that are too long.
    pub oversized: u64,
    /// How often an event was cut: one that two stages cut counts twice.
    pub truncated: u64,
    /// Units lost by cutting: of exception names, of exception messages, of log messages.
    pub truncated_characters: [u64; 3],
    /// The same by script: how often an event of it was cut, and the units lost.
    pub truncated_by_script: BTreeMap<String, (u64, [u64; 3])>,
}

/// An event that has come through all stages.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Its line as it was read, with its ending if it had one.
    pub line_as_read: Vec<u8>,
    /// What the stages have made of it.
    pub event: Event,
}

/// Returns what a pipeline makes of its input. Stages run in order, each on what the one before it made; without
/// `field_names` an event is written as it is, with a line feed where its line had no ending.
///
/// # Panics
///
/// If a filter must be refused: no such pipeline exists.
pub fn run(
    stages: &[Stage],
    field_names: Option<&[String]>,
    input: &[u8],
    max_event_bytes: usize,
) -> Outcome {
    let options = Options { field_names: field_names.map(<[_]>::to_vec), ..Options::default() };
    run_as(stages, &options, input, max_event_bytes)
}

/// Returns what a pipeline makes of its input, written with these options as one batch.
///
/// # Panics
///
/// If a filter or the template must be refused: no such pipeline exists.
pub fn run_as(stages: &[Stage], options: &Options, input: &[u8], max_event_bytes: usize) -> Outcome {
    let (mut outcome, passed) = run_stages(stages, input, max_event_bytes);
    let events: Vec<_> = passed.into_iter().map(|passed| passed.event).collect();
    outcome.output = render(&events, options);
    outcome
}

/// Returns what became of a pipeline's events, and those that are to be written.
///
/// # Panics
///
/// If a filter must be refused: no such pipeline exists.
pub fn run_stages(stages: &[Stage], input: &[u8], max_event_bytes: usize) -> (Outcome, Vec<Passed>) {
    let stages: Vec<_> = stages.iter().map(Ready::new).collect();
    let mut outcome = Outcome::default();
    let mut passed = Vec::new();
    for line in decode(input, max_event_bytes) {
        outcome.read += u64::from(!matches!(line, Line::Blank(_)));
        match line {
            Line::Blank(_) => {}
            Line::Malformed(Malformed::NotUtf8, _) => outcome.malformed[0] += 1,
            Line::Malformed(Malformed::NotJson, _) => outcome.malformed[1] += 1,
            Line::Malformed(Malformed::NotObject, _) => outcome.malformed[2] += 1,
            Line::Oversized(_) => outcome.oversized += 1,
            Line::Event(event) => passed.extend(outcome.process(&stages, event)),
        }
    }
    outcome.written = passed.len() as u64;
    (outcome, passed)
}

impl Outcome {
    fn process(&mut self, stages: &[Ready], mut event: Event) -> Option<Passed> {
        let line_as_read = event.line().to_vec();
        let as_read = event.body().to_vec();
        for stage in stages {
            match stage {
                Ready::Filter(filter) => {
                    if !filter.keeps(event.object()) {
                        self.filtered += 1;
                        return None;
                    }
                }
                Ready::Sample(sample) => {
                    if !sample.keeps(&event, &as_read) {
                        self.sampled_out += 1;
                        return None;
                    }
                    event =
                        Event::read(&sample.weighed(&event)).expect("an event with a member set is an event");
                }
                Ready::Truncate { limit, unit, report } => {
                    event = self.truncate(&event, *limit, *unit, report.as_deref());
                }
            }
        }
        Some(Passed { line_as_read, event })
    }

    fn truncate(&mut self, event: &Event, limit: usize, unit: Unit, report: Option<&str>) -> Event {
        let truncated = truncate(event, limit, unit);
        self.truncated += u64::from(truncated.cut);
        add(&mut self.truncated_characters, truncated.lost);
        if truncated.cut {
            let (n_events, lost) = self.truncated_by_script.entry(script(event)).or_default();
            *n_events += 1;
            add(lost, truncated.lost);
        }
        let cut_event = Event::read(&truncated.line).expect("a cut event is an event");
        let Some(name) = report.filter(|_| truncated.cut) else { return cut_event };
        let before = event.object().get(name);
        let report = truncated.report(limit, unit, before.as_ref().map(Node::raw));
        Event::read(&set_member(&cut_event, name, &report)).expect("an event with a member set is an event")
    }
}

fn add(sums: &mut [u64; 3], lost: [u64; 3]) {
    for (sum, lost) in sums.iter_mut().zip(lost) {
        *sum += lost;
    }
}

/// A stage whose filters are read.
enum Ready {
    Filter(Filter),
    Sample(Sample),
    Truncate { limit: usize, unit: Unit, report: Option<String> },
}

impl Ready {
    fn new(stage: &Stage) -> Self {
        match stage {
            Stage::Filter(text) => Self::Filter(filter(text)),
            Stage::Sample { rate, key, seed, always_keep } => Self::Sample(Sample {
                rate: *rate,
                key: key.clone(),
                seed: *seed,
                always_keep: always_keep.as_deref().map(filter),
                rates: Vec::new(),
                weight_field: None,
            }),
            Stage::SampleStrata { rate, rates, key, seed, always_keep, weight_field } => {
                Self::Sample(Sample {
                    rate: *rate,
                    key: key.clone(),
                    seed: *seed,
                    always_keep: always_keep.as_deref().map(filter),
                    rates: rates.iter().map(|(text, rate)| (filter(text), *rate)).collect(),
                    weight_field: weight_field.clone(),
                })
            }
            &Stage::Truncate { limit, unit } => Self::Truncate { limit, unit, report: None },
            Stage::TruncateAndReport { limit, unit, report } => {
                Self::Truncate { limit: *limit, unit: *unit, report: Some(report.clone()) }
            }
        }
    }
}

fn filter(text: &str) -> Filter {
    Filter::parse(text).unwrap_or_else(|problem| panic!("{problem}: {text}"))
}
