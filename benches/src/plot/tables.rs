//! The tables of the page.

use std::fmt::{self, Write as _};

use super::results::{Case, Figure, Results};
use crate::figure::{largest, smallest};

const SECONDS_A_DAY: f64 = 86_400.0;
/// The row of `growth` that the others are compared with.
const LEAST: &str = "no_stages";
/// In the place of what the results do not hold.
const NOT_MEASURED: &str = "Not measured.\n";

/// Returns the table of that name as Markdown.
///
/// # Errors
///
/// If there is no such table.
pub(super) fn render(name: &str, results: &Results) -> anyhow::Result<String> {
    let write: fn(&mut String, &Results) -> fmt::Result = match name {
        "machine" => machine,
        "rate" => rate,
        "cost" => cost,
        "growth" => growth,
        "memory" => memory,
        "rest" => rest,
        _ => anyhow::bail!("there is no table `{name}`"),
    };
    let mut out = String::new();
    write(&mut out, results).expect("a string takes everything");
    Ok(if out.is_empty() { NOT_MEASURED.to_owned() } else { out })
}

/// Which machine, which commit, which command.
fn machine(out: &mut String, results: &Results) -> fmt::Result {
    for call in &results.calls {
        let machine = &call.machine;
        writeln!(
            out,
            "- `{}`: {}, {} cores, {}; {}; commit {}; load {} before, {} after; inputs of {:.3} GB; medians of {} runs",
            call.command,
            machine.cpu,
            machine.n_cores,
            machine.kernel,
            machine.rustc,
            machine.commit,
            machine.load,
            call.load_after,
            call.n_bytes as f64 / 1e9,
            call.runs
        )?;
    }
    Ok(())
}

fn rate(out: &mut String, results: &Results) -> fmt::Result {
    if results.cases.is_empty() {
        return Ok(());
    }
    let tape = "simd-json's tape, GB/s a core";
    head(out, 1, &["workload", "logweir, GB/s", "`cat`, GB/s", "time / that of `cat`", tape])?;
    for Case { name, figures, .. } in &results.cases {
        writeln!(
            out,
            "| `{name}` | {:.2} | {:.2} | {:.2} × | {:.2} |",
            figures.rate.value, figures.cat_rate.value, figures.wall_over_cat.value, figures.tape_rate.value
        )?;
    }
    Ok(())
}

fn cost(out: &mut String, results: &Results) -> fmt::Result {
    if results.cases.is_empty() {
        return Ok(());
    }
    let of_a_gigabyte = ["workload", "bytes an event", "CPU, s/GB", "CPU of `cat`, s/GB"];
    let of_a_core = ["CPU, µs an event", "GB a day and core", "events a second and core"];
    head(out, 1, &[&of_a_gigabyte[..], &of_a_core].concat())?;
    for Case { name, figures, n_events, n_bytes_in, .. } in &results.cases {
        let (n_events, n_bytes, cpu) = (*n_events as f64, *n_bytes_in as f64, figures.cpu.value);
        let seconds = cpu * n_bytes / 1e9;
        writeln!(
            out,
            "| `{name}` | {} | {cpu:.2} | {:.2} | {:.2} | {} | {} |",
            rounded(n_bytes / n_events),
            figures.cat_cpu.value,
            seconds / n_events * 1e6,
            rounded(SECONDS_A_DAY / cpu),
            rounded(n_events / seconds)
        )?;
    }
    Ok(())
}

fn growth(out: &mut String, results: &Results) -> fmt::Result {
    let Some(growth) = results.measurement("growth") else { return Ok(()) };
    let least = growth.figures.iter().find(|figure| figure.name == LEAST);
    head(out, 1, &["asked for", "is", "of runs (min–max)", "against no stages"])?;
    for figure in &growth.figures {
        let ratio = least
            .filter(|least| least.unit == figure.unit)
            .map(|least| format!("{:.2} ×", figure.value / least.value));
        let (name, ratio) = (shown_name(figure), ratio.unwrap_or_default());
        writeln!(out, "| {name} | {} | {} | {ratio} |", shown(figure), spread(figure))?;
    }
    Ok(())
}

fn memory(out: &mut String, results: &Results) -> fmt::Result {
    let peaks = results.memory();
    if peaks.is_empty() {
        return Ok(());
    }
    head(out, 0, &["input, GB", "peak, MiB"])?;
    for (n_bytes, figure) in peaks {
        writeln!(out, "| {:.2} | {:.1} |", n_bytes as f64 / 1e9, figure.value)?;
    }
    Ok(())
}

/// All else that was measured.
fn rest(out: &mut String, results: &Results) -> fmt::Result {
    let others =
        || results.measurements.iter().filter(|other| !["growth", "memory"].contains(&other.name.as_str()));
    if others().next().is_none() {
        return Ok(());
    }
    head(out, 2, &["", "figure", "is", "of runs (min–max)"])?;
    for other in others() {
        if other.figures.is_empty() {
            writeln!(out, "| {} | not measured: {} | | |", other.name, other.note)?;
        }
        for figure in &other.figures {
            let (name, shown, spread) = (shown_name(figure), shown(figure), spread(figure));
            writeln!(out, "| {} | {name} | {shown} | {spread} |", other.name)?;
        }
    }
    Ok(())
}

/// Writes the first two lines of a table, whose first columns are `n_texts` texts; the others are numbers.
fn head(out: &mut String, n_texts: usize, names: &[&str]) -> fmt::Result {
    let numbers = "--:|".repeat(names.len() - n_texts);
    writeln!(out, "| {} |\n|{}{numbers}", names.join(" | "), "---|".repeat(n_texts))
}

fn shown_name(figure: &Figure) -> String {
    figure.name.replace('_', " ")
}

fn shown(figure: &Figure) -> String {
    let unit = if figure.unit == "x" { "×" } else { &figure.unit };
    format!("{:.*} {unit}", n_decimals(figure), figure.value)
}

/// Returns between what the runs lie, if there are several.
fn spread(figure: &Figure) -> String {
    if figure.runs.len() < 2 {
        return String::new();
    }
    format!("{:.n$}–{:.n$}", smallest(&figure.runs), largest(&figure.runs), n = n_decimals(figure))
}

fn n_decimals(figure: &Figure) -> usize {
    match figure.unit.as_str() {
        "MB/s" => 0,
        "%" => 3,
        _ => 2,
    }
}

/// Returns three digits of a number, with commas where it has more than three.
fn rounded(value: f64) -> String {
    let magnitude = value.abs().log10().floor();
    if !magnitude.is_finite() || magnitude < 2.0 {
        return format!("{value:.1}");
    }
    let unit = 10_f64.powf(magnitude - 2.0);
    let digits = format!("{:.0}", (value / unit).round() * unit);
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_are_shown_with_commas() {
        assert_eq!(
            [1525.7, 84_705.9, 642_570.0, 999_600.0].map(rounded),
            ["1,530", "84,700", "643,000", "1,000,000"]
        );
        assert_eq!([352.4, 12.34, 0.0].map(rounded), ["352", "12.3", "0.0"]);
    }

    #[test]
    fn what_the_results_do_not_hold_is_said_and_an_unknown_table_is_an_error() {
        for name in ["machine", "rate", "cost", "growth", "memory", "rest"] {
            assert_eq!(render(name, &Results::default()).unwrap(), NOT_MEASURED, "{name}");
        }
        assert!(render("speed", &Results::default()).is_err());
    }
}
