//! Which events have been seen.

use std::collections::VecDeque;

/// Numbers of events that have been seen: one bit for each from the first that has not been, in words of 64.
#[derive(Default, Debug)]
pub(super) struct Seen {
    /// All numbers below it have been seen; a multiple of 64.
    below: u64,
    /// The bits from `below` on; the first word is not full.
    words: VecDeque<u64>,
    /// How many numbers have been seen.
    n_numbers: u64,
}

impl Seen {
    /// Notes a number; returns whether it is new. Takes memory up to the largest number.
    pub(super) fn insert(&mut self, number: u64) -> bool {
        if self.contains(number) {
            return false;
        }
        let index = ((number - self.below) / 64) as usize;
        if index >= self.words.len() {
            self.words.resize(index + 1, 0);
        }
        self.words[index] |= 1 << (number % 64);
        self.n_numbers += 1;
        while self.words.front() == Some(&u64::MAX) {
            self.words.pop_front();
            self.below += 64;
        }
        true
    }

    /// Returns whether a number has been seen.
    pub(super) fn contains(&self, number: u64) -> bool {
        let Some(beyond) = number.checked_sub(self.below) else { return true };
        self.words.get((beyond / 64) as usize).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// Returns how many numbers have been seen.
    pub(super) fn n_seen(&self) -> u64 {
        self.n_numbers
    }

    /// Returns a number below which all have been seen.
    pub(super) fn all_below(&self) -> u64 {
        self.below
    }

    /// Returns the numbers below `end` that have not been seen.
    pub(super) fn missing(&self, end: u64) -> impl Iterator<Item = u64> {
        (self.below..end).filter(|&number| !self.contains(number))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_is_a_set(runs in proptest::collection::vec((0..1_000u64, 0..200u64), 0..20)) {
            let (mut seen, mut expected) = (Seen::default(), BTreeSet::new());
            for (start, n) in runs {
                for number in start..start + n {
                    prop_assert_eq!(seen.insert(number), expected.insert(number));
                }
            }
            prop_assert_eq!(seen.n_seen(), expected.len() as u64);
            prop_assert!((0..seen.all_below()).all(|number| expected.contains(&number)));
            let missing: Vec<_> = (0..1_300).filter(|number| !expected.contains(number)).collect();
            prop_assert_eq!(seen.missing(1_300).collect::<Vec<_>>(), missing);
        }
    }

    #[test]
    fn what_is_seen_without_gaps_takes_no_memory() {
        let mut seen = Seen::default();
        (0..1_000_000).for_each(|number| assert!(seen.insert(number)));
        assert!(seen.words.len() <= 1 && seen.words.capacity() < 100);
    }
}
