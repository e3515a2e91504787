//! The command line: one file in `args/` for what each command is told.

mod check;
mod checkpoint;
mod completions;
mod endpoint;
mod explain;
mod import;
mod init;
mod job;
mod man;
mod run;
mod selftest;
mod tap;
mod test;
mod top;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use self::check::CheckArgs;
pub(crate) use self::checkpoint::{CheckpointCommand, CheckpointListArgs, CheckpointResetArgs};
pub(crate) use self::completions::CompletionsArgs;
pub(crate) use self::endpoint::EndpointArgs;
pub(crate) use self::explain::{ExplainArgs, Only};
pub(crate) use self::import::ImportArgs;
pub(crate) use self::init::{From, InitArgs, To};
pub(crate) use self::job::{JobCheckArgs, JobCommand};
pub(crate) use self::man::ManArgs;
pub(crate) use self::run::{RunArgs, SummaryFormat};
pub(crate) use self::selftest::SelftestArgs;
pub(crate) use self::tap::TapArgs;
pub(crate) use self::test::TestArgs;
pub(crate) use self::top::TopArgs;

/// What `--help` ends with.
const EXAMPLES: &str = "\
Examples:
  # Writes a pipeline file to begin with, checks it, and runs it.
  logweir init && logweir check logweir.yaml && logweir run logweir.yaml

  # Watches what it does.
  logweir top logweir.yaml

Each command has examples of its own: `logweir run --help`.";

/// What `logweir schema --help` ends with.
const EXAMPLES_OF_SCHEMA: &str = "\
Examples:
  # Has editors with a YAML language server complete and check a pipeline file; the second line goes into the file.
  logweir schema > logweir.schema.json
  # yaml-language-server: $schema=logweir.schema.json";

/// Workers Logpush on your own machines: reads Workers trace events, filters, samples, truncates and delivers them,
/// and accounts for every single one.
#[derive(Parser)]
#[command(version, about, arg_required_else_help = true, after_long_help = EXAMPLES)]
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
    /// Says everything that is wrong with pipeline files, and what is surely unwanted in them; starts nothing.
    ///
    /// Exit code 1: `--connect` found something at which a start would fail. 2: something is wrong, or there is a warning
    /// and `--deny-warnings`, or a destination did not take what `--upload-test` put into it.
    Check(CheckArgs),
    /// Says what becomes of events in a pipeline, stage by stage, and why.
    ///
    /// Why is this log line missing, or cut? Each event goes through the stages that a run would take it through; it says
    /// which term of a filter decided, how a sample's hash stands to its threshold, where the characters of a budget went,
    /// and what is written in the end. Nothing is started, and nothing but the answer is written.
    /// Exit code 0, also where events are dropped. 1: the events cannot be read. 2: the pipeline file is wrong.
    Explain(ExplainArgs),
    /// Runs the tests of pipeline files: events, and what is to become of them.
    ///
    /// They stand in the file under `tests`, or beside it, for `errors.yaml` in `errors.test.yaml`, and run through the
    /// very stages that a run has. Sources, sinks and other addresses are not looked at, so their variables need not be set.
    /// Exit code 0: all passed. 1: some failed. 2: a file is wrong, or no test was run.
    Test(TestArgs),
    /// Writes a commented pipeline file to begin with.
    ///
    /// On a terminal and without options that say what the pipeline does, asks a few questions. Never writes over a file
    /// unless told to, and never writes a secret: those are left to variables of the environment.
    /// Exit code 1: the file is there already or cannot be written, or options do not fit together.
    Init(InitArgs),
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
    ///
    /// Editors that know it complete keys and mark mistakes while a file is written.
    #[command(after_long_help = EXAMPLES_OF_SCHEMA)]
    Schema,
    /// Shows how far files have been delivered, or has them read again.
    #[command(subcommand)]
    Checkpoint(CheckpointCommand),
    /// Shows what a running logweir does: rates, drops by reason, lag, channels, memory, and what is wrong.
    ///
    /// Looks at `/metrics` of its admin endpoint again and again and shows what it sees on the terminal; `q` ends it, `?`
    /// explains the keys. Without a terminal, or with `--once`, prints it once as text. Changes nothing in the process.
    /// Exit code 1: nobody answers there, or not logweir.
    Top(TopArgs),
    /// Shows events of a running pipeline as they pass a stage.
    ///
    /// Asks the admin endpoint of the process, whose pipeline file must allow it with `admin: {token: TOKEN, tap: {}}`. Events go
    /// to standard output, one a line; the pipeline never waits for who watches, and what is not shown is counted on
    /// standard error.
    Tap(TapArgs),
    /// Prints what has a shell complete commands and options.
    Completions(CompletionsArgs),
    /// Prints the manual page, or writes one for each command.
    Man(ManArgs),
    /// Tries on this machine whether events are lost when logweir crashes.
    ///
    /// Runs a pipeline that follows logs, kills it with SIGKILL at random moments and starts it again, while the logs are
    /// written and rotated; at the end all that was written must have come out. Uses up to half a GiB in a fresh
    /// directory, which is kept if anything is lost.
    /// Exit code 0: nothing was lost. 1: something was, and is named; or the test could not be run.
    Selftest(SelftestArgs),
}

#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
