//! The status page as it is served, and what it asks for: to whom, with which headers, and what it tells. What it shows is
//! tested in a browser, beside `tests/browser`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

use logweir_testkit::process::{Running, Signal, poll_until};
use logweir_testkit::scratch::Scratch;
use serde_json::{Value, json};

use crate::rig::{
    ADMIN, SOON, TOKEN, admin, append, event, follow, get, logweir, sample, watched_pipeline, workspace,
};

/// Lines of a file of the page.
const MAX_LINES: usize = 500;

/// An answer in full.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// Returns the value of a header.
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Asks with a method, for a path, under a name, and with further headers, each with its line end.
fn ask(address: SocketAddr, method: &str, path: &str, host: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{path}: {answer:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

fn ask_plainly(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path, &address.to_string(), "")
}

/// Returns the files of the page, by the paths at which they are served.
fn assets() -> Vec<(String, String)> {
    let dir = workspace().join("crates/logweir/src/admin/page");
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    let asset = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let served = if name == "index.html" { "/".to_owned() } else { format!("/page/{name}") };
        (served, fs::read_to_string(&path).unwrap())
    };
    files.into_iter().map(asset).collect()
}

fn start(scratch: &Scratch, rest: &str) -> (Running, SocketAddr) {
    append(scratch, "in/events.ndjson", "");
    let running = watched_pipeline(scratch, &follow(scratch, rest)).start();
    let address = admin(&running);
    (running, address)
}

const NULL: &str = "sink: {\"null\": {}}\n";

#[test]
fn every_file_of_the_page_is_served_as_it_is_with_what_browsers_must_know() {
    let scratch = Scratch::new();
    let (_running, address) = start(&scratch, NULL);
    for (path, text) in assets() {
        assert!(text.lines().count() <= MAX_LINES, "{path} is too long");
        let got = ask_plainly(address, &path);
        assert_eq!(got.status, 200, "{path}");
        assert!(got.body == text, "{path} is not served as it is");
        let content_type = match path.rsplit_once('.').map(|(_, ending)| ending) {
            None => "text/html; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some(other) => panic!("{path}: {other}"),
        };
        assert_eq!(got.header("content-type"), Some(content_type), "{path}");
        assert_eq!(got.header("content-length"), Some(text.len().to_string().as_str()), "{path}");
        assert_eq!(got.header("cache-control"), Some("no-cache"), "{path}");

        let tag = got.header("etag").unwrap_or_else(|| panic!("{path}: {}", got.head));
        let host = address.to_string();
        let again = ask(address, "GET", &path, &host, &format!("If-None-Match: {tag}\r\n"));
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
        let other = ask(address, "GET", &path, &host, "If-None-Match: \"0\"\r\n");
        assert_eq!(other.status, 200, "{path}");
    }
}

