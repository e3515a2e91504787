//! A Logpush job, as the API and Terraform have it.

use super::encode::OUTPUT_OPTIONS;
use super::{ListShape, MapShape, Rule, Shape, TextShape, optional, required};
use crate::config::shape::Default;

/// Jobs in one file: each is a pipeline with threads of its own.
const MAX_JOBS: usize = 64;

/// `jobs`.
pub(super) static JOBS: ListShape =
    ListShape { item: Shape::Map(&JOB), may_be_empty: false, most: MAX_JOBS, distinct: false };

/// One job.
pub(in crate::config) static JOB: MapShape = MapShape {
    what: "a job",
    rule: Rule::NullsLeftOut,
    only: &[],
    hints: &[
        ("destination", "write it as `destination_conf`, as `s3://bucket/{DATE}?region=eu-west-1`"),
        ("field_names", "it stands in `output_options`"),
        ("sample_rate", "it stands in `output_options`"),
        ("sink", "a job has a `destination_conf` in its place"),
        ("stages", "a job has a `filter`, and a `sample_rate` in its `output_options`"),
        ("account_id", "it is no part of a job, but of the address that jobs have in the API: leave it out"),
        ("zone_id", "it is no part of a job, but of the address that jobs have in the API: leave it out"),
    ],
    keys: &[
        required(
            "destination_conf",
            "Where batches go and how to get there, as Logpush writes it, 4096 characters at most.",
            Shape::Destination,
        ),
        optional(
            "id",
            "The number that the API gave the job; it names a job without a name.",
            Shape::Integer(1, u64::MAX),
        ),
        optional(
            "name",
            "Names the pipeline, behind the name of the file: letters, digits, `.` and `-`, 512 at most.",
            Shape::Text(TextShape::JobName),
        ),
        optional(
            "dataset",
            "What the events are. Fields and filters are checked for `workers_trace_events`, and for no other.",
            Shape::Text(TextShape::Dataset),
        ).or(Default::Said("`http_requests`, as at the API")),
        optional(
            "kind",
            "`edge` or nothing, which are the same here: what is read is delivered.",
            Shape::Choice(&["", "edge"]),
        ),
        optional("enabled", "Whether the job runs.", Shape::Bool).or(Default::Said("`true`, other than at the API")),
        optional(
            "filter",
            "The JSON of a filter as a text; an empty one is none. 1000 bytes and 30 operators at most. No `${VAR}` is \
             replaced in it.",
            Shape::JobFilter,
        ),
        optional("output_options", "What is written of an event.", Shape::Map(&OUTPUT_OPTIONS)),
        optional(
            "logpull_options",
            "The output options as they were written of old, `fields=Event,Outcome&sample=0.1`; ignored beside \
             `output_options`.",
            Shape::LogpullOptions,
        ),
        optional(
            "max_upload_bytes",
            "The bytes of a batch at most, before compression: 5,000,000 to 1,000,000,000, or 0 for no such limit.",
            Shape::ZeroOr(5_000_000, 1_000_000_000),
        ),
        optional(
            "max_upload_records",
            "The events of a batch at most: 1,000 to 1,000,000. By default, or with 0, 100,000.",
            Shape::ZeroOr(1_000, 1_000_000),
        ),
        optional(
            "max_upload_interval_seconds",
            "How long a batch waits for more events: 30 to 300 seconds. By default, or with 0, 30.",
            Shape::ZeroOr(30, 300),
        ),
        optional(
            "ownership_challenge",
            "The token that proves to Logpush who owns the destination. Its form is checked; nothing else needs it \
             here.",
            Shape::Text(TextShape::Challenge),
        ),
        optional(
            "frequency",
            "`high` or `low`, which Logpush no longer recommends. It has no effect: `max_upload_*` say how large \
             batches are.",
            Shape::Choice(&["high", "low"]),
        ),
        optional(
            "transformer_id",
            "Nothing but null: there are no transformers here.",
            Shape::Unavailable(
                "there are no transformers here: leave it out, and have events delivered as they are",
            ),
        ),
        optional(
            "last_complete",
            "What the API tells of a job that has run; of no meaning here.",
            Shape::Text(TextShape::Literal),
        ),
        optional(
            "last_error",
            "What the API tells of a job that has failed; of no meaning here.",
            Shape::Text(TextShape::Literal),
        ),
        optional(
            "error_message",
            "What the API tells of a job that has failed; of no meaning here.",
            Shape::Text(TextShape::Literal),
        ),
    ],
};
