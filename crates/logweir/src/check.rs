//! `logweir check`

use std::io::Write as _;
use std::process::ExitCode;

use crate::EXIT_CONFIGURATION;
use crate::args::CheckArgs;
use crate::print::print;

/// Reports every problem of the files on standard error, or on standard output that there is none.
pub(crate) fn check(args: &CheckArgs) -> ExitCode {
    match logweir_pipeline::load(&args.files) {
        Ok(pipelines) => {
            let lines: Vec<_> = pipelines.iter().map(|pipeline| format!("{}: fine", pipeline.name)).collect();
            print(&lines.join("\n"))
        }
        Err(problems) => {
            let _ = writeln!(std::io::stderr(), "{problems}");
            ExitCode::from(EXIT_CONFIGURATION)
        }
    }
}
