//! SIGHUP reads the configuration anew: what can run takes over and loses nothing, what cannot changes nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use logweir_testkit::process::{Running, Signal, http_get, poll_until};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use crate::metrics::Scrape;
use crate::rig::{
    SOON, admin, append, check_first_events, event, follow, get, logged, logweir, n_lines, sample, succeeded,
    summaries, watched_pipeline,
};

const APPLIED: &str = "logweir_config_reloads_total{outcome=\"applied\"}";
const REFUSED: &str = "logweir_config_reloads_total{outcome=\"refused\"}";
const SUCCESS: &str = "logweir_config_reload_success";
const ADMIN: &str = "admin: {listen: \"127.0.0.1:0\"}\n";
const STDOUT: &str = "sink: {stdout: {}}\n";

/// Appends numbered events to a file, without a pause, until it is told to stop.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Writer {
    fn start(scratch: &Scratch, name: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let is_told = stop.clone();
        let path = scratch.path(name);
        append(scratch, name, "");
        let thread = thread::spawn(move || {
            let mut file = std::fs::File::options().append(true).open(path).unwrap();
            let mut n_events = 0;
            while !is_told.load(Ordering::Relaxed) {
                let events: String = (n_events..n_events + 20).map(event).collect();
                std::io::Write::write_all(&mut file, events.as_bytes()).unwrap();
                n_events += 20;
                thread::park_timeout(std::time::Duration::from_micros(500));
            }
            n_events
        });
        Self { stop, thread }
    }

    /// Returns how many events it has written in all.
    fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// Replaces a file at once, so that nobody reads half of it.
fn replace(scratch: &Scratch, name: &str, text: &str) {
    let new = scratch.write("new", text);
    std::fs::rename(new, scratch.path(name)).unwrap();
}

/// Has the configuration read anew, and waits until it is known that it was taken or refused.
#[track_caller]
fn reload(running: &Running, address: SocketAddr, outcome: &str) {
    let before = sample(address, outcome);
    running.signal(Signal::HUP);
    poll_until(outcome, SOON, || (sample(address, outcome) > before).then_some(()));
}

/// Checks the laws of the books of a pipeline with outputs.
#[track_caller]
fn check_outputs(scrape: &Scrape, pipeline: &str, outputs: &[&str]) {
    let pipeline = format!("pipeline=\"{pipeline}\"");
    let shared = |name: &str| scrape.sum(name, &[&pipeline], &["output="]);
    let forwarded = shared("logweir_events_forwarded_total");
    assert_eq!(shared("logweir_events_read_total"), shared("logweir_events_dropped_total") + forwarded);
    for output in outputs {
        let output = format!("output=\"{output}\"");
        let own = |name: &str| scrape.sum(name, &[&pipeline, &output], &[]);
        let received = own("logweir_events_received_total");
        assert_eq!(received + own("logweir_events_absent_total"), forwarded, "{output}");
        let settled = own("logweir_events_written_total")
            + own("logweir_events_dropped_total")
            + own("logweir_events_returned_total");
        assert_eq!(settled + own("logweir_events_in_flight"), received, "{output}");
    }
}

