//! Keeps the events for which a condition holds.
//!
//! A filter is written as Logpush writes it: `{"where": …}` around a condition, which is one predicate (a key, an
//! operator, a value) or a list of conditions under `and` or `or`. Values are typed by what the event holds, not by
//! how the filter spells them.

mod explain;
mod parse;
mod predicate;
mod term;
mod verdict;
mod words;

use std::sync::Arc;

pub use explain::{Comparison, FilterExplainer, Judged, Judgement, WrittenPredicate};
use logweir_event::{Batch, ColumnId};
use logweir_json::Projection;
pub use term::{Term, TermKind};
pub use verdict::{Asked, ValueKind, Verdict};

use self::predicate::Condition;
use crate::{Stage, Tally};

/// A filter that has been understood, with the keys as they are written.
#[derive(Clone, PartialEq, Debug)]
pub struct FilterConfig {
    condition: Condition<String>,
    /// What is written of each predicate, in the order in which they stand in the condition: to explain it, since the
    /// condition keeps only what it is to be compared with.
    written: Vec<Arc<WrittenPredicate>>,
}

/// Something wrong with a filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterProblem {
    /// The place, as the [`Term`] at fault has it; for JSON text the byte offset.
    pub at: usize,
    /// What is wrong, one line, and what would be right.
    pub message: String,
}

impl FilterConfig {
    /// Understands a filter given as `{where: …}`.
    ///
    /// # Errors
    ///
    /// All problems found, in order of place.
    pub fn from_term(term: &Term) -> Result<Self, Vec<FilterProblem>> {
        parse::parse(term).map(|(condition, written)| Self { condition, written })
    }

    /// Understands a filter given as Logpush gives it: a text that holds JSON.
    ///
    /// # Errors
    ///
    /// All problems found, in order of place.
    pub fn from_json(text: &str) -> Result<Self, Vec<FilterProblem>> {
        let term = Term::from_json(text).map_err(|problem| vec![problem])?;
        Self::from_term(&term)
    }
}

/// The `filter` stage.
pub struct Filter {
    condition: Condition<ColumnId>,
    /// Decoded text of a field with escapes.
    scratch: Vec<u8>,
}

impl Filter {
    /// Returns the stage, having asked `projection` for the fields it needs.
    pub fn new(config: &FilterConfig, projection: &mut Projection) -> Self {
        Self { condition: config.condition.with_columns(projection), scratch: Vec::new() }
    }

    /// Returns whether the condition holds for an event.
    pub fn keeps(&mut self, batch: &Batch, event: usize) -> bool {
        self.condition.holds(&|column| batch.field(event, column), &mut self.scratch)
    }
}

impl Stage for Filter {
    fn apply(&mut self, batch: &mut Batch, tally: &mut Tally) {
        tally.filtered += batch.retain(|batch, event| self.keeps(batch, event)) as u64;
    }
}
