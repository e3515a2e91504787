//! The example pipelines that upload do what their first lines say.

use std::fs;

use logweir_testkit::http_server::{HttpServer, Script};
use logweir_testkit::oracle::{self, Stage};
use logweir_testkit::process::{Run, Signal, poll_until};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;

use super::bucket::{Bucket, content, objects};
use crate::examples::{check, cut, example, names};
use crate::rig::{SOON, Summary, admin, sample, succeeded};

/// Runs an example over the sample until all of it is read, and returns its summary; `pipeline` is its name.
fn run(run: Run, scratch: &Scratch, pipeline: &str) -> Summary {
    scratch.write("logs/a.ndjson", EVENTS);
    let running = run.env("LOGS", scratch.path("logs")).env("STATE", scratch.path("state")).start();
    let address = admin(&running);
    let read = format!("logweir_events_read_total{{pipeline=\"{pipeline}\"}}");
    poll_until("all is read", SOON, || (sample(address, &read) == 176).then_some(()));
    // The batch that grows is delivered at the end.
    running.signal(Signal::TERM);
    succeeded(&running.wait())
}

#[test]
fn logpush_job() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("archive")).unwrap();
    let example = example("logpush-job", &scratch).env("OUT", scratch.path("archive"));
    let summary = run(example, &scratch, "logpush-job.workers-logpush");
    let filter = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#.to_owned();
    let fields = names(&["Event", "EventTimestampMs", "Outcome", "Exceptions", "Logs", "ScriptName"]);
    let expected = oracle::run(&[Stage::Filter(filter), cut(16_384)], Some(&fields), EVENTS, 4 << 20);
    assert!(expected.filtered > 0, "{expected:?}");
    let objects = objects(&scratch.path("archive"));
    assert_eq!(objects.len(), 1);
    check(&summary, &content(&objects[0].1), &expected);
}

#[test]
fn archive() {
    let (scratch, bucket) = (Scratch::new(), Bucket::default());
    let server = HttpServer::start(Script::always(bucket.taking()));
    let example = example("archive", &scratch)
        .env("S3_ENDPOINT", server.url())
        .env("AWS_ACCESS_KEY_ID", "AK")
        .env("AWS_SECRET_ACCESS_KEY", "SK");
    let summary = run(example, &scratch, "archive");
    let (keys, objects) = (bucket.keys(), bucket.objects());
    assert!(keys.len() == 1 && keys[0].starts_with("/logs/workers/20"), "{keys:?}");
    let content = zstd::decode_all(objects[0].as_slice()).unwrap();
    check(&summary, &content, &oracle::run(&[], None, EVENTS, 4 << 20));
}