/// Checks that reloads under load lose nothing, double nothing and keep the books; `output` returns what has come out.
#[track_caller]
fn check_reloads(sink: &str, output: impl Fn(&Scratch, &Running) -> Vec<u8>) {
    let scratch = Scratch::new();
    let yaml = |decoders: usize| follow(&scratch, &format!("{sink}limits: {{decoders: {decoders}}}\n"));
    let running = watched_pipeline(&scratch, &yaml(1)).start();
    let address = admin(&running);
    let writer = Writer::start(&scratch, "in/a");
    let mut before = Scrape::new(address);
    let check = |before: &mut Scrape| {
        let now = Scrape::new(address);
        let count = |name: &str| now.sum(name, &[], &[]);
        let dropped = count("logweir_events_dropped_total");
        let [read, written, returned, in_flight] =
            ["read_total", "written_total", "returned_total", "in_flight"]
                .map(|name| count(&format!("logweir_events_{name}")));
        assert_eq!(read, written + dropped + returned + in_flight);
        now.check_follows(before);
        *before = now;
        read
    };
    for n in 1..=5 {
        let was = check(&mut before);
        poll_until("events flow", SOON, || (check(&mut before) > was + 1000).then_some(()));
        scratch.write("pipeline.yaml", format!("{}{ADMIN}", yaml(1 + n % 3)));
        running.signal(Signal::HUP);
        poll_until("it takes over", SOON, || {
            check(&mut before);
            (before.sum("logweir_config_reloads_total", &["applied"], &[]) == n as u64).then_some(())
        });
    }
    let n_events = writer.finish();
    poll_until("all comes out", SOON, || {
        output(&scratch, &running).ends_with(event(n_events - 1).as_bytes()).then_some(())
    });
    let out = output(&scratch, &running);
    running.signal(Signal::TERM);
    let summary = succeeded(&running.wait());
    assert_eq!(check_first_events(&out), n_events);
    assert_eq!((summary.count("read"), summary.count("returned")), (n_events, 0), "all could drain");
}

#[test]
fn reloads_under_load_lose_nothing_and_double_nothing_and_the_books_go_on() {
    check_reloads(STDOUT, |_, running| running.stdout_so_far());
}

#[test]
fn files_that_are_synced_go_on_over_reloads_too() {
    check_reloads("sink: {file: {path: out/all.ndjson}}\n", |scratch, _| {
        std::fs::read(scratch.path("out/all.ndjson")).unwrap_or_default()
    });
}

#[test]
fn a_configuration_with_a_mistake_changes_nothing_and_is_told() {
    let scratch = Scratch::new();
    let running = watched_pipeline(&scratch, &follow(&scratch, STDOUT)).start();
    let address = admin(&running);
    assert_eq!(sample(address, SUCCESS), 1);
    scratch.write("pipeline.yaml", follow(&scratch, "sink: {stdut: {}}\n"));
    reload(&running, address, REFUSED);
    assert_eq!(sample(address, SUCCESS), 0);
    let (status, body) = http_get(address, "/readyz").unwrap();
    assert_eq!(status, 200, "what ran still runs: {body}");
    assert!(
        body.starts_with("ready\nconfiguration: the last reload was refused: pipeline.yaml:3:8: "),
        "{body}"
    );
    let line = logged(&running, "the reload is refused");
    assert!(line["why"].as_str().unwrap().contains("stdut"), "{line}");
    append(&scratch, "in/a", event(0));
    poll_until("events go on", SOON, || (running.stdout_so_far() == event(0).as_bytes()).then_some(()));

    scratch.write("pipeline.yaml", format!("{}{ADMIN}", follow(&scratch, STDOUT)));
    reload(&running, address, APPLIED);
    assert_eq!(sample(address, SUCCESS), 1);
    poll_until("it is ready", SOON, || {
        (http_get(address, "/readyz").ok()? == (200, "ready\n".into())).then_some(())
    });
    append(&scratch, "in/a", event(1));
    poll_until("events go on", SOON, || (running.stdout_so_far().len() == 2 * event(0).len()).then_some(()));
    running.signal(Signal::TERM);
    let ran = running.wait();
    assert_eq!(check_first_events(&ran.stdout), succeeded(&ran).count("read"));
}

/// Checks that a configuration is refused for a reason, and that events go on.
#[track_caller]
fn check_refused(scratch: &Scratch, running: &Running, address: SocketAddr, yaml: &str, reason: &str) {
    scratch.write("pipeline.yaml", yaml);
    reload(running, address, REFUSED);
    let body = get(address, "/readyz");
    assert!(body.contains(reason), "{body}");
    let n_bytes = running.stdout_so_far().len();
    append(scratch, "in/a", "{}\n");
    poll_until("events go on", SOON, || (running.stdout_so_far().len() > n_bytes).then_some(()));
}

