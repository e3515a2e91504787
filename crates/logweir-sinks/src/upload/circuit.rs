//! Lets only one batch try while a destination is down.

use std::time::SystemTime;

/// The failures in a row after which it opens.
const N_FAILURES: u32 = 5;

/// Counts failures in a row. While it is *open*, since there were so many, the destination is taken to be down, and only
/// one batch at a time is to be tried; as soon as one is answered it is closed.
#[derive(Debug, Default)]
pub(super) struct Circuit {
    n_failures: u32,
    open_since: Option<SystemTime>,
}

impl Circuit {
    /// Counts a failure.
    pub(super) fn fail(&mut self) {
        self.n_failures = self.n_failures.saturating_add(1);
        if self.n_failures >= N_FAILURES && self.open_since.is_none() {
            self.open_since = Some(SystemTime::now());
        }
    }

    /// Notes that the destination has answered.
    pub(super) fn close(&mut self) {
        *self = Self::default();
    }

    /// Returns whether nothing has failed since the destination last answered.
    pub(super) fn has_no_failure(&self) -> bool {
        self.n_failures == 0
    }

    /// Returns since when it has been open.
    pub(super) fn open_since(&self) -> Option<SystemTime> {
        self.open_since
    }

    pub(super) fn is_open(&self) -> bool {
        self.open_since.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_in_a_row_open_it_and_an_answer_closes_it() {
        let mut circuit = Circuit::default();
        for _ in 0..4 {
            circuit.fail();
        }
        circuit.close();
        for _ in 0..4 {
            circuit.fail();
            assert!(!circuit.is_open());
        }
        circuit.fail();
        let since = circuit.open_since();
        circuit.fail();
        assert!(since.is_some() && circuit.open_since() == since);
        circuit.close();
        assert!(!circuit.is_open());
    }
}