#[test]
fn every_answer_forbids_what_no_answer_needs() {
    let scratch = Scratch::new();
    let (_running, address) = start(&scratch, NULL);
    for path in
        ["/", "/page/main.js", "/metrics", "/readyz", "/healthz", "/pipelines", "/uploads", "/nonsense"]
    {
        let got = ask_plainly(address, path);
        let policy = got.header("content-security-policy").unwrap_or_else(|| panic!("{path}: {}", got.head));
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.split("; ").any(|found| found == part), "{path}: {policy}");
        }
        // Nothing is let in beside these: no inline script, no other host.
        let is_closed = |part: &str| part.ends_with(" 'self'") || part.ends_with(" 'none'");
        let rest: Vec<_> = policy.split("; ").filter(|part| !is_closed(part)).collect();
        assert_eq!(rest, ["require-trusted-types-for 'script'"], "{path}");
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(got.header("referrer-policy"), Some("no-referrer"), "{path}");
        assert_eq!(got.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
        assert!(got.header("cache-control").is_some(), "{path}");
        // No page of another site is let in.
        assert!(!got.head.to_lowercase().contains("access-control-"), "{path}: {}", got.head);
    }
    for path in ["/metrics", "/readyz", "/pipelines", "/uploads"] {
        assert_eq!(ask_plainly(address, path).header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn it_can_be_asked_and_not_told_anything() {
    let scratch = Scratch::new();
    let (_running, address) = start(&scratch, NULL);
    let host = address.to_string();
    for path in ["/", "/page/main.js", "/metrics", "/pipelines"] {
        let (full, head) = (ask_plainly(address, path), ask(address, "HEAD", path, &host, ""));
        assert_eq!((head.status, head.body.as_str()), (200, ""), "{path}");
        assert_eq!(head.header("content-type"), full.header("content-type"), "{path}");
        let length: usize = head.header("content-length").unwrap().parse().unwrap();
        // Metrics are longer or shorter by a digit from one moment to the next.
        assert!(length == full.body.len() || path == "/metrics" && length > 1000, "{path}: {length}");
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let got = ask(address, method, path, &host, "Content-Length: 0\r\n");
            assert_eq!(got.status, 405, "{method} {path}");
            assert_eq!(got.header("allow"), Some("GET,HEAD"), "{method} {path}");
        }
    }
    let nothing = ask_plainly(address, "/page/");
    assert_eq!(nothing.status, 404);
    for path in ["/ (the status page)", "/metrics", "/healthz", "/readyz", "/pipelines", "/uploads", "/tap"] {
        assert!(nothing.body.contains(path), "{path}: {}", nothing.body);
    }
}

#[test]
fn on_this_machine_it_answers_to_no_name_that_somebody_else_may_have_given_it() {
    let scratch = Scratch::new();
    let (_running, address) = start(&scratch, NULL);
    for path in ["/", "/page/main.js", "/metrics", "/readyz", "/healthz", "/pipelines"] {
        for host in ["evil.example", "127.0.0.1.evil.example", ""] {
            let got = ask(address, "GET", path, host, "");
            assert_eq!(got.status, 421, "{path} {host}");
            assert!(got.body.contains("http://127.0.0.1") && !got.body.contains("pipeline"), "{}", got.body);
        }
        for host in ["localhost:9598", "127.0.0.1", "[::1]:1"] {
            let got = ask(address, "GET", path, host, "");
            assert_ne!(got.status, 421, "{path} {host}");
        }
    }
}

#[test]
fn where_other_machines_reach_it_any_name_is_its_own() {
    let scratch = Scratch::new();
    append(&scratch, "in/events.ndjson", "");
    let yaml = follow(&scratch, NULL) + &ADMIN.replace("127.0.0.1", "0.0.0.0");
    scratch.write("pipeline.yaml", yaml);
    let running = logweir(["run", "--log-format", "json", "pipeline.yaml"]).dir(scratch.dir()).start();
    let address = SocketAddr::from(([127, 0, 0, 1], admin(&running).port()));
    assert_eq!(ask(address, "GET", "/metrics", "logweir.monitoring.svc:9598", "").status, 200);
    assert_eq!(ask(address, "GET", "/", "logweir.example", "").status, 200);
}

fn pipelines(address: SocketAddr) -> Vec<Value> {
    let told: Value = serde_json::from_str(&ask_plainly(address, "/pipelines").body).unwrap();
    told["pipelines"].as_array().unwrap().clone()
}

#[test]
fn the_shape_of_a_pipeline_is_told_and_nothing_that_it_is_set_to() {
    let scratch = Scratch::new();
    scratch.write("objects/.keep", "");
    let rest = concat!(
        "stages:\n",
        "- filter: {where: {key: Outcome, operator: '!eq', value: private-value}}\n",
        "- sample: {rate: 0.125, key: Event.RayID}\n",
        "outputs:\n",
        "- name: archive\n",
        "  stages: [truncate: {limit: 77777}, filter: {where: {key: Outcome, operator: eq, value: other-value}}]\n",
        "  sink: {directory: {path: objects}}\n",
        "- name: web\n",
        "  sink: {http: {url: 'http://127.0.0.1:1/private-path', headers: {Authorization: Bearer-Sup3rS3cr3t}}}\n",
        "- name: local\n",
        "  sink: {file: {path: private-file.ndjson}}\n",
        "dead_letter: {file: {path: private-dead.txt}}\n",
        "shutdown: {deadline: 100ms}\n",
    );
    let (running, address) = start(&scratch, rest);
    let told = poll_until("it runs", SOON, || {
        let told = pipelines(address);
        (told[0]["state"] == "running").then_some(told)
    });
    let output = |name: &str, stages: Value, sink: &str, uploads: bool| {
        let component = format!("outputs.{name}.sink.{sink}");
        json!({"name": name, "stages": stages, "sink": sink, "component": component, "uploads": uploads})
    };
    let expected = json!([{
        "name": "pipeline",
        "state": "running",
        "source": "file",
        "follows": true,
        "stages": ["filter", "sample"],
        "outputs": [
            output("archive", json!(["truncate", "filter"]), "directory", true),
            output("web", json!([]), "http", true),
            output("local", json!([]), "file", false),
        ],
        "dead_letter": true,
    }]);
    assert_eq!(Value::from(told), expected);
    // What it names a sink by is what metrics name it by.
    for component in ["outputs.archive.sink.directory", "outputs.web.sink.http", "outputs.local.sink.file"] {
        let series = format!("logweir_component_waiting{{pipeline=\"pipeline\",component=\"{component}\"}}");
        sample(address, &series);
    }
    let public: String = ["/pipelines", "/metrics", "/"].map(|path| ask_plainly(address, path).body).concat();
    for secret in ["private", "other-value", "0.125", "77777", "Sup3rS3cr3t", "objects", TOKEN, "RayID"] {
        assert!(!public.contains(secret), "{secret}");
    }
    running.signal(Signal::TERM);
    running.wait();
}

#[test]
fn a_reload_changes_what_is_told_and_what_it_takes_away_is_said_to_be_gone() {
    let scratch = Scratch::new();
    let (running, address) = start(&scratch, NULL);
    let sink = |told: &[Value]| (told[0]["stages"].clone(), told[0]["outputs"][0]["sink"].clone());
    assert_eq!(sink(&pipelines(address)), (json!([]), json!("null")));

    let replace = |yaml: &str| {
        let new = scratch.write("new", format!("{yaml}\n{ADMIN}"));
        fs::rename(new, scratch.path("pipeline.yaml")).unwrap();
        running.signal(Signal::HUP);
    };
    replace(&follow(&scratch, "stages: [truncate: {limit: 9}]\nsink: {file: {path: out.ndjson}}\n"));
    poll_until("the new shape", SOON, || {
        (sink(&pipelines(address)) == (json!(["truncate"]), json!("file"))).then_some(())
    });
    replace(&format!("name: other\n{}", follow(&scratch, NULL)));
    let told = poll_until("the other pipeline runs", SOON, || {
        let told = pipelines(address);
        (told.len() == 2 && told[1]["state"] == "running").then_some(told)
    });
    assert_eq!((&told[0]["name"], &told[0]["state"]), (&json!("pipeline"), &json!("gone")));
    assert_eq!((&told[1]["name"], sink(&told[1..]).1), (&json!("other"), json!("null")));
    // One that is refused changes nothing.
    replace("sink: 7\n");
    poll_until("it is refused", SOON, || {
        (sample(address, "logweir_config_reloads_total{outcome=\"refused\"}") == 1).then_some(())
    });
    assert_eq!(pipelines(address), told);
}

#[test]
fn each_job_is_a_pipeline_of_its_own() {
    let scratch = Scratch::new();
    scratch.write("objects/.keep", "");
    append(&scratch, "in/events.ndjson", event(1));
    let job = |name: &str, more: &str| {
        let destination = format!("file://{}", scratch.path("objects").display());
        format!(
            "- {{name: {name}, enabled: true, dataset: workers_trace_events, destination_conf: '{destination}/{name}'{more}}}\n"
        )
    };
    let filter = r#", filter: '{"where":{"key":"Outcome","operator":"eq","value":"ok"}}'"#;
    let jobs = format!("jobs:\n{}{}", job("first", ""), job("second", filter));
    let (_running, address) = start(&scratch, &jobs);
    let told = pipelines(address);
    let names: Vec<_> = told.iter().map(|pipeline| pipeline["name"].as_str().unwrap()).collect();
    assert!(names.len() == 2 && names[0].contains("first") && names[1].contains("second"), "{names:?}");
    for pipeline in &told {
        let outputs = pipeline["outputs"].as_array().unwrap();
        assert!(outputs.len() == 1 && outputs[0]["uploads"] == true, "{pipeline}");
        let read =
            format!("logweir_events_read_total{{pipeline=\"{}\"}}", pipeline["name"].as_str().unwrap());
        poll_until("it reads", SOON, || (sample(address, &read) == 1).then_some(()));
    }
    let verbs =
        |n: usize| [&told[n]["stages"], &told[n]["outputs"][0]["stages"]].map(Value::to_string).concat();
    assert!(verbs(1).contains("filter") && !verbs(0).contains("filter"), "{told:?}");
}

#[test]
fn a_pipeline_that_could_not_start_is_told_with_its_shape() {
    let scratch = Scratch::new();
    scratch.write("a.yaml", format!("source: {{stdin: {{}}}}\n{NULL}{ADMIN}"));
    scratch.write("b.yaml", "source: {file: {include: [absent.ndjson], read: once}}\nsink: {\"null\": {}}\n");
    let running =
        logweir(["run", "--log-format", "json", "a.yaml", "b.yaml"]).dir(scratch.dir()).hold_stdin().start();
    let address = admin(&running);
    let told = poll_until("it has failed", SOON, || {
        let told = pipelines(address);
        (told.len() == 2 && told[1]["state"] == "ended").then_some(told)
    });
    assert_eq!((&told[0]["source"], &told[0]["follows"]), (&json!("stdin"), &json!(false)));
    assert_eq!((&told[1]["source"], &told[1]["follows"]), (&json!("file"), &json!(false)));
    assert!(get(address, "/").contains("<title>logweir</title>"));
}

#[test]
fn a_pipeline_that_has_come_to_its_end_is_finished_and_in_nobodys_way() {
    let scratch = Scratch::new();
    append(&scratch, "in/events.ndjson", "{}\n");
    scratch.write("a.yaml", format!("{}{NULL}{ADMIN}", follow(&scratch, "")));
    scratch.write("b.yaml", "source: {file: {include: [in/*], read: once}}\nsink: {\"null\": {}}\n");
    let running = logweir(["run", "--log-format", "json", "a.yaml", "b.yaml"]).dir(scratch.dir()).start();
    let address = admin(&running);
    let states = || pipelines(address).iter().map(|one| one["state"].clone()).collect::<Vec<_>>();
    poll_until("one ends", SOON, || (states() == ["running", "finished"]).then_some(()));
    assert_eq!(get(address, "/readyz"), "ready\n");
    let of =
        |metric: &str| ["a", "b"].map(|name| sample(address, &format!("{metric}{{pipeline=\"{name}\"}}")));
    assert_eq!((of("logweir_pipeline_running"), of("logweir_pipeline_done")), ([1, 0], [0, 1]));
}
