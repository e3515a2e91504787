//! Runs a program and tells what it took.
//!
//! The peak memory that the system reports for a program includes that of the process it was started from, in the
//! moment between the two (`ru_maxrss` of getrusage(2) survives execve(2)). So no program is started from the bench
//! itself, which holds inputs and trees; the bench starts this binary again, which starts the program, and whose own
//! few megabytes are below what any program measured here takes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use wait4::Wait4 as _;

/// What is run under the stopwatch.
#[derive(clap::Args)]
pub(crate) struct StopwatchArgs {
    /// The file that its standard output goes to.
    stdout: PathBuf,
    /// The file that its standard error goes to.
    stderr: PathBuf,
    /// Puts the program between two of `cat`, in pipes: one before it, for the files that are named with this, once
    /// each and as often as they are named, and one behind it, for its standard output.
    #[arg(long, value_name = "FILE")]
    feed: Vec<PathBuf>,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

/// What a program took, from before its start until after its end.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// Time on the clock; between two of `cat`, that of all three.
    #[serde(rename = "wall_seconds", with = "in_seconds")]
    pub(crate) wall: Duration,
    /// Time on the cores, of the program and of the system on its behalf.
    #[serde(rename = "cpu_seconds", with = "in_seconds")]
    pub(crate) cpu: Duration,
    /// The most memory it had resident at once.
    pub(crate) peak_rss_bytes: u64,
}

/// A program to run, in which directory, and where its output goes.
pub(crate) struct Program<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) path: &'a Path,
    pub(crate) args: Vec<OsString>,
    /// A path in `dir`, like the next, or an absolute one.
    pub(crate) stdout: &'a Path,
    pub(crate) stderr: &'a Path,
}

impl Program<'_> {
    /// Runs it in a process of its own, under a stopwatch of its own.
    ///
    /// # Errors
    ///
    /// If it cannot be started or fails, with what it wrote to standard error.
    pub(crate) fn measure(&self) -> anyhow::Result<Taken> {
        self.measure_in_pipes(&[])
    }

    /// Runs it likewise, but between two of `cat`: `cat FEED… | program | cat > stdout`. With nothing to feed, there
    /// are no pipes.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub(crate) fn measure_in_pipes(&self, feed: &[&Path]) -> anyhow::Result<Taken> {
        let watch = Command::new(std::env::current_exe()?)
            .arg("stopwatch")
            .args(feed.iter().flat_map(|file| [Path::new("--feed"), file]))
            .args([self.stdout, self.stderr])
            .arg("--")
            .arg(self.path)
            .args(&self.args)
            .current_dir(self.dir)
            .stderr(Stdio::inherit())
            .output()?;
        anyhow::ensure!(watch.status.success(), "{} failed", self.path.display());
        serde_json::from_slice(&watch.stdout).context("the stopwatch shows no time")
    }
}

/// Runs the program and writes what it took to standard output.
///
/// # Errors
///
/// If it cannot be started or fails, with what it wrote to standard error.
pub(crate) fn run(args: &StopwatchArgs) -> anyhow::Result<()> {
    let (program, program_args) = args.program.split_first().context("no program")?;
    let mut command = Command::new(program);
    command.args(program_args).stderr(File::create(&args.stderr)?);
    let stdout_file = File::create(&args.stdout)?;

    let started = Instant::now();
    let start = |mut command: Command| command.spawn().with_context(|| program.display().to_string());
    let (ended, neighbours) = if args.feed.is_empty() {
        command.stdin(Stdio::null()).stdout(stdout_file);
        (start(command)?.wait4()?, Vec::new())
    } else {
        let mut before = cat().args(&args.feed).stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        command.stdin(before.stdout.take().context("no pipe")?).stdout(Stdio::piped());
        // Starting it drops this process's ends of the pipes, so that each sees when the other is gone.
        let mut child = start(command)?;
        let behind = cat().stdin(child.stdout.take().context("no pipe")?).stdout(stdout_file).spawn()?;
        (child.wait4()?, vec![before, behind])
    };
    let is_passed_on = neighbours
        .into_iter()
        .try_fold(true, |all, mut cat| Ok::<_, io::Error>(cat.wait()?.success() && all))?;
    let wall = started.elapsed();

    if !ended.status.success() {
        let stderr = fs::read(&args.stderr).unwrap_or_default();
        anyhow::bail!("{}: {}\n{}", program.display(), ended.status, String::from_utf8_lossy(&stderr));
    }
    anyhow::ensure!(is_passed_on, "the `cat` before or behind {} failed", program.display());
    let cpu = ended.rusage.utime + ended.rusage.stime;
    let taken = Taken { wall, cpu, peak_rss_bytes: ended.rusage.maxrss };
    serde_json::to_writer(stdout(), &taken)?;
    Ok(stdout().flush()?)
}

fn cat() -> Command {
    Command::new("cat")
}

/// A duration as a number of seconds.
mod in_seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(duration.as_secs_f64())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
