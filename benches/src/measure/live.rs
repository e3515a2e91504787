//! A run that is watched from outside: all that it writes may be there long before it ends, or it may never end by
//! itself.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use logweir_testkit::process::{Signal, send_signal};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use wait4::Wait4 as _;

use super::PATIENCE;
use super::clock::wait_until;
use super::watchdog::watched;
use crate::lab::{Lab, OUTPUT};
use crate::stopwatch::{Program, Taken};

/// Short beside whatever is measured so, long enough not to take a core from it.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A run of the pipeline. Dropping it kills it.
pub(super) struct Live {
    child: Child,
    /// Whether it has been waited for: its number may be another's then.
    is_reaped: bool,
    started: Instant,
    output: PathBuf,
    stderr: PathBuf,
    /// How long it may do nothing.
    patience: Duration,
}

impl Live {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub(super) fn start(lab: &Lab) -> anyhow::Result<Self> {
        let Program { dir, path, args, stdout, stderr } = lab.logweir();
        let (output, stderr) = (dir.join(OUTPUT), dir.join(stderr));
        let mut command = Command::new(path);
        command.args(args).current_dir(dir).stdin(Stdio::null());
        command.stdout(File::create(dir.join(stdout))?).stderr(File::create(&stderr)?);
        let started = Instant::now();
        let child = command.spawn().with_context(|| path.display().to_string())?;
        Ok(Self { child, is_reaped: false, started, output, stderr, patience: PATIENCE })
    }

    /// Returns its process id.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns when it was started.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Waits until its output is at least so long; returns when that was seen.
    ///
    /// # Errors
    ///
    /// If it ends before, or does not write for long.
    pub(super) fn wait_for_output(&self, n_bytes: u64) -> anyhow::Result<Instant> {
        let (mut n_before, mut grown) = (0, Instant::now());
        self.wait_for("all of its output", || {
            // It may not have made the file yet.
            let n_there = fs::metadata(&self.output).map_or(0, |metadata| metadata.len());
            let now = Instant::now();
            if n_there > n_before {
                (n_before, grown) = (n_there, now);
            }
            anyhow::ensure!(
                now < grown + self.patience,
                "only {n_there} of {n_bytes} bytes have come out, and none for {:?}",
                self.patience
            );
            Ok((n_there >= n_bytes).then_some(now))
        })
    }

    /// Looks again and again until there is something; the look itself says when it has been too long.
    ///
    /// # Errors
    ///
    /// That of the look, or if the process ends without anything to see.
    pub(super) fn wait_for<T>(
        &self,
        what: &str,
        mut look: impl FnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        loop {
            // First this, so that what it did last is seen.
            let has_ended = self.has_ended();
            if let Some(seen) = look()? {
                return Ok(seen);
            }
            anyhow::ensure!(!has_ended, "it ended before {what} was there: {}", self.stderr_text());
            wait_until(Instant::now() + LOOK_EVERY);
        }
    }

    /// Tells it to stop, and does what [`end`](Self::end) does.
    ///
    /// # Errors
    ///
    /// Likewise.
    pub(super) fn stop(self, out_at: Instant) -> anyhow::Result<Taken> {
        // Until it has been waited for, the number is its own.
        send_signal(self.pid(), Signal::TERM);
        self.end(out_at)
    }

    /// Waits until it ends; returns what it took, on the clock from its start until `out_at`. The peak of its memory is
    /// that of the bench, if this is larger.
    ///
    /// # Errors
    ///
    /// If it fails or does not end, with what it wrote to standard error.
    pub(super) fn end(mut self, out_at: Instant) -> anyhow::Result<Taken> {
        let (pid, patience) = (self.pid(), self.patience);
        let ended = watched(pid, patience, || self.child.wait4())?;
        self.is_reaped = true;
        anyhow::ensure!(ended.status.success(), "{}\n{}", ended.status, self.stderr_text());
        Ok(Taken {
            wall: out_at.saturating_duration_since(self.started),
            cpu: ended.rusage.utime + ended.rusage.stime,
            peak_rss_bytes: ended.rusage.maxrss,
        })
    }

    /// Returns whether it has ended, and leaves it to be waited for.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| waitid(WaitId::Pid(pid), options).is_ok_and(|status| status.is_some()))
    }

    fn stderr_text(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if !self.is_reaped {
            // Both fail only for one that has been waited for already.
            let _gone = self.child.kill();
            let _gone = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use logweir_testkit::scratch::Scratch;

    use super::*;

    /// Starts a line of shell in logweir's place.
    fn start(scratch: &Scratch, script: &str) -> Live {
        let logweir = scratch.write("logweir", format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&logweir, Permissions::from_mode(0o755)).unwrap();
        let dir = scratch.dir().to_owned();
        Live::start(&Lab { logweir, dir, n_bytes: 0, runs: 1, is_short: true }).unwrap()
    }

    #[test]
    fn output_counts_when_it_is_there_and_not_when_the_program_ends() {
        let scratch = Scratch::new();
        let script = "trap 'exit 0' TERM; printf 12345 > output.ndjson; while :; do sleep 0.01; done";
        let live = start(&scratch, script);
        let out_at = live.wait_for_output(5).unwrap();
        let wall = out_at - live.started();
        let taken = live.stop(out_at).unwrap();
        assert!(taken.wall == wall && taken.cpu > Duration::ZERO);
    }

    #[test]
    fn what_a_program_wrote_before_it_ended_by_itself_is_seen() {
        let scratch = Scratch::new();
        let live = start(&scratch, "printf 12345 > output.ndjson");
        while !live.has_ended() {}
        let out_at = live.wait_for_output(5).unwrap();
        live.end(out_at).unwrap();
    }

    #[test]
    fn a_program_that_ends_too_early_or_fails_is_an_error_with_what_it_said() {
        let scratch = Scratch::new();
        let live = start(&scratch, "printf 1234 > output.ndjson; echo 'no such luck' >&2; exit 2");
        let error = live.wait_for_output(5).unwrap_err().to_string();
        assert!(error.contains("no such luck"), "{error}");
        let error = live.end(Instant::now()).err().unwrap().to_string();
        assert!(error.contains("no such luck"), "{error}");
    }

    #[test]
    fn a_program_that_does_not_write_all_is_an_error_and_so_is_one_that_does_not_end() {
        let scratch = Scratch::new();
        let mut live = start(&scratch, "printf 1234 > output.ndjson; exec sleep 1000");
        live.wait_for_output(4).unwrap();
        live.patience = Duration::from_millis(20);
        let error = live.wait_for_output(5).unwrap_err().to_string();
        assert!(error.contains("only 4 of 5 bytes"), "{error}");
        assert!(live.end(Instant::now()).is_err());
    }
}
