//! What it costs to bring events to the disk as they come.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use logweir_testkit::generate::Workload;

use crate::figure::{Bar, Figure, Unit, median};
use crate::input::{self, Input};
use crate::job::{Ack, FILTER_AND_TRUNCATE};
use crate::lab::{LIVE, Lab, OUTPUT};
use crate::measure::Measured;
use crate::measure::clock::wait_until;
use crate::measure::live::Live;
use crate::race::cpu_costs;
use crate::stopwatch::Taken;

/// Of the CPU that it takes without waiting for the disk.
const MOST_CPU: Bar = Bar::AtMost(1.2);
/// Offered each second, in bytes.
const RATE: u32 = 50_000_000;
/// How much is offered; the rate makes it five seconds, and one in the short form.
const OFFERED_BYTES: u64 = 250_000_000;
const SHORT_OFFERED_BYTES: u64 = 50_000_000;
/// Written at once by the feeder.
const PIECE_BYTES: u32 = 64 << 10;

/// Measures the CPU that it takes to follow a file that grows at a steady rate, with `ack: synced` and with
/// `ack: written`.
///
/// # Errors
///
/// If something cannot be run, or does not write all.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    let offered = if lab.is_short { SHORT_OFFERED_BYTES } else { OFFERED_BYTES };
    let input = input::make(Workload::Mix, offered.min(lab.n_bytes), &lab.dir)?;
    // Read once, to learn how much is written.
    lab.write_pipeline(&FILTER_AND_TRUNCATE.file_to_file(&input.name, OUTPUT, Ack::Written))?;
    lab.clear()?;
    lab.logweir().measure()?;
    let n_out = lab.summary()?.bytes_out;

    let (mut written, mut synced, mut wrong) = (Vec::new(), Vec::new(), None);
    for _ in 0..lab.runs {
        for (ack, taken) in [(Ack::Written, &mut written), (Ack::Synced, &mut synced)] {
            taken.push(run(lab, &input, n_out, ack)?);
            wrong = wrong.or(lab.wrong(&FILTER_AND_TRUNCATE, &input));
        }
    }
    lab.clear()?;
    let cpu = |name, taken: &[Taken]| {
        Figure::median(name, Unit::SecondsPerGigabyte, cpu_costs(taken, input.n_bytes))
    };
    Ok(Measured {
        figures: vec![
            ratio(&cpu_costs(&synced, input.n_bytes), &cpu_costs(&written, input.n_bytes)).bar(MOST_CPU),
            cpu("cpu", &synced),
            cpu("cpu_written", &written),
        ],
        note: format!(
            "*cpu*: a file followed that grows by {} MB a second, {} MB in all, `ack: synced` against `ack: written`",
            RATE / 1_000_000,
            input.n_bytes / 1_000_000
        ),
        wrong,
    })
}

/// Returns how many times as much CPU the first takes as the second: the ratio of the medians, and those run by run.
fn ratio(synced: &[f64], written: &[f64]) -> Figure {
    let pairs = synced.iter().zip(written).map(|(synced, written)| synced / written).collect();
    Figure::new("cpu_over_written", Unit::Times, median(synced) / median(written), pairs)
}

/// Follows a file that grows, until all of it is written.
fn run(lab: &Lab, input: &Input, n_out: u64, ack: Ack) -> anyhow::Result<Taken> {
    lab.make_ready_for_disk(input)?;
    lab.write_pipeline(&FILTER_AND_TRUNCATE.follow_to_file(LIVE, OUTPUT, ack))?;
    let mut growing = OpenOptions::new().create_new(true).append(true).open(lab.dir.join(LIVE))?;
    let live = Live::start(lab)?;
    feed(&mut File::open(&input.path)?, Instant::now(), &mut growing)?;
    let out_at = live.wait_for_output(n_out)?;
    live.stop(out_at)
}

/// Writes all there is to read, in pieces, each when it is due or as soon as possible behind it.
fn feed(from: &mut impl Read, clock: Instant, to: &mut impl Write) -> anyhow::Result<()> {
    let mut piece = vec![0; PIECE_BYTES as usize];
    for number in 0.. {
        let n_read = read_full(from, &mut piece)?;
        if n_read == 0 {
            break;
        }
        wait_until(clock + due(number));
        to.write_all(&piece[..n_read])?;
    }
    Ok(())
}

/// Returns when a piece is due, counted from the start of the clock.
fn due(number: u32) -> Duration {
    Duration::from_secs_f64(f64::from(PIECE_BYTES) / f64::from(RATE)) * number
}

/// Fills the piece as far as there is something to read.
fn read_full(from: &mut impl Read, piece: &mut [u8]) -> std::io::Result<usize> {
    let mut n_read = 0;
    while n_read < piece.len() {
        match from.read(&mut piece[n_read..])? {
            0 => break,
            n => n_read += n,
        }
    }
    Ok(n_read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_due_at_the_rate_and_all_bytes_come() {
        let in_a_second = RATE / PIECE_BYTES;
        assert!(due(in_a_second) <= Duration::from_secs(1) && due(in_a_second + 1) > Duration::from_secs(1));

        let bytes: Vec<u8> = (0..5 * PIECE_BYTES + 17).map(|i| (i % 251) as u8).collect();
        let (clock, mut written) = (Instant::now(), Vec::new());
        feed(&mut &bytes[..], clock, &mut written).unwrap();
        assert!(clock.elapsed() >= due(5), "the last piece is due then");
        assert_eq!(written, bytes);
    }

    #[test]
    fn cpu_is_compared_by_medians() {
        let figure = ratio(&[3.0, 1.0, 2.0], &[1.0, 1.0, 4.0]);
        assert_eq!((figure.value.to_string(), figure.runs), ("2".to_owned(), vec![3.0, 1.0, 0.5]));
    }
}
