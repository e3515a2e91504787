//! The process that is killed.

use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::place::Place;

/// How much is shown of what a pipeline that ended by itself has said.
const SHOWN_BYTES: usize = 2_000;

/// A running pipeline, in a process of its own. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Victim {
    child: Child,
}

impl Victim {
    /// Starts the pipeline.
    pub(super) fn start(program: &Path, place: &Place) -> anyhow::Result<Self> {
        let said = OpenOptions::new().create(true).append(true).open(place.said());
        let said = said.with_context(|| format!("cannot write to {}", place.said().display()))?;
        let mut command = Command::new(program);
        command.args(["run", "--quiet", "pipeline.yaml"]).current_dir(place.dir());
        // What is meant for this process is not for that one.
        command.env_remove("NOTIFY_SOCKET").env_remove("WATCHDOG_USEC").env_remove("WATCHDOG_PID");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        // A terminal's interrupt is for this process to handle.
        command.process_group(0);
        let child = command.spawn().with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child })
    }

    /// Fails if it has ended, which it is not to do by itself.
    pub(super) fn check_alive(&mut self, place: &Place) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait().context("cannot look after the pipeline")? else {
            return Ok(());
        };
        let said = fs::read(place.said()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said[said.len().saturating_sub(SHOWN_BYTES)..]).into_owned();
        bail!("the pipeline ended by itself, {status}; it said:\n{}", said.trim_end());
    }

    /// Kills it as a crash would.
    pub(super) fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().and_then(|()| self.child.wait()).map(drop).context("cannot kill the pipeline")
    }

    /// Asks it to end.
    pub(super) fn ask_to_end(&self) -> anyhow::Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).context("cannot stop the pipeline")
    }

    /// Returns how it has ended; `None` while it has not.
    pub(super) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot look after the pipeline")
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        // Both fail only for one that has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
