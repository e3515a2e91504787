//! Runs a test and compares what comes of it with what is expected.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use logweir_pipeline::{
    DryRun, Expectation, Fate, InputLine, InputLines, Passage, PipelineConfig, PipelineTest, Step, TestEvent,
    TestInput,
};
use similar::DiffTag;

use super::diff::{self, DiffLine, Sign, diff_line, diff_lines};
use super::json::Json;

/// The largest file of events that a test has, decompressed.
const MAX_FILE_BYTES: u64 = 64 << 20;
const TOO_LARGE: &str = "is larger than 64 MiB, which is too much for a test";

/// Of how many events at most is told what became of them, and how many lines a diff has.
const MAX_TOLD: usize = 10;
const MAX_DIFF_LINES: usize = 200;

/// What went otherwise than expected.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    /// What is wrong, on one line.
    pub(super) summary: String,
    /// What was expected and what came out.
    pub(super) diff: Vec<DiffLine>,
    /// What else there is to know, each on one line.
    pub(super) notes: Vec<String>,
    /// Whether there were events that something became of, which can be explained.
    pub(super) had_events: bool,
}

impl Failure {
    fn because(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), diff: Vec::new(), notes: Vec::new(), had_events: true }
    }

    fn without_events(self) -> Self {
        Self { had_events: false, ..self }
    }
}

/// An event of the input that is not written.
struct Gone {
    /// Which line of the input it is, from 1.
    nth: usize,
    fate: Fate,
    /// How it came about, in words.
    how: String,
}

/// What came of the events of a test.
struct Came {
    n_lines: usize,
    /// The lines that are written, without their line feeds, each with the line of the input that it came of, from 1.
    written: Vec<(usize, Vec<u8>)>,
    gone: Vec<Gone>,
}

/// Runs a test.
///
/// # Errors
///
/// If something else comes of its events than it expects, or one of its files cannot be read.
pub(super) fn judge(test: &PipelineTest, config: &PipelineConfig) -> Result<(), Failure> {
    let lines = match &test.input {
        TestInput::Events(events) => lines(events.iter().map(|event| event.text().as_bytes().to_vec())),
        TestInput::File(path) => input_lines(path).map_err(Failure::without_events)?,
    };
    if lines.is_empty() {
        return Err(Failure::because("the input has no events").without_events());
    }
    let came = pass(&lines, config, test.output);
    match &test.expected {
        Expectation::Dropped(reason) => judge_dropped(&came, reason),
        Expectation::Events(events) => compare(&came, &events.iter().map(Expected::of).collect::<Vec<_>>()),
        Expectation::File(path) => {
            let lines = file_lines(path)?;
            compare(&came, &lines.iter().map(|line| Expected::Line(line)).collect::<Vec<_>>())
        }
    }
}

/// Returns lines as a source has them: without the byte-order mark that an input may begin with.
fn lines(lines: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let without_mark = |(n, line): (usize, Vec<u8>)| match line.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) if n == 0 => rest.to_vec(),
        _ => line,
    };
    lines.enumerate().map(without_mark).collect()
}

fn file_lines(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let refused = |why: &str| refused(path, why);
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| refused(&format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(refused(TOO_LARGE));
    }
    Ok(split(&bytes))
}

/// Returns the lines of a file as a source has them, decompressed if need be.
fn input_lines(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let unreadable = |error: io::Error| refused(path, &format!("cannot be read: {error}"));
    let mut input = InputLines::open(path, MAX_FILE_BYTES as usize).map_err(unreadable)?;
    let (mut lines, mut n_bytes) = (Vec::new(), 0);
    while let Some(line) = input.next_line().map_err(unreadable)? {
        let InputLine::Whole(line) = line else { return Err(refused(path, TOO_LARGE)) };
        n_bytes += line.len() as u64;
        if n_bytes > MAX_FILE_BYTES {
            return Err(refused(path, TOO_LARGE));
        }
        lines.push(line.strip_suffix(b"\n").unwrap_or(&line).to_vec());
    }
    Ok(lines)
}

fn refused(path: &Path, why: &str) -> Failure {
    Failure::because(format!("the file {} {why}", path.display()))
}

