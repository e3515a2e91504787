//! What `logweir job` is told.

use std::path::PathBuf;

use clap::Subcommand;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Says all that is wrong with a job.
  logweir job check job.json";

/// What `--help` ends with.
const EXAMPLES_OF_CHECK: &str = "\
Examples:
  # Says all that is wrong with a job.
  logweir job check job.json

  # Asks about a job as a script would ask the API.
  jq -c .result[0] jobs.json | logweir job check --json -";

#[derive(Subcommand)]
#[command(after_long_help = EXAMPLES)]
pub(crate) enum JobCommand {
    /// Says everything that is wrong with Logpush jobs as Cloudflare's API takes them, one in each file.
    ///
    /// Nothing is sent anywhere, and no `${VARIABLE}` is replaced.
    /// Exit code 2: a job is wrong.
    Check(JobCheckArgs),
}

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES_OF_CHECK)]
pub(crate) struct JobCheckArgs {
    /// The jobs; `-` is standard input.
    #[arg(required = true, value_name = "FILE.json")]
    pub(crate) files: Vec<PathBuf>,
    /// Prints what the API would answer, one JSON object on a line for each job.
    #[arg(long)]
    pub(crate) json: bool,
}
