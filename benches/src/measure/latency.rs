//! How long an event is on its way through pipes.
//!
//! Input and output are held in memory and looked at afterwards, so that while the clock runs nothing else is done
//! than writing, reading and noting when.

use std::io::{Read, Write as _};
use std::process::{ChildStdin, ChildStdout};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::schedule::{Schedule, milliseconds, number};
use super::watchdog::watched;
use super::{Measured, PATIENCE};
use crate::check::check;
use crate::figure::{Bar, Figure, Unit, largest, percentile};
use crate::job::FILTER_AND_TRUNCATE;
use crate::lab::Lab;
use crate::summary::Summary;

/// At the steady rate, in milliseconds.
const MOST_P99: Bar = Bar::AtMost(20.0);
/// Of events that come alone, in milliseconds.
const MOST_ALONE: Bar = Bar::AtMost(50.0);
/// 10,000 events a second.
const STEADY_EVERY: Duration = Duration::from_micros(100);
const STEADY_EVENTS: usize = 100_000;
const SHORT_STEADY_EVENTS: usize = 20_000;
/// Long enough that the one before is through and everything sleeps.
const ALONE_EVERY: Duration = Duration::from_millis(50);
const ALONE_EVENTS: usize = 50;

/// Measures the latency through pipes, at a steady rate and of events that come alone.
///
/// # Errors
///
/// If it cannot be run, or loses the numbers of events.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    lab.write_pipeline(&FILTER_AND_TRUNCATE.stdin_to_stdout())?;
    let n_steady = if lab.is_short { SHORT_STEADY_EVENTS } else { STEADY_EVENTS };
    let steady = run(lab, &Schedule::new(n_steady, STEADY_EVERY)?)?;
    let alone = run(lab, &Schedule::new(ALONE_EVENTS, ALONE_EVERY)?)?;
    let figure = |name, value| Figure::new(name, Unit::Milliseconds, value, vec![value]);
    Ok(Measured {
        figures: vec![
            figure("steady_p50", percentile(&steady.latencies, 50)),
            figure("steady_p99", percentile(&steady.latencies, 99)).bar(MOST_P99),
            figure("steady_max", largest(&steady.latencies)),
            figure("steady_feeder_late_p99", percentile(&steady.delays, 99)),
            figure("alone_p50", percentile(&alone.latencies, 50)),
            figure("alone_max", largest(&alone.latencies)).bar(MOST_ALONE),
        ],
        note: format!(
            "{n_steady} events of `mix`, 10,000 a second; then {ALONE_EVENTS}, one every {} ms; from when an event \
             was due",
            ALONE_EVERY.as_millis()
        ),
        wrong: steady.wrong.or(alone.wrong),
    })
}

/// What came of a schedule.
struct Kept {
    /// From when each was due until it had come out, in milliseconds; of dropped events there is none.
    latencies: Vec<f64>,
    /// From when each was due until it was written into the pipe, in milliseconds.
    delays: Vec<f64>,
    wrong: Option<String>,
}

/// What came out, and when.
struct Arrivals {
    /// Large enough from the start, and touched, so that nothing is allocated while the clock runs.
    bytes: Vec<u8>,
    n_filled: usize,
    /// For each read: the bytes until its end, and when it returned.
    reads: Vec<(usize, Instant)>,
}

impl Arrivals {
    fn with_room(n_bytes: usize) -> Self {
        Self { bytes: vec![b' '; n_bytes + 1], n_filled: 0, reads: Vec::with_capacity(n_bytes / 256) }
    }

    /// Reads once; returns whether there was something.
    fn read(&mut self, stdout: &mut impl Read) -> anyhow::Result<bool> {
        anyhow::ensure!(self.n_filled < self.bytes.len(), "more comes out than went in");
        let n_read = stdout.read(&mut self.bytes[self.n_filled..])?;
        self.n_filled += n_read;
        self.reads.push((self.n_filled, Instant::now()));
        Ok(n_read > 0)
    }

