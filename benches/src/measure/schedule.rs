//! Events that are due at fixed times.
//!
//! They are due whatever becomes of those before them, and an event's latency counts from when it was due, not from
//! when it could be written at last. So one that has to wait because another holds everything up counts with all its
//! waiting: a feeder that waits along with the program it measures would leave out just the worst (*coordinated
//! omission*). What the feeder itself is late by is part of the figures, and shown beside them.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use logweir_testkit::generate::{self, Workload};

use super::clock::wait_until;

/// The events are drawn from these many bytes of a workload, over and over.
const DISTINCT_BYTES: u64 = 4_000_000;
/// Any will do.
const SEED: u64 = 1;
/// What every event begins with; behind it stands its number, as digits.
const STAMP: &[u8] = b"{\"Number\":";

/// Events, and when they are due.
pub(super) struct Schedule {
    /// All of them; the first goes ahead, so that the program runs when the clock starts.
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// The time from each to the next. Event 1 is due when the clock starts.
    every: Duration,
}

impl Schedule {
    /// Returns so many numbered events of the workload, and one that goes ahead.
    pub(super) fn new(n_events: usize, every: Duration) -> anyhow::Result<Self> {
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

    /// Returns all events, the one that goes ahead first.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns how many there are, the one that goes ahead included.
    pub(super) fn n_events(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Returns the event that goes ahead.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.bytes[..self.ends[0]]
    }

    /// Returns when the clock may start: as long from now as from one event to the next.
    pub(super) fn clock(&self) -> Instant {
        Instant::now() + self.every
    }

    /// Returns when an event is due, counted from the start of the clock.
    pub(super) fn due(&self, number: usize) -> Duration {
        self.every * u32::try_from(number.saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// Returns how long it takes from the start of the clock until all have been due.
    pub(super) fn takes(&self) -> Duration {
        self.due(self.ends.len())
    }

    /// Writes the events from the second on, each when it is due or as soon as possible behind it; returns by how
    /// much each was late, in milliseconds.
    pub(super) fn feed(&self, clock: Instant, out: &mut impl Write) -> std::io::Result<Vec<f64>> {
        let mut delays = Vec::with_capacity(self.ends.len());
        for (number, bounds) in (1..).zip(self.ends.windows(2)) {
            let due = clock + self.due(number);
            wait_until(due);
            out.write_all(&self.bytes[bounds[0]..bounds[1]])?;
            delays.push(milliseconds(due.elapsed()));
        }
        Ok(delays)
    }
}

/// Returns the number of an event.
pub(super) fn number(line: &[u8]) -> Option<usize> {
    let behind = line.strip_prefix(STAMP)?;
    let n_digits = behind.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&behind[..n_digits]).ok()?.parse().ok()
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_numbered_and_due_at_fixed_times() {
        let schedule = Schedule::new(3, Duration::from_micros(100)).unwrap();
        let lines: Vec<_> = schedule.bytes().split_inclusive(|&byte| byte == b'\n').collect();
        assert_eq!(lines.iter().map(|line| number(line)).collect::<Vec<_>>(), [0, 1, 2, 3].map(Some));
        assert_eq!(schedule.ahead(), lines[0]);
        assert_eq!(schedule.due(1), Duration::ZERO);
        assert_eq!(schedule.due(10_001), Duration::from_secs(1));
        assert_eq!(schedule.takes(), Duration::from_micros(300));
        assert_eq!(number(b"{\"Outcome\":\"ok\"}\n"), None);
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
