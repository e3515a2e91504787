//! What `logweir selftest` is told.

use std::path::PathBuf;
use std::time::Duration;

use crate::selftest::parse_duration;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Kills and starts again for a minute, and says whether anything was lost.
  logweir selftest --crash

  # Ten kills on another disk, for a script to judge.
  logweir selftest --crash --kills 10 --dir /mnt/logs --json

  # The same with batches that are uploaded.
  logweir selftest --crash --upload --for 5m";

#[derive(clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SelftestArgs {
    /// Crashes: the only test there is.
    #[arg(long, required = true)]
    pub(crate) crash: bool,
    /// Has events uploaded in batches, to a directory, instead of written to a file: then none may come twice.
    #[arg(long)]
    pub(crate) upload: bool,
    /// Stops killing after this long, as in `60s` or `5m`; without it and `--kills` after 60 s.
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) kill_for: Option<Duration>,
    /// Stops killing after so many kills.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) kills: Option<u64>,
    /// Where the fresh directory is made; without it where temporary files go.
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
    /// What all decisions follow from, though not the moments at which they take effect; without it by chance.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Prints one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}