    fn written(&self) -> &[u8] {
        &self.bytes[..self.n_filled]
    }

    /// Returns the latencies of all numbered events but the one that went ahead, in milliseconds.
    fn latencies(&self, schedule: &Schedule, clock: Instant) -> anyhow::Result<Vec<f64>> {
        let mut reads = self.reads.iter();
        let (mut arrived, mut end, mut latencies) = (None, 0, Vec::new());
        for line in self.written().split_inclusive(|&byte| byte == b'\n') {
            end += line.len();
            // The read that brought the last byte of the line.
            while arrived.is_none_or(|&(n_bytes, _)| n_bytes < end) {
                arrived = Some(reads.next().context("there is a read for every byte")?);
            }
            let number = number(line).context("an event came out without its number")?;
            if let (Some((_, arrived)), 1..) = (arrived, number) {
                let due = clock + schedule.due(number);
                latencies.push(milliseconds(arrived.saturating_duration_since(due)));
            }
        }
        Ok(latencies)
    }
}

fn run(lab: &Lab, schedule: &Schedule) -> anyhow::Result<Kept> {
    let takes = schedule.takes();
    // What comes out is no longer than what went in: nothing is added but markers where much is cut.
    let mut arrivals = Arrivals::with_room(schedule.bytes().len());
    let mut running = lab.logweir_by_hand().deadline(takes + 3 * PATIENCE).start();
    let mut stdin = running.take_stdin().context("no pipe")?;
    let mut stdout = running.take_stdout().context("no pipe")?;
    stdin.write_all(schedule.ahead())?;
    watched(running.pid(), PATIENCE, || {
        while !arrivals.written().ends_with(b"\n") {
            anyhow::ensure!(arrivals.read(&mut stdout)?, "nothing came out");
        }
        Ok(())
    })?;

    let clock = schedule.clock();
    let (arrivals, delays) =
        watched(running.pid(), takes + PATIENCE, || pass(schedule, clock, stdin, stdout, arrivals))?;
    let ran = running.wait();
    anyhow::ensure!(ran.status.success(), "{}", ran.stderr_text());
    let summary = Summary::read(&ran.stderr_text())?;
    let checked = check(&FILTER_AND_TRUNCATE, schedule.bytes(), arrivals.written(), &summary);
    let wrong = checked.err().map(|error| format!("{error:#}"));
    Ok(Kept { latencies: arrivals.latencies(schedule, clock)?, delays, wrong })
}

/// Feeds the schedule while a thread of its own reads until the end; returns all that arrived, and by how much the
/// events were late.
fn pass(
    schedule: &Schedule,
    clock: Instant,
    mut stdin: ChildStdin,
    mut stdout: ChildStdout,
    mut arrivals: Arrivals,
) -> anyhow::Result<(Arrivals, Vec<f64>)> {
    thread::scope(|scope| {
        let reader = scope.spawn(move || -> anyhow::Result<Arrivals> {
            while arrivals.read(&mut stdout)? {}
            Ok(arrivals)
        });
        let delays = schedule.feed(clock, &mut stdin);
        drop(stdin);
        let arrivals = reader.join().expect("reading does not panic")?;
        anyhow::Ok((arrivals, delays?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_when_an_event_was_due_to_the_read_that_ended_it() {
        let schedule = Schedule::new(3, Duration::from_millis(10)).unwrap();
        let clock = Instant::now();
        let at = |milliseconds| clock + Duration::from_millis(milliseconds);
        let bytes = b"{\"Number\":0}\n{\"Number\":1}\n{\"Number\":3}\n".to_vec();
        // The first byte of event 1 comes early, its last late, together with event 3, which was due at 20 ms.
        let reads = vec![(13, at(0)), (14, at(1)), (39, at(25))];
        let arrivals = Arrivals { n_filled: bytes.len(), bytes, reads };
        assert_eq!(arrivals.latencies(&schedule, clock).unwrap(), [25.0, 5.0]);
    }
}
