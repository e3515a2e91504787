//! `logweir schema`

use std::process::ExitCode;

use crate::print::print;

/// Prints the JSON Schema of a pipeline file.
pub(crate) fn schema() -> ExitCode {
    print(&format!("{:#}", logweir_pipeline::schema()))
}