#[test]
fn what_cannot_be_opened_or_would_lose_something_is_refused() {
    let scratch = Scratch::new();
    scratch.write("file", "");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let running = watched_pipeline(&scratch, &follow(&scratch, STDOUT)).start();
    let address = admin(&running);
    let check = |yaml: &str, reason: &str| check_refused(&scratch, &running, address, yaml, reason);
    check("source: {stdin: {}}\nsink: {stdout: {}}\n", "pipeline `pipeline` would read its source once");
    check("source: {file: {include: [x], read: once}}\nsink: {stdout: {}}\n", "would read its source once");
    let outputs = "outputs: [{name: a, sink: {stdout: {}}}]\n";
    check(&follow(&scratch, outputs), "pipeline `pipeline` changes between `sink` and `outputs`");
    let dead_letter = "dead_letter: {file: {path: file/dead.txt}}\n";
    check(
        &follow(&scratch, &[STDOUT, dead_letter].concat()),
        "pipeline `pipeline`: dead_letter cannot be opened: ",
    );
    check(&follow(&scratch, STDOUT).replace("state_dir: state", "name: b\nstate_dir: file/x"), "state_dir");
    check(
        &follow(&scratch, STDOUT).replace("state_dir: state", "state_dir: other"),
        "gets another `state_dir`",
    );
    let in_use = format!("admin: {{listen: \"{}\"}}\n", taken.local_addr().unwrap());
    check(&follow(&scratch, &[STDOUT, &in_use].concat()), "admin.listen: cannot listen on");
    std::fs::remove_file(scratch.path("pipeline.yaml")).unwrap();
    reload(&running, address, REFUSED);
    assert!(get(address, "/readyz").contains("this file cannot be read"));
    running.signal(Signal::TERM);
    succeeded(&running.wait());
}

#[test]
fn a_pipeline_that_reads_standard_input_is_not_reloaded() {
    let scratch = Scratch::new();
    let mut running =
        watched_pipeline(&scratch, "source: {stdin: {}}\nsink: {stdout: {}}\n").hold_stdin().start();
    let stdin = running.take_stdin();
    let address = admin(&running);
    reload(&running, address, REFUSED);
    let body = get(address, "/readyz");
    assert!(body.contains("pipeline `pipeline` is running and reads its source once"), "{body}");
    drop(stdin);
    succeeded(&running.wait());
}

