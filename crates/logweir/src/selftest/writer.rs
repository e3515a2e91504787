//! Writes logs and rotates them, on a thread of its own.

use std::ops::Range;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;

use super::inventory::Inventory;
use super::log::{Burst, Log, Style, lock};
use super::place::Place;
use super::report::Rotations;

/// The logs that are written.
const LOGS: [(&str, Style); 3] =
    [("shop.ndjson", Style::Renamed), ("auth.ndjson", Style::Copied), ("jobs.ndjson", Style::Compressed)];

/// The most bytes that logs may have on the disk before the writer waits for some to be deleted: far more than a
/// pipeline is ever behind, unless it does not come forward.
const MAX_BYTES: u64 = 256 << 20;

/// Rotations come after 2^13 to 2^21 bytes: two in a row may be milliseconds apart, or a second.
const ROTATE_AFTER_LOG2: Range<u32> = 13..22;

/// A running writer.
#[derive(Debug)]
pub(super) struct Writer {
    stop: SyncSender<()>,
    thread: JoinHandle<anyhow::Result<Rotations>>,
}

impl Writer {
    /// Starts one whose decisions follow from `seed`.
    pub(super) fn start(place: Place, seed: u64, inventory: Arc<Mutex<Inventory>>) -> anyhow::Result<Self> {
        let logs = LOGS.map(|(name, style)| Log::create(place.logs().join(name), style, inventory.clone()));
        let logs = logs.into_iter().collect::<Result<_, _>>().context("cannot make the logs")?;
        let (stop, stopped) = sync_channel(1);
        let hand =
            Hand { place, inventory, logs, rng: Rng::with_seed(seed), stopped, rotate_at: [0; LOGS.len()] };
        let thread = std::thread::Builder::new().name("logweir-writer".to_owned());
        let thread =
            thread.spawn(move || hand.write()).context("the thread that writes cannot be started")?;
        Ok(Self { stop, thread })
    }

    /// Returns whether it has ended, which it does by itself only if it fails.
    pub(super) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Has it write what it has begun, and returns how often it has rotated.
    pub(super) fn finish(self) -> anyhow::Result<Rotations> {
        // One that has failed does not listen any more.
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// What the thread works with.
struct Hand {
    place: Place,
    inventory: Arc<Mutex<Inventory>>,
    logs: Vec<Log>,
    rng: Rng,
    stopped: Receiver<()>,
    /// After how many bytes each log is rotated next.
    rotate_at: [u64; LOGS.len()],
}

impl Hand {
    fn write(mut self) -> anyhow::Result<Rotations> {
        self.rotate_at = std::array::from_fn(|_| rotate_after(&mut self.rng));
        loop {
            let pause = pause(&mut self.rng);
            if !self.waits(pause) {
                break;
            }
            if lock(&self.inventory).bytes_on_disk() > MAX_BYTES {
                self.delete_covered()?;
                continue;
            }
            let index = self.rng.usize(..self.logs.len());
            let burst = Burst::random(&mut self.rng);
            self.logs[index].write(&burst).context("cannot write to a log")?;
            let log = &mut self.logs[index];
            if log.n_bytes() > self.rotate_at[index] && !log.is_late() {
                log.rotate(self.rng.u32(..4)).context("cannot rotate a log")?;
                self.rotate_at[index] = rotate_after(&mut self.rng);
                self.delete_covered()?;
            }
        }
        for log in &mut self.logs {
            log.finish().context("cannot write to a log")?;
        }
        Ok(self.rotations())
    }

    /// Waits for a moment; returns false if it is to stop.
    fn waits(&self, moment: Duration) -> bool {
        matches!(self.stopped.recv_timeout(moment), Err(RecvTimeoutError::Timeout))
    }

    fn delete_covered(&mut self) -> anyhow::Result<()> {
        let checkpoint = self.place.checkpoint()?;
        for log in &mut self.logs {
            log.delete_covered(&checkpoint).context("cannot delete a rotated log")?;
        }
        Ok(())
    }

    fn rotations(&self) -> Rotations {
        let count = |style| self.logs.iter().filter(|log| log.style() == style).map(Log::n_rotations).sum();
        Rotations {
            renamed: count(Style::Renamed),
            copied: count(Style::Copied),
            compressed: count(Style::Compressed),
        }
    }
}

/// Returns how long the writer rests between two bursts: so that some megabytes a second are written, and that half an
/// event stands for a while now and then.
fn pause(rng: &mut Rng) -> Duration {
    let most = if rng.u8(..50) == 0 { 200 } else { 8 };
    Duration::from_millis(rng.u64(..most))
}

/// Returns after how many bytes a log is rotated.
fn rotate_after(rng: &mut Rng) -> u64 {
    1 << rng.u32(ROTATE_AFTER_LOG2)
}

#[cfg(test)]
mod tests {
    use logweir_testkit::process::poll_until;
    use logweir_testkit::scratch::Scratch;

    use super::super::log::tests::numbers_in;
    use super::*;
    use crate::selftest::place::Delivery;

    #[test]
    fn every_event_lies_in_one_file_once_and_whole() {
        let scratch = Scratch::new();
        let place = Place::furnish(scratch.dir(), Delivery::File).unwrap();
        let inventory = Arc::new(Mutex::new(Inventory::new(1)));
        let writer = Writer::start(place.clone(), 2, inventory.clone()).unwrap();
        poll_until("megabytes are written", Duration::from_secs(60), || {
            (lock(&inventory).n_bytes > 24 << 20 || writer.has_ended()).then_some(())
        });
        let rotations = writer.finish().unwrap();
        assert!(
            [rotations.renamed, rotations.copied, rotations.compressed].iter().all(|&n| n > 0),
            "{rotations:?}"
        );
        let mut numbers = numbers_in(&place.logs(), 1);
        numbers.sort_unstable();
        assert_eq!(numbers, (0..lock(&inventory).n_events).collect::<Vec<_>>());
    }

    #[test]
    fn a_writer_that_fails_says_why() {
        let scratch = Scratch::new();
        let place = Place::furnish(scratch.dir(), Delivery::File).unwrap();
        let inventory = Arc::new(Mutex::new(Inventory::new(1)));
        let writer = Writer::start(place.clone(), 2, inventory).unwrap();
        std::fs::remove_dir_all(place.logs()).unwrap();
        poll_until("it cannot rotate", Duration::from_secs(60), || writer.has_ended().then_some(()));
        let error = format!("{:#}", writer.finish().unwrap_err());
        assert!(error.starts_with("cannot ") && error.contains("No such file"), "{error}");
    }
}
