//! Keeps a reproducible share of the events.

use crate::filter::FilterConfig;

/// The configuration of a `sample` stage.
#[derive(Clone, PartialEq, Debug)]
pub struct SampleConfig {
    /// The share to keep, in (0, 1].
    pub rate: f64,
    /// The field whose value decides; the whole event where there is none.
    pub key: Option<String>,
    /// Seed of the hash.
    pub seed: u64,
    /// Events that are kept whatever the hash says.
    pub always_keep: Option<FilterConfig>,
}
