//! The table.

use std::fmt::{self, Write as _};
use std::time::Duration;

use crate::machine::Machine;
use crate::race::Race;
use crate::stopwatch::Taken;

/// Returns the table as Markdown, with the machine before and after, and the command.
pub(crate) fn render(before: &Machine, after: &Machine, bytes: u64, runs: usize, races: &[Race]) -> String {
    let mut out = String::new();
    write_all(&mut out, before, after, bytes, runs, races).expect("a string takes everything");
    out
}

fn write_all(
    out: &mut String,
    before: &Machine,
    after: &Machine,
    bytes: u64,
    runs: usize,
    races: &[Race],
) -> fmt::Result {
    let Machine { cpu, n_cores, kernel, rustc, commit, load } = before;
    writeln!(out, "`{}`\n", command())?;
    writeln!(out, "- {cpu}, {n_cores} cores, {kernel}; {rustc}; commit {commit}")?;
    writeln!(out, "- load {load} before, {} after", after.load)?;
    writeln!(out, "- inputs of {:.3} GB; medians of {runs} alternating runs\n", bytes as f64 / 1e9)?;
    writeln!(
        out,
        "| workload | events | wall / cat | of pairs (min–max) | rate, GB/s | cat, GB/s | CPU, s/GB | cat CPU, s/GB \
         | peak RSS, MiB | simd-json tape, GB/s a core |"
    )?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
    for race in races {
        write_row(out, race)?;
    }
    for race in races.iter().filter(|race| !race.refused.is_empty()) {
        let refused: Vec<_> = race.refused.iter().map(|(reason, n)| format!("{n} `{reason}`")).collect();
        write!(out, "\nsimd-json refuses of {}: {}. ", race.case.name, refused.join(", "))?;
        writeln!(out, "They are legal, and not in its rate.")?;
    }
    writeln!(out)
}

fn write_row(out: &mut String, race: &Race) -> fmt::Result {
    let gigabytes = race.n_bytes as f64 / 1e9;
    let wall = |taken: &[Taken]| seconds(taken, |taken| taken.wall);
    let cpu = |taken: &[Taken]| seconds(taken, |taken| taken.cpu);
    let (cat, logweir) = (wall(&race.cat), wall(&race.logweir));
    let pairs: Vec<f64> = logweir.iter().zip(&cat).map(|(logweir, cat)| logweir / cat).collect();
    let peak_rss_bytes = race.logweir.iter().map(|taken| taken.peak_rss_bytes).max().unwrap_or_default();
    writeln!(
        out,
        "| {} | {} | {:.2} × | {:.2} ({:.2}–{:.2}) | {:.2} | {:.2} | {:.2} | {:.2} | {:.1} | {:.2} |",
        race.case.name,
        race.summary.read,
        median(&logweir) / median(&cat),
        median(&pairs),
        pairs.iter().copied().fold(f64::INFINITY, f64::min),
        pairs.iter().copied().fold(0.0, f64::max),
        gigabytes / median(&logweir),
        gigabytes / median(&cat),
        median(&cpu(&race.logweir)) / gigabytes,
        median(&cpu(&race.cat)) / gigabytes,
        peak_rss_bytes as f64 / f64::from(1 << 20),
        median(&race.tape_rates) / 1e9,
    )
}

fn seconds(taken: &[Taken], of: fn(&Taken) -> Duration) -> Vec<f64> {
    taken.iter().map(|taken| of(taken).as_secs_f64()).collect()
}

/// Returns the middle one, or the mean of the two in the middle; NaN if there is none.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.get(middle) {
        None => f64::NAN,
        Some(&upper) if sorted.len() % 2 == 1 => upper,
        Some(&upper) => f64::midpoint(sorted[middle - 1], upper),
    }
}

/// Returns the command as it was given, without the directories of this machine before the program's name.
fn command() -> String {
    let mut command = "bench".to_owned();
    for arg in std::env::args().skip(1) {
        command.push(' ');
        command.push_str(&arg);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]).to_string(), "2");
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]).to_string(), "2.5");
        assert!(median(&[]).is_nan());
    }
}
