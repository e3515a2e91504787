//! What happens to an event: the stages and their options.

use super::{ListShape, MapShape, Rule, Shape, TextShape, optional, required};

/// The most truncate stages on the way to one output. Each adds edits to an event, and the arithmetic on their spans
/// is exact for this many.
pub(in crate::config) const MAX_TRUNCATES: usize = 16;

/// Stages in one list.
const MAX_STAGES: usize = 256;

pub(super) static STAGES: ListShape =
    ListShape { item: Shape::Map(&STAGE), may_be_empty: true, most: MAX_STAGES, distinct: false };

static STAGE: MapShape = MapShape {
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

static SAMPLE: MapShape = MapShape {
    what: "`sample`",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[
        required("rate", "The share to keep, greater than 0 and at most 1.", Shape::Rate),
        optional(
            "key",
            "The field whose value decides, so that events that share it go together. By default the whole event.",
            Shape::Text(TextShape::Any),
        ),
        optional("seed", "Another seed keeps other events. By default 0.", Shape::Integer(0, u64::MAX)),
        optional("always_keep", "Events that are kept whatever the rate. By default none.", Shape::Filter),
    ],
};

static TRUNCATE: MapShape = MapShape {
    what: "`truncate`",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[
        optional("limit", "The budget of an event. By default 16384.", Shape::Integer(0, u64::MAX)),
        optional(
            "unit",
            "What the budget counts: code points, UTF-16 code units or bytes of UTF-8. By default `chars`.",
            Shape::Choice(&["chars", "utf16", "bytes"]),
        ),
    ],
};
