//! What is scraped always adds up, and every metric there is says what it is.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use logweir_pipeline::{Kind, METRICS};
use logweir_testkit::process::{Signal, http_get, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::rig::{
    FATES, Feeder, SOON, admin, endless_events, get, logweir, sample, succeeded, summary, watched_pipeline,
};

/// Events of every fate: written, cut, filtered, sampled out, malformed in each way, oversized, and blank lines.
const BLOCK: &str = concat!(
    "{\"Outcome\":\"ok\",\"Logs\":[{\"Message\":[\"0123456789\"]}]}\n",
    "{\"Outcome\":\"exception\",\"Exceptions\":[{\"Name\":\"Error\",\"Message\":\"too long\"}]}\n",
    "{\"Outcome\":\"canceled\"}\n",
    "{\"Outcome\":\"ok\",\"Event\":{\"RayID\":\"a\"}}\n",
    "{\"Outcome\":\"ok\",\"Event\":{\"RayID\":\"b\"}}\n",
    "{\"Outcome\":\"ok\",\"Event\":{\"RayID\":\"c\"}}\n",
    "\n",
    "{\"broken\":}\n",
    "[]\n",
);

const STAGES: &str = concat!(
    "  - filter: { where: { key: Outcome, operator: '!eq', value: canceled } }\n",
    "  - sample: { rate: 0.5, key: Event.RayID }\n",
    "  - truncate: { limit: 7 }\n",
);

/// How many scrapes a test looks at while events flow.
const N_SCRAPES: u32 = 40;

fn blocks() -> impl Iterator<Item = Vec<u8>> + Send + 'static {
    let mut block = BLOCK.repeat(40).into_bytes();
    block.extend_from_slice(b"not UTF-8: \xff\n{\"long\":\"");
    block.resize(block.len() + 1500, b'x');
    block.extend_from_slice(b"\"}\n");
    std::iter::repeat(block)
}

/// The values of one scrape, by name and labels as they are written.
pub(crate) struct Scrape(BTreeMap<String, u64>);

