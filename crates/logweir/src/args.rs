//! The command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::selftest::parse_duration;

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
    /// SIGINT or SIGTERM stops reading and delivers what has been read, within `shutdown.deadline`; a second one ends at
    /// once. SIGHUP reads the files anew, where all pipelines follow files; a mistake in them changes nothing.
    /// Exit code 0: all that was read is accounted for. 1: a source or sink failed, events failed, or the books do
    /// not balance. 2: the command line or a file is wrong; nothing was started.
    Run(RunArgs),
    /// Says everything that is wrong with pipeline files, and starts nothing.
    ///
    /// Exit code 2: something is wrong, or a destination did not take what `--upload-test` put into it.
    Check(CheckArgs),
    /// Works with Logpush jobs by themselves.
    #[command(subcommand)]
    Job(JobCommand),
    /// Makes a pipeline file of Logpush jobs: of JSON from Cloudflare's API, or of Terraform files.
    ///
    /// Takes a job, a list of jobs, or a response of the API; of files that end in `.tf` the resources
    /// `cloudflare_logpush_job`. Prints the pipeline file, with a source to be filled in. What Terraform would have to work
    /// out becomes a `${VARIABLE}`.
    /// Exit code 2: a file cannot be understood, or a job in it cannot run here; nothing is printed.
    Import(ImportArgs),
    /// Prints the JSON Schema of a pipeline file.
    Schema,
    /// Shows how far files have been delivered, or has them read again.
    #[command(subcommand)]
    Checkpoint(CheckpointCommand),
    /// Tries on this machine whether events are lost when logweir crashes.
    ///
    /// Runs a pipeline that follows logs, kills it with SIGKILL at random moments and starts it again, while the logs are
    /// written and rotated; at the end all that was written must have come out. Uses up to half a GiB in a fresh
    /// directory, which is kept if anything is lost.
    /// Exit code 0: nothing was lost. 1: something was, and is named; or the test could not be run.
    Selftest(SelftestArgs),
}

#[derive(Subcommand)]
pub(crate) enum JobCommand {
    /// Says everything that is wrong with Logpush jobs as Cloudflare's API takes them, one in each file.
    ///
    /// Nothing is sent anywhere, and no `${VARIABLE}` is replaced.
    /// Exit code 2: a job is wrong.
    Check(JobCheckArgs),
}

#[derive(clap::Args)]
pub(crate) struct JobCheckArgs {
    /// The jobs; `-` is standard input.
    #[arg(required = true, value_name = "FILE.json")]
    pub(crate) files: Vec<PathBuf>,
    /// Prints what the API would answer, one JSON object on a line for each job.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    /// The files with jobs; `-` is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Writes `${VARIABLE}` for each secret, and says on standard error which variables are to be set.
    #[arg(long)]
    pub(crate) secrets_to_env: bool,
}

#[derive(clap::Args)]
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

#[derive(Subcommand)]
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
pub(crate) struct CheckpointResetArgs {
    /// The state directory: what the pipeline file has at `state_dir`.
    pub(crate) dir: PathBuf,
    /// The pipeline's name.
    pub(crate) name: String,
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
    /// If nothing is wrong, puts `test.txt.gz` into each destination, as Logpush does for a new job; it stays there.
    #[arg(long)]
    pub(crate) upload_test: bool,
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
