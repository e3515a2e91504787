//! What the reference says beside what the table of keys knows.

use crate::config::keys::{
    self, ADMIN, ENCODE, JOB, LIMITS, OUTPUT, PIPELINE, SAMPLE, SHUTDOWN, SINK, STAGE, STDIN, STDOUT, TEST,
    TRUNCATE, upload,
};
use crate::config::shape::MapShape;

/// What is said of every sink that uploads.
const UPLOADS: &str = "What it is sent, and what becomes of each answer: [destinations](../destinations.md). Batches wait in a spool under \
                       `state_dir` until they\nare delivered: [upload](upload.md).";

/// A page: what is written by hand of it.
pub(super) struct Page {
    pub(super) file: &'static str,
    pub(super) title: &'static str,
    /// The map whose keys it lists; `None` where it is about what is no map.
    pub(super) shape: Option<&'static MapShape>,
    /// What it is, and where more is said, as Markdown.
    pub(super) about: &'static str,
    /// A pipeline that is good as it stands.
    pub(super) example: Option<&'static str>,
}

/// All pages, in the order in which they are read.
pub(super) static PAGES: &[Page] = &[
    Page {
        file: "pipeline.md",
        title: "A pipeline file",
        shape: Some(&PIPELINE),
        about: "One YAML file is one pipeline: a source, stages in the order in which they run, and a sink. How values are written (sizes, durations,
variables) is in [configuration](../configuration.md).",
        example: Some(
            "source:
  stdin: {}
stages:
  - truncate: { limit: 16384 }
sink:
  stdout: {}",
        ),
    },
    Page {
        file: "source-stdin.md",
        title: "Source `stdin`",
        shape: Some(&STDIN),
        about: "Reads standard input until it ends. What has been read from a pipe cannot be read again, so what is not delivered has `failed`. Only one
pipeline of a process can read it, and it does not decompress.",
        example: Some(
            "source:
  stdin: {}
sink:
  stdout: {}",
        ),
    },
    Page {
        file: "source-file.md",
        title: "Source `file`",
        shape: Some(&keys::FILE_SOURCE),
        about: "Follows files as they grow and are rotated, or reads them once. How files are known again, and what is promised over restarts:
[delivery](../delivery.md) and [checkpoints](../checkpoints.md).",
        example: Some(
            r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  file: { path: "/var/lib/logweir-out/{DATE}/{HOUR}.ndjson" }"#,
        ),
    },
    Page {
        file: "stages.md",
        title: "Stages",
        shape: Some(&STAGE),
        about: "A list of stages, which run in this order. What exactly they do to an event: [events](../events.md).",
        example: Some(
            r#"source:
  stdin: {}
stages:
  - filter: { where: { key: Outcome, operator: "!eq", value: canceled } }
  - sample: { rate: 0.1, key: Event.RayID }
  - truncate: { limit: 16384 }
sink:
  stdout: {}"#,
        ),
    },
    Page {
        file: "stage-filter.md",
        title: "Stage `filter`",
        shape: None,
        about: "Keeps the events for which a condition holds; the others count as `filtered`. The value is `{ where: CONDITION }`, or a text with the JSON
of one, as Logpush has it. A condition is one of

- `{ key, operator, value }`: `key` is a top-level field or a path into it with dots, as `Event.Response.Status`;
- `{ and: [CONDITION, …] }`: all of them hold;
- `{ or: [CONDITION, …] }`: at least one holds.

| operators | take |
|---|---|
| `eq`, `!eq` | a text, a number, `true` or `false` |
| `lt`, `leq`, `gt`, `geq` | a number |
| `startsWith`, `!startsWith`, `endsWith`, `!endsWith`, `contains`, `!contains` | a text |
| `in`, `!in` | a list of texts and numbers |

An operator that starts with `!` stands in quotes in YAML. How values are compared, and what an absent field means: [events](../events.md).
Why an event was dropped: [`logweir explain`](../explain.md).",
        example: Some(
            r#"source:
  stdin: {}
stages:
  - filter:
      where:
        and:
          - { key: Outcome, operator: "!eq", value: canceled }
          - { key: Event.Response.Status, operator: geq, value: 400 }
sink:
  stdout: {}"#,
        ),
    },
    Page {
        file: "stage-sample.md",
        title: "Stage `sample`",
        shape: Some(&SAMPLE),
        about: "Keeps a share of the events; the others count as `sampled_out`. The same event is decided the same way on every machine and after every
restart. How it is decided: [sampling](../sampling.md).",
        example: Some(
            "source:
  stdin: {}
stages:
  - sample:
      rate: 0.1
      rates:
        - { where: { key: Outcome, operator: eq, value: exception }, rate: 1 }
      key: Event.RayID
      weight_field: SampleInterval
sink:
  stdout: {}",
        ),
    },
    Page {
        file: "stage-truncate.md",
        title: "Stage `truncate`",
        shape: Some(&TRUNCATE),
        about: "Cuts the texts of `Exceptions` and `Logs` to a budget for each event. In which order the budget is spent, and what stands where something
was cut: [events](../events.md).",
        example: Some(
            "source:
  stdin: {}
stages:
  - truncate: { limit: 16384, report: Truncation }
sink:
  stdout: {}",
        ),
    },
    Page {
        file: "encode.md",
        title: "`encode`",
        shape: Some(&ENCODE),
        about: "What is written of an event, with the names that Logpush has for it. Without any an event is written as it is, byte for byte. csv,
`record_*` and `field_delimiter` need `field_names`; `batch_*` and `record_delimiter` need a sink that collects batches.",
        example: Some(
            "source:
  stdin: {}
encode:
  field_names: [EventTimestampMs, ScriptName, Outcome]
sink:
  stdout: {}",
        ),
    },
    Page {
        file: "sinks.md",
        title: "Sinks",
        shape: Some(&SINK),
        about: r#"Where events go. `stdout`, `file` and `"null"` take events one after the other; all others collect batches and [upload](upload.md) them."#,
        example: None,
    },
    Page {
        file: "sink-stdout.md",
        title: "Sink `stdout`",
        shape: Some(&STDOUT),
        about: "Writes to standard output. A reader that goes away (`| head`) ends the run with exit code 0; what it did not take counts as failed.",
        example: Some(
            "source:
  stdin: {}
sink:
  stdout: {}",
        ),
    },
    Page {
        file: "sink-file.md",
        title: "Sink `file`",
        shape: Some(&keys::FILE_SINK),
        about: "Writes to files, which it makes, with the directories above them. Names on the disk, `.part` and `.torn`:
[configuration](../configuration.md#sink).",
        example: Some(
            r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  file:
    path: "/var/lib/logweir-out/{DATE}/events.ndjson.gz"
    compression: gzip
    rotate: { max_bytes: 100 MB, every: 1h }"#,
        ),
    },
    Page {
        file: "sink-null.md",
        title: "Sink `null`",
        shape: Some(&keys::NULL),
        about: "Counts the events as written and forgets them: to see what stages do, and how fast. In YAML the name stands in quotes.",
        example: Some(
            r#"source:
  stdin: {}
sink:
  "null": {}"#,
        ),
    },
    uploading(
        "sink-s3.md",
        "Sink `s3`",
        &upload::S3,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  s3: { bucket: logs, prefix: "workers/{DATE}", region: eu-central-1, access_key_id: "AK", secret_access_key: "${file:/run/secrets/aws}" }"#,
    ),
    uploading(
        "sink-r2.md",
        "Sink `r2`",
        &upload::R2,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  r2: { bucket: logs, account_id: 0123abcd, access_key_id: "AK", secret_access_key: "${file:/run/secrets/r2}" }"#,
    ),
    uploading(
        "sink-gs.md",
        "Sink `gs`",
        &upload::GS,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  gs: { bucket: logs, prefix: "workers/{DATE}", key_file: /etc/logweir/key.json }"#,
    ),
    uploading(
        "sink-azure.md",
        "Sink `azure`",
        &upload::AZURE,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  azure: { account: logs, container: workers, sas: "${file:/run/secrets/sas}" }"#,
    ),
    uploading(
        "sink-directory.md",
        "Sink `directory`",
        &upload::DIRECTORY,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  directory: { path: /mnt/archive, prefix: "workers/{DATE}" }"#,
    ),
    uploading(
        "sink-http.md",
        "Sink `http`",
        &upload::HTTP,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  http: { url: "https://logs.example/in", headers: { Authorization: "Bearer ${file:/run/secrets/token}" } }"#,
    ),
    uploading(
        "sink-splunk.md",
        "Sink `splunk`",
        &upload::SPLUNK,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  splunk: { url: "https://splunk.example:8088", token: "${file:/run/secrets/splunk}", channel: 0aa0aa00-1111-4222-8333-444444444444 }"#,
    ),
    uploading(
        "sink-datadog.md",
        "Sink `datadog`",
        &upload::DATADOG,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  datadog: { api_key: "${file:/run/secrets/datadog}", service: shop }"#,
    ),
    uploading(
        "sink-sumo.md",
        "Sink `sumo`",
        &upload::SUMO,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  sumo: { url: "${file:/run/secrets/sumo}" }"#,
    ),
    uploading(
        "sink-sentinelone.md",
        "Sink `sentinelone`",
        &upload::SENTINELONE,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  sentinelone: { url: "https://ingest.us1.sentinelone.net", token: "${file:/run/secrets/sentinelone}" }"#,
    ),
    uploading(
        "sink-elasticsearch.md",
        "Sink `elasticsearch`",
        &upload::ELASTICSEARCH,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  elasticsearch: { url: "https://search.example:9200", index: workers, api_key: "${file:/run/secrets/elastic}" }"#,
    ),
    uploading(
        "sink-loki.md",
        "Sink `loki`",
        &upload::LOKI,
        r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  loki: { url: "http://loki.example:3100", labels: { job: workers } }"#,
    ),
    Page {
        file: "upload.md",
        title: "`upload`",
        shape: Some(&upload::UPLOAD),
        about: "How batches are made and delivered, by every sink that uploads. Whichever of `max_bytes`, `max_events` and `max_interval` comes first
completes a batch. What is promised: [delivery](../delivery.md#what-is-uploaded).",
        example: Some(
            r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  directory:
    path: /mnt/archive
    upload: { max_events: 50000, max_interval: 1m, compression: zstd }"#,
        ),
    },
    Page {
        file: "outputs.md",
        title: "`outputs`",
        shape: Some(&OUTPUT),
        about: "Several sinks behind one source, 32 at most, each with stages and an encoding of its own. An event is delivered once all outputs have it, and the
slowest one sets the pace.",
        example: Some(
            r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
outputs:
  - name: all
    sink: { file: { path: /srv/out/all.ndjson } }
  - name: short
    stages: [{ truncate: { limit: 1000 } }]
    sink: { file: { path: /srv/out/short.ndjson } }"#,
        ),
    },
    Page {
        file: "jobs.md",
        title: "`jobs`",
        shape: Some(&JOB),
        about: "Logpush jobs as the API takes and returns them, in the place of `stages`, `encode` and a sink; each is a pipeline of its own. What is as at
Cloudflare and what is not: [Logpush compatibility](../logpush-compatibility.md).",
        example: Some(
            r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
jobs:
  - name: errors
    dataset: workers_trace_events
    destination_conf: "r2://logs/{DATE}?account-id=0123abcd&access-key-id=AK&secret-access-key=${file:/run/secrets/r2}""#,
        ),
    },
    Page {
        file: "dead_letter.md",
        title: "`dead_letter`",
        shape: Some(&keys::DEAD_LETTER),
        about: "Where lines that are no events go, byte for byte. It holds what came in, so it is as private as the events.",
        example: Some(
            r#"source:
  file: { include: ["/var/log/workers/*.ndjson"] }
state_dir: /var/lib/logweir
sink:
  file: { path: /srv/out/events.ndjson }
dead_letter:
  file: { path: /srv/out/no-events.txt, max_bytes: 10 MB }"#,
        ),
    },
    Page {
        file: "admin.md",
        title: "`admin`",
        shape: Some(&ADMIN),
        about: "The HTTP endpoint for metrics, health and the [status page](../status-page.md). All pipelines of a process that have it say the same. How others
reach it: [operations](../operations.md#reaching-the-admin-endpoint).",
        example: Some(
            r#"source:
  stdin: {}
sink:
  stdout: {}
admin:
  listen: "127.0.0.1:9598"
  token: "${file:/run/secrets/admin}"
  tap: { redact: [Event.Request.URL] }"#,
        ),
    },
    Page {
        file: "shutdown.md",
        title: "`shutdown`",
        shape: Some(&SHUTDOWN),
        about: "How a stop comes to its end: because of a signal, a reload, or a component that failed.",
        example: Some(
            "source:
  stdin: {}
sink:
  stdout: {}
shutdown: { deadline: 10s }",
        ),
    },
    Page {
        file: "limits.md",
        title: "`limits`",
        shape: Some(&LIMITS),
        about: "The bounds on memory and work. What they come to: [memory](../operations.md#memory); how to size a machine: [performance](../performance.md).",
        example: Some(
            "source:
  stdin: {}
sink:
  stdout: {}
limits: { max_event_bytes: 8 MiB, held_bytes: 64 MiB, decoders: 2 }",
        ),
    },
    Page {
        file: "tests.md",
        title: "`tests`",
        shape: Some(&TEST),
        about: "Events and what is to become of them, for [`logweir test`](../testing.md); in a run they mean nothing.",
        example: Some(
            "source:
  stdin: {}
stages:
  - filter: { where: { key: Outcome, operator: eq, value: exception } }
sink:
  stdout: {}
tests:
  - name: what went well is left out
    input: { Outcome: ok }
    expect_dropped: filtered",
        ),
    },
];

/// Returns the page of a sink that uploads.
const fn uploading(
    file: &'static str,
    title: &'static str,
    shape: &'static MapShape,
    example: &'static str,
) -> Page {
    Page { file, title, shape: Some(shape), about: UPLOADS, example: Some(example) }
}
