//! What a run came to, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount};
use logweir_pipeline::{Outcome, OutputAccounts, Tally};
use serde::Serialize;

/// Returns the summary as one JSON object on one line, without a line feed.
pub(crate) fn json(outcomes: &[Outcome]) -> String {
    let pipelines = outcomes.iter().map(PipelineJson::new).collect();
    serde_json::to_string(&RunJson { pipelines }).expect("numbers and strings can be written as JSON")
}

#[derive(Serialize)]
struct RunJson<'a> {
    pipelines: Vec<PipelineJson<'a>>,
}

#[derive(Serialize)]
struct PipelineJson<'a> {
    name: &'a str,
    read: u64,
    /// Of a single sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<u64>,
    filtered: u64,
    sampled_out: u64,
    malformed: MalformedJson,
    oversized: u64,
    /// Of a single sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<u64>,
    /// Of a single sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    returned: Option<u64>,
    /// Of a single sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<u64>,
    /// Of several outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarded: Option<u64>,
    truncated: u64,
    truncated_characters: u64,
    bytes_in: u64,
    /// Of a single sink.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_out: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outputs: Vec<OutputJson<'a>>,
    seconds: f64,
    balanced: bool,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "these are the reasons' names")]
struct MalformedJson {
    not_utf8: u64,
    not_json: u64,
    not_object: u64,
}

#[derive(Serialize)]
struct OutputJson<'a> {
    name: &'a str,
    received: u64,
    absent: u64,
    written: u64,
    filtered: u64,
    sampled_out: u64,
    failed: u64,
    returned: u64,
    kept: u64,
    truncated: u64,
    truncated_characters: u64,
    bytes_out: u64,
    balanced: bool,
}

impl<'a> PipelineJson<'a> {
    fn new(outcome: &'a Outcome) -> Self {
        let accounts = &outcome.accounts;
        let [not_utf8, not_json, not_object] = accounts.malformed;
        let single = accounts.single_output();
        let outputs = if single.is_some() { &[][..] } else { &accounts.outputs[..] };
        Self {
            name: &outcome.name,
            read: accounts.read,
            written: single.map(|output| output.written),
            filtered: accounts.tally.filtered,
            sampled_out: accounts.tally.sampled_out,
            malformed: MalformedJson { not_utf8, not_json, not_object },
            oversized: accounts.oversized,
            failed: single.map(|output| output.failed),
            returned: single.map(|output| output.returned),
            kept: single.map(|output| output.kept),
            forwarded: single.is_none().then_some(accounts.forwarded),
            truncated: accounts.tally.truncated,
            truncated_characters: characters(&accounts.tally),
            bytes_in: accounts.bytes_in,
            bytes_out: single.map(|output| output.bytes_out),
            outputs: outputs.iter().map(OutputJson::new).collect(),
            seconds: outcome.elapsed.as_secs_f64(),
            balanced: accounts.is_balanced(),
        }
    }
}

impl<'a> OutputJson<'a> {
    fn new(output: &'a OutputAccounts) -> Self {
        Self {
            name: output.name.as_deref().unwrap_or_default(),
            received: output.received,
            absent: output.absent,
            written: output.written,
            filtered: output.tally.filtered,
            sampled_out: output.tally.sampled_out,
            failed: output.failed,
            returned: output.returned,
            kept: output.kept,
            truncated: output.tally.truncated,
            truncated_characters: characters(&output.tally),
            bytes_out: output.bytes_out,
            balanced: output.in_flight() == Some(0),
        }
    }
}

fn characters(tally: &Tally) -> u64 {
    tally.truncated_characters.iter().sum()
}

/// Returns the summary as a small table, ending in a line feed.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        write_pipeline(&mut out, outcome).expect("a string takes everything");
    }
    out
}

fn write_pipeline(out: &mut String, outcome: &Outcome) -> std::fmt::Result {
    let Outcome { name, accounts, elapsed, .. } = outcome;
    let seconds = elapsed.as_secs_f64();
    let rate = HumanBytes(per_second(accounts.bytes_in, *elapsed));
    writeln!(out, "{name}: {seconds:.3} s, {rate}/s")?;
    let single = accounts.single_output();
    row(out, "read", accounts.read, &bytes(accounts.bytes_in))?;
    if let Some(output) = single {
        row(out, "written", output.written, &bytes(output.bytes_out))?;
    }
    dropped_by_stages(out, &accounts.tally)?;
    let [not_utf8, not_json, not_object] = accounts.malformed;
    let reasons = format!("not UTF-8 {not_utf8}, not JSON {not_json}, not an object {not_object}");
    row(out, "malformed", accounts.malformed.iter().sum(), &reasons)?;
    row(out, "oversized", accounts.oversized, "")?;
    match single {
        Some(output) => not_written(out, output)?,
        None => row(out, "forwarded", accounts.forwarded, "to each output")?,
    }
    truncated(out, &accounts.tally)?;
    for output in accounts.outputs.iter().filter(|_| single.is_none()) {
        writeln!(out, "output {}", output.name.as_deref().unwrap_or_default())?;
        row(out, "received", output.received, "")?;
        if output.absent > 0 {
            row(out, "absent", output.absent, "forwarded while a reload had no such output")?;
        }
        row(out, "written", output.written, &bytes(output.bytes_out))?;
        dropped_by_stages(out, &output.tally)?;
        not_written(out, output)?;
        truncated(out, &output.tally)?;
    }
    if !accounts.is_balanced() {
        writeln!(out, "NOT BALANCED: the numbers above do not add up")?;
    }
    Ok(())
}

fn dropped_by_stages(out: &mut String, tally: &Tally) -> std::fmt::Result {
    row(out, "filtered", tally.filtered, "")?;
    row(out, "sampled out", tally.sampled_out, "")
}

fn not_written(out: &mut String, output: &OutputAccounts) -> std::fmt::Result {
    row(out, "failed", output.failed, "")?;
    // Only what follows files gives events back.
    if output.returned > 0 {
        row(out, "returned", output.returned, "not delivered, and read again")?;
    }
    // Only what uploads keeps events back.
    if output.kept > 0 {
        row(out, "kept", output.kept, "in the spool, for the next run to upload")?;
    }
    Ok(())
}

fn truncated(out: &mut String, tally: &Tally) -> std::fmt::Result {
    let [names, messages, logs] = tally.truncated_characters;
    let note = format!(
        "{} characters: exception names {names}, exception messages {messages}, log messages {logs}",
        HumanCount(characters(tally)),
    );
    row(out, "truncated", tally.truncated, &note)
}

/// Writes a row of the table; the note says more of a number that is not zero.
fn row(out: &mut String, what: &str, n: u64, note: &str) -> std::fmt::Result {
    let note = if n == 0 { "" } else { note };
    let line = format!("  {what:<12} {:>15}  {note}", HumanCount(n).to_string());
    writeln!(out, "{}", line.trim_end())
}

fn per_second(n: u64, elapsed: Duration) -> u64 {
    let nanos = elapsed.as_nanos().max(1);
    u64::try_from(u128::from(n) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
}

fn bytes(n: u64) -> String {
    HumanBytes(n).to_string()
}
