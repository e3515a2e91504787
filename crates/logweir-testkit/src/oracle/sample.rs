//! Keeping a share of the events.

use twox_hash::XxHash3_64;

use super::decode::Event;
use super::filter::Filter;
use super::json::{Kind, Node};

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
}

impl Sample {
    /// Returns whether the event is kept. `as_read` is the event before any stage, from its `{` to its `}`.
    pub fn keeps(&self, event: &Event, as_read: &[u8]) -> bool {
        if self.always_keep.as_ref().is_some_and(|filter| filter.keeps(event.object())) {
            return true;
        }
        is_kept(XxHash3_64::oneshot_with_seed(self.seed, &self.hashed(event, as_read)), self.rate)
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
