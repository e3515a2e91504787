//! Why an event is in the sample, or is not.

use logweir_event::Batch;
use logweir_json::{Projection, Value};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::strata::Share;
use super::{Sample, SampleConfig};
use crate::Excerpt;
use crate::filter::{FilterConfig, FilterExplainer, Judgement};

/// Why an event is in the sample, or is not.
#[derive(Clone, PartialEq, Debug)]
pub struct Draw {
    /// Whether it is.
    pub is_kept: bool,
    /// What decides which share is kept of events like this one, in order, up to the first that holds. Where none does,
    /// the stage's own rate is the share.
    pub strata: Vec<Stratum>,
    /// The share that is kept of events like this one.
    pub rate: f64,
    /// What the hash is made of.
    pub hashed: Hashed,
    /// Its seed.
    pub seed: u64,
    /// The hash.
    pub hash: u64,
    /// Hashes below this are kept: the rate times 2⁶⁴.
    pub threshold: u128,
    /// What is written into it, if it is kept and the stage weighs events.
    pub weight: Option<Weight>,
}

/// How many events a kept one stands for.
#[derive(Clone, PartialEq, Debug)]
pub struct Weight {
    /// The top-level field that says so.
    pub field: String,
    /// What the stage multiplies the field with, which counts as 1 where there is none: 1/rate.
    pub factor: f64,
}

/// Events with a share of their own, and whether this is one of them.
#[derive(Clone, PartialEq, Debug)]
pub struct Stratum {
    /// Where it stands in the stage: `always_keep`, or `rates[1]`.
    pub place: String,
    /// The share of them that is kept.
    pub rate: f64,
    /// What their condition comes to.
    pub judgement: Judgement,
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

    /// Returns the stratum that the event belongs to; `None` if it belongs to the rest.
    pub fn stratum(&self) -> Option<&Stratum> {
        self.strata.last().filter(|stratum| stratum.judgement.holds)
    }
}

/// Says whether an event is in the sample, and why.
pub struct SampleExplainer {
    sample: Sample,
    /// The strata in order, each with where it stands and its rate.
    strata: Vec<(String, FilterExplainer, f64)>,
    /// The share of the rest.
    rate: f64,
    key: Option<String>,
    weight_field: Option<String>,
}

impl SampleExplainer {
    /// Returns an explainer of the stage, having asked `projection` for the fields it needs.
    pub fn new(config: &SampleConfig, projection: &mut Projection) -> Self {
        let sample = Sample::new(config, projection);
        let mut stratum = |place: String, filter: &FilterConfig, rate: f64| {
            (place, FilterExplainer::new(filter, projection), rate)
        };
        let mut strata = Vec::new();
        if let Some(filter) = &config.always_keep {
            strata.push(stratum(String::from("always_keep"), filter, 1.0));
        }
        for (i, config) in config.rates.iter().enumerate() {
            strata.push(stratum(format!("rates[{i}]"), &config.filter, config.rate));
        }
        let (key, weight_field) = (config.key.clone(), config.weight_field.clone());
        Self { sample, strata, rate: config.rate, key, weight_field }
    }

    /// Returns whether an event is in the sample, and why.
    pub fn explain(&mut self, batch: &Batch, event: usize) -> Draw {
        let strata = self.strata_of(batch, event);
        let rate = strata.last().filter(|one| one.judgement.holds).map_or(self.rate, |one| one.rate);
        let seed = self.sample.seed;
        let hash = xxh3_64_with_seed(self.sample.hashed(batch, event), seed);
        let share = Share::new(rate);
        let threshold = share.below;
        let is_kept = u128::from(hash) < threshold;
        let weight = self.weight_field.clone().filter(|_| is_kept);
        let weight = weight.map(|field| Weight { field, factor: share.weight() });
        let hashed = self.hashed(batch, event);
        Draw { is_kept, strata, rate, hashed, seed, hash, threshold, weight }
    }

    /// Judges the strata up to the one that the event belongs to.
    fn strata_of(&mut self, batch: &Batch, event: usize) -> Vec<Stratum> {
        let mut judged = Vec::new();
        for (place, filter, rate) in &mut self.strata {
            let judgement = filter.explain(batch, event);
            let holds = judgement.holds;
            judged.push(Stratum { place: place.clone(), rate: *rate, judgement });
            if holds {
                break;
            }
        }
        judged
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
