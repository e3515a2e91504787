//! What truncate did, by the script whose events it cut.

use std::collections::HashMap;
use std::sync::Arc;

/// The name under which the scripts are counted for which there was no room.
const OTHER: &str = "(other)";

/// The name under which events are counted that name no script. A script's own name has no parentheses.
pub(crate) const NONE: &str = "(none)";

/// What was cut of some events.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cuts {
    /// Events that truncate edited; one that two stages edit counts twice.
    pub events: u64,
    /// Counted units of text that it removed: of exception names, of exception messages, of log messages.
    pub characters: [u64; 3],
}

/// What truncate cut, for each script in the order in which they came up.
///
/// The tally of a batch has all scripts of that batch. A sum of tallies, as the ledger keeps it, has no more than the
/// stages that counted ask for, the first ones; all others are one there, `(other)`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScriptTally {
    /// The most names that a sum may have, `(other)` and `(none)` apart; what is there once is never forgotten.
    max_scripts: usize,
    cuts: Vec<(Arc<str>, Cuts)>,
    /// Where each name is in `cuts`.
    places: HashMap<Arc<str>, usize>,
}

impl Cuts {
    fn add(&mut self, other: &Self) {
        self.events += other.events;
        for (total, n) in self.characters.iter_mut().zip(other.characters) {
            *total += n;
        }
    }
}

impl ScriptTally {
    /// Returns the scripts with what was cut of each; none where no stage counts them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Cuts)> {
        self.cuts.iter().map(|(script, cuts)| (&**script, cuts))
    }

    /// Counts cuts of one script, for a stage that asks for `max_scripts`.
    pub(crate) fn count(&mut self, script: &str, cuts: &Cuts, max_scripts: usize) {
        self.max_scripts = self.max_scripts.max(max_scripts);
        match self.places.get(script) {
            Some(&place) => self.cuts[place].1.add(cuts),
            None => self.push(Arc::from(script), *cuts),
        }
    }

    /// Adds what another tally has, as far as there is room for its names.
    pub(crate) fn add(&mut self, other: &Self) {
        self.max_scripts = self.max_scripts.max(other.max_scripts);
        for (script, cuts) in &other.cuts {
            let script = if self.has_room_for(script) { script.clone() } else { Arc::from(OTHER) };
            match self.places.get(&script) {
                Some(&place) => self.cuts[place].1.add(cuts),
                None => self.push(script, *cuts),
            }
        }
    }

    fn has_room_for(&self, script: &str) -> bool {
        let is_known = |name: &str| self.places.contains_key(name);
        let n_besides = [OTHER, NONE].into_iter().filter(|name| is_known(name)).count();
        [OTHER, NONE].contains(&script) || is_known(script) || self.cuts.len() - n_besides < self.max_scripts
    }

    fn push(&mut self, script: Arc<str>, cuts: Cuts) {
        self.places.insert(script.clone(), self.cuts.len());
        self.cuts.push((script, cuts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the tally of events of these scripts, of each of which one name of an exception lost a character.
    fn tally(scripts: &[&str], max_scripts: usize) -> ScriptTally {
        let mut tally = ScriptTally::default();
        for script in scripts {
            tally.count(script, &Cuts { events: 1, characters: [1, 0, 0] }, max_scripts);
        }
        tally
    }

    /// Checks how many events of each script a sum has.
    #[track_caller]
    fn check(sum: &ScriptTally, expected: &[(&str, u64)]) {
        let found: Vec<_> = sum.iter().map(|(script, cuts)| (script, cuts.events)).collect();
        assert_eq!(found, expected);
        assert!(sum.iter().all(|(_, cuts)| cuts.characters == [cuts.events, 0, 0]));
    }

    #[test]
    fn a_sum_names_the_first_scripts_and_the_rest_together() {
        let mut sum = ScriptTally::default();
        sum.add(&tally(&["b", "(none)", "b", "a", "c"], 2));
        check(&sum, &[("b", 2), ("(none)", 1), ("a", 1), ("(other)", 1)]);
        sum.add(&tally(&["d", "a", "(other)", "(none)"], 2));
        check(&sum, &[("b", 2), ("(none)", 2), ("a", 2), ("(other)", 3)]);
    }

    #[test]
    fn the_most_that_was_ever_asked_for_is_the_bound() {
        let mut sum = ScriptTally::default();
        sum.add(&tally(&["a", "b"], 1));
        check(&sum, &[("a", 1), ("(other)", 1)]);
        sum.add(&tally(&["b", "c"], 2));
        check(&sum, &[("a", 1), ("(other)", 2), ("b", 1)]);
        sum.add(&tally(&["a", "b", "c"], 1));
        check(&sum, &[("a", 2), ("(other)", 3), ("b", 2)]);
    }

    #[test]
    fn a_batch_has_all_its_scripts() {
        check(&tally(&["a", "b", "c"], 1), &[("a", 1), ("b", 1), ("c", 1)]);
    }
}
