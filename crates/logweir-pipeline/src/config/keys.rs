//! Every key of a pipeline file.
//!
//! This is the one table of what may be written: the walk checks files by it, and the JSON Schema and the reference are
//! made from it.

use super::shape::{Default, Key, ListShape, MapShape, Only, Rule, Shape, TextShape};

mod admin;
mod encode;
mod job;
mod stage;
mod test;
pub(super) mod upload;

pub(super) use admin::ADMIN;
pub(super) use encode::{ENCODE, MAX_FIELD_NAMES};
pub(super) use job::JOB;
pub(super) use stage::{MAX_EDITS, MAX_REPORTS, SAMPLE, STAGE, TRUNCATE};
pub(super) use test::{MAX_TEST_EVENTS, REASONS, TEST, TEST_FILE};
pub(super) use upload::UPLOADS;

use job::JOBS;
use stage::STAGES;
use test::TESTS;

/// The most decoders of a pipeline: more than the cores of the machines we know.
pub(super) const MAX_DECODERS: usize = 256;

/// Paths and patterns in one list; one pattern can match any number of files.
const MAX_PATTERNS: usize = 1024;

/// Outputs of a pipeline.
const MAX_OUTPUTS: usize = 32;

/// The highest level of gzip.
pub(super) const MAX_GZIP_LEVEL: u64 = 9;

/// The highest level of Zstandard that does not take hundreds of MiB.
const MAX_COMPRESSION_LEVEL: u64 = 19;

const fn required(name: &'static str, doc: &'static str, shape: Shape) -> Key {
    Key { name, required: true, doc, shape, default: None }
}

const fn optional(name: &'static str, doc: &'static str, shape: Shape) -> Key {
    Key { name, required: false, doc, shape, default: None }
}

/// A file.
pub(super) static PIPELINE: MapShape = MapShape {
    what: "a pipeline",
    rule: Rule::SinkOrOutputs,
    only: &[],
    hints: &[
        ("job", "write it as an item of `jobs`"),
        ("transforms", "they are called `stages` here"),
        ("input", "write `source`"),
        ("filter", "it is a stage: write it as an item of `stages`"),
        ("sample", "it is a stage: write it as an item of `stages`"),
        ("truncate", "it is a stage: write it as an item of `stages`"),
    ],
    keys: &[
        optional("name", "The name in logs, metrics and the summary.", Shape::Text(TextShape::Name))
            .or(Default::Said("the name of the file without its ending")),
        required("source", "Where the events come from.", Shape::Map(&SOURCE)),
        optional("stages", "What happens to the events, in this order.", Shape::List(&STAGES))
            .or(Default::Said("nothing")),
        optional("encode", "What is written of an event.", Shape::Map(&ENCODE))
            .or(Default::Said("the event as it was read")),
        optional("sink", "Where the events go.", Shape::Map(&SINK)),
        optional("outputs", "Branches behind the stages, instead of a single sink.", Shape::List(&OUTPUTS)),
        optional(
            "jobs",
            "Logpush jobs as the API has them, instead of `stages`, `encode` and a sink. Each is a pipeline of its own, \
             which reads the source for itself.",
            Shape::List(&JOBS),
        ),
        optional(
            "dead_letter",
            "Where lines that are no events go, byte for byte.",
            Shape::Map(&DEAD_LETTER),
        )
        .or(Default::Said("they are only counted")),
        optional("admin", "The HTTP endpoint for metrics and health.", Shape::Map(&ADMIN))
            .or(Default::Said("none")),
        optional(
            "state_dir",
            "The directory in which the positions of followed files are kept; needed for them, and for nothing else.",
            Shape::Text(TextShape::Path),
        ),
        optional("shutdown", "How a stop comes to its end.", Shape::Map(&SHUTDOWN)),
        optional("limits", "The bounds on memory and work.", Shape::Map(&LIMITS)),
        optional(
            "tests",
            "Events and what is to become of them, for `logweir test`; in a run they mean nothing. No `${VAR}` is replaced \
             in them.",
            Shape::Tests(&TESTS),
        ),
    ],
};

pub(super) static SOURCE: MapShape = MapShape {
    what: "a source",
    rule: Rule::ExactlyOne,
    only: &[],
    hints: &[],
    keys: &[
        optional("stdin", "Reads the standard input.", Shape::Map(&STDIN)),
        optional("file", "Reads files.", Shape::Map(&FILE_SOURCE)),
    ],
};

pub(super) static STDIN: MapShape =
    MapShape { what: "`stdin`", rule: Rule::Free, only: &[], hints: &[], keys: &[] };

