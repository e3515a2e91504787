//! How the cost grows with what is asked for.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use logweir_testkit::generate::Workload;
use serde::Deserialize;

use super::Measured;
use crate::figure::{Figure, Unit};
use crate::input::{self, Input};
use crate::lab::{Lab, OUTPUT};
use crate::race::{cpu_costs, rates};
use crate::stopwatch::{Program, Taken};

/// An input is a tenth of the others, but no smaller than this (or than they are), so that starting counts for little,
const LEAST_BYTES: u64 = 64_000_000;
/// and no larger than this, since there are many runs.
const MOST_BYTES: u64 = 200_000_000;

/// Where the summary of a run goes.
const STDERR: &str = "growth.txt";

const NO_SINK: &str = "sink: { \"null\": {} }\n";
const MAIN_STAGES: &str = "[{ filter: { where: { key: Outcome, operator: \"!eq\", value: exception } } }, \
                           { truncate: { limit: 16384 } }]";

/// Fields for filters and encode: the first four are short, the first six have most bytes of an event; the last ones no
/// event has.
const FIELDS: [&str; 20] = [
    "Outcome",
    "ScriptName",
    "EventType",
    "WallTimeMs",
    "Event",
    "Logs",
    "EventTimestampMs",
    "CPUTimeMs",
    "Entrypoint",
    "DispatchNamespace",
    "ScriptVersion",
    "ScriptTags",
    "Exceptions",
    "Absent1",
    "Absent2",
    "Absent3",
    "Absent4",
    "Absent5",
    "Absent6",
    "Absent7",
];

/// Something to ask for, of which events.
struct Variant {
    name: &'static str,
    workload: Workload,
    /// The pipeline file without its source.
    pipeline: String,
    /// Whether every byte has to come out as it went in; if not, some must not.
    is_a_copy: bool,
    /// Whether its rate is a figure too.
    has_rate: Option<&'static str>,
}

/// Measures the CPU time that a gigabyte takes, of one pipeline after the other and round after round.
///
/// # Errors
///
/// If something cannot be run.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    let n_bytes = (lab.n_bytes / 10).clamp(LEAST_BYTES.min(lab.n_bytes), MOST_BYTES);
    let mut variants = Vec::new();
    for variant in all() {
        let input = input::make(variant.workload, n_bytes, &lab.dir)?;
        variants.push((variant, input, Vec::new()));
    }
    // One round that is not measured, in which the books are checked.
    let mut wrong = None;
    for (variant, input, _) in &variants {
        variant.run(lab, input)?;
        wrong = wrong.or(variant.wrong(lab, input)?);
    }
    for _ in 0..lab.runs {
        for (variant, input, taken) in &mut variants {
            taken.push(variant.run(lab, input)?);
        }
    }
    lab.clear()?;
    let figures = variants.iter().flat_map(|(variant, input, taken)| variant.figures(input, taken));
    Ok(Measured {
        figures: figures.collect(),
        note: format!("CPU of one pipeline after the other, inputs of {:.3} GB", n_bytes as f64 / 1e9),
        wrong,
    })
}

/// Returns all that is compared. Except where it says so nothing is written, so that what stages cost is not lost in
/// what writing costs.
fn all() -> Vec<Variant> {
    let mix = |name, pipeline: String, is_a_copy| Variant {
        name,
        workload: Workload::Mix,
        pipeline,
        is_a_copy,
        has_rate: None,
    };
    let stages = |stages: &str| format!("stages: {stages}\n{NO_SINK}");
    let path = "[{ filter: { where: { key: Event.Request.Method, operator: \"!eq\", value: none } } }]";
    let main = |name, workload| Variant { workload, ..mix(name, stages(MAIN_STAGES), false) };
    let decoders = |name, rate_name, n| Variant {
        has_rate: Some(rate_name),
        ..mix(name, format!("limits: {{ decoders: {n} }}\n{}", stages(MAIN_STAGES)), false)
    };
    vec![
        mix("no_stages", NO_SINK.to_owned(), true),
        mix("no_stages_to_file", format!("sink: {{ file: {{ path: {OUTPUT}, mode: overwrite }} }}\n"), true),
        mix("filter_1_field", stages(&filter(1)), true),
        mix("filter_4_fields", stages(&filter(4)), true),
        mix("filter_16_fields", stages(&filter(16)), true),
        mix("filter_path", stages(path), true),
        mix("sample_event", stages("[{ sample: { rate: 0.1 } }]"), false),
        mix("sample_path", stages("[{ sample: { rate: 0.1, key: Event.RayID } }]"), false),
        mix("truncate_16384", stages("[{ truncate: { limit: 16384 } }]"), false),
        mix("truncate_1000", stages("[{ truncate: { limit: 1000 } }]"), false),
        mix("field_names_1", field_names(1), false),
        mix("field_names_6", field_names(6), false),
        mix("field_names_20", field_names(20), false),
        mix("outputs_1", outputs(1), false),
        mix("outputs_2", outputs(2), false),
        mix("outputs_4", outputs(4), false),
        decoders("decoders_1", "decoders_1_rate", 1),
        decoders("decoders_2", "decoders_2_rate", 2),
        decoders("decoders_4", "decoders_4_rate", 4),
        main("small_events", Workload::Small),
        main("mixed_events", Workload::Mix),
        main("heavy_events", Workload::Heavy),
    ]
}

/// Returns a filter that looks at so many fields of every event, since each predicate holds for it.
fn filter(n: usize) -> String {
    let predicates =
        FIELDS[..n].iter().map(|key| format!("{{ key: {key}, operator: \"!eq\", value: none }}"));
    format!("[{{ filter: {{ where: {{ and: [{}] }} }} }}]", predicates.collect::<Vec<_>>().join(", "))
}

