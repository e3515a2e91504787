//! How long it takes from nothing to the first byte of output.

use std::io::{Read as _, Write as _, pipe};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use logweir_testkit::generate::{self, Workload};

use super::watchdog::watched;
use super::{Measured, PATIENCE};
use crate::figure::{Bar, Figure, Unit, largest};
use crate::job::FILTER_AND_TRUNCATE;
use crate::lab::Lab;

/// In milliseconds.
const MOST_TIME: Bar = Bar::AtMost(20.0);
const STARTS: usize = 20;
/// Any will do.
const SEED: u64 = 1;

/// Measures from before the start of the process, with one event already in its standard input, which stays open,
/// until the first byte has come out.
///
/// # Errors
///
/// If it cannot be run.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    lab.write_pipeline(&FILTER_AND_TRUNCATE.stdin_to_stdout())?;
    let (event, expected) = event()?;
    let mut wrong = None;
    // The first one, which finds nothing in the caches, is not counted.
    start(lab, &event)?;
    let mut runs = Vec::new();
    for _ in 0..STARTS {
        let (time, written) = start(lab, &event)?;
        runs.push(time.as_secs_f64() * 1e3);
        if written != expected {
            wrong = Some("the event came out wrong".to_owned());
        }
    }
    let slowest = largest(&runs);
    Ok(Measured {
        figures: vec![
            Figure::median("first_output", Unit::Milliseconds, runs).bar(MOST_TIME),
            Figure::new("slowest", Unit::Milliseconds, slowest, vec![slowest]),
        ],
        note: format!("{STARTS} starts, with one event already in standard input"),
        wrong,
    })
}

/// Returns the time until the first byte, and all that was written.
fn start(lab: &Lab, event: &[u8]) -> anyhow::Result<(Duration, Vec<u8>)> {
    let (stdin, mut feed) = pipe()?;
    // It is shorter than the least that a pipe holds.
    feed.write_all(event)?;
    let program = lab.logweir();
    let mut command = Command::new(program.path);
    command.args(program.args).current_dir(program.dir);
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::null());

    let started = Instant::now();
    let mut child = command.spawn().context("logweir")?;
    let mut stdout = child.stdout.take().context("no pipe")?;
    let mut written = vec![0];
    let first = watched(child.id(), PATIENCE, || stdout.read_exact(&mut written));
    let time = started.elapsed();

    drop(feed);
    first.context("nothing came out")?;
    stdout.read_to_end(&mut written)?;
    anyhow::ensure!(child.wait()?.success(), "logweir failed");
    Ok((time, written))
}

/// Returns an event that is not dropped, and what must come out for it.
pub(super) fn event() -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let mut event = Vec::new();
    generate::write(Workload::Small, SEED, 1, &mut event)?;
    let expected = FILTER_AND_TRUNCATE.oracle().run(&event).output;
    anyhow::ensure!(!expected.is_empty(), "the first event of the workload is dropped");
    Ok((event, expected))
}
