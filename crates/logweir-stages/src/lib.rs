//! The five verbs on a batch: decode, filter, sample, truncate, encode.
//!
//! All are plain functions on a [`Batch`](logweir_event::Batch): no IO, no awaiting, no failing on bad data. Decode
//! makes the batch from a chunk, encode makes a payload of it; what stands between is a [`Stage`], and they run in
//! the order of the configuration. While a pipeline is built, each stage asks the
//! [`Projection`] for the fields it will look at; decode finds just those.

mod decode;
mod encode;
mod excerpt;
mod filter;
mod redaction;
mod sample;
mod scripts;
mod tally;
mod truncate;

pub use decode::Decode;
pub use encode::{
    Encode, EncodeConfig, EncodeProblem, OutputType, PAYLOAD_BYTES, RecordTemplate, TemplateProblem,
};
pub use excerpt::Excerpt;
pub use filter::{
    Asked, Comparison, Filter, FilterConfig, FilterExplainer, FilterProblem, Judged, Judgement, Term,
    TermKind, ValueKind, Verdict, WrittenPredicate,
};
pub use logweir_json::{Illegal, Projection, Unit, check as check_json, indented};
pub use redaction::Redaction;
pub use sample::{Draw, Hashed, Sample, SampleConfig, SampleExplainer, Stratum, StratumConfig, Weight};
pub use scripts::{Cuts, ScriptTally};
pub use tally::Tally;
pub use truncate::{Counted, Row, Spending, TextFate, TextRow, Truncate, TruncateConfig, TruncateExplainer};

/// Something that happens to a batch between decode and encode.
pub trait Stage: Send + Sync {
    /// Takes events off the batch's selection or edits them, and counts in `tally` what it did.
    fn apply(&mut self, batch: &mut logweir_event::Batch, tally: &mut Tally);
}
