//! `logweir check`

use std::io::Write as _;
use std::process::ExitCode;

use crate::EXIT_CONFIGURATION;
use crate::args::CheckArgs;

/// Reports every problem of the files on standard error, or on standard output that there is none.
pub(crate) fn check(args: &CheckArgs) -> ExitCode {
    match logweir_pipeline::load(&args.files) {
        Ok(pipelines) => {
            for pipeline in pipelines {
                // Whoever closed the pipe does not want to know.
                let _ = writeln!(std::io::stdout(), "{}: fine", pipeline.name);
            }
            ExitCode::SUCCESS
        }
        Err(problems) => {
            let _ = writeln!(std::io::stderr(), "{problems}");
            ExitCode::from(EXIT_CONFIGURATION)
        }
    }
}
