//! The tables.

use std::fmt::{self, Display, Write as _};

use crate::figure::{Figure, largest, median, smallest};
use crate::race::Race;
use crate::report::{Named, Report};

/// Returns the tables as Markdown, with the machine before and after, and the command.
pub(crate) fn render(report: &Report) -> String {
    let mut out = String::new();
    write_all(&mut out, report).expect("a string takes everything");
    out
}

fn write_all(out: &mut String, report: &Report) -> fmt::Result {
    let machine = &report.machine;
    writeln!(out, "`{}`\n", report.command)?;
    writeln!(
        out,
        "- {}, {} cores, {}; {}; commit {}",
        machine.cpu, machine.n_cores, machine.kernel, machine.rustc, machine.commit
    )?;
    writeln!(out, "- load {} before, {} after", machine.load, report.load_after)?;
    writeln!(
        out,
        "- inputs of {:.3} GB; medians of {} alternating runs\n",
        report.n_bytes as f64 / 1e9,
        report.runs
    )?;
    if !report.cases.is_empty() {
        write_cases(out, &report.cases)?;
    }
    if !report.measurements.is_empty() {
        write_measurements(out, &report.measurements)?;
    }
    for (name, wrong) in report.wrong() {
        writeln!(out, "**{name} is WRONG**: {wrong}\n")?;
    }
    Ok(())
}

fn write_cases(out: &mut String, races: &[Race]) -> fmt::Result {
    writeln!(
        out,
        "| workload | events | wall / cat | of pairs (min–max) | rate, GB/s | cat, GB/s | CPU, s/GB | cat CPU, s/GB \
         | peak RSS, MiB | simd-json tape, GB/s a core | bar | |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|---|")?;
    for race in races {
        write_case(out, race)?;
    }
    for race in races.iter().filter(|race| !race.refused.is_empty()) {
        let refused: Vec<_> = race.refused.iter().map(|(reason, n)| format!("{n} `{reason}`")).collect();
        write!(out, "\nsimd-json refuses of {}: {}. ", race.name, refused.join(", "))?;
        writeln!(out, "They are legal, and not in its rate.")?;
    }
    writeln!(out)
}

fn write_case(out: &mut String, race: &Race) -> fmt::Result {
    let figures = &race.figures;
    let barred = figures.with_bar();
    writeln!(
        out,
        "| {} | {} | {} | {} | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {:.2} | {} | {} |",
        race.name,
        race.n_events,
        figures.wall_over_cat.shown(),
        spread(&figures.wall_over_cat),
        figures.rate.value,
        figures.cat_rate.value,
        figures.cpu.value,
        figures.cat_cpu.value,
        figures.peak_rss.value,
        figures.tape_rate.value,
        joined(barred.iter().map(|figure| bar(figure))),
        verdict(&barred),
    )
}

fn write_measurements(out: &mut String, measurements: &[Named]) -> fmt::Result {
    writeln!(out, "| | figure | is | of runs (min–max) | bar | |")?;
    writeln!(out, "|---|---|--:|--:|---|---|")?;
    for Named { name, measured } in measurements {
        for figure in &measured.figures {
            let mut what = figure.name.replace('_', " ");
            if let Some(n_bytes) = figure.n_bytes_in {
                write!(what, " of {:.2} GB", n_bytes as f64 / 1e9)?;
            }
            let spread = if figure.runs.len() > 1 { spread(figure) } else { String::new() };
            let (is, bar, verdict) = (figure.shown(), bar(figure), verdict(&[figure]));
            writeln!(out, "| {name} | {what} | {is} | {spread} | {bar} | {verdict} |")?;
        }
        if measured.figures.is_empty() {
            writeln!(out, "| {name} | not measured | | | | |")?;
        }
    }
    writeln!(out)?;
    for Named { name, measured } in measurements {
        writeln!(out, "- {name}: {}", measured.note)?;
    }
    writeln!(out)
}

/// Returns the median of the runs and between what they lie.
fn spread(figure: &Figure) -> String {
    let (runs, n) = (&figure.runs, figure.unit.n_decimals());
    format!("{:.n$} ({:.n$}–{:.n$})", median(runs), smallest(runs), largest(runs))
}

fn bar(figure: &Figure) -> String {
    figure.bar.map_or_else(String::new, |bar| format!("{bar} {}", figure.unit))
}

/// Returns whether the bars are met; if only some are, which are not.
fn verdict(figures: &[&Figure]) -> String {
    let mut barred = figures.iter().filter(|figure| figure.met.is_some()).peekable();
    if barred.peek().is_none() {
        return String::new();
    }
    let missed: Vec<_> = barred.filter(|figure| figure.met == Some(false)).collect();
    match missed.len() {
        0 => "met".to_owned(),
        n if n == figures.len() => "**missed**".to_owned(),
        _ => format!("**missed**: {}", joined(missed.iter().map(|figure| figure.shown()))),
    }
}

fn joined(parts: impl Iterator<Item = impl Display>) -> String {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Bar, Unit};

    #[test]
    fn a_verdict_names_what_is_missed_if_something_else_is_met() {
        let wall = |value| Figure::median("wall_over_cat", Unit::Times, vec![value]).bar(Bar::AtMost(1.8));
        let cpu = Figure::median("cpu", Unit::SecondsPerGigabyte, vec![0.9]).bar(Bar::AtMost(1.0));
        assert_eq!(bar(&cpu), "≤ 1 s/GB");
        assert_eq!(verdict(&[&wall(1.7), &cpu]), "met");
        assert_eq!(verdict(&[&wall(1.9), &cpu]), "**missed**: 1.90 ×");
        assert_eq!(verdict(&[&wall(1.9)]), "**missed**");
        assert_eq!(verdict(&[&Figure::median("cpu", Unit::Percent, vec![0.9])]), "");
    }

    #[test]
    fn a_spread_is_the_median_and_the_extremes() {
        let figure = Figure::new("f", Unit::Times, 9.0, vec![3.0, 1.0, 2.5]);
        assert_eq!(spread(&figure), "2.50 (1.00–3.00)");
    }
}
