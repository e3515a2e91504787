//! `logweir schema`

use std::io::Write as _;
use std::process::ExitCode;

/// Prints the JSON Schema of a pipeline file.
pub(crate) fn schema() -> ExitCode {
    // Whoever closed the pipe does not want to know.
    let _ = writeln!(std::io::stdout(), "{:#}", logweir_pipeline::schema());
    ExitCode::SUCCESS
}
