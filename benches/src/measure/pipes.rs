//! How much goes from standard input to standard output through pipes.

use std::path::Path;

use logweir_testkit::generate::Workload;

use super::Measured;
use crate::figure::{Bar, Figure, Unit};
use crate::job::FILTER_AND_TRUNCATE;
use crate::lab::{Lab, OUTPUT};
use crate::race::{cpu_costs, rates, wall_ratio};
use crate::stopwatch::Program;

/// Input, in gigabytes a second.
const LEAST_RATE: Bar = Bar::AtLeast(1.0);

/// Measures `cat input | logweir | cat`, and the same with a third `cat` in the middle.
///
/// # Errors
///
/// If something cannot be run.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    let input = lab.input(Workload::Mix)?;
    let feed = [Path::new(&input.name)];
    lab.write_pipeline(&FILTER_AND_TRUNCATE.stdin_to_stdout())?;

    // One round that is not measured, in which the output is kept.
    lab.clear()?;
    Program { stdout: Path::new(OUTPUT), ..lab.logweir() }.measure_in_pipes(&feed)?;
    let wrong = lab.wrong(&FILTER_AND_TRUNCATE, &input);
    lab.clear()?;
    let cat_between = || Program { args: Vec::new(), stdout: lab.logweir().stdout, ..lab.cat(&input) };
    cat_between().measure_in_pipes(&feed)?;

    let (mut cat, mut logweir) = (Vec::new(), Vec::new());
    for _ in 0..lab.runs {
        cat.push(cat_between().measure_in_pipes(&feed)?);
        logweir.push(lab.logweir().measure_in_pipes(&feed)?);
    }
    let rate = |name, taken| Figure::median(name, Unit::GigabytesPerSecond, rates(taken, input.n_bytes));
    Ok(Measured {
        figures: vec![
            rate("rate", &logweir).bar(LEAST_RATE),
            rate("cat_rate", &cat),
            wall_ratio("wall_over_cat", &logweir, &cat),
            Figure::median("cpu", Unit::SecondsPerGigabyte, cpu_costs(&logweir, input.n_bytes)),
        ],
        note: "`cat mix | logweir | cat` against `cat mix | cat | cat`; CPU is that of logweir alone"
            .to_owned(),
        wrong,
    })
}
