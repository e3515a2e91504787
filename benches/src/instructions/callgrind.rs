//! Runs this binary's lane under callgrind.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::Context as _;

/// Which functions count; `lane.rs` has the one that this means.
const COUNTED: &str = "*take_a_chunk_through_the_lane*";

/// What came of one run.
pub(crate) struct Counted {
    /// Instructions of the counted function and all it called.
    pub(crate) instructions: u64,
    /// What the lane wrote.
    pub(crate) output: Vec<u8>,
}

/// Counts the instructions that the lane takes for `input`, and leaves the profile at `profile`.
///
/// # Errors
///
/// If the run fails, or nothing was counted.
pub(crate) fn count(input: &[u8], profile: &Path) -> anyhow::Result<Counted> {
    let mut out_file = OsString::from("--callgrind-out-file=");
    out_file.push(profile);
    let mut child = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(out_file)
        .arg(std::env::current_exe()?)
        .arg("lane")
        // From some size on the C library copies with `rep movsb`, for which callgrind counts an instruction a byte
        // where any other copy takes one for some 32: `heavy` had 17 % more instructions, and no more work.
        .env("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-ERMS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .context("valgrind, which has to be installed")?;
    let mut stdin = child.stdin.take().context("the pipe was asked for")?;
    let (fed, output) = thread::scope(|scope| {
        // Its end is the end of the input.
        let feed = scope.spawn(move || stdin.write_all(input));
        let output = child.wait_with_output();
        (feed.join().expect("writing does not panic"), output)
    });
    let output = output?;
    anyhow::ensure!(output.status.success(), "valgrind: {}", output.status);
    fed?;
    let text = fs::read_to_string(profile).with_context(|| profile.display().to_string())?;
    let instructions = total(&text).context("the profile has no total")?;
    anyhow::ensure!(instructions > 0, "nothing was counted: no function is called {COUNTED}");
    Ok(Counted { instructions, output: output.stdout })
}

/// Returns the total of a profile.
fn total(profile: &str) -> Option<u64> {
    let total = profile.lines().find_map(|line| line.strip_prefix("totals: "))?;
    total.trim().parse().ok()
}