impl Scrape {
    /// Scrapes.
    pub(crate) fn new(address: SocketAddr) -> Self {
        let body = get(address, "/metrics");
        // All but times are whole numbers.
        let is_time = |line: &str| line.split('{').next().is_some_and(|name| name.contains("_seconds"));
        let is_sample = |line: &&str| !line.is_empty() && !line.starts_with('#') && !is_time(line);
        let samples = body.lines().filter(is_sample);
        let split = |line: &str| {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            (series.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
        };
        Self(samples.map(split).collect())
    }

    /// Returns the sum of all series of a metric that have these labels, and none of the others.
    pub(crate) fn sum(&self, name: &str, labels: &[&str], others: &[&str]) -> u64 {
        let is_asked = |series: &str| {
            let (found, found_labels) = series.split_once('{').unwrap_or((series, ""));
            found == name
                && labels.iter().all(|label| found_labels.contains(label))
                && !others.iter().any(|label| found_labels.contains(label))
        };
        let values = self.0.iter().filter(|(series, _)| is_asked(series)).map(|(_, value)| *value);
        values.sum()
    }

    /// Checks that a counter is nowhere less than it was, and that no series has gone.
    #[track_caller]
    pub(crate) fn check_follows(&self, before: &Self) {
        for (series, was) in before.0.iter().filter(|(series, _)| series.contains("_total")) {
            let is = self.0.get(series).unwrap_or_else(|| panic!("{series} has gone"));
            assert!(is >= was, "{series} was {was} and is {is}");
        }
    }
}

#[test]
fn what_is_scraped_under_load_adds_up() {
    let scratch = Scratch::new();
    let yaml = format!(
        "source: {{stdin: {{}}}}\nstages:\n{STAGES}sink: {{file: {{path: out.ndjson}}}}\n\
         limits: {{max_event_bytes: 1 KiB, chunk_bytes: 16 KiB, decoders: 3}}\n"
    );
    let mut running = watched_pipeline(&scratch, &yaml).hold_stdin().start();
    let address = admin(&running);
    let feeder = Feeder::start(running.take_stdin().unwrap(), blocks());
    let (mut before, mut n_scrapes) = (Scrape::new(address), 0);
    poll_until("scrapes while events flow", SOON, || {
        let now = Scrape::new(address);
        let count = |name: &str| now.sum(name, &["pipeline=\"pipeline\""], &[]);
        let [read, written, in_flight] =
            ["logweir_events_read_total", "logweir_events_written_total", "logweir_events_in_flight"]
                .map(count);
        let dropped = count("logweir_events_dropped_total");
        assert_eq!(
            read,
            written + dropped + in_flight,
            "written {written}, dropped {dropped}, in flight {in_flight}"
        );
        now.check_follows(&before);
        // Only a scrape that shows something new counts.
        n_scrapes += u32::from(read > before.sum("logweir_events_read_total", &[], &[]));
        before = now;
        (n_scrapes >= N_SCRAPES).then_some(())
    });
    running.signal(Signal::TERM);
    let summary = succeeded(&running.wait());
    assert!(feeder.finish().is_none());
    for key in FATES.into_iter().filter(|fate| !["failed", "returned"].contains(fate)).chain(["truncated"]) {
        assert!(summary.count(key) > 0, "{key}: {}", summary.0);
    }
}

#[test]
fn outputs_add_up_each_for_itself_and_with_what_they_share() {
    let scratch = Scratch::new();
    let yaml = format!(
        "source: {{stdin: {{}}}}\nstages: [{{filter: {{where: {{key: Outcome, operator: '!eq', value: canceled}}}}}}]\n\
         outputs:\n- name: some\n  stages:\n{STAGES}  sink: {{file: {{path: some.ndjson}}}}\n\
         - name: all\n  sink: {{\"null\": {{}}}}\n\
         limits: {{max_event_bytes: 1 KiB, chunk_bytes: 16 KiB, decoders: 2}}\n"
    );
    let mut running = watched_pipeline(&scratch, &yaml).hold_stdin().start();
    let address = admin(&running);
    let feeder = Feeder::start(running.take_stdin().unwrap(), blocks());
    let mut before = Scrape::new(address);
    poll_until("scrapes while events flow", SOON, || {
        let now = Scrape::new(address);
        let shared = |name: &str| now.sum(name, &[], &["output="]);
        let forwarded = shared("logweir_events_forwarded_total");
        assert_eq!(shared("logweir_events_read_total"), shared("logweir_events_dropped_total") + forwarded);
        for output in ["output=\"some\"", "output=\"all\""] {
            let own = |name: &str| now.sum(name, &[output], &[]);
            let settled = own("logweir_events_written_total") + own("logweir_events_dropped_total");
            assert_eq!(own("logweir_events_received_total"), forwarded, "{output}");
            assert_eq!(settled + own("logweir_events_in_flight"), forwarded, "{output}");
        }
        now.check_follows(&before);
        before = now;
        (before.sum("logweir_events_written_total", &["some"], &[]) > 100_000).then_some(())
    });
    running.signal(Signal::TERM);
    let summary = summary(&running.wait());
    assert_eq!(summary.0["balanced"], true, "{}", summary.0);
    assert!(
        summary.output("some").count("sampled_out") > 0 && summary.output("all").count("sampled_out") == 0
    );
    drop(feeder);
}

#[test]
fn the_last_scrape_and_the_summary_say_the_same() {
    let scratch = Scratch::new();
    let mut running =
        watched_pipeline(&scratch, "source: {stdin: {}}\nsink: {stdout: {}}").hold_stdin().start();
    let address = admin(&running);
    let feeder = Feeder::start(running.take_stdin().unwrap(), std::iter::once(BLOCK.as_bytes()));
    let last = poll_until("all is written", SOON, || {
        let scrape = Scrape::new(address);
        (scrape.sum("logweir_events_written_total", &[], &[]) == 6).then_some(scrape)
    });
    drop(feeder.finish());
    let ran = running.wait();
    let summary = succeeded(&ran);
    let counts = [
        ("read", "logweir_events_read_total"),
        ("written", "logweir_events_written_total"),
        ("bytes_in", "logweir_bytes_read_total"),
        ("bytes_out", "logweir_bytes_written_total"),
        ("truncated", "logweir_events_truncated_total"),
    ];
    for (key, name) in counts {
        assert_eq!(summary.count(key), last.sum(name, &[], &[]), "{key}");
    }
    assert_eq!(
        summary.count("malformed.not_json"),
        last.sum("logweir_events_dropped_total", &["not_json"], &[])
    );
}

/// Starts pipelines that together have every metric to show: one with outputs and a dead-letter file, one that has
/// failed, one that follows files, and one that uploads.
fn start_all(scratch: &Scratch) -> (logweir_testkit::process::Running, SocketAddr) {
    scratch.write(
        "a.yaml",
        "source: {stdin: {}}\noutputs: [{name: one, sink: {stdout: {}}}, {name: two, sink: {\"null\": {}}}]\n\
         dead_letter: {file: {path: dead.ndjson}}\nadmin: {listen: \"127.0.0.1:0\"}\n",
    );
    scratch.write("b.yaml", "source: {file: {include: [absent.ndjson], read: once}}\nsink: {\"null\": {}}\n");
    let followed = "source: {file: {include: [\"live/*\"]}}\nsink: {\"null\": {}}\nstate_dir: state\n\
        stages: [truncate: {limit: 1, max_scripts: 1}]\n";
    scratch.write("c.yaml", followed);
    scratch.write("live/events.ndjson", "{\"Logs\":[{\"Message\":\"long\"}]}\n");
    std::fs::create_dir(scratch.path("objects")).unwrap();
    scratch.write(
        "d.yaml",
        followed.replace("\"null\": {}", "directory: {path: objects, upload: {max_events: 1}}"),
    );
    let args = ["run", "--log-format", "json", "--summary", "json", "a.yaml", "b.yaml", "c.yaml", "d.yaml"];
    let running = logweir(args).dir(scratch.dir()).hold_stdin().start();
    let address = admin(&running);
    poll_until("the second has failed, the third has cut an event and the last has uploaded", SOON, || {
        let body = get(address, "/metrics");
        let has = |name: &str| body.contains(&format!("\n{name}{{"));
        (has("logweir_component_errors_total")
            && has("logweir_uploads_total")
            && has("logweir_script_events_truncated_total"))
        .then_some(())
    });
    (running, address)
}

#[test]
fn every_metric_has_its_type_its_help_and_a_value() {
    let scratch = Scratch::new();
    let (running, address) = start_all(&scratch);
    let body = get(address, "/metrics");
    for metric in METRICS {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let name = metric.name;
        for line in [format!("# TYPE {name} {kind}\n"), format!("# HELP {name} {}\n", metric.help)] {
            assert!(body.contains(&line), "no {line} in\n{body}");
        }
        let has_value = body
            .lines()
            .any(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ', '_'])));
        assert!(has_value, "{name} has no value in\n{body}");
    }
    let shown = body.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    for name in shown {
        assert!(METRICS.iter().any(|metric| metric.name == name), "{name} is not listed");
    }
    drop(running);
}

#[test]
fn a_failure_is_told_by_readyz_and_counted_and_the_process_is_still_alive() {
    let scratch = Scratch::new();
    let (running, address) = start_all(&scratch);
    assert_eq!(get(address, "/healthz"), "alive\n");
    let (status, body) = http_get(address, "/readyz").unwrap();
    assert_eq!(status, 503);
    assert!(body.contains("b: source.file") && body.contains("absent.ndjson"), "{body}");
    let errors = "logweir_component_errors_total";
    let labels = ["pipeline=\"b\"", "component=\"source.file\"", "kind=\"open\""];
    assert_eq!(Scrape::new(address).sum(errors, &labels, &[]), 1);
    drop(running);
}

#[test]
fn a_pipeline_that_runs_is_ready() {
    let scratch = Scratch::new();
    let mut running =
        watched_pipeline(&scratch, "source: {stdin: {}}\nsink: {stdout: {}}").hold_stdin().start();
    let address = admin(&running);
    poll_until("it is ready", SOON, || {
        (http_get(address, "/readyz").ok()? == (200, "ready\n".into())).then_some(())
    });
    assert_eq!(http_get(address, "/nonsense").unwrap().0, 404);
    drop(running.take_stdin());
    succeeded(&running.wait());
}

#[test]
fn an_address_in_use_stops_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let scratch = Scratch::new();
    let address = taken.local_addr().unwrap();
    let yaml = format!("source: {{stdin: {{}}}}\nsink: {{stdout: {{}}}}\nadmin: {{listen: \"{address}\"}}\n");
    scratch.write("p.yaml", yaml);
    let ran = logweir(["run", "p.yaml"]).dir(scratch.dir()).stdin("{}\n").output();
    assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(1), &b""[..]));
    assert!(ran.stderr_text().contains(&address.to_string()), "{}", ran.stderr_text());
}

#[test]
fn a_wait_shows_while_it_lasts() {
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nsink: {stdout: {}}\nlimits: {decoders: 1, channel_batches: 1}\n";
    let mut running = watched_pipeline(&scratch, yaml).hold_stdin().hold_stdout().start();
    let address = admin(&running);
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events());
    feeder.wait_until_stalled();
    // Nobody reads, so no wait ends.
    for channel in ["payloads", "chunks"] {
        let series =
            format!("logweir_channel_wait_microseconds_total{{pipeline=\"pipeline\",channel=\"{channel}\"}}");
        let before = sample(address, &series);
        poll_until("senders wait on", SOON, || {
            (sample(address, &series) >= before + 2_000_000).then_some(())
        });
    }
    drop(running.take_stdout());
    drop(feeder.finish());
    running.wait();
}
