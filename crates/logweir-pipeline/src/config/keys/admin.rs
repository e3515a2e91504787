//! The admin endpoint and what it shows.

use super::{ListShape, MapShape, Rule, Shape, TextShape, optional};
use crate::config::shape::Default;

/// Fields that a tap hides.
const MAX_REDACTED: usize = 256;

pub(in crate::config) static ADMIN: MapShape = MapShape {
    what: "`admin`",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[
        optional(
            "listen",
            "The address to listen on; a port alone is one of this machine only, and port 0 lets the system choose.",
            Shape::Address,
        ).or(Default::Word("127.0.0.1:9598")),
        optional(
            "token",
            "What whoever asks for more than metrics and health must send as `Authorization: Bearer …`: 16 to 256 \
             visible characters.",
            Shape::Text(TextShape::Secret),
        ).or(Default::Said("none, and then nobody is told more")),
        optional(
            "tap",
            "Lets whoever has the token watch events as they pass.",
            Shape::Map(&TAP),
        ).or(Default::Said("nobody can")),
    ],
};

static TAP: MapShape = MapShape {
    what: "`tap`",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[
        optional(
            "redact",
            "Fields whose values are never shown, by their top-level names or dotted paths.",
            Shape::List(&REDACT),
        )
        .or(Default::Said("none")),
        optional(
            "max_events_per_second",
            "The events that one watcher is shown in a second.",
            Shape::Integer(1, 10_000),
        )
        .or(Default::Integer(100)),
    ],
};

static REDACT: ListShape =
    ListShape { item: Shape::Text(TextShape::Any), may_be_empty: true, most: MAX_REDACTED, distinct: true };
