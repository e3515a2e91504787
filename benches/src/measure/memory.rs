//! Whether memory stays the same however much goes through.

use std::path::Path;

use logweir_testkit::generate::Workload;

use super::Measured;
use crate::figure::{Bar, Figure, Unit, largest};
use crate::input::{self, Input};
use crate::job::FILTER_AND_TRUNCATE;
use crate::lab::Lab;
use crate::race::peaks;
use crate::stopwatch::Taken;
use crate::summary::Summary;

/// In MiB.
const MOST_MEMORY: Bar = Bar::AtMost(48.0);
/// In MiB, from the smallest input to a hundred times as much: more than two runs of the same differ by, and less than a
/// byte for each event of 10 GB.
const MOST_GROWTH: Bar = Bar::AtMost(4.0);
/// Rounds, of which there need not be more: memory is not what noise changes.
const MAX_ROUNDS: usize = 3;
/// How often the input is fed to make the largest one.
const MANY: usize = 10;

/// Measures the peak of the memory with a tenth of the input, with all of it, and with ten times as much, from
/// standard input to standard output.
///
/// # Errors
///
/// If something cannot be run.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    let tenth = input::make(Workload::Mix, lab.n_bytes / 10, &lab.dir)?;
    let whole = lab.input(Workload::Mix)?;
    lab.write_pipeline(&FILTER_AND_TRUNCATE.stdin_to_stdout())?;

    let (mut small, mut middle, mut large) = (Vec::new(), Vec::new(), Vec::new());
    let mut wrong = None;
    for _ in 0..lab.runs.min(MAX_ROUNDS) {
        small.push(run(lab, &tenth, 1)?.0);
        let (taken, once) = run(lab, &whole, 1)?;
        middle.push(taken);
        let (taken, many_times) = run(lab, &whole, MANY)?;
        large.push(taken);
        wrong = wrong.or_else(|| differ(&once, &many_times));
    }
    let peak = |taken, n_bytes| {
        Figure::largest("peak_rss", Unit::Mebibytes, peaks(taken)).bar(MOST_MEMORY).of_input(n_bytes)
    };
    let growth = peaks(&small).iter().zip(&peaks(&large)).map(|(small, large)| large - small).collect();
    let growth_of_largest = largest(&peaks(&large)) - largest(&peaks(&small));
    Ok(Measured {
        figures: vec![
            peak(&small, tenth.n_bytes),
            peak(&middle, whole.n_bytes),
            peak(&large, whole.n_bytes * MANY as u64),
            Figure::new("growth", Unit::Mebibytes, growth_of_largest, growth).bar(MOST_GROWTH),
        ],
        note: "the job of `mix` through pipes; the largest of all runs".to_owned(),
        wrong,
    })
}

/// Runs the pipeline with the input so many times over.
fn run(lab: &Lab, input: &Input, times: usize) -> anyhow::Result<(Taken, Summary)> {
    let taken = lab.logweir().measure_in_pipes(&vec![Path::new(&input.name); times])?;
    Ok((taken, lab.summary()?))
}

/// Returns what is wrong if ten times the input is not ten times the events.
fn differ(once: &Summary, many_times: &Summary) -> Option<String> {
    let of = |summary: &Summary| {
        [summary.read, summary.written, summary.filtered, summary.truncated, summary.bytes_out]
    };
    let (once, many_times) = (of(once), of(many_times));
    let is_right = once[0] > 0 && once.map(|n| n * MANY as u64) == many_times;
    (!is_right).then(|| format!("{MANY} times the input gave {many_times:?}, not {MANY} times {once:?}"))
}
