//! `logweir check`

mod connection;
mod drawing;
mod json;

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use logweir_pipeline::{
    Finding, Grade, InputLine, InputLines, Loaded, Picture, PipelineConfig, Problem, UploadTest, connect,
    measure, test_uploads,
};
use tokio::runtime::{Builder, Runtime};

use crate::args::CheckArgs;
use crate::print::print;
use crate::{EXIT_CONFIGURATION, EXIT_FAILED};

/// The events on which costs are measured where nobody gives others: thirteen real ones.
const EVENTS: &[u8] = include_bytes!("../../../pipelines/quickstart.ndjson");

/// How much is read of a file of events to measure on: more tells no more.
const MAX_EVENT_BYTES: usize = 1 << 20;

/// How long costs are measured, all pipelines together.
const MEASURED: Duration = Duration::from_millis(100);

/// Says on standard error what is worth a note.
pub(crate) fn print_notes(notes: &[Problem]) {
    print_all("note", notes);
}

fn print_all(kind: &str, list: &[Problem]) {
    for one in list {
        let _ = writeln!(io::stderr(), "{kind}: {one}\n");
    }
}

/// Reports every problem of the files on standard error, or on standard output that there is none, and what else was asked
/// for.
pub(crate) fn check(args: &CheckArgs) -> ExitCode {
    let loaded = match logweir_pipeline::load(&args.files) {
        Ok(loaded) => loaded,
        Err(problems) => {
            let problems: Vec<Problem> = problems.iter().cloned().collect();
            if args.json {
                print(&json::of_problems(&problems));
            } else {
                let shown: Vec<_> = problems.iter().map(ToString::to_string).collect();
                complain(&shown.join("\n\n"));
            }
            return ExitCode::from(EXIT_CONFIGURATION);
        }
    };
    if !args.json {
        print_all("warning", &loaded.warnings);
        print_notes(&loaded.notes);
    }
    let is_denied = args.deny_warnings && !loaded.warnings.is_empty();
    if is_denied && !args.json {
        complain(match loaded.warnings.len() {
            1 => "the warning is denied, as if it were a mistake",
            _ => "the warnings are denied, as if they were mistakes",
        });
        return ExitCode::from(EXIT_CONFIGURATION);
    }
    match further(args, &loaded, is_denied) {
        Ok(code) => code,
        Err(message) => {
            complain(&message);
            ExitCode::from(EXIT_FAILED)
        }
    }
}

/// Does what else was asked for of files that can be used, and says what came of it.
fn further(args: &CheckArgs, loaded: &Loaded, is_denied: bool) -> Result<ExitCode, String> {
    let pipelines = &loaded.pipelines;
    let pictures = if args.explain { Some(pictures(pipelines, args.events.as_deref())?) } else { None };
    let findings = if args.connect { Some(runtime()?.block_on(connect(pipelines))) } else { None };
    let is_failed = |findings: &Vec<Finding>| findings.iter().any(|one| one.grade == Grade::Failed);
    let worst = match &findings {
        _ if is_denied => ExitCode::from(EXIT_CONFIGURATION),
        Some(findings) if is_failed(findings) => ExitCode::from(EXIT_FAILED),
        _ => ExitCode::SUCCESS,
    };
    if args.json {
        let printed = print(&json::of_loaded(loaded, pictures.as_deref(), findings.as_deref()));
        return Ok(if worst == ExitCode::SUCCESS { printed } else { worst });
    }
    if pipelines.is_empty() {
        return Ok(print("no job is enabled: there is nothing to run"));
    }
    let mut text: Vec<String> = match &pictures {
        Some(pictures) => pictures.iter().map(drawing::draw).collect(),
        None => pipelines.iter().map(|pipeline| format!("{}: fine", pipeline.name)).collect(),
    };
    text.extend(pictures.map(|_| measured_on(args.events.as_deref())));
    text.extend(findings.iter().flatten().map(connection::line));
    let printed = print(&text.join("\n"));
    if args.upload_test && worst == ExitCode::SUCCESS {
        return Ok(try_destinations(&runtime()?, pipelines));
    }
    Ok(if worst == ExitCode::SUCCESS { printed } else { worst })
}

/// Returns on which events costs were measured.
fn measured_on(events: Option<&Path>) -> String {
    match events {
        Some(path) => format!("costs: measured here on the first MiB of {}", path.display()),
        None => String::from(
            "costs: measured here on thirteen events that come with logweir; `--events FILE` measures on yours",
        ),
    }
}

/// Returns the pipelines in words, with what their parts cost on the events of a file.
fn pictures(pipelines: &[PipelineConfig], events: Option<&Path>) -> Result<Vec<Picture>, String> {
    let lines = match events {
        None => EVENTS.to_vec(),
        Some(path) => {
            let failed = |error| format!("cannot read events from {}: {error}", path.display());
            first_lines(path).map_err(failed)?
        }
    };
    let time = MEASURED / u32::try_from(pipelines.len().max(1)).unwrap_or(u32::MAX);
    let picture = |pipeline: &PipelineConfig| {
        let costs = measure(pipeline, &lines, time);
        if costs.is_none()
            && let Some(path) = events
        {
            return Err(format!(
                "there is no event in the first MiB of {}: one on each line",
                path.display()
            ));
        }
        Ok(Picture::of(pipeline, costs.as_ref()))
    };
    pipelines.iter().map(picture).collect()
}

/// Reads the first events of a file, compressed or not, as far as they are measured on.
fn first_lines(path: &Path) -> io::Result<Vec<u8>> {
    let mut input = InputLines::open(path, MAX_EVENT_BYTES)?;
    let mut lines = Vec::new();
    while let Some(line) = input.next_line()? {
        let InputLine::Whole(line) = line else { continue };
        if lines.len() + line.len() > MAX_EVENT_BYTES {
            break;
        }
        lines.extend_from_slice(&line);
    }
    Ok(lines)
}

fn complain(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

fn runtime() -> Result<Runtime, String> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|error| format!("the runtime cannot be started: {error}"))
}

/// Puts a small object into every destination, and says of each what came of it.
fn try_destinations(runtime: &Runtime, pipelines: &[PipelineConfig]) -> ExitCode {
    let tests = runtime.block_on(test_uploads(pipelines));
    if tests.is_empty() {
        return print("nothing is uploaded: there is no destination to try");
    }
    let (mut lines, mut is_fine) = (Vec::new(), true);
    for UploadTest { pipeline, output, destination, result } in tests {
        let output = output.map(|name| format!("{name}: ")).unwrap_or_default();
        match result {
            Ok(()) => lines.push(format!("{pipeline}: {output}{destination}: ok")),
            Err(error) => {
                is_fine = false;
                complain(&format!("{pipeline}: {output}{destination}: {error}"));
            }
        }
    }
    let printed = if lines.is_empty() { ExitCode::SUCCESS } else { print(&lines.join("\n")) };
    if is_fine { printed } else { ExitCode::from(EXIT_CONFIGURATION) }
}
