//! Measures `logweir run` against a plain copy of the same file and against its bars, and checks every byte it wrote.
//!
//! What is measured, how, and how to read it: the README beside this package.

mod case;
mod check;
mod compress;
mod figure;
mod input;
mod job;
mod lab;
mod machine;
mod measure;
mod objects;
mod peers;
mod plot;
mod race;
mod report;
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
use crate::lab::Lab;
use crate::measure::MEASUREMENTS;
use crate::race::Race;
use crate::report::{Named, Report};

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
    /// Inputs of 64 MB, 3 runs and short waits, for a look and for CI.
    #[arg(long)]
    short: bool,
    /// Only these rows.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    only: Vec<String>,
    /// Where inputs are kept and outputs written.
    #[arg(long, default_value = "benches/data")]
    dir: PathBuf,
    /// The binary to measure; `logweir` beside this one if not given.
    #[arg(long)]
    logweir: Option<PathBuf>,
    /// A file to add the tables to.
    #[arg(long)]
    out: Option<PathBuf>,
    /// A file to write everything to as one JSON document, every run of every figure.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs one program and prints what it took, as JSON. This binary calls itself so.
    #[command(hide = true)]
    Stopwatch(stopwatch::StopwatchArgs),
    /// Compresses one file alone. This binary calls itself so.
    #[command(hide = true)]
    Compress(compress::CompressArgs),
    Peers(peers::PeersArgs),
    Plot(plot::PlotArgs),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match &args.command {
        Some(Command::Stopwatch(watched)) => stopwatch::run(watched),
        Some(Command::Compress(args)) => compress::run(args),
        Some(Command::Peers(args)) => peers::run(args),
        Some(Command::Plot(args)) => plot::run(args),
        None => bench(&args),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    say(&format!("bench: {error:#}"));
    ExitCode::FAILURE
}

fn bench(args: &Args) -> anyhow::Result<()> {
    check_names(&args.only)?;
    let lab = lab(args)?;
    fs::create_dir_all(&lab.dir).with_context(|| lab.dir.display().to_string())?;
    let is_asked_for = |name: &str| args.only.is_empty() || args.only.iter().any(|only| only == name);

    let mut report = Report::begin(&lab);
    for case in CASES.iter().filter(|case| is_asked_for(case.name)) {
        say(&format!("{}: {} runs", case.name, lab.runs));
        report.cases.push(Race::run(&lab, case).context(case.name)?);
    }
    for measurement in MEASUREMENTS.iter().filter(|measurement| is_asked_for(measurement.name)) {
        let name = measurement.name;
        say(name);
        report.measurements.push(Named { name, measured: (measurement.run)(&lab).context(name)? });
    }
    report.end();

    let text = table::render(&report);
    stdout().write_all(text.as_bytes())?;
    if let Some(path) = &args.out {
        append(path, &text).with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &args.json {
        write_json(path, &report).with_context(|| path.display().to_string())?;
    }
    let wrong = report.wrong();
    for (name, what) in &wrong {
        say(&format!("{name}: WRONG: {what}"));
    }
    let names: Vec<_> = wrong.iter().map(|(name, _)| *name).collect();
    anyhow::ensure!(names.is_empty(), "the output is wrong: {}", names.join(", "));
    Ok(())
}

/// Refuses names that no row has.
fn check_names(only: &[String]) -> anyhow::Result<()> {
    let names = CASES.iter().map(|case| case.name).chain(MEASUREMENTS.iter().map(|other| other.name));
    let names: Vec<_> = names.collect();
    match only.iter().find(|name| !names.contains(&name.as_str())) {
        Some(name) => anyhow::bail!("there is no `{name}`; there are {}", names.join(", ")),
        None => Ok(()),
    }
}

fn lab(args: &Args) -> anyhow::Result<Lab> {
    let (n_bytes, runs) = if args.short { (SHORT_BYTES, SHORT_RUNS) } else { (DEFAULT_BYTES, DEFAULT_RUNS) };
    Ok(Lab {
        logweir: logweir_binary(args.logweir.as_deref())?,
        dir: args.dir.clone(),
        n_bytes: args.bytes.unwrap_or(n_bytes),
        runs: args.runs.unwrap_or(runs).max(1),
        is_short: args.short,
    })
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
    make_room_for(path)?;
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

fn write_json(path: &Path, report: &Report) -> anyhow::Result<()> {
    make_room_for(path)?;
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    Ok(fs::write(path, json)?)
}

fn make_room_for(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Tells whoever watches how far it is.
fn say(text: &str) {
    // With stderr closed there is nobody to tell.
    let _unheard = writeln!(stderr(), "{text}");
}
