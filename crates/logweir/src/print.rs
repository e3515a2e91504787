//! What commands print on standard output.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use crate::EXIT_FAILED;

/// Prints a text and a line feed. Whoever has closed the pipe does not want to know; any other failure is one.
pub(crate) fn print(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let _ = writeln!(std::io::stderr(), "cannot write to standard output: {error}");
            ExitCode::from(EXIT_FAILED)
        }
        _ => ExitCode::SUCCESS,
    }
}
