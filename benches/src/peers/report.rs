//! The table, and the same for machines.

use std::fmt::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::compare::Verdict;
use super::peer::Peer;
use crate::figure::median;
use crate::machine::Machine;
use crate::stopwatch::Taken;

/// What became of a peer.
pub(super) enum State {
    /// It ran, or is to run; where it is.
    Ran(PathBuf),
    /// It is not on PATH.
    Absent,
    /// It could not be started, or failed, or was ended because it did not end.
    Failed(String),
}

/// A peer and its runs.
pub(super) struct Row {
    pub(super) peer: &'static Peer,
    pub(super) state: State,
    pub(super) version: Option<String>,
    /// What each run on one event took.
    pub(super) started: Vec<Taken>,
    /// What each run on all events took.
    pub(super) taken: Vec<Taken>,
    /// How many events the last run wrote, and whether they are right.
    pub(super) output: Option<(u64, Verdict)>,
}

/// All that was seen.
pub(super) struct Report {
    /// Before the runs.
    pub(super) machine: Machine,
    pub(super) load_after: String,
    /// Size of the input.
    pub(super) n_bytes: u64,
    /// Events in it.
    pub(super) n_events: u64,
    pub(super) rows: Vec<Row>,
}

/// A row in numbers, for those that have run.
#[derive(Serialize)]
struct Figures {
    wall_seconds: f64,
    start_and_end_seconds: f64,
    /// Over the wall time less that of starting and ending, if that is less.
    bytes_per_second: Option<f64>,
    cpu_seconds_per_gb: f64,
    /// The largest of all runs.
    peak_rss_bytes: u64,
    events_out: u64,
    #[serde(flatten)]
    output: Verdict,
    wall_seconds_of_runs: Vec<f64>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    name: &'a str,
    job: &'a str,
    command: String,
    version: Option<&'a str>,
    /// Whether its program is on PATH.
    present: bool,
    /// Why it did not do its job.
    error: Option<&'a str>,
    figures: Option<Figures>,
}

impl Row {
    /// Returns its numbers, if it has run to the end.
    fn figures(&self, n_bytes: u64) -> Option<Figures> {
        let (State::Ran(_), Some((events_out, output))) = (&self.state, self.output) else { return None };
        let seconds = |taken: &[Taken], of: fn(&Taken) -> Duration| -> Vec<f64> {
            taken.iter().map(|taken| of(taken).as_secs_f64()).collect()
        };
        let wall_seconds_of_runs = seconds(&self.taken, |taken| taken.wall);
        let wall_seconds = median(&wall_seconds_of_runs);
        let start_and_end_seconds = median(&seconds(&self.started, |taken| taken.wall));
        let gigabytes = n_bytes as f64 / 1e9;
        Some(Figures {
            wall_seconds,
            start_and_end_seconds,
            bytes_per_second: Some(wall_seconds - start_and_end_seconds)
                .filter(|&seconds| seconds > 0.0)
                .map(|seconds| n_bytes as f64 / seconds),
            cpu_seconds_per_gb: median(&seconds(&self.taken, |taken| taken.cpu)) / gigabytes,
            peak_rss_bytes: self.taken.iter().map(|taken| taken.peak_rss_bytes).max().unwrap_or_default(),
            events_out,
            output,
            wall_seconds_of_runs,
        })
    }

    fn command(&self) -> String {
        format!("{} {}", self.peer.program, self.peer.arguments)
    }
}

impl Report {
    /// Returns the table as Markdown, with the machine, the versions and the commands.
    pub(super) fn table(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out).expect("a string takes everything");
        out
    }

    fn write_to(&self, out: &mut String) -> fmt::Result {
        let Machine { cpu, n_cores, kernel, rustc, commit, load } = &self.machine;
        writeln!(out, "- {cpu}, {n_cores} cores, {kernel}; {rustc}; commit {commit}")?;
        writeln!(out, "- load {load} before, {} after", self.load_after)?;
        let runs = self.rows.iter().map(|row| row.taken.len()).max().unwrap_or_default();
        let megabytes = self.n_bytes as f64 / 1e6;
        writeln!(
            out,
            "- input of {megabytes:.0} MB, {} events; medians of {runs} alternating runs\n",
            self.n_events
        )?;
        writeln!(
            out,
            "| program | job | wall, s (min–max) | of it start and end, s | rate, MB/s | CPU, s/GB | peak RSS, MiB \
             | events out | output |"
        )?;
        writeln!(out, "|---|---|--:|--:|--:|--:|--:|--:|---|")?;
        for row in &self.rows {
            self.write_row(out, row)?;
        }
        writeln!(out)?;
        for row in self.rows.iter().filter(|row| !matches!(row.state, State::Absent)) {
            let version = row.version.as_deref().unwrap_or("version not known");
            writeln!(out, "- `{}`: {version}", row.command())?;
            if let State::Failed(error) = &row.state {
                writeln!(out, "  failed: {}", error.trim().replace('\n', "\n  "))?;
            }
        }
        Ok(())
    }

    fn write_row(&self, out: &mut String, row: &Row) -> fmt::Result {
        write!(out, "| {} | {} | ", row.peer.name, row.peer.job.name())?;
        let Some(figures) = row.figures(self.n_bytes) else {
            let why = match &row.state {
                State::Absent => "not on PATH",
                State::Failed(_) => "failed, see below",
                State::Ran(_) => "not compared",
            };
            writeln!(out, "| | | | | | {why} |")?;
            return Ok(());
        };
        let runs = &figures.wall_seconds_of_runs;
        writeln!(
            out,
            "{:.2} ({:.2}–{:.2}) | {:.2} | {} | {:.2} | {:.1} | {} | {} |",
            figures.wall_seconds,
            runs.iter().copied().fold(f64::INFINITY, f64::min),
            runs.iter().copied().fold(0.0, f64::max),
            figures.start_and_end_seconds,
            figures.bytes_per_second.map_or("–".to_owned(), |rate| format!("{:.1}", rate / 1e6)),
            figures.cpu_seconds_per_gb,
            figures.peak_rss_bytes as f64 / f64::from(1 << 20),
            figures.events_out,
            figures.output,
        )
    }

    /// Returns the same as JSON.
    ///
    /// # Errors
    ///
    /// If a number is none, which no clock gives.
    pub(super) fn json(&self) -> serde_json::Result<Vec<u8>> {
        let rows: Vec<_> = self.rows.iter().map(|row| self.json_row(row)).collect();
        serde_json::to_vec_pretty(&serde_json::json!({
            "machine": self.machine,
            "load_after": self.load_after,
            "input": { "workload": "mix", "bytes": self.n_bytes, "events": self.n_events },
            "peers": rows,
        }))
    }

    fn json_row<'a>(&self, row: &'a Row) -> JsonRow<'a> {
        JsonRow {
            name: row.peer.name,
            job: row.peer.job.name(),
            command: row.command(),
            version: row.version.as_deref(),
            present: !matches!(row.state, State::Absent),
            error: if let State::Failed(error) = &row.state { Some(error) } else { None },
            figures: row.figures(self.n_bytes),
        }
    }
}
