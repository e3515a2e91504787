//! Uploads through the real binary, to servers that take what they are given, or fail in every way there is.
//!
//! Whatever happens, each event arrives once: a store that is put the same key twice must be put the same bytes.

mod bucket;
mod bulk;
mod crash;
mod damaged;
mod examples;
mod faults;
mod page;
mod rejections;
mod secrets;
mod stopping;
mod trying;

use std::fs;
use std::net::SocketAddr;

use logweir_testkit::process::{Ran, Run, Running, Signal, http_get, poll_until};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use crate::rig::{
    ADMIN, SOON, Summary, admin, append, event, follow, get, succeeded, summary, watched_pipeline,
};

/// How batches are made and delivered where a test says nothing else: small, and tried again soon.
const UPLOAD: [&str; 4] =
    ["max_events: 100", "max_interval: 50ms", "first_pause: 5ms", "longest_pause: 50ms"];

/// The file that is followed.
const FOLLOWED: &str = "in/events.ndjson";

/// Returns how batches are made and delivered, given what is different or comes to it.
fn upload(keys: &str) -> String {
    let name = |key: &str| key.split(':').next().unwrap_or_default().trim().to_owned();
    let given: Vec<_> = keys.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
    let defaults = UPLOAD.iter().filter(|key| !given.iter().any(|other| name(other) == name(key)));
    format!("{{{}}}", defaults.chain(&given).copied().collect::<Vec<_>>().join(", "))
}

/// Returns a sink that puts batches into a bucket of a server; `keys` are those of `upload`.
fn s3(url: &str, keys: &str) -> String {
    format!(
        "sink: {{s3: {{bucket: logs, prefix: '{{DATE}}', endpoint: '{url}', access_key_id: AK, \
         secret_access_key: SK, upload: {}}}}}\n",
        upload(keys)
    )
}

/// Returns a sink that posts batches to a server; `keys` are those of `upload`.
fn http(url: &str, keys: &str) -> String {
    format!("sink: {{http: {{url: '{url}/in', upload: {}}}}}\n", upload(keys))
}

/// A pipeline that follows a file of numbered events and uploads them.
struct Uploader {
    scratch: Scratch,
    running: Running,
    address: SocketAddr,
    /// How many events the file has.
    n_events: u64,
}

impl Uploader {
    /// Starts it with this sink and whatever else is configured.
    fn start(rest: &str) -> Self {
        Self::start_in(Scratch::new(), 0, rest)
    }

    /// Starts it on what another one has left behind, with as many events in the file.
    fn start_in(scratch: Scratch, n_events: u64, rest: &str) -> Self {
        append(&scratch, FOLLOWED, "");
        let running = Self::run(&scratch, rest).start();
        let address = admin(&running);
        Self { scratch, running, address, n_events }
    }

    fn run(scratch: &Scratch, rest: &str) -> Run {
        watched_pipeline(scratch, &follow(scratch, rest))
    }

    /// Replaces the configuration and has it read.
    fn reload(&self, rest: &str) {
        let yaml = follow(&self.scratch, rest);
        let new = self.scratch.write("new", format!("{yaml}\n{ADMIN}"));
        fs::rename(new, self.scratch.path("pipeline.yaml")).expect("a file can be replaced");
        self.running.signal(Signal::HUP);
    }

    /// Appends events to the file.
    fn offer(&mut self, n_events: u64) {
        let events: String = (self.n_events..self.n_events + n_events).map(event).collect();
        append(&self.scratch, FOLLOWED, events);
        self.n_events += n_events;
    }

    /// Appends events of another kind to the file.
    fn offer_text(&mut self, n_events: u64, events: &str) {
        append(&self.scratch, FOLLOWED, events);
        self.n_events += n_events;
    }

    /// Returns a sample of the pipeline, given the name of the metric and further labels; 0 if it is not there yet.
    fn sample(&self, name: &str, labels: &str) -> u64 {
        let body = get(self.address, "/metrics");
        let has = |line: &&str| line.starts_with(&format!("{name}{{pipeline=\"pipeline\"{labels}}} "));
        let Some(line) = body.lines().find(has) else { return 0 };
        let value = line.rsplit_once(' ').expect("a value follows the labels").1;
        // Times have a fraction, which no test wants to know.
        value.split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or_else(|| panic!("{line}"))
    }

    /// Returns how many attempts came to this.
    fn attempts(&self, outcome: &str, status: u16) -> u64 {
        self.sample("logweir_uploads_total", &format!(",outcome=\"{outcome}\",status=\"{status}\""))
    }

    /// Returns what `/uploads` tells of its only output.
    fn told(&self) -> Value {
        let told: Value = serde_json::from_str(&get(self.address, "/uploads")).expect("it is JSON");
        assert_eq!(told["uploads"].as_array().map(Vec::len), Some(1), "{told}");
        assert_eq!(told["uploads"][0]["pipeline"], "pipeline");
        told["uploads"][0].clone()
    }

    /// Waits until a sample of the pipeline has a value.
    fn wait_for(&self, name: &str, value: u64) {
        poll_until(&format!("{name} is {value}"), SOON, || (self.sample(name, "") == value).then_some(()));
    }

    /// Waits until all events of the file are written.
    fn wait_until_written(&self) {
        self.wait_for("logweir_events_written_total", self.n_events);
    }

    /// Waits until `/readyz` is 503 and says all this, and returns it.
    fn wait_until_unready(&self, parts: &[&str]) -> String {
        poll_until(&format!("/readyz says {parts:?}"), SOON, || {
            let (status, body) = http_get(self.address, "/readyz").expect("the admin endpoint answers");
            (status == 503 && parts.iter().all(|part| body.contains(part))).then_some(body)
        })
    }

    /// Waits until `/readyz` is 200.
    fn wait_until_ready(&self) {
        poll_until("/readyz is 200", SOON, || {
            let (status, _) = http_get(self.address, "/readyz").expect("the admin endpoint answers");
            (status == 200).then_some(())
        });
    }

    /// Has it end, and returns what it leaves behind.
    fn end(self) -> (Scratch, Ran) {
        self.running.signal(Signal::TERM);
        (self.scratch, self.running.wait())
    }

    /// Has it end, which must be a full success with all events of the file written.
    #[track_caller]
    fn succeed(self) -> Summary {
        let n_events = self.n_events;
        let summary = succeeded(&self.end().1);
        summary.check_balanced();
        assert_eq!(summary.count("written"), n_events, "{}", summary.0);
        summary
    }

    /// Has it end with this exit code, and returns the summary.
    #[track_caller]
    fn end_with(self, code: i32) -> (Scratch, Summary) {
        let (scratch, ran) = self.end();
        assert_eq!(ran.code(), Some(code), "{}", ran.stderr_text());
        (scratch, summary(&ran))
    }
}
