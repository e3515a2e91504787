//! Keeps a reproducible share of the events.
//!
//! Whether an event is kept depends on nothing but the event, the seed and the rate, so it is the same on every
//! machine and after every restart, and what a lower rate keeps, a higher one keeps too: the hash of an event is
//! compared with `rate` as a share of all hashes.

mod explain;

pub use explain::{Draw, Hashed, SampleExplainer};
use logweir_event::{Batch, ColumnId};
use logweir_json::{Projection, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::filter::{Filter, FilterConfig};
use crate::{Stage, Tally};

/// The configuration of a `sample` stage.
#[derive(Clone, PartialEq, Debug)]
pub struct SampleConfig {
    /// The share to keep, in (0, 1].
    pub rate: f64,
    /// The field whose value decides; the whole event where there is none.
    pub key: Option<String>,
    /// Seed of the hash.
    pub seed: u64,
    /// Events that are kept whatever the hash says.
    pub always_keep: Option<FilterConfig>,
}

/// The `sample` stage.
///
/// The hash is XXH3-64 of the key's value (a string by its decoded text, anything else as it is written) or, without
/// a key or where its value is missing or null, of the event as it was read.
pub struct Sample {
    /// Hashes below this are kept: the rate times 2⁶⁴, which itself needs a bit more than 64.
    below: u128,
    key: Option<ColumnId>,
    seed: u64,
    always_keep: Option<Filter>,
    /// Decoded text of a key with escapes.
    scratch: Vec<u8>,
}

impl Sample {
    /// Returns the stage, having asked `projection` for the fields it needs.
    pub fn new(config: &SampleConfig, projection: &mut Projection) -> Self {
        Self {
            below: threshold(config.rate),
            key: config.key.as_deref().map(|key| projection.ask(key)),
            seed: config.seed,
            always_keep: config.always_keep.as_ref().map(|filter| Filter::new(filter, projection)),
            scratch: Vec::new(),
        }
    }

    fn keeps(&mut self, batch: &Batch, event: usize) -> bool {
        let seed = self.seed;
        let hash = xxh3_64_with_seed(self.hashed(batch, event), seed);
        u128::from(hash) < self.below
            || self.always_keep.as_mut().is_some_and(|filter| filter.keeps(batch, event))
    }

    /// Returns the bytes that decide about an event.
    fn hashed<'a>(&'a mut self, batch: &'a Batch, event: usize) -> &'a [u8] {
        let value = self.key.and_then(|key| batch.field(event, key));
        match value.map(|raw| (raw, Value::of(raw))) {
            None | Some((_, Value::Null)) => batch.bytes(batch.body_as_read(event)),
            Some((_, Value::String(text))) if text.is_plain() => text.raw(),
            Some((_, Value::String(text))) => {
                self.scratch.clear();
                text.decode_into(&mut self.scratch);
                &self.scratch
            }
            Some((raw, _)) => raw,
        }
    }
}

impl Stage for Sample {
    fn apply(&mut self, batch: &mut Batch, tally: &mut Tally) {
        tally.sampled_out += batch.retain(|batch, event| self.keeps(batch, event)) as u64;
    }
}

/// Returns ⌊rate · 2⁶⁴⌋; scaling by a power of two is exact, so nothing is rounded but the floor.
fn threshold(rate: f64) -> u128 {
    #[expect(clippy::cast_sign_loss, reason = "the rate is positive")]
    let below = (rate * 2f64.powi(64)) as u128;
    below
}
