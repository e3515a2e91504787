//! `logweir check`: warnings, the picture, and what a start would meet.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use logweir_testkit::compress::gzip;
use logweir_testkit::http_server::{Act, HttpServer, Script};
use logweir_testkit::process::{Ran, Signal, poll_until};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use crate::rig::{SOON, admin, append, follow, logweir, n_lines, watched_pipeline, workspace};

/// Runs `logweir check` on `pipeline.yaml` of a scratch directory.
fn check(scratch: &Scratch, options: &[&str]) -> Ran {
    logweir(["check", "pipeline.yaml"].iter().chain(options).copied()).dir(scratch.dir()).output()
}

fn stdout(ran: &Ran) -> String {
    String::from_utf8(ran.stdout.clone()).unwrap()
}

/// A filter that can never hold.
const NEVER: &str = "source: {stdin: {}}\nsink: {stdout: {}}\n\
    stages: [filter: {where: {and: [{key: Outcome, operator: eq, value: a}, {key: Outcome, operator: eq, value: b}]}}]\n";

#[test]
fn a_warning_stands_in_the_way_of_nothing_unless_it_is_denied() {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", NEVER);
    let ran = check(&scratch, &[]);
    let said = ran.stderr_text();
    assert_eq!((ran.code(), stdout(&ran).as_str()), (Some(0), "pipeline: fine\n"), "{said}");
    assert!(said.contains("warning: pipeline.yaml:3:10: this filter holds for no event"), "{said}");
    assert!(said.contains("\nhelp: its conditions exclude each other"), "{said}");
    let ran = check(&scratch, &["--deny-warnings"]);
    assert_eq!((ran.code(), stdout(&ran).as_str()), (Some(2), ""));
    assert!(ran.stderr_text().ends_with("the warning is denied, as if it were a mistake\n"));

    // A job that is not enabled is no warning.
    let job = "source: {file: {include: [in], read: once}}\nstate_dir: state\njobs:\n\
               - {enabled: false, destination_conf: 'file:///x', dataset: workers_trace_events}\n";
    scratch.write("pipeline.yaml", job);
    let ran = check(&scratch, &["--deny-warnings"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    assert!(ran.stderr_text().starts_with("note: "), "{}", ran.stderr_text());
}

#[test]
fn a_run_logs_its_warnings() {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", NEVER);
    let ran = logweir(["run", "pipeline.yaml"]).dir(scratch.dir()).output();
    assert_eq!(ran.code(), Some(0));
    assert!(ran.stderr_text().contains("this filter holds for no event"), "{}", ran.stderr_text());
}

#[test]
fn what_is_shipped_has_no_warnings() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let scenarios = fs::read_dir(scenarios).unwrap().map(|found| found.unwrap().path().join("pipeline.yaml"));
    let examples = fs::read_dir(workspace().join("pipelines")).unwrap().map(|found| found.unwrap().path());
    let files: Vec<PathBuf> = examples.chain(scenarios).collect();
    let is_pipeline = |path: &&PathBuf| path.extension().is_some_and(|ending| ending == "yaml");
    let files: Vec<_> = files.iter().filter(is_pipeline).collect();
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let ran = logweir(["check", "--deny-warnings", file.to_str().unwrap()]).dir(workspace()).output();
        assert_eq!(ran.code(), Some(0), "{}: {}", file.display(), ran.stderr_text());
    }
}

#[test]
fn json_has_all_that_text_has() {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", NEVER);
    let json = |options: &[&str]| {
        let ran = check(&scratch, options);
        let value: Value =
            serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        (ran.code(), value)
    };
    let (code, value) = json(&["--json", "--explain", "--connect"]);
    assert_eq!((code, &value["pipelines"][0]), (Some(0), &"pipeline".into()));
    let warning = &value["warnings"][0];
    assert_eq!((&warning["line"], &warning["column"]), (&3.into(), &10.into()));
    let stage = &value["explain"][0]["stages"][0];
    assert_eq!(
        (&stage["title"], stage["cost"]["share_out"].as_f64()),
        (&"stages[0] filter".into(), Some(0.0))
    );
    assert!(value["explain"][0]["memory"]["max_bytes"].as_u64().unwrap() > 32 << 20);
    assert_eq!(value["connect"][0]["grade"], "ok");
    assert_eq!(json(&["--json", "--deny-warnings"]).0, Some(2));
    scratch.write("pipeline.yaml", "source: {stdin: {}}\n");
    let (code, value) = json(&["--json"]);
    assert_eq!((code, value["problems"].as_array().unwrap().len()), (Some(2), 1));
}

