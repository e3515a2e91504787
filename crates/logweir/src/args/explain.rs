//! What `logweir explain` is told.

use std::path::PathBuf;

use clap::ValueEnum;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Why is the log line of this request missing?
  grep 8a1f6c2b9d40e7f3 events.ndjson | logweir explain shop.yaml

  # What has become of each of the first ten events of a file, compressed or not?
  logweir explain --limit 10 shop.yaml events.ndjson.gz

  # Only those that were dropped, and only for one of the jobs in the file.
  logweir explain --only dropped --job errors-to-s3 jobs.yaml events.ndjson

  # Which filter or sample drops how many?
  logweir explain --json shop.yaml events.ndjson |
    jq -r '[.stages[], .outputs[].stages[] | select(.kept | not).place][0] // .outputs[0].fate' | sort | uniq -c";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExplainArgs {
    /// The pipeline file. Nothing that it names is opened, read or written.
    #[arg(value_name = "PIPELINE.yaml")]
    pub(crate) pipeline: PathBuf,
    /// The events, compressed or not; `-` is standard input.
    #[arg(default_value = "-", value_name = "EVENTS")]
    pub(crate) events: PathBuf,
    /// Explains only events of this kind; they keep their numbers.
    #[arg(long, value_enum, value_name = "KIND")]
    pub(crate) only: Option<Only>,
    /// Explains what this pipeline of the file does, or this job, instead of all.
    #[arg(long = "pipeline", visible_alias = "job", value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Ends after so many events have been explained.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
    /// Prints one JSON object on a line for each event and pipeline.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Only {
    /// Those that some output does not get, lines that are no events included.
    Dropped,
    /// Those that some output gets.
    Written,
    /// Those of which a stage cut something off.
    Cut,
}
