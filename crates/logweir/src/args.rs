//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Workers Logpush on your own machines: reads Workers trace events, filters, samples, truncates and delivers them,
/// and accounts for every single one.
#[derive(Parser)]
#[command(version, about)]
pub(crate) struct Args {
    /// How logs are written to standard error.
    #[arg(long, global = true, value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs pipelines until their sources end or a signal comes.
    ///
    /// SIGINT or SIGTERM stops reading and delivers what has been read; a second one ends at once.
    /// Exit code 0: all that was read is accounted for. 1: a source or sink failed, events failed, or the books do
    /// not balance. 2: the command line or a file is wrong; nothing was started.
    Run(RunArgs),
    /// Says everything that is wrong with pipeline files, and starts nothing.
    Check(CheckArgs),
    /// Prints the JSON Schema of a pipeline file.
    Schema,
}

#[derive(clap::Args)]
pub(crate) struct RunArgs {
    /// The pipeline files; all run in this one process.
    #[arg(required = true, value_name = "FILE.yaml")]
    pub(crate) files: Vec<PathBuf>,
    /// Hides the progress bar, the summary table and logs below `warn`.
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// How the summary at the end is written to standard error; `json` is one object on the very last line, `--quiet`
    /// or not.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) summary: SummaryFormat,
}

#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    /// The pipeline files, checked as if they ran in one process.
    #[arg(required = true, value_name = "FILE.yaml")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum SummaryFormat {
    /// A small table for people.
    #[default]
    Table,
    /// One JSON object on one line.
    Json,
}
