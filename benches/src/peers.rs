//! The same job by other programs, side by side: who is how fast, and who writes what must be written.
//!
//! How they are run and how to read the table: the README in `benches/peers`.

mod compare;
mod digest;
mod peer;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use logweir_testkit::generate::Workload;

use crate::input;
use crate::machine::Machine;
use crate::stopwatch::{Program, Taken};
use crate::{logweir_binary, say};
use compare::{Expected, Verdict};
use peer::{Job, LOGWEIR, PEERS, Peer};
use report::{Report, Row, State};

/// What every peer reads and writes.
const INPUT: &str = "in.ndjson";
const OUTPUT: &str = "out.ndjson";
const STDERR: &str = "stderr.txt";
const NOWHERE: &str = "/dev/null";

/// A peer runs in the locale in which a character is a byte, which is the fastest for those that care, and is ended
/// if it does not end: a follower of files may not.
const SHELL_LINE: &str = "export LC_ALL=C; exec timeout --foreground 900 \"$0\" ";

/// Measures the same job by logweir and by other programs, and compares what they wrote with what is right.
///
/// Exit code 0: what logweir wrote is right. 1: it is not, or it could not be measured. A program that is not on PATH,
/// fails or writes something else is shown in the table and fails nothing.
#[derive(clap::Args)]
pub(crate) struct PeersArgs {
    /// Size of the input, of the workload `mix`.
    #[arg(long, default_value_t = 100_000_000)]
    bytes: u64,
    /// Runs of each program.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Where the input is kept and outputs are written.
    #[arg(long, default_value = "benches/data")]
    dir: PathBuf,
    /// The binary to measure; `logweir` beside this one if not given.
    #[arg(long)]
    logweir: Option<PathBuf>,
    /// A file to write the results to, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

/// Runs all that are there in turn, and prints the table.
///
/// # Errors
///
/// If something of ours cannot be read, written or run, or if logweir's output is wrong.
pub(crate) fn run(args: &PeersArgs) -> anyhow::Result<()> {
    let runs = args.runs.max(1);
    let logweir = logweir_binary(args.logweir.as_deref())?;
    fs::create_dir_all(&args.dir).with_context(|| args.dir.display().to_string())?;
    say("peers: input");
    let input = input::make(Workload::Mix, args.bytes, &args.dir)?;
    let track = Track::lay(&args.dir.join("peers"), &input.path)?;
    let mut rows: Vec<Row> = PEERS.iter().map(|peer| row(peer, &logweir)).collect();
    say("peers: what is right");
    let expected = track.expected(&rows)?;
    let machine = Machine::look();

    for n in 1..=runs {
        for row in &mut rows {
            let State::Ran(program) = &row.state else { continue };
            say(&format!("peers: run {n} of {runs}: {}, {}", row.peer.name, row.peer.job.name()));
            match track.run(row.peer, program, n == 1) {
                Ok((started, taken)) => {
                    row.started.push(started);
                    row.taken.push(taken);
                }
                Err(error) => row.state = State::Failed(format!("{error:#}")),
            }
            if n == runs && matches!(row.state, State::Ran(_)) {
                row.output = Some(track.compare(row.peer, &expected[&row.peer.job])?);
            }
        }
    }
    track.clear()?;

    let n_events = expected.values().next().map_or(0, |expected| expected.n_read);
    let report = Report { machine, load_after: Machine::look().load, n_bytes: input.n_bytes, n_events, rows };
    stdout().write_all(report.table().as_bytes())?;
    if let Some(path) = &args.json {
        fs::write(path, report.json()?).with_context(|| path.display().to_string())?;
    }
    is_right(&report.rows)
}

/// Returns a row without runs: where the peer's program is, and which version.
fn row(peer: &'static Peer, logweir: &Path) -> Row {
    let path = if peer.program == LOGWEIR { Some(logweir.to_owned()) } else { on_path(peer.program) };
    let (state, version) = match path {
        Some(path) => {
            let version = version(&path);
            (State::Ran(path), version)
        }
        None => (State::Absent, None),
    };
    Row { peer, state, version, started: Vec::new(), taken: Vec::new(), output: None }
}

/// Returns where the shell would find a program.
fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// Returns the first line of what a program says of its version.
fn version(path: &Path) -> Option<String> {
    let output = Command::new(path).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(|line| line.trim().to_owned())
}

fn is_right(rows: &[Row]) -> anyhow::Result<()> {
    for row in rows.iter().filter(|row| row.peer.program == LOGWEIR) {
        if let State::Failed(error) = &row.state {
            anyhow::bail!("logweir, {}: {error}", row.peer.job.name());
        }
        let verdict = row.output.context("logweir has not run")?.1;
        anyhow::ensure!(verdict == Verdict::Equal, "logweir, {}: events {verdict}", row.peer.job.name());
    }
    Ok(())
}

/// Two directories to run in: one with the input, and one with its first event alone, to see what starting and ending
/// takes.
struct Track {
    whole: PathBuf,
    first: PathBuf,
}

impl Track {
    fn lay(dir: &Path, input: &Path) -> anyhow::Result<Self> {
        let track = Self { whole: dir.join("whole"), first: dir.join("first") };
        for dir in [&track.whole, &track.first] {
            fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
            for (name, content) in PEERS.iter().flat_map(|peer| peer.files) {
                fs::write(dir.join(name), content)?;
            }
        }
        // Another name for the same bytes: it costs nothing, and is no symbolic link, which some follow differently.
        remove(&track.whole.join(INPUT))?;
        fs::hard_link(input, track.whole.join(INPUT)).context("a second name for the input")?;
        let mut event = Vec::new();
        BufReader::new(File::open(input)?).read_until(b'\n', &mut event)?;
        fs::write(track.first.join(INPUT), event)?;
        track.clear()?;
        Ok(track)
    }