/// Returns the lines of a text, of which the last need not end in a line feed.
fn split(bytes: &[u8]) -> Vec<Vec<u8>> {
    let whole = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    if bytes.is_empty() {
        Vec::new()
    } else {
        whole.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
    }
}

/// Takes lines through a pipeline as far as one output.
fn pass(lines: &[Vec<u8>], config: &PipelineConfig, output: usize) -> Came {
    let mut run = DryRun::new(config);
    let mut came = Came { n_lines: lines.len(), written: Vec::new(), gone: Vec::new() };
    for (n, line) in lines.iter().enumerate() {
        let passage = run.pass(line);
        match passage.outputs.get(output).and_then(|output| output.rendered.as_ref()) {
            Some(rendered) => {
                // An event that is rendered as nothing still is an event.
                let parts = if rendered.is_empty() { vec![Vec::new()] } else { split(rendered) };
                came.written.extend(parts.into_iter().map(|part| (n + 1, part)));
            }
            None => came.gone.push(gone(n + 1, &passage, output)),
        }
    }
    came
}

fn gone(nth: usize, passage: &Passage, output: usize) -> Gone {
    let fate = passage.fate_in(output);
    let by = |step: &Step| format!("by `{}`, a {}", step.place, step.verb.name());
    let how = match fate {
        Fate::Blank => String::from("is blank: it is passed over, and no event"),
        Fate::Oversized => String::from("is dropped: oversized, longer than `limits.max_event_bytes`"),
        Fate::NotUtf8 | Fate::NotJson | Fate::NotObject => {
            format!("is dropped: {}, so it is no event", fate.name())
        }
        _ => match passage.dropped_by_in(output) {
            Some(step) => format!("is dropped: {} {}", fate.name(), by(step)),
            None => format!("is dropped: {}", fate.name()),
        },
    };
    Gone { nth, fate, how }
}

fn judge_dropped(came: &Came, reason: &str) -> Result<(), Failure> {
    let wrong: Vec<&Gone> = came.gone.iter().filter(|gone| gone.fate.name() != reason).collect();
    if came.written.is_empty() && wrong.is_empty() {
        return Ok(());
    }
    let mut n_written: Vec<usize> = came.written.iter().map(|(nth, _)| *nth).collect();
    n_written.dedup();
    let n_other = n_written.len() + wrong.len();
    let summary = match came.n_lines {
        1 if wrong.is_empty() => format!("the event is written, and not dropped as `{reason}`"),
        1 => format!("the event is not dropped as `{reason}`"),
        n_lines => format!("{n_other} of {n_lines} events are not dropped as `{reason}`"),
    };
    let show = |(_, text): &(usize, Vec<u8>)| DiffLine::whole(Sign::Actual, &String::from_utf8_lossy(text));
    let diff = came.written.iter().take(MAX_TOLD).map(show).collect();
    Err(Failure { diff, notes: told(&wrong), ..Failure::because(summary) })
}

/// Says what became of some events, as many as a person may want to read.
fn told(gone: &[&Gone]) -> Vec<String> {
    let mut notes: Vec<String> =
        gone.iter().take(MAX_TOLD).map(|gone| format!("event {} {}", gone.nth, gone.how)).collect();
    if gone.len() > MAX_TOLD {
        notes.push(format!("and {} more", gone.len() - MAX_TOLD));
    }
    notes
}

