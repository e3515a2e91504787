//! The five verbs on a batch.

mod encode;
mod filter;
mod sample;
mod truncate;

pub use encode::EncodeConfig;
pub use filter::{FilterConfig, FilterProblem, Term, TermKind};
pub use logweir_json::Unit;
pub use sample::SampleConfig;
pub use truncate::TruncateConfig;
