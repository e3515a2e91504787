//! What `logweir man` is told.

use std::path::PathBuf;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Reads the page of logweir itself.
  logweir man | man -l -

  # Puts all pages where `man logweir-run` finds them.
  logweir man --dir ~/.local/share/man/man1";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ManArgs {
    /// Writes a page for each command into this directory, which is made if it is missing.
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}
