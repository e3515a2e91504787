//! What is written of an event: the output options of a pipeline and those of a Logpush job.

use super::{ListShape, MapShape, Rule, Shape, TextShape, optional};
use crate::config::shape::{Default, Key};

/// Fields that one `encode` writes. With the most outputs and the size of a file it keeps the number of fields asked for
/// below what a column's number can say, 65,536.
pub(in crate::config) const MAX_FIELD_NAMES: usize = 1024;

static FIELD_NAMES: ListShape = ListShape {
    item: Shape::Text(TextShape::Any),
    may_be_empty: false,
    most: MAX_FIELD_NAMES,
    distinct: true,
};

const OUTPUT_TYPE: Key = optional(
    "output_type",
    "How values are written: as JSON, or as csv, whose strings are always quoted.",
    Shape::Choice(&["ndjson", "csv"]),
)
.or(Default::Word("ndjson"));
const BATCH_PREFIX: Key = text("batch_prefix", "Stands once before each batch.").or(Default::Said("nothing"));
const BATCH_SUFFIX: Key = text("batch_suffix", "Stands once behind each batch.").or(Default::Said("nothing"));
const RECORD_PREFIX: Key =
    text("record_prefix", "Stands before each event.").or(Default::Said("`{`, in csv nothing"));
const RECORD_SUFFIX: Key = text("record_suffix", "Stands behind each event.")
    .or(Default::Said("`}` and a line feed, in csv a line feed"));
const RECORD_DELIMITER: Key =
    text("record_delimiter", "Stands between the events of a batch.").or(Default::Said("nothing"));
const FIELD_DELIMITER: Key = text("field_delimiter", "Stands between fields; a `record_template` has none.")
    .or(Default::Said("a comma"));
const RECORD_TEMPLATE: Key = optional(
    "record_template",
    "What stands between `record_prefix` and `record_suffix` instead of the fields one after the other: text, \
     `{{.Field}}`, `{{\"constant\"}}` and `{{/* comment */}}`. No `${VAR}` is replaced in it.",
    Shape::Template,
).or(Default::Said("none"));
const TIMESTAMP_FORMAT: Key = optional(
    "timestamp_format",
    "How fields of the type timestamp are written. It has no effect: the times of Workers trace events are whole \
     numbers of milliseconds, which Logpush writes as they are too.",
    Shape::Choice(&["unixnano", "unix", "rfc3339", "rfc3339ms", "rfc3339ns"]),
);
const REDACT_CVE: Key = optional(
    "CVE-2021-44228",
    "Whether each `${` of what is written becomes `x{`, also where it is spelled with escapes.",
    Shape::Bool,
)
.or(Default::Bool(false));

/// `encode`.
pub(in crate::config) static ENCODE: MapShape = MapShape {
    what: "`encode`",
    rule: Rule::Free,
    only: &[],
    hints: &[
        ("sample_rate", "sampling is a stage: `- sample: { rate: 0.1 }` under `stages`"),
        ("merge_subrequests", "it is an option of Logpush jobs, for `http_requests` alone"),
        ("CVE-2021-4428", "write `CVE-2021-44228`"),
    ],
    keys: &[
        optional("field_names", "The top-level fields to write, in this order.", Shape::List(&FIELD_NAMES))
            .or(Default::Said("the event as it was read")),
        OUTPUT_TYPE,
        BATCH_PREFIX,
        BATCH_SUFFIX,
        RECORD_PREFIX,
        RECORD_SUFFIX,
        RECORD_DELIMITER,
        FIELD_DELIMITER,
        RECORD_TEMPLATE,
        TIMESTAMP_FORMAT,
        REDACT_CVE,
    ],
};

/// `output_options` of a job.
pub(super) static OUTPUT_OPTIONS: MapShape = MapShape {
    what: "`output_options`",
    rule: Rule::NullsLeftOut,
    only: &[],
    hints: &[("stringify_object", "it is an option for BigQuery, which is no destination here")],
    keys: &[
        optional("field_names", "The fields to write, in this order.", Shape::List(&FIELD_NAMES))
            .or(Default::Said("all fields of `workers_trace_events` by their alphabet")),
        OUTPUT_TYPE,
        BATCH_PREFIX,
        BATCH_SUFFIX,
        RECORD_PREFIX,
        RECORD_SUFFIX,
        RECORD_DELIMITER,
        FIELD_DELIMITER,
        RECORD_TEMPLATE,
        TIMESTAMP_FORMAT,
        optional(
            "sample_rate",
            "The share of events to deliver of those that pass the filter, greater than 0 and at most 1.",
            Shape::Rate,
        )
        .or(Default::Integer(1)),
        REDACT_CVE,
        optional(
            "CVE-2021-4428",
            "The same under the name that some clients of the API give it.",
            Shape::Bool,
        ),
        optional(
            "merge_subrequests",
            "An option for `http_requests` alone. It has no effect: what is read is delivered as it is.",
            Shape::Bool,
        ),
    ],
};

const fn text(name: &'static str, doc: &'static str) -> Key {
    optional(name, doc, Shape::Text(TextShape::Literal))
}
