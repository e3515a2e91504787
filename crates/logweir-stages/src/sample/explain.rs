//! Why an event is in the sample, or is not.

use logweir_event::Batch;
use logweir_json::{Projection, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Sample, SampleConfig};
use crate::Excerpt;
use crate::filter::{FilterExplainer, Judgement};

/// Why an event is in the sample, or is not.
#[derive(Clone, PartialEq, Debug)]
pub struct Draw {
    /// Whether it is.
    pub is_kept: bool,
    /// The share of events to keep.
    pub rate: f64,
    /// What the hash is made of.
    pub hashed: Hashed,
    /// Its seed.
    pub seed: u64,
    /// The hash.
    pub hash: u64,
    /// Hashes below this are kept: the rate times 2⁶⁴.
    pub threshold: u128,
    /// What the filter comes to whose events are kept whatever the hash says, if there is one.
    pub always_keep: Option<Judgement>,
}

/// What a hash is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hashed {
    /// A field.
    Field {
        /// Its key.
        key: String,
        /// Its value: of a string the text it means, of all else what is written.
        value: Excerpt,
    },
    /// The event as it was read, from its `{` to its `}`.
    Event {
        /// How long that is.
        n_bytes: usize,
        /// The key that was to be hashed, which is missing or null in this event.
        missing: Option<String>,
    },
}

impl Draw {
    /// Returns the hash as a share of all hashes, to be compared with the rate.
    pub fn share(&self) -> f64 {
        self.hash as f64 / 2f64.powi(64)
    }

    /// Returns whether the hash alone would keep the event.
    pub fn is_below(&self) -> bool {
        u128::from(self.hash) < self.threshold
    }
}

/// Says whether an event is in the sample, and why.
pub struct SampleExplainer {
    sample: Sample,
    rate: f64,
    key: Option<String>,
    always_keep: Option<FilterExplainer>,
}

impl SampleExplainer {
    /// Returns an explainer of the stage, having asked `projection` for the fields it needs.
    pub fn new(config: &SampleConfig, projection: &mut Projection) -> Self {
        let always_keep = config.always_keep.as_ref();
        Self {
            sample: Sample::new(config, projection),
            rate: config.rate,
            key: config.key.clone(),
            always_keep: always_keep.map(|filter| FilterExplainer::new(filter, projection)),
        }
    }

    /// Returns whether an event is in the sample, and why.
    pub fn explain(&mut self, batch: &Batch, event: usize) -> Draw {
        let seed = self.sample.seed;
        let hash = xxh3_64_with_seed(self.sample.hashed(batch, event), seed);
        let threshold = self.sample.below;
        let always_keep = self.always_keep.as_mut().map(|filter| filter.explain(batch, event));
        let is_spared = always_keep.as_ref().is_some_and(|judgement| judgement.holds);
        let is_kept = u128::from(hash) < threshold || is_spared;
        Draw {
            is_kept,
            rate: self.rate,
            hashed: self.hashed(batch, event),
            seed,
            hash,
            threshold,
            always_keep,
        }
    }

    fn hashed(&mut self, batch: &Batch, event: usize) -> Hashed {
        let field = self.sample.key.and_then(|key| batch.field(event, key));
        match (&self.key, field.filter(|raw| Value::of(raw) != Value::Null)) {
            (Some(key), Some(_)) => {
                let value = Excerpt::new(self.sample.hashed(batch, event));
                Hashed::Field { key: key.clone(), value }
            }
            (key, _) => Hashed::Event { n_bytes: batch.body_as_read(event).len(), missing: key.clone() },
        }
    }
}
