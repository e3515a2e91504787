//! How long an event is on its way.
//!
//! Events are due at fixed times, whatever becomes of those before them, and an event's latency counts from when it
//! was due, not from when it could be written at last. So one that has to wait because another holds everything up
//! counts with all its waiting: a feeder that waits along with the program it measures would leave out just the
//! worst (*coordinated omission*). What the feeder itself is late by is part of the figures, and shown beside them.
//!
//! Input and output are held in memory and looked at afterwards, so that while the clock runs nothing else is done
//! than writing, reading and noting when.

use std::io::{Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use logweir_testkit::generate::{self, Workload};

use super::clock::wait_until;
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
/// The events are drawn from these many bytes of a workload, over and over.
const DISTINCT_BYTES: u64 = 4_000_000;
/// Any will do.
const SEED: u64 = 1;
/// What every event begins with; behind it stands its number, as digits.
const STAMP: &[u8] = b"{\"Number\":";

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

/// Events, and when they are due.
struct Schedule {
    /// All of them; the first goes ahead, so that the program runs when the clock starts.
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// The time from each to the next. Event 1 is due when the clock starts.
    every: Duration,
}

/// What came of a schedule.
struct Kept {
    /// From when each was due until it had come out, in milliseconds; of dropped events there is none.
    latencies: Vec<f64>,
    /// From when each was due until it was written into the pipe, in milliseconds.
    delays: Vec<f64>,
    wrong: Option<String>,
}

impl Schedule {
    /// Returns so many numbered events of the workload, and one that goes ahead.
    fn new(n_events: usize, every: Duration) -> anyhow::Result<Self> {
        let mut distinct = Vec::new();
        generate::write(Workload::Mix, SEED, DISTINCT_BYTES, &mut distinct)?;
        let (mut bytes, mut ends) = (b"{\"Number\":0}\n".to_vec(), Vec::new());
        ends.push(bytes.len());
        let lines = distinct.split_inclusive(|&byte| byte == b'\n').cycle();
        for (i, line) in lines.take(n_events).enumerate() {
            let members =
                line.strip_prefix(b"{").context("the generator begins an event with something else")?;
            bytes.extend_from_slice(STAMP);
            write!(bytes, "{},", i + 1)?;
            bytes.extend_from_slice(members);
            ends.push(bytes.len());
        }
        Ok(Self { bytes, ends, every })
    }

    /// Returns when an event is due, counted from the start of the clock.
    fn due(&self, number: usize) -> Duration {
        self.every * u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Writes the events from the second on, each when it is due or as soon as possible behind it; returns by how
    /// much each was late.
    fn feed(&self, clock: Instant, stdin: &mut impl Write) -> std::io::Result<Vec<f64>> {
        let mut delays = Vec::with_capacity(self.ends.len());
        for (number, bounds) in (1..).zip(self.ends.windows(2)) {
            let due = clock + self.due(number);
            wait_until(due);
            stdin.write_all(&self.bytes[bounds[0]..bounds[1]])?;
            delays.push(milliseconds(due.elapsed()));
        }
        Ok(delays)
    }
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
    let takes = schedule.due(schedule.ends.len());
    // What comes out is no longer than what went in: nothing is added but markers where much is cut.
    let mut arrivals = Arrivals::with_room(schedule.bytes.len());
    let mut running = lab.logweir_by_hand().deadline(takes + 3 * PATIENCE).start();
    let mut stdin = running.take_stdin().context("no pipe")?;
    let mut stdout = running.take_stdout().context("no pipe")?;
    stdin.write_all(&schedule.bytes[..schedule.ends[0]])?;
    watched(running.pid(), PATIENCE, || {
        while !arrivals.written().ends_with(b"\n") {
            anyhow::ensure!(arrivals.read(&mut stdout)?, "nothing came out");
        }
        Ok(())
    })?;

    let clock = Instant::now() + schedule.every;
    let (arrivals, delays) =
        watched(running.pid(), takes + PATIENCE, || pass(schedule, clock, stdin, stdout, arrivals))?;
    let ran = running.wait();
    anyhow::ensure!(ran.status.success(), "{}", ran.stderr_text());
    let summary = Summary::read(&ran.stderr_text())?;
    let checked = check(&FILTER_AND_TRUNCATE, &schedule.bytes[..], arrivals.written(), &summary);
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

/// Returns the number of an event.
fn number(line: &[u8]) -> Option<usize> {
    let behind = line.strip_prefix(STAMP)?;
    let n_digits = behind.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&behind[..n_digits]).ok()?.parse().ok()
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_numbered_and_due_at_fixed_times() {
        let schedule = Schedule::new(3, STEADY_EVERY).unwrap();
        let lines: Vec<_> = schedule.bytes.split_inclusive(|&byte| byte == b'\n').collect();
        assert_eq!(lines.iter().map(|line| number(line)).collect::<Vec<_>>(), [0, 1, 2, 3].map(Some));
        assert_eq!(schedule.due(1), Duration::ZERO);
        assert_eq!(schedule.due(10_001), Duration::from_secs(1));
        assert_eq!(number(b"{\"Outcome\":\"ok\"}\n"), None);
    }

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

    #[test]
    fn a_pipe_that_holds_the_feeder_up_does_not_move_what_is_due() {
        /// Takes 20 ms to take the first event, and the others at once.
        struct Slow(bool);
        impl Write for Slow {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                if !std::mem::replace(&mut self.0, true) {
                    wait_until(Instant::now() + Duration::from_millis(20));
                }
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let schedule = Schedule::new(5, Duration::from_millis(1)).unwrap();
        let delays = schedule.feed(Instant::now(), &mut Slow(false)).unwrap();
        // The second was due 1 ms after the first, and so had to wait for at least 19 ms.
        assert!(delays[0] >= 20.0 && delays[1] >= 19.0 && delays[4] >= 16.0, "{delays:?}");
    }
}
