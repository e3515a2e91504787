//! How long to wait before what failed is tried again.

use std::time::Duration;

use fastrand::Rng;

/// Pauses between attempts, by exponential backoff with *full jitter*: after the n-th failure in a row any time from
/// nothing to `first · 2ⁿ⁻¹`, at most `longest`, all equally likely.
///
/// Many that failed together, since their destination was down, would come back together with fixed pauses, and bring
/// it down again. Spread evenly over the whole pause they come back one by one, and a pause of half the longest on
/// average is the price.
///
/// ```
/// use std::time::Duration;
/// use logweir_net::Backoff;
///
/// let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(30));
/// assert!(backoff.pause(None) <= Duration::from_millis(250));
/// assert!(backoff.pause(None) <= Duration::from_millis(500));
/// // What the destination asks for wins if it is longer.
/// assert_eq!(backoff.pause(Some(Duration::from_secs(60))), Duration::from_secs(60));
/// ```
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    /// Not shorter than `first`.
    longest: Duration,
    /// The longest that the next pause may be: between `first` and `longest`.
    next: Duration,
    random: Rng,
}

impl Backoff {
    /// Returns the pauses of which the first is at most `first` long, and none longer than `longest` (or `first`, if
    /// that is longer).
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self::with_random(first, longest, Rng::new())
    }

    /// Returns the same pauses for the same seed.
    pub fn with_seed(first: Duration, longest: Duration, seed: u64) -> Self {
        Self::with_random(first, longest, Rng::with_seed(seed))
    }

    fn with_random(first: Duration, longest: Duration, random: Rng) -> Self {
        Self { first, longest: longest.max(first), next: first, random }
    }

    /// Returns how long to wait after one more failure: not less than `retry_after`, which is what the destination
    /// asked for ([`Verdict::Retry`](crate::Verdict::Retry)).
    pub fn pause(&mut self, retry_after: Option<Duration>) -> Duration {
        let most = self.next;
        self.next = most.saturating_mul(2).min(self.longest);
        let drawn = most.mul_f64(self.random.f64());
        drawn.max(retry_after.unwrap_or_default())
    }

    /// Begins anew with the first pause: for after a success.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn pauses_are_spread_over_twice_the_time_after_each_failure() {
        let (first, longest) = (100 * MILLISECOND, 1000 * MILLISECOND);
        for (n, most) in [100, 200, 400, 800, 1000, 1000].into_iter().enumerate() {
            let pauses = (0..400).map(|seed| {
                let mut backoff = Backoff::with_seed(first, longest, seed);
                (0..=n).map(|_| backoff.pause(None)).fold(Duration::ZERO, |_, pause| pause)
            });
            let mut pauses: Vec<_> = pauses.collect();
            pauses.sort_unstable();
            let most = most * MILLISECOND;
            assert!(pauses[0] < most / 20 && pauses[399] > most * 19 / 20 && pauses[399] <= most, "{n}");
            assert!(pauses[200] > most * 2 / 5 && pauses[200] < most * 3 / 5, "{n}: {:?}", pauses[200]);
        }
    }

    #[test]
    fn a_success_begins_anew_and_a_seed_repeats() {
        let new = || Backoff::with_seed(MILLISECOND, 1000 * MILLISECOND, 7);
        let (mut one, mut other) = (new(), new());
        let pauses: Vec<_> = (0..9).map(|_| one.pause(None)).collect();
        assert_eq!(pauses, (0..9).map(|_| other.pause(None)).collect::<Vec<_>>());
        one.reset();
        assert!(one.pause(None) <= MILLISECOND);
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_the_longest_or_shorter_than_asked_for(
            first: u64,
            longest: u64,
            asked in proptest::option::of(any::<u32>()),
            seed: u64,
        ) {
            let (first, longest) = (Duration::from_millis(first), Duration::from_millis(longest));
            let asked = asked.map(u64::from).map(Duration::from_millis);
            let mut backoff = Backoff::with_seed(first, longest, seed);
            for _ in 0..100 {
                let pause = backoff.pause(asked);
                prop_assert!(pause >= asked.unwrap_or_default());
                prop_assert!(pause <= longest.max(first).max(asked.unwrap_or_default()));
            }
        }
    }
}
