//! Cuts the texts of an event to a budget of characters.

use logweir_json::Unit;

/// The configuration of a `truncate` stage.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TruncateConfig {
    /// The budget of an event; 16,384 unless told.
    pub limit: u64,
    /// What the budget counts.
    pub unit: Unit,
}
