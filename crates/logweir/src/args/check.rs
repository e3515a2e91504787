//! What `logweir check` is told.

use std::path::PathBuf;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Says all that is wrong with a file; exit code 0 if nothing is.
  logweir check shop.yaml

  # Files that are to run in one process are checked together.
  logweir check /etc/logweir/*.yaml

  # Reloads a running service only if its files are good.
  logweir check /etc/logweir/shop.yaml && systemctl reload logweir@shop

  # Tries credentials and permissions: puts a small object into each destination.
  logweir check --upload-test shop.yaml";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CheckArgs {
    /// The pipeline files, checked as if they ran in one process.
    #[arg(required = true, value_name = "FILE.yaml")]
    pub(crate) files: Vec<PathBuf>,
    /// If nothing is wrong, puts `test.txt.gz` into each destination, as Logpush does for a new job; it stays there.
    #[arg(long)]
    pub(crate) upload_test: bool,
}