#[test]
fn outputs_and_pipelines_come_and_go_and_keep_their_numbers() {
    let scratch = Scratch::new();
    let outputs = |names: &[&str]| {
        let outputs = names.iter().map(|name| format!("{{name: {name}, sink: {{\"null\": {{}}}}}}"));
        follow(&scratch, &format!("outputs: [{}]\n", outputs.collect::<Vec<_>>().join(", ")))
    };
    let other = follow(&scratch, "sink: {\"null\": {}}\n").replace("/in/", "/other/");
    scratch.write("a.yaml", outputs(&["one", "two"]) + ADMIN);
    scratch.write("b.yaml", &other);
    let args = ["run", "--log-format", "json", "--summary", "json", "a.yaml", "b.yaml"];
    let running = logweir(args).dir(scratch.dir()).start();
    let address = admin(&running);
    let count = |series: &str| sample(address, series);
    let read = |pipeline: &str| count(&format!("logweir_events_read_total{{pipeline=\"{pipeline}\"}}"));
    let write = |a: &str, b: &str| {
        let (was_a, was_b) = (read("a"), read("b"));
        append(&scratch, "in/a", a);
        append(&scratch, "other/b", b);
        let n = |text: &str| n_lines(text.as_bytes()) as u64;
        poll_until("it is read", SOON, || {
            (read("a") == was_a + n(a) && read("b") == was_b + n(b)).then_some(())
        });
        let scrape = Scrape::new(address);
        check_outputs(&scrape, "a", &["one"]);
    };
    write("{}\n{}\n{}\n", "{}\n");
    // `one` stays, `two` goes, `three` comes; and `b` becomes another pipeline.
    scratch.write("a.yaml", outputs(&["three", "one"]) + ADMIN);
    scratch.write("b.yaml", format!("name: c\n{other}"));
    reload(&running, address, APPLIED);
    append(&scratch, "in/a", "{}\n{}\n");
    let written =
        |output: &str| count(&format!("logweir_events_written_total{{pipeline=\"a\",output=\"{output}\"}}"));
    poll_until("it is written", SOON, || (written("one") == 5 && written("three") == 2).then_some(()));
    assert_eq!(written("two"), 3);
    check_outputs(&Scrape::new(address), "a", &["one", "two", "three"]);
    // The other pipeline has other positions, and so reads from the beginning.
    poll_until("it is read", SOON, || (read("c") == 1).then_some(()));
    assert_eq!(read("b"), 1);
    assert_eq!(count("logweir_pipeline_running{pipeline=\"b\"}"), 0);
    assert_eq!(count("logweir_pipeline_done{pipeline=\"b\"}"), 1);
    assert_eq!(get(address, "/readyz"), "ready\n");
    // Back again: all go on where they were.
    scratch.write("a.yaml", outputs(&["one", "two"]) + ADMIN);
    scratch.write("b.yaml", &other);
    reload(&running, address, APPLIED);
    write("{}\n", "{}\n");
    running.signal(Signal::TERM);
    let ran = running.wait();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let [a, b, c] = &summaries(&ran)[..] else { panic!("three pipelines: {}", ran.stderr_text()) };
    assert_eq!(
        (&a.0["balanced"], a.count("read"), b.count("read"), c.count("read")),
        (&Value::Bool(true), 6, 2, 1)
    );
    let numbers = |name: &str| ["received", "absent", "written"].map(|key| a.output(name).count(key));
    assert_eq!((numbers("one"), numbers("two"), numbers("three")), ([6, 0, 6], [4, 2, 4], [2, 4, 2]));
}

#[test]
fn the_table_says_which_events_an_output_was_not_there_for() {
    let scratch = Scratch::new();
    let with = |names: &[&str]| {
        let output = |name: &&str| format!("- {{name: {name}, sink: {{\"null\": {{}}}}}}\n");
        follow(&scratch, &format!("outputs:\n{}{ADMIN}", names.iter().map(output).collect::<String>()))
    };
    append(&scratch, "in/a", "{}\n");
    scratch.write("a.yaml", with(&["one"]));
    let running = logweir(["run", "--log-format", "json", "a.yaml"]).dir(scratch.dir()).start();
    let address = admin(&running);
    let written = |output: &str| {
        let series = format!("logweir_events_written_total{{pipeline=\"a\",output=\"{output}\"}}");
        sample(address, &series)
    };
    poll_until("the first is written", SOON, || (written("one") == 1).then_some(()));
    scratch.write("a.yaml", with(&["one", "two"]));
    reload(&running, address, APPLIED);
    append(&scratch, "in/a", "{}\n{}\n");
    poll_until("the rest is written", SOON, || (written("two") == 2).then_some(()));
    running.signal(Signal::TERM);
    let said = running.wait().stderr_text();
    let row = said.lines().find(|line| line.trim_start().starts_with("absent")).expect(&said);
    assert!(row.contains(" 1 ") && said.matches("absent").count() == 1, "{said}");
}

