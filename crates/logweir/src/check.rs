//! `logweir check`

use std::io::Write as _;
use std::process::ExitCode;

use logweir_pipeline::Problem;

use crate::EXIT_CONFIGURATION;
use crate::args::CheckArgs;
use crate::print::print;

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
            print(&lines.join("\n"))
        }
        Err(problems) => {
            let _ = writeln!(std::io::stderr(), "{problems}");
            ExitCode::from(EXIT_CONFIGURATION)
        }
    }
}
