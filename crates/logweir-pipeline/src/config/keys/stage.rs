//! What happens to an event: the stages and their options.

use super::{ListShape, MapShape, Rule, Shape, TextShape, optional, required};
use crate::config::shape::Default;

/// The most stages that edit events on the way to one output. Each puts a new line beside the chunk for the events that it
/// edits, and what comes together there has to be found with 32 bits. With this many it is at most 1.1 GiB of one event
/// of 64 MiB. Of the smallest events, in a chunk of 16 MiB, it is 0.8 GiB where each is marked as cut, and 1.7 GiB of
/// members of 800 bytes each, since of events with so many fields fewer are decoded at once.
pub(in crate::config) const MAX_EDITS: usize = 16;

/// The most of these that report what they cut. A report and its name are some 200 bytes, 600 if the name is all escapes,
/// and every later edit copies it: of 65,536 events, which is how many a batch has where four fields are asked for, four
/// reports come to 2.4 GB at worst, a sixteenth of that in a common chunk; sixteen would not fit.
pub(in crate::config) const MAX_REPORTS: usize = 4;

/// Rates in one stage: for an event of the rest, the condition of each has to be found not to hold.
const MAX_RATES: usize = 64;

/// The most scripts that cuts are counted by: each is up to four series for whoever scrapes them.
const MAX_SCRIPTS: u64 = 10_000;

/// Stages in one list.
const MAX_STAGES: usize = 256;

pub(super) static STAGES: ListShape =
    ListShape { item: Shape::Map(&STAGE), may_be_empty: true, most: MAX_STAGES, distinct: false };

pub(in crate::config) static STAGE: MapShape = MapShape {
    what: "a stage",
    rule: Rule::ExactlyOne,
    only: &[],
    hints: &[("where", "write the condition as `filter: { where: … }`")],
    keys: &[
        optional("filter", "Keeps the events for which a condition holds.", Shape::Filter),
        optional("sample", "Keeps a reproducible share of the events.", Shape::Map(&SAMPLE)),
        optional("truncate", "Cuts the texts of exceptions and logs to a budget.", Shape::Map(&TRUNCATE)),
    ],
};

pub(in crate::config) static SAMPLE: MapShape = MapShape {
    what: "`sample`",
    rule: Rule::Free,
    only: &[],
    hints: &[
        ("where", "write the condition in an item of `rates`, or as `always_keep: { where: … }`"),
        ("weight", "did you mean `weight_field`?"),
    ],
    keys: &[
        required(
            "rate",
            "The share to keep, greater than 0 and at most 1, of all events that `rates` says nothing of.",
            Shape::Rate,
        ),
        optional(
            "rates",
            "Kinds of events with a share of their own; the first whose condition holds is the one.",
            Shape::List(&RATES),
        ).or(Default::Said("none")),
        optional(
            "key",
            "The field whose value decides, so that events that share it go together.",
            Shape::Text(TextShape::Any),
        ).or(Default::Said("the whole event")),
        optional("seed", "Another seed keeps other events.", Shape::Integer(0, u64::MAX)).or(Default::Integer(0)),
        optional(
            "always_keep",
            "Events that are kept whatever the rate, as if `rates` began with them and rate 1.",
            Shape::Filter,
        ).or(Default::Said("none")),
        optional(
            "weight_field",
            "The top-level field that tells of each event how many it stands for, as `SampleInterval`; what it says \
             already is multiplied.",
            Shape::Text(TextShape::Member),
        ).or(Default::Said("nothing is written")),
    ],
};

static RATES: ListShape =
    ListShape { item: Shape::Map(&RATE), may_be_empty: false, most: MAX_RATES, distinct: false };

static RATE: MapShape = MapShape {
    what: "an item of `rates`",
    rule: Rule::Free,
    only: &[],
    hints: &[
        ("filter", "write its condition as `where: { key: …, operator: …, value: … }`"),
        ("key", "write the condition as `where: { key: …, operator: …, value: … }`"),
    ],
    keys: &[
        required("where", "Which events are meant: a condition, as in a filter.", Shape::Condition),
        required("rate", "The share of them to keep, greater than 0 and at most 1.", Shape::Rate),
    ],
};

pub(in crate::config) static TRUNCATE: MapShape = MapShape {
    what: "`truncate`",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[
        optional("limit", "The budget of an event.", Shape::Integer(0, u64::MAX))
            .or(Default::Integer(16_384)),
        optional(
            "unit",
            "What the budget counts: code points, UTF-16 code units or bytes of UTF-8.",
            Shape::Choice(&["chars", "utf16", "bytes"]),
        )
        .or(Default::Word("chars")),
        optional(
            "max_scripts",
            "Counts cuts by `ScriptName`, for this many scripts at most, the first ones; the rest together.",
            Shape::Integer(1, MAX_SCRIPTS),
        )
        .or(Default::Said("not")),
        optional(
            "report",
            "The top-level field that tells of each event that is cut what is missing, as `Truncation`.",
            Shape::Text(TextShape::Member),
        )
        .or(Default::Said("nothing is written")),
    ],
};
