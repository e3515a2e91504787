//! What `logweir check` is told.

use std::path::PathBuf;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Says all that is wrong with a file; exit code 0 if nothing is.
  logweir check shop.yaml

  # Files that are to run in one process are checked together.
  logweir check /etc/logweir/*.yaml

  # Before a first start: files, permissions, ports and destinations; nothing is changed.
  logweir check --connect shop.yaml

  # The pipeline as a picture, with what each stage costs on one's own events.
  logweir check --explain --events events.ndjson shop.yaml

  # In a CI, where a filter that can never hold should not pass.
  logweir check --deny-warnings shop.yaml

  # Reloads a running service only if its files are good.
  logweir check /etc/logweir/shop.yaml && systemctl reload logweir@shop

  # Tries credentials and permissions: puts a small object into each destination.
  logweir check --upload-test shop.yaml";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own, and all go together")]
pub(crate) struct CheckArgs {
    /// The pipeline files, checked as if they ran in one process.
    #[arg(required = true, value_name = "FILE.yaml")]
    pub(crate) files: Vec<PathBuf>,
    /// Ends with exit code 2 if there is a warning, as if it were a mistake; notes are none.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
    /// Shows each pipeline as a picture: what every part does, what it costs on this machine, and the bound on memory.
    #[arg(long)]
    pub(crate) explain: bool,
    /// The events to measure the costs on, one on each line, compressed or not; without it some that come with logweir. The
    /// first MiB is read.
    #[arg(long, value_name = "FILE.ndjson", requires = "explain")]
    pub(crate) events: Option<PathBuf>,
    /// Tries what a start would meet: files, permissions, disks, the port, destinations. Changes nothing, and may be called
    /// while the pipelines run.
    #[arg(long)]
    pub(crate) connect: bool,
    /// Prints one JSON object instead of text.
    #[arg(long, conflicts_with = "upload_test")]
    pub(crate) json: bool,
    /// If nothing is wrong, puts `test.txt.gz` into each destination, as Logpush does for a new job; it stays there.
    #[arg(long)]
    pub(crate) upload_test: bool,
}