    /// Returns what must come out of each job that is run.
    fn expected(&self, rows: &[Row]) -> anyhow::Result<BTreeMap<Job, Expected>> {
        let is_run = |row: &&Row| matches!(row.state, State::Ran(_));
        let jobs: BTreeSet<Job> = rows.iter().filter(is_run).map(|row| row.peer.job).collect();
        let of = |job: Job| Ok((job, Expected::make(&job.stages(), open(&self.whole.join(INPUT))?)?));
        jobs.into_iter().map(of).collect()
    }

    /// Runs a peer on one event and on all of them, and returns what both took.
    fn run(&self, peer: &Peer, program: &Path, is_first: bool) -> anyhow::Result<(Taken, Taken)> {
        if is_first {
            // Reads the program from the disk, which is not measured.
            self.measure(&self.first, peer, program)?;
        }
        Ok((self.measure(&self.first, peer, program)?, self.measure(&self.whole, peer, program)?))
    }

    fn measure(&self, dir: &Path, peer: &Peer, program: &Path) -> anyhow::Result<Taken> {
        // The input is in the page cache, and as much memory as a copy takes has just been in use and is free: to get
        // back what a virtual machine gave to its host would take longer than a copy does.
        self.clear()?;
        fs::copy(dir.join(INPUT), dir.join(OUTPUT))?;
        self.clear()?;
        let line = OsString::from(format!("{SHELL_LINE}{}", peer.arguments));
        let shell = Program {
            dir,
            path: Path::new("sh"),
            args: vec!["-c".into(), line, program.into()],
            stdout: Path::new(NOWHERE),
            stderr: Path::new(STDERR),
        };
        shell.measure().map_err(|error| {
            // The stopwatch has shown all that the program said; its last line most likely says why.
            let said = fs::read_to_string(dir.join(STDERR)).unwrap_or_default();
            said.trim_end().lines().next_back().map_or(error, |last| anyhow::anyhow!("{last}"))
        })
    }

    /// Compares what a peer has just written.
    fn compare(&self, peer: &Peer, expected: &Expected) -> anyhow::Result<(u64, Verdict)> {
        let path = self.whole.join(OUTPUT);
        if !path.exists() {
            return Ok(expected.compare(&b""[..], peer.order)?);
        }
        Ok(expected.compare(open(&path)?, peer.order)?)
    }

    fn clear(&self) -> anyhow::Result<()> {
        remove(&self.whole.join(OUTPUT))?;
        remove(&self.first.join(OUTPUT))
    }
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    Ok(BufReader::with_capacity(1 << 20, file))
}

/// Removes a file if it is there.
fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| path.display().to_string())
        }
        _ => Ok(()),
    }
}
