//! Workers Logpush on your own machines.
//!
//! `logweir run FILE.yaml…` runs pipelines of Workers trace events; `logweir check` says all that is wrong with their
//! files, and `logweir test` runs the tests in them; `logweir explain` says what becomes of an event and why; `logweir job check` says it of a Logpush job, and `logweir import` makes a pipeline file of jobs; `logweir schema`
//! prints what a file may hold; `logweir checkpoint` shows how far files have been delivered;
//! `logweir top` shows what a running process does, and `logweir tap` its events; `logweir selftest` kills pipelines and looks for losses.

mod admin;
mod args;
mod check;
mod checkpoint;
mod client;
mod completions;
mod daemon;
mod explain;
mod import;
mod init;
mod job;
mod logging;
mod man;
mod notify;
mod open_files;
mod print;
mod progress;
mod run;
mod schema;
mod selftest;
mod shown;
mod signals;
mod summary;
mod tap;
mod test;
mod top;
mod uploads;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Args, Command};

/// Configuration that cannot be used; what clap ends with for wrong usage, too.
const EXIT_CONFIGURATION: u8 = 2;
/// A source or sink failed, events failed, or the books do not balance.
const EXIT_FAILED: u8 = 1;

fn main() -> ExitCode {
    let args = Args::parse();
    match args.command {
        Command::Run(run) => run::run(&run, args.log_format),
        Command::Check(check) => check::check(&check),
        Command::Explain(args) => explain::explain(&args),
        Command::Job(command) => job::job(&command),
        Command::Import(args) => import::import(&args),
        Command::Test(args) => test::test(&args),
        Command::Schema => schema::schema(),
        Command::Checkpoint(command) => checkpoint::checkpoint(&command),
        Command::Init(args) => init::init(&args),
        Command::Completions(args) => completions::completions(&args),
        Command::Man(args) => man::man(&args),
        Command::Top(args) => top::top(&args),
        Command::Tap(args) => tap::tap(&args),
        Command::Selftest(args) => selftest::selftest(&args),
    }
}
