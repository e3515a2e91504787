//! Counts the instructions that a lane takes for fixed inputs, and compares them with what is recorded.
//!
//! Time is not the same twice, so no test can hold it; the number of instructions is, to the last one, as long as the
//! binary and its path are the same. So a lane runs under callgrind, on inputs from a fixed seed, and what the record
//! says is held to ± 5 %. A gain counts as much as a loss: it is to be recorded, or the next loss would hide in it.
//!
//! What else moves a count, as measured on one revision: another path of the binary 0.01 %, other features of the
//! dependencies 0.02 %, a compiler two releases later 0.13 %, other settings of the C library's allocator 0.2 %, a C
//! library without AVX2 1.7 %. An instruction is no measure of time, though: a cache miss counts nothing, and code for
//! AVX-512, which valgrind does not offer, is not counted at all.

mod callgrind;
mod figures;
mod lane;

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::fs;
use std::io::{self, Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use logweir_testkit::generate::{Workload, write};
use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{self, Stage};

use crate::figures::{Figure, Figures, Tools, change, complaints};

const WORKLOADS: &[(&str, Workload)] = &[
    ("mix", Workload::Mix),
    ("small", Workload::Small),
    ("heavy", Workload::Heavy),
    ("real", Workload::Real),
];

/// Any will do; it is fixed so that all runs on all machines count the same events.
const SEED: u64 = 1;

/// Eight chunks: the memory that only the first one has to make no longer counts for much.
const INPUT_BYTES: u64 = 4 << 20;

/// Counts the instructions that decode, filter, truncate and encode take for fixed inputs, under valgrind, and compares
/// them with what is recorded.
///
/// Exit code 0: they are within ± 5 % of it. 1: they are not, or could not be counted.
#[derive(Parser)]
struct Args {
    /// Records what is counted, for a change that is meant.
    #[arg(long)]
    record: bool,
    /// The record; each architecture has its own.
    #[arg(long, default_value_os_t = Path::new("benches/instructions").join(ARCH).with_extension("json"))]
    figures: PathBuf,
    /// Where the profiles are left, for `callgrind_annotate`.
    #[arg(long, default_value = "benches/data")]
    dir: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Takes standard input through a lane to standard output. This binary calls itself so, under valgrind.
    #[command(hide = true)]
    Lane,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let result = match args.command {
        Some(Command::Lane) => lane::run(),
        None => compare(&args),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    // With stderr closed there is nobody to tell.
    let _unheard = writeln!(stderr(), "instructions: {error:#}");
    ExitCode::FAILURE
}

fn compare(args: &Args) -> anyhow::Result<()> {
    let recorded = match read(&args.figures) {
        // What is there is shown beside what replaces it, but need not be.
        recorded if args.record => recorded.ok(),
        recorded => Some(recorded.with_context(|| args.figures.display().to_string())?),
    };
    let made_with = Tools::look();
    if let Some(recorded) = recorded.as_ref().filter(|_| !args.record) {
        let (here, there) = (&made_with.cpu, &recorded.made_with.cpu);
        anyhow::ensure!(
            here == there,
            "this is {here}; what is recorded is of {there}, and cannot be compared"
        );
    }
    fs::create_dir_all(&args.dir).with_context(|| args.dir.display().to_string())?;
    let workloads = WORKLOADS
        .iter()
        .map(|&(name, workload)| Ok((name.to_owned(), count(name, workload, &args.dir).context(name)?)))
        .collect::<anyhow::Result<_>>()?;
    let counted = Figures { made_with, workloads };
    show(&counted, recorded.as_ref())?;
    match recorded.filter(|_| !args.record) {
        None => record(&args.figures, &counted).with_context(|| args.figures.display().to_string()),
        Some(recorded) => judge(&counted.workloads, &recorded.workloads, &args.dir),
    }
}

/// Counts one workload.
///
/// # Errors
///
/// If what the lane wrote is wrong: then it is worth nothing how fast it was.
fn count(name: &str, workload: Workload, dir: &Path) -> anyhow::Result<Figure> {
    let mut input = Vec::new();
    let n_bytes = write(workload, SEED, INPUT_BYTES, &mut input)?;
    let counted = callgrind::count(&input, &dir.join(format!("{name}.callgrind")))?;
    let truncate = Stage::Truncate { limit: lane::LIMIT as usize, unit: Unit::Chars };
    let stages = [Stage::Filter(lane::FILTER.to_owned()), truncate];
    let expected = oracle::run(&stages, None, &input, lane::MAX_EVENT_BYTES).output;
    anyhow::ensure!(counted.output == expected, "the output is wrong");
    Ok(Figure { n_bytes, instructions: counted.instructions })
}

/// Prints the counts, and what must be known to compare them.
fn show(counted: &Figures, recorded: Option<&Figures>) -> io::Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "{:8} {:>12} {:>12} {:>8} {:>8}",
        "workload", "instructions", "a byte", "recorded", "change"
    )?;
    for (name, figure) in &counted.workloads {
        write!(out, "{name:8} {:12} {:12.3}", figure.instructions, figure.per_byte())?;
        if let Some(&recorded) = recorded.and_then(|figures| figures.workloads.get(name)) {
            write!(out, " {:8.3} {:+6.2} %", recorded.per_byte(), 100.0 * change(*figure, recorded))?;
        }
        writeln!(out)?;
    }
    for difference in recorded.iter().flat_map(|figures| counted.made_with.differences(&figures.made_with)) {
        writeln!(out, "{difference}")?;
    }
    Ok(())
}

fn judge(
    counted: &BTreeMap<String, Figure>,
    recorded: &BTreeMap<String, Figure>,
    dir: &Path,
) -> anyhow::Result<()> {
    let complaints = complaints(counted, recorded);
    anyhow::ensure!(
        complaints.is_empty(),
        "not what is recorded, ± 5 %:\n  {}\nWhere they go: `callgrind_annotate {}/<workload>.callgrind`. If it is meant, \
         record it, a gain too, so that it is held: `just instructions --record`",
        complaints.join("\n  "),
        dir.display(),
    );
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<Figures> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

fn record(path: &Path, figures: &Figures) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(figures)?;
    text.push('\n');
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    Ok(fs::write(path, text)?)
}
