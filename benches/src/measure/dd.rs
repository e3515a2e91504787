//! `dd`: what copies to the disk, and what adds to files as other programs do.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::input::Input;
use crate::lab::{COPY, LIVE, Lab, NOWHERE, STDERR};
use crate::stopwatch::Program;

const DD: &str = "dd";

/// Returns why it cannot be used here: there is none, or one that knows only what POSIX asks for.
pub(super) fn obstacle(lab: &Lab) -> anyhow::Result<Option<String>> {
    let of = format!("of={COPY}");
    let mut command = Command::new(DD);
    command.args(["if=/dev/null", &of, "oflag=append", "conv=notrunc,fdatasync", "status=none"]);
    command.current_dir(&lab.dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let is_usable = command.status().is_ok_and(|status| status.success());
    lab.clear()?;
    Ok((!is_usable).then(|| "there is no `dd` here that syncs and appends".to_owned()))
}

/// Returns the copy of an input that ends once it is on the disk.
pub(super) fn synced_copy<'a>(lab: &'a Lab, input: &Input) -> Program<'a> {
    let args = [&format!("if={}", input.name), &format!("of={COPY}"), "bs=1M", "conv=fdatasync"];
    Program {
        dir: &lab.dir,
        path: Path::new(DD),
        args: args.map(Into::into).to_vec(),
        stdout: Path::new(NOWHERE),
        stderr: Path::new(STDERR),
    }
}

/// What adds to the live file. Dropping it kills it.
pub(super) struct Adding(Child);

impl Adding {
    /// Starts to add the input, in writes of 64 KiB, as fast as it goes.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub(super) fn start(lab: &Lab, input: &Input) -> anyhow::Result<Self> {
        let (from, to) = (format!("if={}", input.name), format!("of={LIVE}"));
        let mut command = Command::new(DD);
        command.args([&from, &to, "bs=64K", "oflag=append", "conv=notrunc", "status=none"]);
        let child = command.current_dir(&lab.dir).stdin(Stdio::null()).spawn();
        Ok(Self(child.context(DD)?))
    }

    /// Waits until all is added.
    ///
    /// # Errors
    ///
    /// If it was not.
    pub(super) fn wait(mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.0.wait()?.success(), "`{DD}` failed to add to {LIVE}");
        Ok(())
    }
}

impl Drop for Adding {
    fn drop(&mut self) {
        // Both fail only for one that has been waited for already.
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}
