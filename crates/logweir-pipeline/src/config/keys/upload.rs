//! The keys of sinks that upload batches.

use super::{MAX_COMPRESSION_LEVEL, optional, required};
use crate::config::shape::{Default, Key, MapShape, Only, PairsShape, Rule, Shape, TextShape};

/// Headers of a request.
const MAX_HEADERS: usize = 64;

/// Labels of a stream; Loki refuses more than 15 unless it is told otherwise.
const MAX_LABELS: usize = 64;

/// The kinds of sinks that upload batches.
pub(in crate::config) const UPLOADS: &[&str] = &[
    "s3",
    "r2",
    "gs",
    "azure",
    "directory",
    "http",
    "splunk",
    "datadog",
    "sumo",
    "sentinelone",
    "elasticsearch",
    "loki",
];

const fn secret(name: &'static str, doc: &'static str) -> Key {
    optional(name, doc, Shape::Text(TextShape::Secret))
}

const fn prefix() -> Key {
    let doc = "What stands before the name of each object, as `logs/{DATE}`; `{DATE}` is the day of the batch's first \
               event, as 20261122.";
    optional("prefix", doc, Shape::Text(TextShape::Any)).or(Default::Said("nothing"))
}

const fn endpoint(doc: &'static str) -> Key {
    optional("endpoint", doc, Shape::Text(TextShape::Any))
}

const fn url(doc: &'static str) -> Key {
    required("url", doc, Shape::Text(TextShape::Secret))
}

const fn headers() -> Key {
    optional("headers", "Further headers of each request.", Shape::Pairs(&HEADERS))
}

const fn ca_file() -> Key {
    let doc = "A file of certificates, as PEM, that are trusted besides those that the system trusts.";
    optional("ca_file", doc, Shape::Text(TextShape::Path))
}

const fn insecure() -> Key {
    let doc = "`true` believes any server that it is the right one; `ca_file` is the better way.";
    optional("insecure_skip_verify", doc, Shape::Bool).or(Default::Bool(false))
}

const fn upload() -> Key {
    optional("upload", "How batches are made and delivered.", Shape::Map(&UPLOAD))
}

const fn sink(what: &'static str, keys: &'static [Key]) -> MapShape {
    MapShape { what, rule: Rule::Free, only: &[], hints: &[], keys }
}

const fn store(what: &'static str, keys: &'static [Key]) -> MapShape {
    let hints = &[("path", "what stands before the name of an object is `prefix`")];
    MapShape { hints, ..sink(what, keys) }
}

static HEADERS: PairsShape = PairsShape {
    what: "write headers",
    example: "{ Authorization: Bearer ${TOKEN} }",
    value: TextShape::Secret,
    most: MAX_HEADERS,
};