fn field_names(n: usize) -> String {
    format!("encode: {{ field_names: [{}] }}\n{NO_SINK}", FIELDS[..n].join(", "))
}

/// Returns so many outputs, each with the main job as its own stages.
fn outputs(n: usize) -> String {
    let output = |i| format!("  - {{ name: o{i}, stages: {MAIN_STAGES}, {} }}\n", NO_SINK.trim_end());
    format!("outputs:\n{}", (0..n).map(output).collect::<String>())
}

impl Variant {
    fn run(&self, lab: &Lab, input: &Input) -> anyhow::Result<Taken> {
        let source = format!("source: {{ file: {{ include: [{}], read: once }} }}\n", input.name);
        lab.write_pipeline(&format!("{source}{}", self.pipeline))?;
        lab.make_ready(input)?;
        Program { stderr: Path::new(STDERR), ..lab.logweir() }.measure()
    }

    fn figures(&self, input: &Input, taken: &[Taken]) -> Vec<Figure> {
        let cpu = Figure::median(self.name, Unit::SecondsPerGigabyte, cpu_costs(taken, input.n_bytes));
        let rate = |name| Figure::median(name, Unit::GigabytesPerSecond, rates(taken, input.n_bytes));
        [Some(cpu), self.has_rate.map(rate)].into_iter().flatten().collect()
    }

    /// Returns what is wrong with the books of the last run.
    fn wrong(&self, lab: &Lab, input: &Input) -> anyhow::Result<Option<String>> {
        let stderr = fs::read_to_string(lab.dir.join(STDERR)).context(STDERR)?;
        let last = stderr.lines().next_back().context("standard error is empty")?;
        let Books { pipelines: [ledger] } = serde_json::from_str(last).context("no summary")?;
        let events = fs::read(&input.path).with_context(|| input.path.display().to_string())?;
        let n_events = memchr::memchr_iter(b'\n', &events).count() as u64;
        let wrong = ledger.wrong(n_events, input.n_bytes, self.is_a_copy);
        Ok(wrong.map(|wrong| format!("{}: {wrong}", self.name)))
    }
}

/// The summary of a run of one pipeline, with or without outputs.
#[derive(Deserialize)]
struct Books {
    pipelines: [Ledger; 1],
}

#[derive(Deserialize)]
struct Ledger {
    read: u64,
    bytes_in: u64,
    balanced: bool,
    /// Of a pipeline with a single sink.
    bytes_out: Option<u64>,
    #[serde(default)]
    outputs: Vec<OutputLedger>,
}

#[derive(Deserialize)]
struct OutputLedger {
    bytes_out: u64,
}

impl Ledger {
    /// Returns what does not fit an input of so many events and bytes.
    fn wrong(&self, n_events: u64, n_bytes: u64, is_a_copy: bool) -> Option<String> {
        if !self.balanced {
            return Some("the books do not balance".to_owned());
        }
        if (self.read, self.bytes_in) != (n_events, n_bytes) {
            return Some(format!(
                "read {} events, {} bytes of {n_events}, {n_bytes}",
                self.read, self.bytes_in
            ));
        }
        let mut written = self.outputs.iter().map(|output| output.bytes_out).chain(self.bytes_out).peekable();
        if written.peek().is_none() {
            return Some("there is no output".to_owned());
        }
        written
            .find(|&n_written| (n_written == n_bytes) != is_a_copy)
            .map(|n_written| format!("{n_written} bytes written of {n_bytes}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(ledger: &str, is_a_copy: bool) -> Option<String> {
        let books = format!(r#"{{"pipelines":[{{"read":3,"bytes_in":90,{ledger}}}]}}"#);
        let Books { pipelines: [ledger] } = serde_json::from_str(&books).unwrap();
        ledger.wrong(3, 90, is_a_copy)
    }

    #[test]
    fn books_are_right_if_a_copy_is_one_and_what_is_none_is_none() {
        let copied = r#""balanced":true,"bytes_out":90"#;
        assert_eq!(wrong(copied, true), None);
        assert_eq!(wrong(copied, false).unwrap(), "90 bytes written of 90");
        let cut = r#""balanced":true,"outputs":[{"bytes_out":80},{"bytes_out":90}]"#;
        assert_eq!(wrong(cut, true).unwrap(), "80 bytes written of 90");
        assert_eq!(wrong(cut, false).unwrap(), "90 bytes written of 90");
        assert_eq!(wrong(&cut.replace("90}", "80}"), false), None);
        assert!(wrong(&copied.replace("true", "false"), true).is_some());
        assert!(wrong(r#""balanced":true"#, true).is_some());
        let short =
            Ledger { read: 2, bytes_in: 90, balanced: true, bytes_out: Some(90), outputs: Vec::new() };
        assert_eq!(short.wrong(3, 90, true).unwrap(), "read 2 events, 90 bytes of 3, 90");
    }

    #[test]
    fn a_filter_asks_for_as_many_fields_as_it_says() {
        assert_eq!(
            filter(2),
            "[{ filter: { where: { and: [{ key: Outcome, operator: \"!eq\", value: none }, \
             { key: ScriptName, operator: \"!eq\", value: none }] } } }]"
        );
        assert!(
            outputs(2).ends_with(&format!(
                "  - {{ name: o1, stages: {MAIN_STAGES}, sink: {{ \"null\": {{}} }} }}\n"
            ))
        );
    }
}