/// Returns a text with what was measured put out of sight.
fn masked(text: &str) -> String {
    let mask = |line: &str| match (line.find("costs "), line.find(" MB/s"), line.find("memory: at most")) {
        (Some(from), Some(to), _) => format!("{}costs … µs an event, …{}", &line[..from], &line[to..]),
        _ => line.to_owned(),
    };
    text.lines().map(mask).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_pipeline_is_drawn_with_what_its_parts_cost() {
    let yaml = "source: {stdin: {}}\nlimits: {decoders: 2}\nstages:\n\
        - filter: {where: {key: Outcome, operator: '!eq', value: exception}}\n\
        - sample: {rate: 0.5, key: Event.RayID, always_keep: {where: {key: CPUTimeMs, operator: gt, value: 5}}}\n\
        outputs:\n\
        - name: short\n  stages: [truncate: {limit: 200}]\n  encode: {field_names: [Outcome, Logs]}\n\
        \x20 sink: {file: {path: 'out/{DATE}.ndjson', ack: synced}}\n\
        - {name: all, sink: {stdout: {}}}\n\
        dead_letter: {file: {path: dead.txt}}\n";
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", yaml);
    let ran = check(&scratch, &["--explain"]);
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(0), ""));
    let text = stdout(&ran);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    insta::assert_snapshot!(masked(&text));
    assert_eq!(fs::read_dir(scratch.dir()).unwrap().count(), 1, "nothing is made");
}

#[test]
fn costs_are_measured_on_the_events_that_are_given() {
    let scratch = Scratch::new();
    scratch.write("pipeline.yaml", NEVER.replace("eq, value: b", "'!eq', value: b"));
    scratch.write("events.ndjson", "{\"Outcome\":\"a\"}\n{\"Outcome\":\"b\"}\nno event\n{\"Outcome\":\"a\"}");
    let ran = check(&scratch, &["--explain", "--events", "events.ndjson"]);
    assert!(stdout(&ran).contains("; 67 % of what comes here goes on"), "{}", stdout(&ran));
    scratch.write("packed.gz", gzip(b"{\"Outcome\":\"b\"}\n{\"Outcome\":\"a\"}\n"));
    let ran = check(&scratch, &["--explain", "--events", "packed.gz"]);
    assert!(stdout(&ran).contains("; 50 % of what comes here goes on"), "{}", stdout(&ran));
    assert!(stdout(&ran).ends_with("on the first MiB of packed.gz\n"), "{}", stdout(&ran));
    scratch.write("events.ndjson", "no event\n");
    let ran = check(&scratch, &["--explain", "--events", "events.ndjson"]);
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stderr_text().contains("there is no event in the first MiB of events.ndjson"));
    let ran = check(&scratch, &["--explain", "--events", "missing.ndjson"]);
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stderr_text().contains("cannot read events from missing.ndjson"));
}

/// Returns all that is in a directory, with what would show that somebody has changed it.
fn tree(dir: &Path) -> BTreeMap<PathBuf, (u64, SystemTime, i64, u32)> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(path) = open.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let modified = metadata.modified().unwrap();
        found.insert(path, (metadata.len(), modified, metadata.ctime_nsec(), metadata.mode()));
    }
    found
}

