//! What `logweir run` is told.

use std::path::PathBuf;

use clap::ValueEnum;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Runs one pipeline until its source ends, or a signal comes.
  logweir run shop.yaml

  # As a service: two pipelines in one process, logs and the summary at the end as JSON.
  logweir run --quiet --log-format json --summary json /etc/logweir/shop.yaml /etc/logweir/auth.yaml

  # In a pipe, with a pipeline whose source is `stdin` and whose sink is `stdout`.
  zcat events.ndjson.gz | logweir run --quiet shop.yaml | grep TypeError";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
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

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum SummaryFormat {
    /// A small table for people.
    #[default]
    Table,
    /// One JSON object on one line.
    Json,
}
