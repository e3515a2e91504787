//! What holds a component up while it goes on trying.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::causes::with_causes;

/// The most troubles that are kept at once; more are only counted.
const MAX_TROUBLES: usize = 100;

/// What holds a component up at the moment: troubles it waits out, like a full disk, each by its subject. A clone is
/// the same condition.
///
/// The component tells; whoever watches the daemon reads.
#[derive(Clone, Default, Debug)]
pub struct Condition {
    state: Arc<Mutex<State>>,
}

#[derive(Default, Debug)]
struct State {
    /// By subject: what is to be opened, written, read.
    troubles: BTreeMap<String, Trouble>,
    /// How often each kind of trouble was met, retries included.
    counts: BTreeMap<&'static str, u64>,
}

/// Something that holds a component up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// What kind of trouble, one of few words, for metrics.
    pub kind: &'static str,
    /// What happened, with its causes.
    pub message: String,
}

impl Condition {
    /// Returns one without trouble.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts a trouble with `subject`, and keeps it until it is [cleared](Condition::clear); returns whether it is
    /// new, and so worth a line in the log.
    pub fn trouble(&self, subject: &str, kind: &'static str, error: &dyn Error) -> bool {
        let trouble = Trouble { kind, message: with_causes(error) };
        let mut state = self.lock();
        *state.counts.entry(kind).or_default() += 1;
        let has_room = state.troubles.len() < MAX_TROUBLES;
        match state.troubles.get_mut(subject) {
            Some(known) => std::mem::replace(known, trouble.clone()).kind != trouble.kind,
            None if has_room => {
                state.troubles.insert(subject.to_owned(), trouble);
                true
            }
            None => false,
        }
    }

    /// Forgets the trouble with `subject`; returns whether there was one.
    pub fn clear(&self, subject: &str) -> bool {
        let mut state = self.lock();
        !state.troubles.is_empty() && state.troubles.remove(subject).is_some()
    }

    /// Returns the troubles there are, a hundred at most.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.lock().troubles.values().cloned().collect()
    }

    /// Returns how often each kind of trouble was met.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().counts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after each change, even if somebody panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Said(&'static str);

    impl std::fmt::Display for Said {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Said {}

    #[test]
    fn a_trouble_is_news_once_and_counted_each_time() {
        let condition = Condition::new();
        let full = Said("full");
        assert!(condition.trouble("a", "write", &full));
        assert!(!condition.trouble("a", "write", &full));
        assert!(condition.trouble("a", "sync", &full), "another kind is news");
        assert!(condition.trouble("b", "open", &full));
        assert_eq!(condition.counts(), BTreeMap::from([("open", 1), ("sync", 1), ("write", 2)]));
        assert_eq!(condition.troubles().len(), 2);
        assert!(condition.clear("a") && !condition.clear("a"));
        assert_eq!(condition.troubles(), [Trouble { kind: "open", message: "full".to_owned() }]);
    }

    #[test]
    fn very_many_troubles_are_counted_and_not_kept() {
        let condition = Condition::new();
        for i in 0..1000 {
            condition.trouble(&i.to_string(), "open", &Said("gone"));
        }
        assert_eq!((condition.troubles().len(), condition.counts()["open"]), (100, 1000));
    }
}
