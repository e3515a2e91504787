//! Runs a program and tells what it took.
//!
//! The peak memory that the system reports for a program includes that of the process it was started from, in the
//! moment between the two (`ru_maxrss` of getrusage(2) survives execve(2)). So no program is started from the bench
//! itself, which holds inputs and trees; the bench starts this binary again, which starts the program, and whose own
//! few megabytes are below what any program measured here takes.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Write as _, stdout};
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
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    program: Vec<OsString>,
}

/// What a program took, from before its start until after its end.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Taken {
    /// Time on the clock.
    pub(crate) wall: Duration,
    /// Time on the cores, of the program and of the system on its behalf.
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
        let watch = Command::new(std::env::current_exe()?)
            .arg("stopwatch")
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
    command
        .args(program_args)
        .stdin(Stdio::null())
        .stdout(File::create(&args.stdout)?)
        .stderr(File::create(&args.stderr)?);

    let started = Instant::now();
    let ended = command.spawn().with_context(|| program.display().to_string())?.wait4()?;
    let wall = started.elapsed();

    if !ended.status.success() {
        let stderr = fs::read(&args.stderr).unwrap_or_default();
        anyhow::bail!("{}: {}\n{}", program.display(), ended.status, String::from_utf8_lossy(&stderr));
    }
    let cpu = ended.rusage.utime + ended.rusage.stime;
    let taken = Taken { wall, cpu, peak_rss_bytes: ended.rusage.maxrss };
    serde_json::to_writer(stdout(), &taken)?;
    Ok(stdout().flush()?)
}
