//! Keeps the events for which a condition holds.

mod term;

pub use term::{Term, TermKind};

/// A filter that has been understood.
#[derive(Clone, PartialEq, Debug)]
pub struct FilterConfig {}

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
    pub fn from_term(_term: &Term) -> Result<Self, Vec<FilterProblem>> {
        Err(vec![])
    }

    /// Understands a filter given as Logpush gives it: a text that holds JSON.
    ///
    /// # Errors
    ///
    /// All problems found, in order of place.
    pub fn from_json(_text: &str) -> Result<Self, Vec<FilterProblem>> {
        Err(vec![])
    }
}