#[test]
fn connecting_changes_nothing_and_asks_destinations_for_nothing_but_headers() {
    let (scratch, server) = (Scratch::new(), HttpServer::start(Script::always(Act::status(404))));
    let url = server.url();
    let yaml = follow(
        &scratch,
        &format!(
            "outputs:\n- {{name: bucket, sink: {{s3: {{bucket: b, prefix: logs, region: r, endpoint: '{url}', \
         access_key_id: AKID, secret_access_key: hunter2hunter2}}}}}}\n\
         - {{name: server, sink: {{http: {{url: '{url}/in', headers: {{Authorization: 'Bearer hunter2hunter2'}}}}}}}}\n\
         - {{name: here, sink: {{file: {{path: out/x.ndjson}}}}}}\n\
         - {{name: objects, sink: {{directory: {{path: objects}}}}}}\n\
         dead_letter: {{file: {{path: dead.txt}}}}\nadmin: {{listen: '127.0.0.1:0'}}\n"
        ),
    );
    scratch.write("pipeline.yaml", yaml);
    scratch.write("in/a.ndjson", "{}\n");
    scratch.write("dead.txt", "x\n");
    fs::create_dir(scratch.path("objects")).unwrap();
    let before = tree(scratch.dir());
    let ran = check(&scratch, &["--connect"]);
    let text = stdout(&ran);
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(0), ""), "{text}");
    assert_eq!(tree(scratch.dir()), before);
    let requests = server.requests();
    let methods: Vec<_> = requests.iter().map(|request| request.method.as_str()).collect();
    assert_eq!(methods, ["HEAD", "HEAD"]);
    assert!(requests.iter().any(|request| request.path.ends_with("/test.txt.gz")), "{requests:?}");
    assert!(requests.iter().all(|request| request.header("authorization").is_some()), "{requests:?}");
    assert!(!text.contains("hunter2") && !text.contains("AKID"), "{text}");
    for part in [
        "source.file: ",
        "in/*: 1 file, 3 B",
        "state_dir: state: will be made in .",
        "outputs.bucket.sink.s3: s3://b/logs: answers, and has no test object (status 404)",
        "outputs.server.sink.",
        "out/x.ndjson: its directory will be made in .",
        "dead_letter: dead.txt: is there, 2 B: can be written",
        "admin: 127.0.0.1:0 is free",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(
        text.lines()
            .skip(1)
            .all(|line| line.starts_with("ok ") || line.starts_with("warn ") || line.starts_with("  ")),
        "{text}"
    );
}

#[test]
fn what_a_start_would_fail_at_is_said_with_what_to_do() {
    let scratch = Scratch::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    scratch.write("file", "x");
    scratch.write("state/pipeline.checkpoint", "{\"format\":");
    let yaml = follow(
        &scratch,
        &format!(
            "outputs:\n- {{name: a, sink: {{file: {{path: file/x.ndjson}}}}}}\n\
         - {{name: b, sink: {{directory: {{path: missing}}}}}}\n\
         - {{name: c, sink: {{http: {{url: 'http://{closed}/'}}}}}}\nadmin: {{listen: '127.0.0.1:{port}'}}\n"
        ),
    );
    scratch.write("pipeline.yaml", yaml);
    let ran = check(&scratch, &["--connect"]);
    let text = stdout(&ran);
    assert_eq!(ran.code(), Some(1), "{text}");
    for part in [
        "warn    pipeline: source.file: ",
        "there is no such file now",
        "FAILED  pipeline: outputs.a.sink.file: file is no directory",
        "FAILED  pipeline: outputs.b.sink.directory: there is no directory missing",
        "FAILED  pipeline: outputs.c.sink.",
        "cannot connect to 127.0.0.1:",
        "FAILED  pipeline: state_dir: state/pipeline.checkpoint is damaged",
        &format!("FAILED  pipeline: admin: another program listens on 127.0.0.1:{port}"),
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let n_failed = text.lines().filter(|line| line.starts_with("FAILED")).count();
    let n_helped = text.lines().filter(|line| line.starts_with("        help: ")).count();
    assert!((5..=n_helped).contains(&n_failed), "{text}");
}

#[test]
fn a_check_beside_a_running_pipeline_says_so_and_disturbs_nobody() {
    let scratch = Scratch::new();
    append(&scratch, "in/a.ndjson", "{\"Outcome\":\"ok\"}\n");
    let yaml = follow(&scratch, "sink: {file: {path: out.ndjson}}");
    let running = watched_pipeline(&scratch, &yaml).start();
    let address = admin(&running);
    poll_until("the checkpoint is there", SOON, || {
        scratch.path("state/pipeline.checkpoint").exists().then_some(())
    });
    scratch.write("beside.yaml", format!("name: pipeline\n{yaml}\nadmin: {{listen: '{address}'}}\n"));
    let ran = logweir(["check", "--connect", "beside.yaml"]).dir(scratch.dir()).output();
    let text = stdout(&ran);
    assert_eq!(ran.code(), Some(0), "{text}");
    assert!(text.contains(&format!("state_dir: state: process {} works with it", running.pid())), "{text}");
    assert!(text.contains(&format!("admin: on {address} a running logweir answers")), "{text}");
    assert!(text.contains("the checkpoint has the position of 1 file"), "{text}");
    append(&scratch, "in/a.ndjson", "{\"Outcome\":\"later\"}\n");
    poll_until("both events are written", SOON, || {
        (n_lines(&fs::read(scratch.path("out.ndjson")).ok()?) == 2).then_some(())
    });
    running.signal(Signal::TERM);
    assert_eq!(running.wait().code(), Some(0));
}
