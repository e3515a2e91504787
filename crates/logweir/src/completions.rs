//! `logweir completions`

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::generate;

use crate::args::{Args, CompletionsArgs};
use crate::print::print;

/// Prints what has a shell complete our commands.
pub(crate) fn completions(args: &CompletionsArgs) -> ExitCode {
    let mut script = Vec::new();
    generate(args.shell, &mut Args::command(), "logweir", &mut script);
    print(String::from_utf8_lossy(&script).trim_end())
}