pub(in crate::config) static UPLOAD: MapShape = MapShape {
    what: "`upload`",
    rule: Rule::Free,
    only: &[Only {
        key: "compression_level",
        beside: "compression",
        values: &["gzip", "zstd"],
        default: Some("gzip"),
    }],
    hints: &[
        ("max_upload_bytes", "here it is `max_bytes`"),
        ("max_upload_records", "here it is `max_events`"),
        ("max_upload_interval_seconds", "here it is `max_interval`, with its unit"),
    ],
    keys: &[
        optional(
            "max_bytes",
            "The size that a batch does not exceed before it is compressed, save with a single event.",
            Shape::Size(1, 1 << 40),
        ).or(Default::Said("as large as its destination takes")),
        optional(
            "max_events",
            "The most events of a batch.",
            Shape::Integer(1, 1_000_000_000),
        ).or(Default::Integer(100_000)),
        optional(
            "max_interval",
            "How long after its first event a batch takes more.",
            Shape::Duration(10, 24 * 3_600_000),
        ).or(Default::Millis(30_000)),
        optional(
            "compression",
            "How batches are compressed.",
            Shape::Choice(&["gzip", "zstd", "none"]),
        ).or(Default::Word("gzip")),
        optional(
            "compression_level",
            "More is smaller and slower: 1 to 9 for gzip, by default 1; 1 to 19 for zstd, by default 3.",
            Shape::Integer(1, MAX_COMPRESSION_LEVEL),
        ),
        optional(
            "max_uploads",
            "The batches that are uploaded at the same time.",
            Shape::Integer(1, 64),
        ).or(Default::Integer(4)),
        optional(
            "on_reject",
            "What becomes of a batch that its destination refuses for good: `hold` tries on until somebody mends \
             it, `drop` gives it up, counted and logged.",
            Shape::Choice(&["hold", "drop"]),
        ).or(Default::Word("hold")),
        optional(
            "first_pause",
            "The longest that the first pause after a failure may be; each next one may be twice as long.",
            Shape::Duration(1, 3_600_000),
        ).or(Default::Millis(500)),
        optional(
            "longest_pause",
            "The longest that any pause may be.",
            Shape::Duration(1, 24 * 3_600_000),
        ).or(Default::Millis(30_000)),
        optional(
            "connect_timeout",
            "How long it may take to reach the server.",
            Shape::Duration(1, 3_600_000),
        ).or(Default::Millis(5000)),
        optional(
            "tls_timeout",
            "How long the server may take to show who it is.",
            Shape::Duration(1, 3_600_000),
        ).or(Default::Millis(5000)),
        optional(
            "progress_timeout",
            "How long an upload may stand still.",
            Shape::Duration(1, 3_600_000),
        ).or(Default::Millis(10_000)),
        optional(
            "answer_timeout",
            "How long the answer may take once all is sent.",
            Shape::Duration(1, 3_600_000),
        ).or(Default::Millis(60_000)),
        optional(
            "spool_bytes",
            "The disk that batches take in `state_dir` until they are delivered; beyond it the source waits.",
            Shape::Size(1 << 20, 1 << 50),
        ).or(Default::Size(1 << 30)),
    ],
};

pub(in crate::config) static S3: MapShape = store(
    "`s3`",
    &[
        required("bucket", "The bucket, which must be there.", Shape::Text(TextShape::Any)),
        prefix(),
        optional("region", "The region that requests are signed for.", Shape::Text(TextShape::Name))
            .or(Default::Word("us-east-1")),
        endpoint("The URL of a server that speaks as S3 does.").or(Default::Said("Amazon's")),
        secret("access_key_id", "The name of the key.").or(Default::Said("who the environment says")),
        secret("secret_access_key", "The key."),
        secret("session_token", "What belongs to keys that are lent for a time."),
        optional(
            "profile",
            "The profile in `~/.aws/credentials` that has the keys.",
            Shape::Text(TextShape::Any),
        ),
        optional("sse", "How the store encrypts objects.", Shape::Choice(&["AES256"]))
            .or(Default::Said("as it likes")),
        optional("checksums", "Whether the store is given a SHA-256 of each object to keep.", Shape::Bool)
            .or(Default::Said("`true` for Amazon's and else `false`")),
        upload(),
    ],
);

pub(in crate::config) static R2: MapShape = store(
    "`r2`",
    &[
        required("bucket", "The bucket, which must be there.", Shape::Text(TextShape::Any)),
        prefix(),
        optional("account_id", "The account that has the bucket.", Shape::Text(TextShape::Name)),
        endpoint("The URL of the server, where it is not that of the account."),
        required("access_key_id", "The name of the key.", Shape::Text(TextShape::Secret)),
        required("secret_access_key", "The key.", Shape::Text(TextShape::Secret)),
        upload(),
    ],
);

pub(in crate::config) static GS: MapShape = store(
    "`gs`",
    &[
        required("bucket", "The bucket, which must be there.", Shape::Text(TextShape::Any)),
        prefix(),
        endpoint("The URL of the server.").or(Default::Said("Google's")),
        optional(
            "key_file",
            "The JSON file with the key of a service account.",
            Shape::Text(TextShape::Path),
        )
        .or(Default::Said("who the environment says")),
        secret("key", "That key itself, as JSON."),
        upload(),
    ],
);

