//! `logweir check --upload-test`: what it puts where, and that nothing is put unasked.

use std::fs;

use logweir_testkit::http_server::{Act, HttpServer, Script};
use logweir_testkit::process::Ran;
use logweir_testkit::scratch::Scratch;

use super::bucket::content;
use crate::rig::logweir;

/// What is put.
const CONTENT: &[u8] = br#"{"content":"tests"}"#;

fn check(scratch: &Scratch, rest: &str, options: &[&str]) -> (Ran, String) {
    let yaml = format!("source: {{file: {{include: [in.ndjson]}}}}\nstate_dir: state\n{rest}");
    scratch.write("pipeline.yaml", yaml);
    let ran = logweir(["check", "pipeline.yaml"].iter().chain(options).copied()).dir(scratch.dir()).output();
    let stdout = String::from_utf8(ran.stdout.clone()).unwrap();
    (ran, stdout)
}

#[test]
fn a_destination_is_tried_where_that_is_asked_for_and_never_else() {
    let (scratch, server) = (Scratch::new(), HttpServer::start(Script::of([])));
    fs::create_dir(scratch.path("objects")).unwrap();
    let rest = format!(
        "outputs:\n- {{name: archive, sink: {{directory: {{path: objects, prefix: 'logs/{{DATE}}'}}}}}}\n\
         - {{name: search, sink: {{http: {{url: '{}/in'}}}}}}\n- {{name: here, sink: {{stdout: {{}}}}}}\n",
        server.url()
    );
    let (ran, stdout) = check(&scratch, &rest, &[]);
    assert_eq!((ran.code(), stdout.as_str()), (Some(0), "pipeline: fine\n"), "{}", ran.stderr_text());
    assert_eq!((fs::read_dir(scratch.path("objects")).unwrap().count(), server.n_connections()), (0, 0));

    let (ran, stdout) = check(&scratch, &rest, &["--upload-test"]);
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(0), ""));
    let lines: Vec<_> = stdout.lines().collect();
    assert!(lines.len() == 3 && lines[0] == "pipeline: fine", "{stdout}");
    assert!(
        lines[1].starts_with("pipeline: archive: ") && lines[1].ends_with("objects/logs/{DATE}: ok"),
        "{stdout}"
    );
    assert!(
        lines[2].starts_with("pipeline: search: ")
            && lines[2].ends_with(&format!("://{}: ok", server.address())),
        "{stdout}"
    );
    let day = fs::read_dir(scratch.path("objects/logs")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(content(&fs::read(day.join("test.txt.gz")).unwrap()), CONTENT);
    let requests = server.requests();
    assert_eq!((requests.len(), requests[0].content().as_slice()), (1, CONTENT));
    assert!(!scratch.path("state").exists(), "nothing else is touched");
}

#[test]
fn what_went_wrong_is_said_of_each_destination() {
    let (scratch, server) = (Scratch::new(), HttpServer::start(Script::always(Act::status(403))));
    fs::create_dir(scratch.path("objects")).unwrap();
    let rest = format!(
        "jobs:\n- {{name: a, destination_conf: 'r2://b/x?account-id=a&access-key-id=AK&secret-access-key=hunter2&endpoint={url}', \
         dataset: workers_trace_events}}\n- {{name: b, destination_conf: 'file://{dir}/objects', dataset: workers_trace_events}}\n\
         - {{name: c, destination_conf: 'file://{dir}/missing', dataset: workers_trace_events}}\n",
        url = server.url(),
        dir = scratch.dir().display(),
    );
    let (ran, stdout) = check(&scratch, &rest, &["--upload-test"]);
    let said = ran.stderr_text();
    assert_eq!(ran.code(), Some(2), "{said}");
    assert!(stdout.contains("pipeline.b: file://") && stdout.lines().count() == 4, "{stdout}");
    assert!(said.contains("pipeline.a: r2://b/x: ") && said.contains("(status 403)"), "{said}");
    assert!(said.contains("pipeline.c: file://") && said.contains("(status 1108)"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn nothing_is_tried_where_something_is_wrong_or_nothing_is_uploaded() {
    let (scratch, server) = (Scratch::new(), HttpServer::start(Script::of([])));
    let sink = format!("sink: {{http: {{url: '{}'}}}}\n", server.url());
    let (ran, stdout) = check(&scratch, &format!("{sink}stages: [nonsense]\n"), &["--upload-test"]);
    assert_eq!((ran.code(), stdout.as_str(), server.n_connections()), (Some(2), "", 0));
    let (ran, stdout) = check(&scratch, "sink: {stdout: {}}\n", &["--upload-test"]);
    let expected = "pipeline: fine\nnothing is uploaded: there is no destination to try\n";
    assert_eq!((ran.code(), stdout.as_str()), (Some(0), expected));
}
