//! Which share of which events is kept.

use logweir_event::Batch;
use logweir_json::Projection;

use super::SampleConfig;
use crate::filter::Filter;

/// A share of events.
#[derive(Clone, Copy)]
pub(super) struct Share {
    rate: f64,
    /// Hashes below this are kept: the rate times 2⁶⁴, which itself needs a bit more than 64.
    pub(super) below: u128,
}

impl Share {
    /// Returns the share of this rate.
    pub(super) fn new(rate: f64) -> Self {
        // Scaling by a power of two is exact, so nothing is rounded but the floor.
        #[expect(clippy::cast_sign_loss, reason = "the rate is positive")]
        let below = (rate * 2f64.powi(64)) as u128;
        Self { rate, below }
    }

    /// Returns how many events each of those stands for that are kept; finite, since a rate whose inverse is not keeps
    /// none.
    pub(super) fn weight(self) -> f64 {
        1.0 / self.rate
    }
}

/// Events of one kind, and the share of them that is kept.
struct Stratum {
    filter: Filter,
    share: Share,
}

/// The strata of a sample: the first whose filter holds is an event's, and there is one for the rest.
pub(super) struct Strata {
    /// `always_keep` first, if there is one.
    list: Vec<Stratum>,
    rest: Share,
    /// The least of all thresholds: a hash below it keeps its event, whatever the stratum is.
    least: u128,
    /// The greatest of all thresholds: no other hash keeps an event.
    greatest: u128,
}

impl Strata {
    /// Returns the strata, having asked `projection` for the fields that their filters need.
    pub(super) fn new(config: &SampleConfig, projection: &mut Projection) -> Self {
        let spared = config.always_keep.iter().map(|filter| (filter, 1.0));
        let filtered = spared.chain(config.rates.iter().map(|stratum| (&stratum.filter, stratum.rate)));
        let stratum =
            |(filter, rate)| Stratum { filter: Filter::new(filter, projection), share: Share::new(rate) };
        let list: Vec<_> = filtered.map(stratum).collect();
        let rest = Share::new(config.rate);
        let thresholds = || list.iter().map(|stratum| stratum.share.below);
        let least = thresholds().fold(rest.below, u128::min);
        let greatest = thresholds().fold(rest.below, u128::max);
        Self { list, rest, least, greatest }
    }

    /// Returns whether an event with this hash is kept. Of most it is clear whatever stratum they belong to, so that no
    /// filter has to be asked.
    pub(super) fn keep(&mut self, hash: u64, batch: &Batch, event: usize) -> bool {
        let hash = u128::from(hash);
        hash < self.least || (hash < self.greatest && hash < self.share_of(batch, event).below)
    }

    /// Returns the share that is kept of events like this one.
    pub(super) fn share_of(&mut self, batch: &Batch, event: usize) -> Share {
        let own = |stratum: &mut Stratum| stratum.filter.keeps(batch, event).then_some(stratum.share);
        self.list.iter_mut().find_map(own).unwrap_or(self.rest)
    }
}