pub(super) static FILE_SOURCE: MapShape = MapShape {
    what: "a file source",
    rule: Rule::Free,
    only: &[only_followed("start_at"), only_followed("open_files")],
    hints: &[("path", "write the files as a list, `include: [in.ndjson]`")],
    keys: &[
        required("include", "Paths and patterns of the files to read.", Shape::List(&INCLUDE)),
        optional(
            "exclude",
            "Paths and patterns of files to leave out.",
            Shape::List(&EXCLUDE),
        ).or(Default::Said("none")),
        optional(
            "read",
            "`follow` reads what is there and what is added, for ever, and loses nothing over a restart; `once` \
             reads what is there and ends.",
            Shape::Choice(&["follow", "once"]),
        ).or(Default::Word("follow")),
        optional(
            "start_at",
            "Where the very first run begins in the files that it finds; files that come later are read from their \
             beginning.",
            Shape::Choice(&["beginning", "end"]),
        ).or(Default::Word("beginning")),
        optional(
            "open_files",
            "The files that are kept open at once.",
            Shape::Integer(16, 1_000_000),
        ).or(Default::Integer(512)),
    ],
};

const fn only_followed(key: &'static str) -> Only {
    Only { key, beside: "read", values: &["follow"], default: Some("follow") }
}

static INCLUDE: ListShape = ListShape {
    item: Shape::Text(TextShape::Glob),
    may_be_empty: false,
    most: MAX_PATTERNS,
    distinct: false,
};

static EXCLUDE: ListShape =
    ListShape { item: Shape::Text(TextShape::Glob), may_be_empty: true, most: MAX_PATTERNS, distinct: false };

pub(super) static SINK: MapShape = MapShape {
    what: "a sink",
    rule: Rule::ExactlyOne,
    only: &[],
    hints: &[],
    keys: &[
        optional("stdout", "Writes to the standard output.", Shape::Map(&STDOUT)),
        optional("file", "Writes to a file.", Shape::Map(&FILE_SINK)),
        optional("null", "Counts the events as written and forgets them.", Shape::Map(&NULL)),
        optional("s3", "Uploads batches to a bucket of S3, or of a store like it.", Shape::Map(&upload::S3)),
        optional("r2", "Uploads batches to a bucket of R2.", Shape::Map(&upload::R2)),
        optional("gs", "Uploads batches to a bucket of Google Cloud Storage.", Shape::Map(&upload::GS)),
        optional(
            "azure",
            "Uploads batches to a container of Azure Blob Storage.",
            Shape::Map(&upload::AZURE),
        ),
        optional(
            "directory",
            "Puts batches into a directory, each as a file.",
            Shape::Map(&upload::DIRECTORY),
        ),
        optional("http", "Posts batches to a server.", Shape::Map(&upload::HTTP)),
        optional("splunk", "Posts batches to Splunk.", Shape::Map(&upload::SPLUNK)),
        optional("datadog", "Posts batches to Datadog.", Shape::Map(&upload::DATADOG)),
        optional("sumo", "Posts batches to Sumo Logic.", Shape::Map(&upload::SUMO)),
        optional("sentinelone", "Posts batches to SentinelOne.", Shape::Map(&upload::SENTINELONE)),
        optional(
            "elasticsearch",
            "Posts batches to Elasticsearch or OpenSearch.",
            Shape::Map(&upload::ELASTICSEARCH),
        ),
        optional("loki", "Posts batches to Loki.", Shape::Map(&upload::LOKI)),
    ],
};

pub(super) static STDOUT: MapShape =
    MapShape { what: "`stdout`", rule: Rule::Free, only: &[], hints: &[], keys: &[] };

pub(super) static NULL: MapShape =
    MapShape { what: "`null`", rule: Rule::Free, only: &[], hints: &[], keys: &[] };

