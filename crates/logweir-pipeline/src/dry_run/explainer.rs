//! Why a stage did what it did.

use logweir_event::Batch;
use logweir_stages::{
    Draw, FilterExplainer, Judgement, Projection, SampleExplainer, Spending, TruncateExplainer,
};

use crate::config::StageConfig;

/// Why a stage did what it did with an event.
#[derive(Clone, PartialEq, Debug)]
pub enum Explanation {
    /// What the filter's condition comes to.
    Filter(Judgement),
    /// Whether the event is in the sample.
    Sample(Draw),
    /// Where the budget went.
    Truncate(Spending),
}

/// Explains one stage.
pub(super) enum Explainer {
    Filter(FilterExplainer),
    Sample(Box<SampleExplainer>),
    Truncate(TruncateExplainer),
}

impl Explainer {
    /// Returns the explainer of a stage, having asked `projection` for the fields it needs.
    pub(super) fn new(config: &StageConfig, projection: &mut Projection) -> Self {
        match config {
            StageConfig::Filter(config) => Self::Filter(FilterExplainer::new(config, projection)),
            StageConfig::Sample(config) => Self::Sample(Box::new(SampleExplainer::new(config, projection))),
            StageConfig::Truncate(config) => Self::Truncate(TruncateExplainer::new(config, projection)),
        }
    }

    /// Returns what the stage is about to do with the only event of a batch, and why.
    pub(super) fn explain(&mut self, batch: &Batch) -> Explanation {
        match self {
            Self::Filter(explainer) => Explanation::Filter(explainer.explain(batch, 0)),
            Self::Sample(explainer) => Explanation::Sample(explainer.explain(batch, 0)),
            Self::Truncate(explainer) => Explanation::Truncate(explainer.explain(batch, 0)),
        }
    }
}
