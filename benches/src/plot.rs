//! Makes the plots and tables of the documentation out of recorded results.
//!
//! The few elements that a chart takes are written by hand: a crate for plotting would be more to configure than they
//! are to write, and so the text of a plot depends on nothing but the numbers in it.

mod axis;
mod bars;
mod curve;
mod frame;
mod page;
mod results;
mod svg;
mod tables;

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::plot::bars::BarChart;
use crate::plot::curve::Curve;
use crate::plot::results::{Case, Figure, Figures, Results};
use crate::say;

const LOGWEIR: &str = "#0072b2";
const CAT: &str = "#9a9a9a";
const TAPE: &str = "#e69f00";

/// Makes SVG plots, and the tables of a page, out of what `--json` has written.
///
/// The same results give the same bytes. What was not measured is not plotted, and said.
#[derive(clap::Args)]
pub(crate) struct PlotArgs {
    /// Files of results. Of what is in several of them, the last one counts.
    #[arg(required = true, value_name = "RESULTS.json")]
    results: Vec<PathBuf>,
    /// Where the plots go.
    #[arg(long, default_value = "docs/performance")]
    dir: PathBuf,
    /// A Markdown file whose tables to write anew, each between `<!-- begin NAME -->` and `<!-- end NAME -->`.
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// Writes the plots, and the tables if there is a page for them.
///
/// # Errors
///
/// If a file cannot be read or written, if the page asks for a table that there is not, or if results are of a run
/// whose output was wrong.
pub(crate) fn run(args: &PlotArgs) -> anyhow::Result<()> {
    let mut results = Results::default();
    for path in &args.results {
        let context = || path.display().to_string();
        results.add(&fs::read_to_string(path).with_context(context)?).with_context(context)?;
    }
    fs::create_dir_all(&args.dir).with_context(|| args.dir.display().to_string())?;
    for (name, plot) in plots(&results) {
        let Some(plot) = plot else {
            say(&format!("{name}: not measured"));
            continue;
        };
        let path = args.dir.join(name);
        fs::write(&path, plot).with_context(|| path.display().to_string())?;
    }
    let Some(path) = &args.page else { return Ok(()) };
    let rewrite = || -> anyhow::Result<()> {
        let page = page::rewrite(&fs::read_to_string(path)?, |name| tables::render(name, &results))?;
        Ok(fs::write(path, page)?)
    };
    rewrite().with_context(|| path.display().to_string())
}

/// Returns all plots by their files' names; nothing in the place of one whose figures were not measured.
fn plots(results: &Results) -> [(&'static str, Option<String>); 3] {
    [("rate.svg", rate(results)), ("cpu.svg", cpu(results)), ("memory.svg", memory(results))]
}

fn rate(results: &Results) -> Option<String> {
    let series: &[Series] = &[
        ("cat", CAT, |figures| &figures.cat_rate),
        ("logweir", LOGWEIR, |figures| &figures.rate),
        ("simd-json's tape, one core", TAPE, |figures| &figures.tape_rate),
    ];
    bars("Rate by workload, file to file", "gigabytes of input a second", &results.cases, series)
}

fn cpu(results: &Results) -> Option<String> {
    let series: &[Series] =
        &[("cat", CAT, |figures| &figures.cat_cpu), ("logweir", LOGWEIR, |figures| &figures.cpu)];
    bars("CPU time by workload, file to file", "CPU seconds a gigabyte of input", &results.cases, series)
}

/// The name of a series, its colour, and which of a case's figures it is of.
type Series = (&'static str, &'static str, fn(&Figures) -> &Figure);

fn bars(title: &str, unit: &str, cases: &[Case], series: &[Series]) -> Option<String> {
    let values = |case: &Case| series.iter().map(|(_, _, of)| of(&case.figures).value).collect();
    let chart = BarChart {
        title,
        unit,
        series: series.iter().map(|&(name, colour, _)| (name, colour)).collect(),
        groups: cases.iter().map(|case| (case.name.as_str(), values(case))).collect(),
    };
    (!cases.is_empty()).then(|| chart.render())
}

fn memory(results: &Results) -> Option<String> {
    let peaks = results.memory();
    let point = |&(n_bytes, figure): &(u64, &Figure)| (n_bytes as f64 / 1e9, figure.value);
    let curve = Curve {
        title: "Peak memory by size of the input, from pipe to pipe",
        unit: "resident, MiB",
        x_unit: "gigabytes of input",
        colour: LOGWEIR,
        points: peaks.iter().map(point).collect(),
        limit: peaks.first().and_then(|(_, figure)| figure.bar?.at_most),
    };
    (!peaks.is_empty()).then(|| curve.render())
}