pub(super) static FILE_SINK: MapShape = MapShape {
    what: "a file sink",
    rule: Rule::Free,
    only: &[
        Only { key: "sync_every", beside: "ack", values: &["synced"], default: None },
        Only {
            key: "compression_level",
            beside: "compression",
            values: &["gzip", "zstd"],
            default: Some("none"),
        },
    ],
    hints: &[],
    keys: &[
        required(
            "path",
            "The file; it and the directories above it are made. `{DATE}`, `{HOUR}` and `{DATE:FORMAT}` stand for the \
             time of writing in UTC, `{pipeline}` and `{output}` for the names.",
            Shape::Text(TextShape::Template),
        ),
        optional(
            "mode",
            "Whether events are added behind what the file holds, or it is emptied first.",
            Shape::Choice(&["append", "overwrite"]),
        )
        .or(Default::Word("append")),
        optional(
            "ack",
            "When an event counts as delivered: once the system has taken it, or once it is on the disk.",
            Shape::Choice(&["written", "synced"]),
        )
        .or(Default::Said("`synced` where the source follows files, else `written`")),
        optional(
            "sync_every",
            "How long an event waits at most before it is synced, together with the others.",
            Shape::Duration(1, 60_000),
        )
        .or(Default::Millis(200)),
        optional("rotate", "When a new file is begun.", Shape::Map(&ROTATE)).or(Default::Said("never")),
        optional("compression", "How the file is compressed.", Shape::Choice(&["none", "gzip", "zstd"]))
            .or(Default::Word("none")),
        optional(
            "compression_level",
            "More is smaller and slower: 1 to 9 for gzip, by default 6; 1 to 19 for zstd, by default 3.",
            Shape::Integer(1, MAX_COMPRESSION_LEVEL),
        ),
    ],
};

static ROTATE: MapShape = MapShape {
    what: "`rotate`",
    rule: Rule::AtLeastOne,
    only: &[],
    hints: &[],
    keys: &[
        optional(
            "max_bytes",
            "A file does not grow beyond this size, save with a single event that is longer.",
            Shape::Size(1, u64::MAX),
        ),
        optional(
            "every",
            "A file is written to no longer than this.",
            Shape::Duration(1000, 366 * 24 * 3_600_000),
        ),
    ],
};

static OUTPUTS: ListShape =
    ListShape { item: Shape::Map(&OUTPUT), may_be_empty: false, most: MAX_OUTPUTS, distinct: false };

pub(super) static OUTPUT: MapShape = MapShape {
    what: "an output",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[
        required("name", "The name in metrics and the summary.", Shape::Text(TextShape::Name)),
        optional(
            "stages",
            "What happens to the events of this branch alone, behind the shared stages.",
            Shape::List(&STAGES),
        )
        .or(Default::Said("nothing")),
        optional("encode", "What is written of an event.", Shape::Map(&ENCODE))
            .or(Default::Said("the event as it was read")),
        required("sink", "Where the events go.", Shape::Map(&SINK)),
    ],
};

pub(super) static DEAD_LETTER: MapShape = MapShape {
    what: "`dead_letter`",
    rule: Rule::ExactlyOne,
    only: &[],
    hints: &[("path", "write it as `file: { path: … }`")],
    keys: &[optional("file", "Writes them to a file.", Shape::Map(&DEAD_LETTER_FILE))],
};

pub(super) static DEAD_LETTER_FILE: MapShape = MapShape {
    what: "a dead letter file",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[
        required("path", "The file; lines are added behind what it holds.", Shape::Text(TextShape::Path)),
        optional(
            "max_bytes",
            "The size beyond which it does not grow: the source is held then.",
            Shape::Size(1, u64::MAX),
        )
        .or(Default::Said("unbounded")),
    ],
};

pub(super) static SHUTDOWN: MapShape = MapShape {
    what: "`shutdown`",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[optional(
        "deadline",
        "How long what has been read may take to be delivered once the pipeline is to stop.",
        Shape::Duration(0, 24 * 3_600_000),
    )
    .or(Default::Millis(30_000))],
};

pub(super) static LIMITS: MapShape = MapShape {
    what: "`limits`",
    rule: Rule::Free,
    only: &[],
    hints: &[],
    keys: &[
        optional(
            "max_event_bytes",
            "The longest line that is still an event; longer ones are skipped and counted.",
            Shape::Size(2, 64 << 20),
        )
        .or(Default::Size(4 << 20)),
        optional("chunk_bytes", "The bytes a source reads at once.", Shape::Size(16, 16 << 20))
            .or(Default::Size(512 << 10)),
        optional(
            "channel_batches",
            "The batches that a channel between two tasks holds.",
            Shape::Integer(1, 1024),
        )
        .or(Default::Integer(4)),
        optional("decoders", "The decoders that work side by side.", Shape::Integer(1, MAX_DECODERS as u64))
            .or(Default::Said("the cores of the machine")),
        optional(
            "held_bytes",
            "The chunk bytes held between source and sinks, two chunks at least.",
            // Two of the smallest chunks; that it is two of *these* chunks is checked between the two.
            Shape::Size(32, 1 << 40),
        )
        .or(Default::Size(32 << 20)),
    ],
};
