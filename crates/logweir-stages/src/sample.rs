//! Keeps a reproducible share of the events.
//!
//! Whether an event is kept depends on nothing but the event, the seed and the rate, so it is the same on every
//! machine and after every restart, and what a lower rate keeps, a higher one keeps too: the hash of an event is
//! compared with `rate` as a share of all hashes. Events fall into *strata*, each with a rate of its own; all of them
//! are compared by the same hash. Since a kept event stands for 1/rate events, the sum of that, its *weight*, over
//! what is kept estimates the number of what was there, in every stratum and together.

mod explain;
mod strata;
mod weigh;

pub use explain::{Draw, Hashed, SampleExplainer, Stratum, Weight};
use logweir_event::{Batch, ColumnId};
use logweir_json::{Projection, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use self::strata::Strata;
use self::weigh::Weigh;
use crate::filter::FilterConfig;
use crate::{Stage, Tally};

/// The configuration of a `sample` stage.
#[derive(Clone, PartialEq, Debug)]
pub struct SampleConfig {
    /// The share to keep of all events that belong to none of `rates`, in (0, 1].
    pub rate: f64,
    /// Kinds of events with a share of their own; the first whose filter holds is the one.
    pub rates: Vec<StratumConfig>,
    /// The field whose value decides; the whole event where there is none.
    pub key: Option<String>,
    /// Seed of the hash.
    pub seed: u64,
    /// Events that are kept whatever the hash says: a first of `rates` whose rate is 1.
    pub always_keep: Option<FilterConfig>,
    /// The top-level field that tells of a kept event how many it stands for; none is written where there is none.
    pub weight_field: Option<String>,
}

/// The configuration of one of the `rates` of a `sample` stage.
#[derive(Clone, PartialEq, Debug)]
pub struct StratumConfig {
    /// Which events are meant.
    pub filter: FilterConfig,
    /// The share of them to keep, in (0, 1].
    pub rate: f64,
}

impl SampleConfig {
    /// Returns a sample of all events, by a hash of the whole event with seed 0.
    pub fn of_rate(rate: f64) -> Self {
        Self { rate, rates: Vec::new(), key: None, seed: 0, always_keep: None, weight_field: None }
    }
}

/// The `sample` stage.
///
/// The hash is XXH3-64 of the key's value (a string by its decoded text, anything else as it is written) or, without
/// a key or where its value is missing or null, of the event as it was read.
pub struct Sample {
    strata: Strata,
    key: Option<ColumnId>,
    seed: u64,
    weigh: Option<Weigh>,
    /// Decoded text of a key with escapes.
    scratch: Vec<u8>,
}

impl Sample {
    /// Returns the stage, having asked `projection` for the fields it needs.
    pub fn new(config: &SampleConfig, projection: &mut Projection) -> Self {
        Self {
            strata: Strata::new(config, projection),
            key: config.key.as_deref().map(|key| projection.ask(key)),
            seed: config.seed,
            weigh: config.weight_field.as_deref().map(|name| Weigh::new(name, projection)),
            scratch: Vec::new(),
        }
    }

    fn keeps(&mut self, batch: &Batch, event: usize) -> bool {
        let seed = self.seed;
        let hash = xxh3_64_with_seed(self.hashed(batch, event), seed);
        self.strata.keep(hash, batch, event)
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
        let Some(weigh) = &mut self.weigh else { return };
        for event in 0..batch.len() {
            if batch.selection().contains(event) {
                let weight = self.strata.share_of(batch, event).weight();
                weigh.write(batch, event, weight);
            }
        }
    }
}
