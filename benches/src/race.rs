//! The main table's rows: runs the programs in turn, so that what changes on the machine meanwhile changes all.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::case::{Bars, Case};
use crate::figure::{Bar, Figure, Unit, median};
use crate::job::Ack;
use crate::lab::{Lab, OUTPUT};
use crate::stopwatch::Taken;
use crate::tape;

/// What the programs took, run by run.
#[derive(Serialize)]
pub(crate) struct Race {
    pub(crate) name: &'static str,
    /// The events that were read.
    workload: String,
    /// How many.
    pub(crate) n_events: u64,
    /// Size of the input.
    n_bytes_in: u64,
    /// Size of what logweir wrote.
    n_bytes_out: u64,
    /// What is wrong with what it wrote.
    pub(crate) wrong: Option<String>,
    pub(crate) figures: Figures,
    cat: Vec<Taken>,
    logweir: Vec<Taken>,
    /// Lines that simd-json refused, by reason.
    pub(crate) refused: BTreeMap<String, u64>,
}

/// What comes of it.
#[derive(Serialize)]
pub(crate) struct Figures {
    /// The ratio of the medians; run by run, that of a run to the one of `cat` before it.
    pub(crate) wall_over_cat: Figure,
    pub(crate) rate: Figure,
    pub(crate) cat_rate: Figure,
    pub(crate) cpu: Figure,
    pub(crate) cat_cpu: Figure,
    /// The largest of all runs.
    pub(crate) peak_rss: Figure,
    pub(crate) tape_rate: Figure,
}

impl Race {
    /// Runs all of them in turn, after one round that is not measured, and checks the output of the last run.
    ///
    /// # Errors
    ///
    /// If something cannot be run. That the output is wrong is no error but part of what is returned.
    pub(crate) fn run(lab: &Lab, case: &'static Case) -> anyhow::Result<Self> {
        let input = lab.input(case.workload)?;
        lab.write_pipeline(&case.job.file_to_file(&input.name, OUTPUT, Ack::AsUnasked))?;
        let measure_cat = || -> anyhow::Result<Taken> {
            lab.make_ready(&input)?;
            lab.cat(&input).measure()
        };
        let measure_logweir = || -> anyhow::Result<Taken> {
            lab.make_ready(&input)?;
            lab.logweir().measure()
        };
        measure_cat()?;
        measure_logweir()?;
        let (mut cat, mut logweir, mut tape_rates) = (Vec::new(), Vec::new(), Vec::new());
        let mut refused = BTreeMap::new();
        for _ in 0..lab.runs {
            cat.push(measure_cat()?);
            logweir.push(measure_logweir()?);
            let taped = tape::measure(&input.path)?;
            tape_rates.push(taped.rate() / 1e9);
            refused = taped.refused;
        }
        let summary = lab.summary()?;
        let wrong = lab.wrong(case.job, &input);
        lab.clear()?;
        Ok(Self {
            name: case.name,
            workload: format!("{:?}", case.workload).to_lowercase(),
            n_events: summary.read,
            n_bytes_in: input.n_bytes,
            n_bytes_out: summary.bytes_out,
            wrong,
            figures: Figures::new(case.bars, input.n_bytes, &cat, &logweir, tape_rates),
            cat,
            logweir,
            refused,
        })
    }
}

impl Figures {
    fn new(bars: Bars, n_bytes: u64, cat: &[Taken], logweir: &[Taken], tape_rates: Vec<f64>) -> Self {
        let rate = |name, taken| Figure::median(name, Unit::GigabytesPerSecond, rates(taken, n_bytes));
        let cpu = |name, taken| Figure::median(name, Unit::SecondsPerGigabyte, cpu_costs(taken, n_bytes));
        Self {
            wall_over_cat: wall_ratio("wall_over_cat", logweir, cat).bar(bars.wall_over_cat.map(Bar::AtMost)),
            rate: rate("rate", logweir).bar(bars.rate.map(Bar::AtLeast)),
            cat_rate: rate("cat_rate", cat),
            cpu: cpu("cpu", logweir).bar(bars.cpu.map(Bar::AtMost)),
            cat_cpu: cpu("cat_cpu", cat),
            peak_rss: Figure::largest("peak_rss", Unit::Mebibytes, peaks(logweir)),
            tape_rate: Figure::median("tape_rate", Unit::GigabytesPerSecond, tape_rates),
        }
    }

    /// Returns all that have a bar.
    pub(crate) fn with_bar(&self) -> Vec<&Figure> {
        [&self.wall_over_cat, &self.rate, &self.cpu]
            .into_iter()
            .filter(|figure| figure.bar.is_some())
            .collect()
    }
}

/// Returns how many times as long the first took as the second: the ratio of the medians, and those run by run.
pub(crate) fn wall_ratio(name: &'static str, first: &[Taken], second: &[Taken]) -> Figure {
    let (first, second) = (walls(first), walls(second));
    let pairs = first.iter().zip(&second).map(|(first, second)| first / second).collect();
    Figure::new(name, Unit::Times, median(&first) / median(&second), pairs)
}

/// Returns gigabytes a second, run by run.
pub(crate) fn rates(taken: &[Taken], n_bytes: u64) -> Vec<f64> {
    walls(taken).iter().map(|wall| n_bytes as f64 / 1e9 / wall).collect()
}

/// Returns CPU seconds a gigabyte, run by run.
pub(crate) fn cpu_costs(taken: &[Taken], n_bytes: u64) -> Vec<f64> {
    taken.iter().map(|taken| taken.cpu.as_secs_f64() / (n_bytes as f64 / 1e9)).collect()
}

/// Returns peaks of memory in MiB, run by run.
pub(crate) fn peaks(taken: &[Taken]) -> Vec<f64> {
    taken.iter().map(|taken| taken.peak_rss_bytes as f64 / f64::from(1 << 20)).collect()
}

fn walls(taken: &[Taken]) -> Vec<f64> {
    taken.iter().map(|taken| taken.wall.as_secs_f64()).collect()
}
