//! `logweir explain`
//!
//! Each event goes through the stages of the pipeline alone, one at a time; what they did is said in words, or as JSON.
//! No source is read but the one that is given here, and nothing is written anywhere.

mod condition;
mod diff;
mod draw;
mod json;
mod sentence;
mod spending;
mod text;

use std::io::{self, IsTerminal as _, Write};
use std::path::Path;
use std::process::ExitCode;

use anstream::AutoStream;
use logweir_pipeline::{
    DryRun, Fate, InputLine, InputLines, Jobs, Passage, PipelineConfig, Read, Step, Verb, load_stages,
};

use crate::args::{ExplainArgs, Only};
use crate::{EXIT_CONFIGURATION, EXIT_FAILED};

/// One pipeline, and what it is called.
struct Subject {
    config: PipelineConfig,
    dry_run: DryRun,
}

/// One line of the input in one pipeline.
struct Explained<'a> {
    config: &'a PipelineConfig,
    /// Whether the name of the pipeline is worth saying.
    is_one_of_several: bool,
    /// Counts the lines that are not blank, from 1.
    event: u64,
    /// Counts all lines, from 1.
    line: u64,
    /// The line with its ending; `None` if it was too long to be kept.
    bytes: Option<&'a [u8]>,
    passage: &'a Passage,
}

/// Explains what becomes of each event of an input, and why.
pub(crate) fn explain(args: &ExplainArgs) -> ExitCode {
    let pipelines = match pipelines(args) {
        Ok(pipelines) => pipelines,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "{problem}");
            return ExitCode::from(EXIT_CONFIGURATION);
        }
    };
    match explain_all(args, pipelines) {
        Ok(()) | Err(End::Closed) => ExitCode::SUCCESS,
        Err(End::Failed(problem)) => {
            let _ = writeln!(io::stderr(), "{problem}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

/// Why explaining ended before its input did.
enum End {
    /// Nobody reads on.
    Closed,
    /// This is wrong.
    Failed(String),
}

/// Returns the pipelines that are asked for; those that a run has unless one is named.
fn pipelines(args: &ExplainArgs) -> Result<Vec<PipelineConfig>, String> {
    let load = |jobs| load_stages(&args.pipeline, jobs).map_err(|problems| problems.to_string());
    let enabled = load(Jobs::Enabled)?;
    if args.name.is_none() && !enabled.is_empty() {
        return Ok(enabled);
    }
    let mut pipelines = load(Jobs::All)?;
    if let Some(name) = &args.name {
        let names: Vec<_> = pipelines.iter().map(|pipeline| pipeline.name.clone()).collect();
        pipelines.retain(|pipeline| is_called(&pipeline.name, name));
        if pipelines.is_empty() {
            let path = args.pipeline.display();
            return Err(format!("{path}: there is no pipeline `{name}`; there is `{}`", names.join("`, `")));
        }
    }
    for job in pipelines.iter().filter(|job| enabled.iter().all(|one| one.name != job.name)) {
        let _ = writeln!(io::stderr(), "note: the job {} is not enabled: a run does not have it", job.name);
    }
    Ok(pipelines)
}

/// Returns whether somebody who says `asked` means this pipeline; a job may be called without the file's name before its
/// own.
fn is_called(name: &str, asked: &str) -> bool {
    name == asked || name.strip_suffix(asked).is_some_and(|file| file.ends_with('.'))
}

fn explain_all(args: &ExplainArgs, pipelines: Vec<PipelineConfig>) -> Result<(), End> {
    let max_event_bytes = pipelines.iter().map(|pipeline| pipeline.limits.max_event_bytes).max().unwrap_or(0);
    let mut lines = open(&args.events, max_event_bytes)?;
    let subject = |config: PipelineConfig| Subject { dry_run: DryRun::new(&config), config };
    let mut subjects: Vec<_> = pipelines.into_iter().map(subject).collect();
    let is_one_of_several = subjects.len() > 1;
    let stdout = io::stdout().lock();
    // Where it takes colours out, it takes out of texts what looks like them: what machines read must not go that way.
    let mut out = if args.json { AutoStream::always_ansi(stdout) } else { AutoStream::auto(stdout) };
    let (mut event, mut line, mut n_explained) = (0, 0, 0);
    while let Some(read) = lines.next_line().map_err(|error| unreadable(&args.events, &error))? {
        line += 1;
        let bytes = match &read {
            InputLine::Whole(bytes) => Some(&bytes[..]),
            InputLine::Oversized => None,
        };
        let mut is_explained = false;
        for (i, Subject { config, dry_run }) in subjects.iter_mut().enumerate() {
            let passage = match bytes {
                Some(bytes) => dry_run.pass(bytes),
                None => Passage::oversized(),
            };
            if passage.read == Read::Blank {
                break;
            }
            event += u64::from(i == 0);
            if !is_asked_for(args.only, &passage, config.outputs.len()) {
                continue;
            }
            is_explained = true;
            let explained = Explained { config, is_one_of_several, event, line, bytes, passage: &passage };
            let text = if args.json { json::object(&explained) } else { text::paragraph(&explained) };
            write(&mut out, &text)?;
        }
        n_explained += u64::from(is_explained);
        if args.limit == Some(n_explained) {
            break;
        }
    }
    if n_explained == 0 {
        let what = if event == 0 { "there is no event" } else { "no event is of the kind asked for" };
        let _ = writeln!(io::stderr(), "{}: {what}", name_of(&args.events));
    }
    Ok(())
}

/// Opens the input; says so on standard error where that waits for somebody to type.
fn open(path: &Path, max_event_bytes: usize) -> Result<InputLines, End> {
    let lines = if path == Path::new("-") {
        if io::stdin().is_terminal() {
            let _ = writeln!(io::stderr(), "reading events from standard input, one a line; Ctrl-D ends it");
        }
        InputLines::stdin(max_event_bytes)
    } else {
        InputLines::open(path, max_event_bytes)
    };
    lines.map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> End {
    End::Failed(format!("{} cannot be read: {error}", name_of(path)))
}

fn name_of(path: &Path) -> String {
    if path == Path::new("-") { String::from("standard input") } else { path.display().to_string() }
}

/// Writes what is to be seen at once, since whoever pipes events in one by one wants to see each.
fn write(out: &mut impl Write, text: &str) -> Result<(), End> {
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => End::Closed,
        _ => End::Failed(format!("cannot write to standard output: {error}")),
    })
}

/// Returns whether an event is of the kind that is asked for.
fn is_asked_for(only: Option<Only>, passage: &Passage, n_outputs: usize) -> bool {
    let mut fates = (0..n_outputs).map(|output| passage.fate_in(output));
    match only {
        None => true,
        Some(Only::Dropped) => fates.any(|fate| fate != Fate::Written),
        Some(Only::Written) => fates.any(|fate| fate == Fate::Written),
        Some(Only::Cut) => all_steps(passage).any(|step| step.verb == Verb::Truncate && step.edit.is_some()),
    }
}

/// Returns all steps of an event, those in outputs included.
fn all_steps(passage: &Passage) -> impl Iterator<Item = &Step> {
    let of_outputs = passage.outputs.iter().flat_map(|output| &output.steps);
    passage.steps.iter().chain(of_outputs)
}
