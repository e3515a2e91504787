//! Measures `logweir run` against a plain copy of the same file, and checks every byte it wrote.
//!
//! What is measured, how, and how to read it: the README beside this package.

mod case;
mod check;
mod input;
mod machine;
mod race;
mod stopwatch;
mod summary;
mod table;
mod tape;

use std::fs::{self, OpenOptions};
use std::io::{Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::case::CASES;
use crate::machine::Machine;
use crate::race::{Race, Track};

/// Long enough that starting up does not count.
const DEFAULT_BYTES: u64 = 1_000_000_000;
/// Of the short form: enough that all of the code runs, on any machine.
const SHORT_BYTES: u64 = 64_000_000;
const DEFAULT_RUNS: usize = 5;
const SHORT_RUNS: usize = 3;

/// Measures `logweir run` against `cat`, and checks what it wrote.
///
/// Exit code 0: everything that was written is right, however long it took. 1: something is wrong, or could not be
/// measured.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Args {
    /// Size of each input; 1 GB if not given.
    #[arg(long)]
    bytes: Option<u64>,
    /// Measured runs of each program, after one that is not measured; 5 if not given.
    #[arg(long)]
    runs: Option<usize>,
    /// Inputs of 64 MB and 3 runs, for a look and for CI.
    #[arg(long)]
    short: bool,
    /// Only these cases.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    only: Vec<String>,
    /// Where inputs are kept and outputs written.
    #[arg(long, default_value = "benches/data")]
    dir: PathBuf,
    /// The binary to measure; `logweir` beside this one if not given.
    #[arg(long)]
    logweir: Option<PathBuf>,
    /// A file to add the table to.
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one program and prints what it took, as JSON. This binary calls itself so.
    #[command(hide = true)]
    Stopwatch(stopwatch::StopwatchArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match &args.command {
        Some(Command::Stopwatch(watched)) => stopwatch::run(watched),
        None => bench(&args),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    say(&format!("bench: {error:#}"));
    ExitCode::FAILURE
}

fn bench(args: &Args) -> anyhow::Result<()> {
    let (bytes, runs) = if args.short { (SHORT_BYTES, SHORT_RUNS) } else { (DEFAULT_BYTES, DEFAULT_RUNS) };
    let (bytes, runs) = (args.bytes.unwrap_or(bytes), args.runs.unwrap_or(runs).max(1));
    if let Some(name) = args.only.iter().find(|name| CASES.iter().all(|case| case.name != **name)) {
        anyhow::bail!("there is no case `{name}`");
    }
    let logweir = logweir_binary(args.logweir.as_deref())?;
    fs::create_dir_all(&args.dir).with_context(|| args.dir.display().to_string())?;
    let machine = Machine::look();

    let mut races = Vec::new();
    let mut wrong = Vec::new();
    for case in
        CASES.iter().filter(|case| args.only.is_empty() || args.only.iter().any(|name| name == case.name))
    {
        say(&format!("{}: input", case.name));
        let input = input::make(case.workload, bytes, &args.dir)?;
        say(&format!("{}: {runs} runs", case.name));
        let (race, checked) =
            Race::run(&Track { case, input: &input, logweir: &logweir, dir: &args.dir, runs })?;
        races.push(race);
        if let Err(error) = checked {
            say(&format!("{}: WRONG: {error:#}", case.name));
            wrong.push(case.name);
        }
    }

    let text = table::render(&machine, &Machine::look(), bytes, runs, &races);
    stdout().write_all(text.as_bytes())?;
    if let Some(path) = &args.out {
        append(path, &text).with_context(|| path.display().to_string())?;
    }
    anyhow::ensure!(wrong.is_empty(), "the output is wrong: {}", wrong.join(", "));
    Ok(())
}

fn logweir_binary(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => std::env::current_exe()?.with_file_name("logweir"),
    };
    // It runs in another directory.
    path.canonicalize().with_context(|| format!("{}: build it first, or name another", path.display()))
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

/// Tells whoever watches how far it is.
fn say(text: &str) {
    // With stderr closed there is nobody to tell.
    let _unheard = writeln!(stderr(), "{text}");
}
