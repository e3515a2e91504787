//! What became of one line.

use logweir_event::Malformed;
use logweir_stages::Excerpt;

use super::explainer::Explanation;
use crate::config::StageConfig;

/// What became of a line: how it was read, what each stage that saw it did, and what each output writes of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Passage {
    /// How it was read.
    pub read: Read,
    /// What people know it by, as far as it has it, with the value as it is written: its `ScriptName` and its
    /// `Event.RayID`.
    pub handles: Vec<(&'static str, Excerpt)>,
    /// The stages before the outputs that saw it, in order; the last one may have dropped it.
    pub steps: Vec<Step>,
    /// The outputs, in the order of the configuration; none if it did not get that far.
    pub outputs: Vec<OutputPassage>,
}

/// How a line was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Read {
    /// It is an event.
    Event,
    /// It holds nothing but white space, and is passed over.
    Blank,
    /// It is no event.
    Malformed(Malformed),
    /// It is longer than `limits.max_event_bytes`.
    Oversized,
}

/// What became of an event in one output.
#[derive(Clone, PartialEq, Debug)]
pub struct OutputPassage {
    /// The output's name; `None` for a pipeline's single sink.
    pub name: Option<String>,
    /// The output's own stages that saw it, in order; the last one may have dropped it.
    pub steps: Vec<Step>,
    /// What is written, its ending included; `None` if a stage dropped it.
    pub rendered: Option<Vec<u8>>,
}

/// What one stage did with an event.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// Where the stage stands in the configuration: `stages[1]`, or `outputs.errors.stages[0]`. Those of a job are
    /// counted as if it were a pipeline: filter, sample, truncate.
    pub place: String,
    /// What the stage does.
    pub verb: Verb,
    /// Whether the event went on.
    pub is_kept: bool,
    /// Why.
    pub explanation: Explanation,
    /// What was changed; `None` if nothing was.
    pub edit: Option<Edit>,
}

/// An event from its `{` to its `}`, before and after a stage changed it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// As the stage got it.
    pub before: Vec<u8>,
    /// As the stage left it.
    pub after: Vec<u8>,
}

/// What a stage does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// It keeps the events for which a condition holds.
    Filter,
    /// It keeps a share of the events.
    Sample,
    /// It cuts the texts of events to a budget.
    Truncate,
}

/// What becomes of a line in the end, as far as that is for the stages to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is written.
    Written,
    /// A filter dropped it.
    Filtered,
    /// Sampling dropped it.
    SampledOut,
    /// It is not UTF-8.
    NotUtf8,
    /// It is not JSON.
    NotJson,
    /// It is JSON, but no object.
    NotObject,
    /// It is longer than `limits.max_event_bytes`.
    Oversized,
    /// It holds nothing but white space: it is passed over, and counted nowhere.
    Blank,
}

impl Passage {
    /// Returns what becomes of a line that is longer than any event may be, and that nobody has kept.
    pub fn oversized() -> Self {
        Self { read: Read::Oversized, handles: Vec::new(), steps: Vec::new(), outputs: Vec::new() }
    }

    /// Returns what becomes of the line before the outputs: `None` if it comes to them.
    pub fn fate(&self) -> Option<Fate> {
        match self.read {
            Read::Blank => Some(Fate::Blank),
            Read::Oversized => Some(Fate::Oversized),
            Read::Malformed(Malformed::NotUtf8) => Some(Fate::NotUtf8),
            Read::Malformed(Malformed::NotJson) => Some(Fate::NotJson),
            Read::Malformed(Malformed::NotObject) => Some(Fate::NotObject),
            Read::Event => self.dropped_by().map(|step| step.verb.fate()),
        }
    }

    /// Returns what becomes of the line in an output, by its index in the configuration.
    pub fn fate_in(&self, output: usize) -> Fate {
        let own = || self.outputs.get(output).map_or(Fate::Written, OutputPassage::fate);
        self.fate().unwrap_or_else(own)
    }

    /// Returns the stage before the outputs that dropped the event.
    pub fn dropped_by(&self) -> Option<&Step> {
        dropping(&self.steps)
    }

    /// Returns the stage that dropped the event on its way to an output, by its index in the configuration.
    pub fn dropped_by_in(&self, output: usize) -> Option<&Step> {
        let own = || self.outputs.get(output).and_then(OutputPassage::dropped_by);
        self.dropped_by().or_else(own)
    }
}

impl OutputPassage {
    /// Returns what becomes of the event in this output.
    pub fn fate(&self) -> Fate {
        self.dropped_by().map_or(Fate::Written, |step| step.verb.fate())
    }

    /// Returns the output's own stage that dropped the event.
    pub fn dropped_by(&self) -> Option<&Step> {
        dropping(&self.steps)
    }
}

/// Returns the step that dropped the event: the last, if any.
fn dropping(steps: &[Step]) -> Option<&Step> {
    steps.last().filter(|step| !step.is_kept)
}

impl Verb {
    pub(super) fn of(config: &StageConfig) -> Self {
        match config {
            StageConfig::Filter(_) => Self::Filter,
            StageConfig::Sample(_) => Self::Sample,
            StageConfig::Truncate(_) => Self::Truncate,
        }
    }

    /// Returns its name in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Sample => "sample",
            Self::Truncate => "truncate",
        }
    }

    /// Returns what becomes of an event that a stage of this kind drops.
    fn fate(self) -> Fate {
        match self {
            Self::Sample => Fate::SampledOut,
            // Truncate drops nothing.
            Self::Filter | Self::Truncate => Fate::Filtered,
        }
    }
}

impl Fate {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::Written,
        Self::Filtered,
        Self::SampledOut,
        Self::NotUtf8,
        Self::NotJson,
        Self::NotObject,
        Self::Oversized,
        Self::Blank,
    ];

    /// Returns its name: for what is dropped, that of the reason in the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Filtered => "filtered",
            Self::SampledOut => "sampled_out",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::NotObject => "not_object",
            Self::Oversized => "oversized",
            Self::Blank => "blank",
        }
    }
}
