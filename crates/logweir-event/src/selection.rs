//! Which events of a batch are still on their way.

/// A set of event indices, one bit each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selection {
    /// Bit `i % 64` of word `i / 64` is event `i`. Bits from `len` on are zero.
    words: Vec<u64>,
    len: usize,
}

impl Selection {
    /// Selects all of `len` events, reusing the memory.
    pub fn select_all(&mut self, len: usize) {
        self.words.clear();
        self.words.resize(len / 64, u64::MAX);
        if !len.is_multiple_of(64) {
            self.words.push((1 << (len % 64)) - 1);
        }
        self.len = len;
    }

    /// Returns how many events there are, selected or not.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are no events at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns how many events are selected.
    pub fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Returns whether event `i` is selected; false beyond the end.
    pub fn contains(&self, i: usize) -> bool {
        self.words.get(i / 64).is_some_and(|word| word >> (i % 64) & 1 == 1)
    }

    /// Keeps those selected events for which `keep` holds, asking in order; returns how many went.
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) -> usize {
        let mut n_removed = 0;
        for (w, word) in self.words.iter_mut().enumerate() {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                left &= left - 1;
                if !keep(w * 64 + bit as usize) {
                    *word &= !(1 << bit);
                    n_removed += 1;
                }
            }
        }
        n_removed
    }

    /// Returns the selected indices in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + Clone + '_ {
        self.words.iter().enumerate().flat_map(|(w, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                (left != 0).then(|| {
                    let bit = left.trailing_zeros() as usize;
                    left &= left - 1;
                    w * 64 + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_is_told_at_every_length() {
        for len in [0, 1, 63, 64, 65, 127, 128, 200] {
            let mut selection = Selection::default();
            selection.select_all(len);
            assert_eq!(selection.count(), len);
            let removed = selection.retain(|i| i % 3 == 0);
            let expected: Vec<usize> = (0..len).filter(|i| i % 3 == 0).collect();
            assert_eq!(selection.iter().collect::<Vec<_>>(), expected);
            assert_eq!(selection.count() + removed, len);
            assert!(!selection.contains(len));
        }
    }
}