/// A line that is expected.
enum Expected<'e> {
    /// Byte for byte.
    Line(&'e [u8]),
    /// Whatever means the same, with how the test has it.
    Value(Json, &'e str),
}

impl<'e> Expected<'e> {
    fn of(event: &'e TestEvent) -> Self {
        match event {
            TestEvent::Line(line) => Self::Line(line.as_bytes()),
            TestEvent::Json(text) => match Json::parse(text.as_bytes()) {
                Some(value) => Self::Value(value, text),
                // It cannot be compared otherwise.
                None => Self::Line(text.as_bytes()),
            },
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Line(line) => String::from_utf8_lossy(line).into_owned(),
            Self::Value(_, text) => (*text).to_owned(),
        }
    }
}

/// Gives a number to each line, so that two that are meant to be the same have the same.
#[derive(Default)]
struct Ids {
    lines: HashMap<Vec<u8>, usize>,
    values: HashMap<Vec<String>, usize>,
    n: usize,
}

impl Ids {
    fn of_expected(&mut self, expected: &Expected<'_>) -> usize {
        self.n += 1;
        match expected {
            Expected::Line(line) => *self.lines.entry(line.to_vec()).or_insert(self.n),
            Expected::Value(value, _) => *self.values.entry(value.lines()).or_insert(self.n),
        }
    }

    fn of_written(&mut self, line: &[u8]) -> usize {
        self.n += 1;
        let by_value = || {
            if self.values.is_empty() {
                return None;
            }
            self.values.get(&Json::parse(line)?.lines())
        };
        self.lines.get(line).or_else(by_value).copied().unwrap_or(self.n)
    }
}

/// Compares what is written with what is expected.
fn compare(came: &Came, expected: &[Expected<'_>]) -> Result<(), Failure> {
    let mut ids = Ids::default();
    let of_expected: Vec<usize> = expected.iter().map(|line| ids.of_expected(line)).collect();
    let of_written: Vec<usize> = came.written.iter().map(|(_, line)| ids.of_written(line)).collect();
    if of_expected == of_written {
        return Ok(());
    }
    let mut diff = Vec::new();
    let mut notes = Vec::new();
    for op in diff::compare(&of_expected, &of_written) {
        let (old, new) = (&expected[op.old_range()], &came.written[op.new_range()]);
        if op.tag() == DiffTag::Equal {
            diff.push(DiffLine::left(as_expected(old.len())));
        } else {
            differences(old, new, &mut diff, &mut notes);
        }
    }
    if diff.len() > MAX_DIFF_LINES {
        let n_left = diff.len() - MAX_DIFF_LINES;
        diff.truncate(MAX_DIFF_LINES);
        diff.push(DiffLine::left(format!("… {n_left} more lines")));
    }
    notes.extend(told(&came.gone.iter().collect::<Vec<_>>()));
    Err(Failure { diff, notes, ..Failure::because(summary(came, expected)) })
}

fn as_expected(n_lines: usize) -> String {
    match n_lines {
        1 => String::from("(1 event as expected)"),
        n_lines => format!("({n_lines} events as expected)"),
    }
}

fn summary(came: &Came, expected: &[Expected<'_>]) -> String {
    match (expected.len(), came.written.len()) {
        (1, 1) => String::from("the event is written otherwise than expected"),
        (1, 0) => String::from("the event is not written"),
        (expected, written) if expected == written => {
            String::from("the events are written otherwise than expected")
        }
        (expected, written) => {
            let written = match written {
                0 => String::from("no event is written"),
                1 => String::from("1 event is written"),
                n => format!("{n} events are written"),
            };
            format!("{written}, and {expected} expected")
        }
    }
}

/// Adds how the lines of one place differ: each from the one that stands in its place, and the rest as they are.
fn differences(
    old: &[Expected<'_>],
    new: &[(usize, Vec<u8>)],
    diff: &mut Vec<DiffLine>,
    notes: &mut Vec<String>,
) {
    let n_pairs = old.len().min(new.len());
    for (expected, (nth, written)) in old.iter().zip(new) {
        let text = String::from_utf8_lossy(written);
        match (expected, Json::parse(written)) {
            (Expected::Value(expected, _), Some(written)) => {
                diff.extend(diff_lines(&expected.lines(), &written.lines()));
            }
            (Expected::Line(line), Some(written)) if Json::parse(line).as_ref() == Some(&written) => {
                diff.extend(diff_line(&expected.shown(), &text));
                notes.push(format!(
                    "event {nth} is the same value, written differently: a map in `expect` compares values"
                ));
            }
            _ => diff.extend(diff_line(&expected.shown(), &text)),
        }
    }
    let left = old[n_pairs..].iter().map(|expected| DiffLine::whole(Sign::Expected, &expected.shown()));
    diff.extend(left);
    let more = &new[n_pairs..];
    diff.extend(more.iter().map(|(_, line)| DiffLine::whole(Sign::Actual, &String::from_utf8_lossy(line))));
}
