//! What `logweir checkpoint` is told.

use std::path::{Path, PathBuf};

use clap::Subcommand;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Shows how far each file has been delivered, and how far it is behind.
  logweir checkpoint list /var/lib/logweir

  # Has a pipeline read everything again, once it is stopped.
  systemctl stop logweir@shop && logweir checkpoint reset /var/lib/logweir shop";

/// What `--help` ends with.
const EXAMPLES_OF_LIST: &str = "\
Examples:
  # Shows how far each file has been delivered, and how far it is behind.
  logweir checkpoint list /var/lib/logweir

  # Bytes that are not delivered yet, by file.
  logweir checkpoint list --json /var/lib/logweir | jq '.checkpoints[].files[] | {path, lag}'";

/// What `--help` ends with.
const EXAMPLES_OF_RESET: &str = "\
Examples:
  # Has a pipeline read everything again, once it is stopped.
  systemctl stop logweir@shop && logweir checkpoint reset /var/lib/logweir shop";

#[derive(Subcommand)]
#[command(after_long_help = EXAMPLES)]
pub(crate) enum CheckpointCommand {
    /// Shows each checkpoint in a state directory, and how far each of its files is behind.
    ///
    /// Changes nothing and may be called while pipelines run. Relative paths are taken from the current directory. Exit
    /// code 1: a checkpoint cannot be read, which is shown in its place, or the directory cannot be listed.
    List(CheckpointListArgs),
    /// Moves a pipeline's checkpoint aside, so that its next start reads all files again from the beginning.
    ///
    /// Refused while a process uses the state directory. What is moved aside is kept, and may be moved back.
    Reset(CheckpointResetArgs),
}

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES_OF_LIST)]
pub(crate) struct CheckpointListArgs {
    #[command(flatten)]
    pub(crate) dir: DirArgs,
    /// Prints one JSON object instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct DirArgs {
    /// The state directory: what a pipeline file has at `state_dir`.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The same, by name.
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl DirArgs {
    /// Returns the directory, in whichever way it was given.
    pub(crate) fn path(&self) -> &Path {
        self.dir.as_deref().or(self.state_dir.as_deref()).expect("one of them is required")
    }
}

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES_OF_RESET)]
pub(crate) struct CheckpointResetArgs {
    /// The state directory: what the pipeline file has at `state_dir`.
    pub(crate) dir: PathBuf,
    /// The pipeline's name.
    pub(crate) name: String,
}
