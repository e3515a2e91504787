//! What is deployed for Prometheus and Grafana, with a real Prometheus that scrapes a busy process.

use std::fmt::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use logweir_testkit::http_server::{Act, HttpServer, Script};
use logweir_testkit::process::{http_get, let_pass, poll_until};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use crate::rig::{SOON, admin, append, follow, get, watched_pipeline, workspace};

/// A pipeline with all that there is to see.
const PIPELINE: &str = "
stages: [{ filter: { where: { key: Outcome, operator: '!eq', value: exception } } }]
outputs:
  - name: cut
    stages: [{ truncate: { limit: 5, max_scripts: 5 } }]
    sink: { file: { path: out.ndjson } }
  - name: uploaded
    stages: [{ sample: { rate: 0.5 } }]
    sink: { http: { url: URL, upload: { max_events: 100, max_interval: 50ms, first_pause: 5ms, longest_pause: 50ms } } }
dead_letter: { file: { path: dead.txt, max_bytes: 1 GB } }
";

/// Panels that have something to show only when something has gone wrong or been turned over.
const QUIET: [&str; 2] = ["Failures", "Rotations"];

fn deployed(name: &str) -> PathBuf {
    workspace().join("deploy").join(name)
}

fn promtool(args: &[&str], dir: &Path) -> Output {
    Command::new("promtool").args(args).current_dir(dir).output().expect("promtool is installed")
}

#[track_caller]
fn check_promtool(args: &[&str], dir: &Path) {
    let ran = promtool(args, dir);
    let said = [ran.stdout, ran.stderr].concat();
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&said));
}

/// Returns the title of each panel of the dashboard with one of its expressions, the variables replaced as Grafana does.
fn expressions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(deployed("grafana/logweir.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut found = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let expression = target["expr"].as_str().unwrap();
            let variables = [("$__rate_interval", "10s"), ("$__range", "1m"), ("$instance", ".*")];
            let more = [("$pipeline", ".*"), ("$output", ".*")];
            let replace = |text: String, (name, value): &(&str, &str)| text.replace(name, value);
            let expression = variables.iter().chain(&more).fold(expression.to_owned(), replace);
            assert!(!expression.contains('$'), "{title}: {expression}");
            found.push((title.to_owned(), expression));
        }
    }
    assert!(found.len() > 30, "{}", found.len());
    found
}

#[test]
fn the_alerts_fire_when_they_should_and_not_when_they_should_not() {
    check_promtool(&["check", "rules", "alerts.yaml"], &deployed("prometheus"));
    check_promtool(&["test", "rules", "alerts.test.yaml"], &deployed("prometheus"));
}

/// Returns a Prometheus that scrapes `target` each second by what is deployed, with its address.
fn prometheus(scratch: &Scratch, target: SocketAddr) -> (Prometheus, SocketAddr) {
    let scrape = std::fs::read_to_string(deployed("prometheus/scrape.yaml")).unwrap();
    let scrape = scrape.replace("127.0.0.1:9598", &target.to_string()).replace("15s", "1s");
    let rules = deployed("prometheus/alerts.yaml");
    let config = format!(
        "global: {{ evaluation_interval: 1s }}\nrule_files: [{:?}]\n{scrape}",
        rules.display().to_string()
    );
    scratch.write("prometheus.yml", config);
    check_promtool(&["check", "config", "prometheus.yml"], scratch.dir());
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let process = Command::new("prometheus")
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=tsdb"])
        .arg(format!("--web.listen-address={address}"))
        .current_dir(scratch.dir())
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus is installed");
    (Prometheus(process), address)
}

/// A process that ends with the test.
struct Prometheus(std::process::Child);

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns what an expression comes to; `None` while Prometheus does not answer.
fn query(prometheus: SocketAddr, expression: &str) -> Option<Vec<Value>> {
    let mut path = String::from("/api/v1/query?query=");
    expression.bytes().for_each(|byte| write!(path, "%{byte:02X}").unwrap());
    let (status, body) = http_get(prometheus, &path).ok()?;
    if status == 503 {
        return None;
    }
    let answer: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(answer["status"], "success", "{expression}: {body}");
    Some(answer["data"]["result"].as_array().unwrap().clone())
}

#[test]
fn a_busy_process_fills_every_panel_and_fires_no_alert_but_what_is_wrong() {
    let scratch = Scratch::new();
    // Each fourth upload fails at first.
    let server =
        HttpServer::start(Script::of((0..1000).map(|n| Act::status(if n % 4 == 0 { 503 } else { 200 }))));
    let yaml = follow(&scratch, &PIPELINE.replace("URL", &format!("'{}/in'", server.url())));
    let running = watched_pipeline(&scratch, &yaml).deadline(Duration::from_secs(300)).start();
    let target = admin(&running);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                append(&scratch, "in/x.ndjson", [EVENTS, b"no event\n"].concat());
                let_pass(Duration::from_millis(50));
            }
        });
        // Else a panic would wait for ever for the writer.
        let _over = Over(&is_over);
        let (_process, prometheus) = prometheus(&scratch, target);
        let empty = |(title, expression): &(String, String)| {
            let is_quiet = QUIET.contains(&title.as_str());
            let found = query(prometheus, expression);
            (!is_quiet && found.is_none_or(|found| found.is_empty()))
                .then(|| format!("{title}: {expression}"))
        };
        let mut left = Vec::new();
        let expressions = expressions();
        let looked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            poll_until("every panel has something to show", SOON, || {
                left = expressions.iter().filter_map(empty).collect();
                left.is_empty().then_some(())
            });
        }));
        assert!(looked.is_ok(), "{left:#?}");
        let unaccounted = query(prometheus, "count(logweir:events_unaccounted == 0) by (law)").unwrap();
        assert_eq!(unaccounted.len(), 2, "the shared part, and the outputs: {unaccounted:?}");
        assert!(query(prometheus, "logweir:events_unaccounted != 0").unwrap().is_empty());
        let firing = query(prometheus, "ALERTS{alertstate=\"firing\", severity=\"critical\"}").unwrap();
        assert!(firing.is_empty(), "{firing:?}");
        check_exposition(&scratch, &get(target, "/metrics"));
    });
}

/// Says that it is over, whatever the reason.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Checks that nothing is to be said of the metrics but what is known: counters of the facade that we use are whole
/// numbers, so a time that is counted has no base unit.
#[track_caller]
fn check_exposition(scratch: &Scratch, text: &str) {
    scratch.write("metrics.txt", text);
    let ran = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(scratch.path("metrics.txt")).unwrap())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let known = |line: &&str| !line.starts_with("logweir_channel_wait_microseconds_total use base unit");
    assert_eq!(said.lines().filter(known).collect::<Vec<_>>(), Vec::<&str>::new());
}
