//! What the stages did to a batch.

use crate::scripts::ScriptTally;

/// Counts of what the stages of one pipeline or output did, for the ledger.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Events that a filter took off.
    pub filtered: u64,
    /// Events that sampling took off.
    pub sampled_out: u64,
    /// Events that truncate edited; one that two stages edit counts twice.
    pub truncated: u64,
    /// Counted units of text that truncate removed: of exception names, exception messages and log messages.
    pub truncated_characters: [u64; 3],
    /// What truncate did by script, as far as its stages count that.
    pub scripts: ScriptTally,
}

impl std::ops::AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.filtered += other.filtered;
        self.sampled_out += other.sampled_out;
        self.truncated += other.truncated;
        for (total, n) in self.truncated_characters.iter_mut().zip(other.truncated_characters) {
            *total += n;
        }
        self.scripts.add(&other.scripts);
    }
}
