//! Says what came of tests: on the terminal, and how to look closer.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};

use anstyle::{AnsiColor, Style};
use logweir_pipeline::{PipelineTest, TestInput};

use super::diff::{DiffLine, Sign};
use super::judge::Failure;
use super::{Ran, Suite, complain};
use crate::shown::{quoted, shown};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const EXPECTED: Style = AnsiColor::Red.on_default();
const ACTUAL: Style = AnsiColor::Green.on_default();
const QUIET: Style = Style::new().dimmed();

/// The longest input that is shown as part of a command.
const MAX_COMMAND_BYTES: usize = 500;

/// Prints what came of all tests; returns whether it could be printed.
pub(super) fn print(suites: &[Suite]) -> bool {
    let mut out = anstream::stdout().lock();
    match write!(out, "{}", text(suites)).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            complain(&format!("cannot write to standard output: {error}"));
            false
        }
        // Whoever has closed the pipe does not want to know.
        _ => true,
    }
}

/// Returns a line for each test, then each failure, then the sum; with styles.
fn text(suites: &[Suite]) -> String {
    let mut text = String::new();
    for suite in suites.iter().filter(|suite| !suite.ran.is_empty()) {
        let _ = writeln!(text, "{}", suite.file.display());
        for ran in &suite.ran {
            let (style, word) = if ran.failure.is_some() { (BAD, "FAILED") } else { (GOOD, "ok    ") };
            let _ = writeln!(text, "  {style}{word}{style:#} {}", shown(&ran.test.name));
        }
    }
    for suite in suites {
        for ran in &suite.ran {
            if let Some(failure) = &ran.failure {
                write_failure(suite, ran, failure, &mut text);
            }
        }
    }
    let all = || suites.iter().flat_map(|suite| &suite.ran);
    let n_failed = all().filter(|ran| ran.failure.is_some()).count();
    if all().next().is_some() {
        let n_passed = all().count() - n_failed;
        let failed = if n_failed > 0 { format!(", {BAD}{n_failed} failed{BAD:#}") } else { String::new() };
        let _ = writeln!(text, "\n{n_passed} passed{failed}");
    }
    text
}

fn write_failure(suite: &Suite, ran: &Ran, failure: &Failure, text: &mut String) {
    let PipelineTest { name, place, .. } = &ran.test;
    let _ = writeln!(text, "\n{BAD}FAILED{BAD:#} {place}: {}", shown(name));
    let _ = writeln!(text, "  {}", failure.summary);
    if !failure.diff.is_empty() {
        let _ = writeln!(text, "  {EXPECTED}- expected{EXPECTED:#}   {ACTUAL}+ written{ACTUAL:#}");
    }
    for line in &failure.diff {
        write_line(line, text);
    }
    for note in &failure.notes {
        let _ = writeln!(text, "  {note}");
    }
    if failure.had_events {
        let _ = writeln!(text, "  why: {}", explain(suite, &ran.test));
    }
}

fn write_line(line: &DiffLine, text: &mut String) {
    let (style, sign) = match line.sign {
        Sign::Both => (Style::new(), ' '),
        Sign::Expected => (EXPECTED, '-'),
        Sign::Actual => (ACTUAL, '+'),
        Sign::Left => (QUIET, ' '),
    };
    let _ = write!(text, "    {style}{sign} {style:#}");
    for part in &line.parts {
        let style = if part.differs { style.bold().underline() } else { style };
        let _ = write!(text, "{style}{}{style:#}", part.text);
    }
    text.push('\n');
}

/// Returns what a failure says, without styles.
pub(super) fn plain(suite: &Suite, ran: &Ran, failure: &Failure) -> String {
    let mut text = String::new();
    write_failure(suite, ran, failure, &mut text);
    anstream::adapter::strip_str(&text).to_string()
}

/// Returns the command that says why all became of the events of a test what did.
fn explain(suite: &Suite, test: &PipelineTest) -> String {
    let mut command = String::from("logweir explain ");
    if let [_, _, ..] = &suite.pipelines[..] {
        let _ = write!(command, "--job {} ", quoted(&suite.pipelines[test.pipeline]));
    }
    command += &quoted(&suite.file.display().to_string());
    match &test.input {
        TestInput::File(input) => format!("{command} {}", quoted(&input.display().to_string())),
        TestInput::Events(events) => {
            let events: Vec<String> = events.iter().map(|event| quoted(event.text())).collect();
            let events = events.join(" ");
            if events.len() > MAX_COMMAND_BYTES || shown(&events) != events {
                return format!("put the input into a file: {command} FILE");
            }
            format!("printf '%s\\n' {events} | {command}")
        }
    }
}
