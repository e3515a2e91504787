//! `logweir check`

use std::io::Write as _;
use std::process::ExitCode;

use logweir_pipeline::{PipelineConfig, Problem, UploadTest, test_uploads};
use tokio::runtime::Builder;

use crate::args::CheckArgs;
use crate::print::print;
use crate::{EXIT_CONFIGURATION, EXIT_FAILED};

/// Says on standard error what is worth a note.
pub(crate) fn print_notes(notes: &[Problem]) {
    for note in notes {
        let _ = writeln!(std::io::stderr(), "note: {note}\n");
    }
}

/// Reports every problem of the files on standard error, or on standard output that there is none.
pub(crate) fn check(args: &CheckArgs) -> ExitCode {
    match logweir_pipeline::load(&args.files) {
        Ok(loaded) => {
            print_notes(&loaded.notes);
            if loaded.pipelines.is_empty() {
                return print("no job is enabled: there is nothing to run");
            }
            let lines: Vec<_> =
                loaded.pipelines.iter().map(|pipeline| format!("{}: fine", pipeline.name)).collect();
            let printed = print(&lines.join("\n"));
            if args.upload_test { try_destinations(&loaded.pipelines) } else { printed }
        }
        Err(problems) => {
            let _ = writeln!(std::io::stderr(), "{problems}");
            ExitCode::from(EXIT_CONFIGURATION)
        }
    }
}

/// Puts a small object into every destination, and says of each what came of it.
fn try_destinations(pipelines: &[PipelineConfig]) -> ExitCode {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "the runtime cannot be started: {error}");
            return ExitCode::from(EXIT_FAILED);
        }
    };
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
                let _ = writeln!(std::io::stderr(), "{pipeline}: {output}{destination}: {error}");
            }
        }
    }
    let printed = if lines.is_empty() { ExitCode::SUCCESS } else { print(&lines.join("\n")) };
    if is_fine { printed } else { ExitCode::from(EXIT_CONFIGURATION) }
}
