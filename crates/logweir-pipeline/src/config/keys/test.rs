//! Tests of a pipeline: events, and what is to become of them.

use super::{ListShape, MapShape, Rule, Shape, TextShape, optional, required};

/// Tests in one file.
const MAX_TESTS: usize = 1024;

/// Events in one list of a test; for more there are files.
pub(in crate::config) const MAX_TEST_EVENTS: usize = 1024;

/// What becomes of an event that is not written, by the names that metrics have for it.
pub(in crate::config) const REASONS: &[&str] =
    &["filtered", "sampled_out", "not_utf8", "not_json", "not_object", "oversized"];

/// A file that has tests for the pipeline beside it.
pub(in crate::config) static TEST_FILE: MapShape = MapShape {
    what: "a file of tests",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[required("tests", "Tests of the pipeline beside this file.", Shape::Tests(&TESTS))],
};

/// `tests`.
pub(super) static TESTS: ListShape =
    ListShape { item: Shape::Map(&TEST), may_be_empty: true, most: MAX_TESTS, distinct: false };

pub(in crate::config) static TEST: MapShape = MapShape {
    what: "a test",
    rule: Rule::EachOne(&[&["input", "input_file"], &["expect", "expect_file", "expect_dropped"]]),
    only: &[],
    hints: &[
        ("inputs", "write `input`, which may be a list"),
        ("events", "write `input`, which may be a list"),
        ("outputs", "write `output: NAME`: each test looks at one"),
        ("dropped", "write `expect_dropped: filtered`, or another reason"),
    ],
    keys: &[
        required("name", "What the test shows, in a few words.", Shape::Text(TextShape::Any)),
        optional(
            "input",
            "The events: a text is a line, byte for byte; a map is an event, written as JSON; a list is several.",
            Shape::Events,
        ),
        optional(
            "input_file",
            "A file with the events, one a line, beside the pipeline file.",
            Shape::Text(TextShape::Path),
        ),
        optional(
            "expect",
            "What is written of them: a text is a line, byte for byte; a map is the same value of JSON, however it is \
             written; a list is several, in order.",
            Shape::Events,
        ),
        optional(
            "expect_file",
            "A file with what is written of them, byte for byte, beside the pipeline file.",
            Shape::Text(TextShape::Path),
        ),
        optional("expect_dropped", "Why all of them are dropped.", Shape::Choice(REASONS)),
        optional(
            "output",
            "The output that is looked at; needed where there are several.",
            Shape::Text(TextShape::Name),
        ),
        optional(
            "job",
            "The job that is tested; needed where there are several.",
            Shape::Text(TextShape::Name),
        ),
    ],
};
