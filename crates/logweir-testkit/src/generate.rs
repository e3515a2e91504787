//! Workloads: as many bytes of events as asked for, the same for the same seed.
//!
//! Making up an event takes microseconds, and a bench wants a million. So a few megabytes of distinct events are
//! made up first; what is written is drawn from them, each time with a new ray ID and new timestamps, so that no two
//! events of a workload are alike.

mod event;
mod words;

use std::io::{self, Write};
use std::str::FromStr;

use fastrand::Rng;

use crate::samples;
use event::Template;

/// The size of one write; larger ones are no faster.
const BLOCK_BYTES: usize = 1 << 20;

/// What kind of events to write.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Workload {
    /// Of all sizes, 1.5 KB in the mean; one in a hundred has more than 16,384 characters to cut.
    Mix,
    /// Of 300 to 600 bytes.
    Small,
    /// All with more than 16,384 characters to cut.
    Heavy,
    /// The real events of [`samples::EVENTS`], over and over.
    Real,
}

impl FromStr for Workload {
    type Err = UnknownWorkload;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "mix" => Ok(Self::Mix),
            "small" => Ok(Self::Small),
            "heavy" => Ok(Self::Heavy),
            "real" => Ok(Self::Real),
            _ => Err(UnknownWorkload),
        }
    }
}

/// A workload was named that there is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownWorkload;

impl std::fmt::Display for UnknownWorkload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a workload is one of mix, small, heavy, real")
    }
}

impl std::error::Error for UnknownWorkload {}

/// Writes whole events, each ending in a line feed, until there are at least `n_bytes` bytes, and returns how many
/// there are. The same workload and seed begin with the same bytes, however many are asked for.
///
/// # Errors
///
/// Whatever `out` fails with.
pub fn write(workload: Workload, seed: u64, n_bytes: u64, out: &mut impl Write) -> io::Result<u64> {
    let mut rng = Rng::with_seed(seed);
    match workload {
        Workload::Real => write_repeated(samples::EVENTS, n_bytes, out),
        Workload::Mix => {
            let usual = pool(&mut rng, 4_000, event::mixed);
            let heavy = pool(&mut rng, 100, event::heavy);
            write_drawn(rng, &usual, &heavy, n_bytes, out)
        }
        Workload::Small => {
            let small = pool(&mut rng, 4_000, event::small);
            write_drawn(rng, &small, &small, n_bytes, out)
        }
        Workload::Heavy => {
            let heavy = pool(&mut rng, 200, event::heavy);
            write_drawn(rng, &heavy, &heavy, n_bytes, out)
        }
    }
}

/// Writes the lines of `events` in order, over and over, each with a line feed, until there are at least `n_bytes`
/// bytes, and returns how many there are. Nothing is written if there are no lines.
///
/// # Errors
///
/// Whatever `out` fails with.
pub fn write_repeated(events: &[u8], n_bytes: u64, out: &mut impl Write) -> io::Result<u64> {
    let lines: Vec<&[u8]> = events.split_inclusive(|&byte| byte == b'\n').collect();
    let mut blocks = Blocks::new(out);
    for line in lines.iter().cycle() {
        if blocks.n_bytes >= n_bytes {
            break;
        }
        blocks.add(|block| {
            block.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
            block.push(b'\n');
        })?;
    }
    blocks.finish()
}

/// Makes up `n` events, two in a hundred failing with an exception and one ending in another way.
fn pool(rng: &mut Rng, n: usize, make: fn(&mut Rng, &'static str) -> Template) -> Vec<Template> {
    let event = |i: usize| match i % 100 {
        0 | 50 => make(rng, "exception"),
        25 => make(rng, words::RARE_OUTCOMES[i / 100 % words::RARE_OUTCOMES.len()]),
        _ => make(rng, "ok"),
    };
    (0..n).map(event).collect()
}

/// Writes events drawn from `usual`, and one time in a hundred from `rare`.
fn write_drawn(
    mut rng: Rng,
    usual: &[Template],
    rare: &[Template],
    n_bytes: u64,
    out: &mut impl Write,
) -> io::Result<u64> {
    let mut blocks = Blocks::new(out);
    let mut now = words::FIRST_TIMESTAMP_MS;
    while blocks.n_bytes < n_bytes {
        let pool = if rng.u8(..100) == 0 { rare } else { usual };
        let template = &pool[rng.usize(..pool.len())];
        now += rng.u64(..3);
        blocks.add(|block| template.write(rng.u64(..), now, block))?;
    }
    blocks.finish()
}

/// Gathers events to writes of [`BLOCK_BYTES`].
struct Blocks<'o, W> {
    out: &'o mut W,
    block: Vec<u8>,
    /// Bytes added so far.
    n_bytes: u64,
}

impl<'o, W: Write> Blocks<'o, W> {
    fn new(out: &'o mut W) -> Self {
        Self { out, block: Vec::with_capacity(2 * BLOCK_BYTES), n_bytes: 0 }
    }

    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let before = self.block.len();
        write(&mut self.block);
        self.n_bytes += (self.block.len() - before) as u64;
        if self.block.len() >= BLOCK_BYTES {
            self.out.write_all(&self.block)?;
            self.block.clear();
        }
        Ok(())
    }

    fn finish(self) -> io::Result<u64> {
        self.out.write_all(&self.block)?;
        self.out.flush()?;
        Ok(self.n_bytes)
    }
}