#[test]
fn the_last_of_several_signals_in_a_row_counts() {
    let scratch = Scratch::new();
    let with_field = |name: &str| {
        follow(&scratch, &format!("sink: {{stdout: {{}}}}\nencode: {{field_names: [{name}]}}\n{ADMIN}"))
    };
    scratch.write("pipeline.yaml", with_field("a"));
    let args = ["run", "--log-format", "json", "--summary", "json", "pipeline.yaml"];
    let running = logweir(args).dir(scratch.dir()).start();
    let address = admin(&running);
    for round in 0..20 {
        let name = format!("f{round}");
        // The second may come before, while, or after the first is seen to.
        replace(&scratch, "pipeline.yaml", &with_field("other"));
        running.signal(Signal::HUP);
        replace(&scratch, "pipeline.yaml", &with_field(&name));
        running.signal(Signal::HUP);
        poll_until("the last configuration rules", SOON, || {
            append(&scratch, "in/a", format!("{{\"{name}\":1}}\n"));
            let expected = format!("{{\"{name}\":1}}\n");
            running.stdout_so_far().ends_with(expected.as_bytes()).then_some(())
        });
    }
    assert_eq!(sample(address, REFUSED), 0);
    running.signal(Signal::TERM);
    succeeded(&running.wait());
}

#[test]
fn the_admin_endpoint_moves_when_its_address_changes_and_goes_when_there_is_none() {
    let scratch = Scratch::new();
    let running = watched_pipeline(&scratch, &follow(&scratch, STDOUT)).start();
    let address = admin(&running);
    let elsewhere = "admin: {listen: \"127.0.0.2:0\"}\n";
    scratch.write("pipeline.yaml", follow(&scratch, &[STDOUT, elsewhere].concat()));
    running.signal(Signal::HUP);
    let moved: SocketAddr = poll_until("it listens elsewhere", SOON, || {
        let stderr = String::from_utf8(running.stderr_so_far()).unwrap();
        let line = stderr.lines().rfind(|line| line.contains("endpoint listens"))?;
        let line: Value = serde_json::from_str(line).ok()?;
        line["address"].as_str()?.parse().ok().filter(|found| *found != address)
    });
    poll_until("it has moved", SOON, || http_get(address, "/healthz").is_err().then_some(()));
    assert_eq!((sample(moved, APPLIED), sample(moved, SUCCESS)), (1, 1));
    // The same directory, by another name.
    scratch
        .write("pipeline.yaml", follow(&scratch, STDOUT).replace("state_dir: state", "state_dir: ./state"));
    running.signal(Signal::HUP);
    poll_until("it has gone", SOON, || http_get(moved, "/healthz").is_err().then_some(()));
    assert!(String::from_utf8(running.stderr_so_far()).unwrap().contains("the admin endpoint closes"));
    append(&scratch, "in/a", "{}\n");
    poll_until("events go on", SOON, || (running.stdout_so_far() == b"{}\n").then_some(()));
    running.signal(Signal::TERM);
    succeeded(&running.wait());
}

#[test]
fn a_signal_to_end_during_a_reload_ends_the_run() {
    let scratch = Scratch::new();
    // Nobody reads, so that the old pipeline cannot drain.
    scratch.write("in/a", (0..30_000).map(event).collect::<String>());
    let yaml = follow(&scratch, "sink: {stdout: {}}\nshutdown: {deadline: 1h}\n");
    let mut running = watched_pipeline(&scratch, &yaml).hold_stdout().start();
    let mut stdout = running.take_stdout().unwrap();
    let address = admin(&running);
    poll_until("events are on their way", SOON, || {
        (sample(address, "logweir_events_in_flight{pipeline=\"pipeline\"}") > 0).then_some(())
    });
    running.signal(Signal::HUP);
    logged(&running, "the new configuration takes over");
    running.signal(Signal::TERM);
    logged(&running, "stops reading");
    let reader = thread::spawn(move || std::io::read_to_string(&mut stdout).unwrap());
    let ran = running.wait();
    let summary = succeeded(&ran);
    assert_eq!(check_first_events(reader.join().unwrap().as_bytes()), summary.count("read"));
    assert!(summary.count("read") < 30_000 || summary.count("returned") == 0, "{}", summary.0);
}
