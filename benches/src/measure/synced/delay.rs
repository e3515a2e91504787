//! How long an event is on its way to the disk.
//!
//! With `ack: synced`, what the metrics count as written is on the disk. So they are asked again and again, and what
//! counts is the answer that has an event first.

use std::fs::{self, OpenOptions};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::check::check;
use crate::figure::{Bar, Figure, Unit, largest, percentile};
use crate::job::{Ack, FILTER_AND_TRUNCATE};
use crate::lab::{LIVE, Lab, OUTPUT};
use crate::measure::clock::wait_until;
use crate::measure::idle::free_address;
use crate::measure::live::Live;
use crate::measure::schedule::{Schedule, milliseconds, number};
use crate::measure::scraper::Scraper;
use crate::measure::{Measured, PATIENCE};

/// In milliseconds.
const MOST_P99: Bar = Bar::AtMost(1000.0);
/// 1,000 events a second.
const EVERY: Duration = Duration::from_millis(1);
const EVENTS: usize = 10_000;
const SHORT_EVENTS: usize = 2_000;
/// Far below what is measured, and far above what an answer costs.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// Measures from when an event was due to be added to a file that is followed until the metrics count it as written,
/// with what logweir does unasked.
///
/// # Errors
///
/// If it cannot be run, does not answer, or loses events or their numbers.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    let n_events = if lab.is_short { SHORT_EVENTS } else { EVENTS };
    let schedule = Schedule::new(n_events, EVERY)?;
    let address = free_address()?;
    let yaml = FILTER_AND_TRUNCATE.follow_to_file(LIVE, OUTPUT, Ack::AsUnasked);
    lab.write_pipeline(&format!("{yaml}admin: {{ listen: \"{address}\" }}\n"))?;
    lab.clear()?;
    fs::write(lab.dir.join(LIVE), schedule.ahead())?;
    let live = Live::start(lab)?;
    let mut scraper = Scraper::connect(&live, address)?;
    scraper.wait_for_all(&live, 1)?;

    let clock = schedule.clock();
    let (delays, counts) = follow(lab, &schedule, clock, &mut scraper)?;
    live.stop(Instant::now())?;
    let output = fs::read(lab.dir.join(OUTPUT)).context(OUTPUT)?;
    let checked = check(&FILTER_AND_TRUNCATE, schedule.bytes(), &output[..], &lab.summary()?);
    lab.clear()?;

    let latencies = latencies(&output, &counts, &schedule, clock)?;
    let figure = |name, value| Figure::new(name, Unit::Milliseconds, value, vec![value]);
    Ok(Measured {
        figures: vec![
            figure("delay_p50", percentile(&latencies, 50)),
            figure("delay_p99", percentile(&latencies, 99)).bar(MOST_P99),
            figure("delay_max", largest(&latencies)),
            figure("delay_feeder_late_p99", percentile(&delays, 99)),
        ],
        note: format!(
            "*delay*: {n_events} events added to a file that is followed, 1,000 a second, each from when it was due until \
             `logweir_events_written_total` counts it, which is asked for every {} ms; `ack` is `synced` unasked",
            ASK_EVERY.as_millis()
        ),
        wrong: checked.err().map(|error| format!("{error:#}")),
    })
}

/// How many events the metrics counted as written, and when.
type Counts = Vec<(u64, Instant)>;

/// Feeds the schedule on a thread of its own while the metrics are asked for, until all events are through; returns by
/// how much the events were late, and what the metrics said.
fn follow(
    lab: &Lab,
    schedule: &Schedule,
    clock: Instant,
    scraper: &mut Scraper,
) -> anyhow::Result<(Vec<f64>, Counts)> {
    let mut growing = OpenOptions::new().append(true).open(lab.dir.join(LIVE))?;
    let n_events = schedule.n_events();
    let give_up_at = clock + schedule.takes() + PATIENCE;
    thread::scope(|scope| {
        let feeder = scope.spawn(move || schedule.feed(clock, &mut growing));
        let mut counts = Vec::new();
        loop {
            let books = scraper.books()?;
            let now = Instant::now();
            counts.push((books.written, now));
            if books.is_through(n_events) {
                break;
            }
            anyhow::ensure!(now < give_up_at, "{n_events} events are not through: {books:?}");
            wait_until(now + ASK_EVERY);
        }
        Ok((feeder.join().expect("feeding does not panic")?, counts))
    })
}

/// Returns the latencies of all numbered events but the one that went ahead, in milliseconds. Events are counted in the
/// order in which they are written.
fn latencies(
    output: &[u8],
    counts: &Counts,
    schedule: &Schedule,
    clock: Instant,
) -> anyhow::Result<Vec<f64>> {
    let mut counts = counts.iter().peekable();
    let mut latencies = Vec::new();
    for (n, line) in (1..).zip(output.split_inclusive(|&byte| byte == b'\n')) {
        while counts.next_if(|&&(n_written, _)| n_written < n).is_some() {}
        let (_, counted) = counts.peek().context("an event was written that is not counted")?;
        let number = number(line).context("an event came out without its number")?;
        if number > 0 {
            latencies.push(milliseconds(counted.saturating_duration_since(clock + schedule.due(number))));
        }
    }
    Ok(latencies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_counts_from_when_an_event_was_due_to_the_first_answer_that_has_it() {
        let schedule = Schedule::new(4, Duration::from_millis(10)).unwrap();
        let clock = Instant::now();
        let at = |milliseconds| clock + Duration::from_millis(milliseconds);
        // Event 2 was dropped; 3 and 4, due at 20 and 30 ms, are counted together.
        let output = b"{\"Number\":0}\n{\"Number\":1}\n{\"Number\":3}\n{\"Number\":4}\n";
        let counts = vec![(1, at(0)), (1, at(5)), (2, at(12)), (2, at(33)), (4, at(45)), (4, at(50))];
        assert_eq!(latencies(output, &counts, &schedule, clock).unwrap(), [12.0, 25.0, 15.0]);

        assert!(latencies(output, &counts[..4].to_vec(), &schedule, clock).is_err(), "two are not counted");
        assert!(latencies(b"{}\n", &counts, &schedule, clock).is_err());
    }
}