pub(in crate::config) static AZURE: MapShape = store(
    "`azure`",
    &[
        required("account", "The storage account.", Shape::Text(TextShape::Name)),
        required("container", "The container, which must be there.", Shape::Text(TextShape::Any)),
        prefix(),
        endpoint("The URL of the account.").or(Default::Said("`https://ACCOUNT.blob.core.windows.net`")),
        secret("sas", "A shared access signature that may write objects."),
        secret("account_key", "The key of the account."),
        upload(),
    ],
);

pub(in crate::config) static DIRECTORY: MapShape = sink(
    "`directory`",
    &[
        required(
            "path",
            "The directory that batches are put into, each as a file. It must be there, as a bucket must, so that nothing \
             is written beside what is not mounted.",
            Shape::Text(TextShape::Path),
        ),
        prefix(),
        upload(),
    ],
);

pub(in crate::config) static HTTP: MapShape =
    sink("`http`", &[url("Where each batch is posted to."), headers(), ca_file(), insecure(), upload()]);

pub(in crate::config) static SPLUNK: MapShape = sink(
    "`splunk`",
    &[
        url("The HTTP event collector, as `https://splunk.example:8088`."),
        required("token", "The token of the collector.", Shape::Text(TextShape::Secret)),
        required("channel", "The channel, a GUID of your choice.", Shape::Text(TextShape::Any)),
        optional("sourcetype", "What Splunk takes the events for.", Shape::Text(TextShape::Any)),
        headers(),
        ca_file(),
        insecure(),
        upload(),
    ],
);

pub(in crate::config) static DATADOG: MapShape = sink(
    "`datadog`",
    &[
        optional("url", "The intake of the site.", Shape::Text(TextShape::Secret))
            .or(Default::Said("`https://http-intake.logs.datadoghq.com/api/v2/logs`")),
        required("api_key", "The API key.", Shape::Text(TextShape::Secret)),
        optional("source", "The source of the logs.", Shape::Text(TextShape::Any))
            .or(Default::Word("cloudflare")),
        optional("service", "The service that made them.", Shape::Text(TextShape::Any)),
        optional("hostname", "The host that made them.", Shape::Text(TextShape::Any)),
        optional("tags", "Tags, as `env:production,team:web`.", Shape::Text(TextShape::Any)),
        headers(),
        upload(),
    ],
);

pub(in crate::config) static SUMO: MapShape =
    sink("`sumo`", &[url("The URL of the HTTP source."), headers(), upload()]);

pub(in crate::config) static SENTINELONE: MapShape = sink(
    "`sentinelone`",
    &[
        url("The raw collector, as `https://ingest.us1.sentinelone.net`."),
        required("token", "The token that may write logs.", Shape::Text(TextShape::Secret)),
        optional("sourcetype", "What the events are taken for.", Shape::Text(TextShape::Any)),
        headers(),
        upload(),
    ],
);

pub(in crate::config) static ELASTICSEARCH: MapShape = sink(
    "`elasticsearch`",
    &[
        url("The cluster, as `https://search.example:9200`."),
        required("index", "The index or data stream that events go to.", Shape::Text(TextShape::Any)),
        optional("user", "Who asks, together with `password`.", Shape::Text(TextShape::Any)),
        secret("password", "What only that user knows."),
        secret("api_key", "Instead, an API key, in the form that the cluster calls `encoded`."),
        headers(),
        ca_file(),
        insecure(),
        upload(),
    ],
);

pub(in crate::config) static LOKI: MapShape = sink(
    "`loki`",
    &[
        url("The server, as `http://loki.example:3100`."),
        required("labels", "The labels of the stream that events go to.", Shape::Pairs(&LABELS)),
        optional("tenant", "The tenant, where there are several.", Shape::Text(TextShape::Any)),
        headers(),
        ca_file(),
        insecure(),
        upload(),
    ],
);

static LABELS: PairsShape =
    PairsShape { what: "write labels", example: "{ job: workers }", value: TextShape::Any, most: MAX_LABELS };
