//! Keeping a share of the events.

use twox_hash::XxHash3_64;

use super::decode::Event;
use super::filter::Filter;
use super::json::{Kind, Node};
use super::member::{number, set_member};

/// What a sampling stage is told.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The share to keep, in (0, 1].
    pub rate: f64,
    /// The field to hash; the whole event without one.
    pub key: Option<String>,
    /// Seed of the hash.
    pub seed: u64,
    /// Events that are kept whatever their hash.
    pub always_keep: Option<Filter>,
    /// Filters with a share of their own; the first that holds says which.
    pub rates: Vec<(Filter, f64)>,
    /// The field that says how many events a kept one stands for.
    pub weight_field: Option<String>,
}

impl Sample {
    /// Returns whether the event is kept. `as_read` is the event before any stage, from its `{` to its `}`.
    pub fn keeps(&self, event: &Event, as_read: &[u8]) -> bool {
        let hash = XxHash3_64::oneshot_with_seed(self.seed, &self.hashed(event, as_read));
        is_kept(hash, self.rate_of(event))
    }

    /// Returns the share that is kept of events like this one.
    pub fn rate_of(&self, event: &Event) -> f64 {
        if self.always_keep.as_ref().is_some_and(|filter| filter.keeps(event.object())) {
            return 1.0;
        }
        let own = self.rates.iter().find(|(filter, _)| filter.keeps(event.object()));
        own.map_or(self.rate, |(_, rate)| *rate)
    }

    /// Returns the line of an event that is kept, with its weight in it: 1/rate times what it was.
    pub fn weighed(&self, event: &Event) -> Vec<u8> {
        let Some(name) = &self.weight_field else { return event.line().to_vec() };
        let weight = 1.0 / self.rate_of(event);
        let Some(before) = event.object().get(name.as_str()).as_ref().and_then(weight_of) else {
            return set_member(event, name, &number(weight));
        };
        let product = (weight * before).clamp(0.0, f64::MAX);
        if product.to_bits() == before.to_bits() {
            return event.line().to_vec();
        }
        set_member(event, name, &number(product))
    }

    /// Returns the bytes whose hash decides.
    pub fn hashed(&self, event: &Event, as_read: &[u8]) -> Vec<u8> {
        let field = self.key.as_ref().and_then(|key| event.object().path(key.as_str()));
        match field.as_ref().map(Node::kind) {
            None | Some(Kind::Null) => as_read.to_vec(),
            Some(_) => field.map(|field| written(&field)).unwrap_or_default(),
        }
    }
}

/// Returns whether a hash is below ⌊rate · 2⁶⁴⌋, for which 64 bits are one too few at rate 1.
#[expect(clippy::cast_sign_loss, reason = "a rate is not negative")]
pub fn is_kept(hash: u64, rate: f64) -> bool {
    // A double times a power of two is exact, and the cast to an integer rounds down.
    let threshold = (rate * 2f64.powi(64)) as u128;
    u128::from(hash) < threshold
}

fn written(field: &Node) -> Vec<u8> {
    field.text().map_or_else(|| field.raw().as_bytes().to_vec(), |text| text.to_wtf8())
}

/// Returns the weight that a field says an event has, if it does.
fn weight_of(field: &Node) -> Option<f64> {
    let weight: f64 = field.raw().parse().ok().filter(|_| field.kind() == Kind::Number)?;
    (weight > 0.0 && weight < f64::INFINITY).then_some(weight)
}
