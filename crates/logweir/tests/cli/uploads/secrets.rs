//! No secret is ever seen, whatever servers say, and however much is logged.

use std::fs;
use std::path::Path;

use logweir_testkit::http_server::{Act, Authority, HttpServer, Received, Reply, Script};
use logweir_testkit::process::{Signal, http_get, poll_until};
use logweir_testkit::scratch::Scratch;

use super::upload;
use crate::rig::{SOON, admin, append, event, get, logweir};

/// What every secret of these tests has in it, where it is not encoded.
const MARK: &str = "hunter2";

/// `elastic:hunter2-password`, as a server is given it.
const BASIC: &str = "ZWxhc3RpYzpodW50ZXIyLXBhc3N3b3Jk";

/// Returns a server's answer that has all in it that it was asked, as a proxy shows what it refuses.
fn echo(status: u16, request: &Received) -> Reply {
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let headers = headers.concat();
    Reply::new(status)
        .body(format!("<Error><Message>{} {}\n{headers}</Message></Error>", request.method, request.path))
}

/// Returns a script of a server that echoes, with errors that are passing and some that are not.
fn echoes() -> Script {
    Script::cycle([500, 403, 429, 302].map(|status| Act::reply_by(move |request| echo(status, request))))
}

/// Checks that there is no secret in a text.
#[track_caller]
fn check(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let shows = |line: &&str| [MARK, BASIC].iter().any(|secret| line.contains(secret));
    let found: Vec<_> = text.lines().filter(shows).collect();
    assert!(found.is_empty(), "{what}: {found:#?}");
}

/// Checks that there is no secret in any file below a directory, in its name neither.
fn check_files(dir: &Path) -> usize {
    let mut n_files = 0;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        check("a file's name", path.to_str().unwrap().as_bytes());
        if path.is_dir() {
            n_files += check_files(&path);
        } else {
            check(path.to_str().unwrap(), &fs::read(&path).unwrap());
            n_files += 1;
        }
    }
    n_files
}

/// Returns jobs with a secret in each place that may have one.
fn jobs(plain: &str, tls: &str) -> String {
    let tls = tls.trim_start_matches("https://");
    let confs = [
        format!(
            "s3://b/x?region=r&access-key-id=AK-{MARK}&secret-access-key={MARK}-1&session-token={MARK}-2&endpoint={plain}"
        ),
        format!("r2://b/x?account-id=a&access-key-id=AK-{MARK}&secret-access-key={MARK}-3&endpoint={plain}"),
        format!(
            "azure://a.blob.core.windows.net/c/x?endpoint={plain}/a&sv=2021&ss=b&srt=o&sp=w&se=2099&sig={MARK}-4"
        ),
        format!("https://{tls}/in?header_X-Key={MARK}-5&token={MARK}-6"),
        format!(
            "splunk://{tls}/services/collector/raw?channel=6eb1c1b6-4ae8-4a01-8b2d-9f4a3d3f4c11&insecure-skip-verify=true&header_Authorization=Splunk%20{MARK}-7"
        ),
        format!("datadog://{tls}/api/v2/logs?header_DD-API-KEY={MARK}-8"),
        format!("sumo://{tls}/receiver/v1/http/{MARK}-9"),
        format!(
            "sentinelone://{tls}/services/collector/raw?header_Authorization=Bearer%20${{file:token.txt}}"
        ),
    ];
    let job = |(i, conf): (usize, &String)| {
        format!(
            "- {{\"name\": \"j{i}\", \"dataset\": \"workers_trace_events\", \"destination_conf\": \"{conf}\", \
             \"ownership_challenge\": \"{MARK}-a\", \"max_upload_interval_seconds\": 30}}\n"
        )
    };
    format!("jobs:\n{}", confs.iter().enumerate().map(job).collect::<String>())
}

/// Returns sinks with a secret in each place that may have one, from where secrets may be had.
fn outputs(plain: &str, tls: &str) -> String {
    let upload = upload("");
    let sinks = [
        format!(
            "s3: {{bucket: b, endpoint: '{plain}', access_key_id: AK-{MARK}, secret_access_key: '${{SECRET}}', session_token: {MARK}-b, upload: {upload}}}"
        ),
        format!("s3: {{bucket: b, endpoint: '{plain}', upload: {upload}}}"),
        format!(
            "azure: {{account: a, container: c, endpoint: '{plain}/a', sas: 'sv=1&sig={MARK}-c', upload: {upload}}}"
        ),
        format!(
            "azure: {{account: a, container: c, endpoint: '{plain}/a', account_key: aHVudGVyMg==, upload: {upload}}}"
        ),
        format!(
            "http: {{url: '{plain}/in?token={MARK}-d', headers: {{Authorization: 'Bearer ${{SECRET}}'}}, upload: {upload}}}"
        ),
        format!(
            "http: {{url: '{tls}/in/${{file:token.txt}}', ca_file: ca.pem, headers: {{X-Key: {MARK}-e}}, upload: {upload}}}"
        ),
        format!(
            "splunk: {{url: '{tls}', ca_file: ca.pem, token: {MARK}-f, channel: 6eb1c1b6-4ae8-4a01-8b2d-9f4a3d3f4c11, upload: {upload}}}"
        ),
        format!("datadog: {{url: '{plain}', api_key: {MARK}-g, upload: {upload}}}"),
        format!("sumo: {{url: '{plain}/{MARK}-h', upload: {upload}}}"),
        format!("sentinelone: {{url: '{plain}', token: {MARK}-i, upload: {upload}}}"),
        format!(
            "elasticsearch: {{url: '{plain}/{MARK}-j', index: i, user: elastic, password: {MARK}-password, upload: {upload}}}"
        ),
        format!("elasticsearch: {{url: '{plain}', index: i, api_key: {MARK}-k, upload: {upload}}}"),
        format!(
            "loki: {{url: '{plain}', labels: {{a: b}}, headers: {{Authorization: '${{file:token.txt}}'}}, upload: {upload}}}"
        ),
        // Nobody listens there, and nobody knows the other.
        format!("http: {{url: 'http://127.0.0.1:1/{MARK}-l', upload: {upload}}}"),
        format!("http: {{url: 'http://no-such-host.invalid/{MARK}-m', upload: {upload}}}"),
    ];
    let output = |(i, sink): (usize, &String)| format!("- {{name: o{i}, sink: {{{sink}}}}}\n");
    format!("outputs:\n{}", sinks.iter().enumerate().map(output).collect::<String>())
}

#[test]
fn no_secret_is_seen_anywhere() {
    let authority = Authority::new();
    let plain = HttpServer::start(echoes());
    let tls = HttpServer::start_tls(echoes(), authority.certify("127.0.0.1"));
    let scratch = Scratch::new();
    scratch.write("ca.pem", authority.pem());
    scratch.write("token.txt", format!("{MARK}-token\n"));
    append(&scratch, "in/events.ndjson", (0..500).map(event).collect::<String>());
    let head = format!(
        "source: {{file: {{include: ['{}/in/*']}}}}\nstate_dir: state\nshutdown: {{deadline: 100ms}}\n\
         admin: {{listen: \"127.0.0.1:0\"}}\n",
        scratch.dir().display()
    );
    scratch.write(
        "jobs.yaml",
        format!(
            "{head}{}",
            jobs(&plain.url(), &tls.url()).replace("\": 30}", "\": 30, \"max_upload_records\": 1000}")
        ),
    );
    scratch.write("outputs.yaml", format!("{head}{}", outputs(&plain.url(), &tls.url())));
    let command = |args: &[&'static str]| {
        let run = logweir(args.iter().copied().chain(["jobs.yaml", "outputs.yaml"])).dir(scratch.dir());
        run.env("RUST_LOG", "debug")
            .env("SECRET", format!("{MARK}-env"))
            .env("AWS_ACCESS_KEY_ID", format!("AK-{MARK}"))
            .env("AWS_SECRET_ACCESS_KEY", format!("{MARK}-aws"))
    };
    for options in [&["check"][..], &["check", "--upload-test"]] {
        let ran = command(options).output();
        check("check", &ran.stdout);
        check("check, to standard error", &ran.stderr);
        assert_eq!(ran.code(), Some(if options.len() == 1 { 0 } else { 2 }), "{}", ran.stderr_text());
    }
    for format in ["json", "text"] {
        let running = command(&["run", "--log-format", format, "--summary", "json"]).start();
        if format == "json" {
            let address = admin(&running);
            poll_until("each output has met trouble", SOON, || {
                let body = get(address, "/metrics");
                let has_failed = |i: usize| {
                    body.lines().any(|line| {
                        line.starts_with("logweir_uploads_total{")
                            && line.contains(&format!("output=\"o{i}\""))
                    })
                };
                let n_failed = (0..15).filter(|i| has_failed(*i)).count();
                let n_logs = running.stderr_so_far().len();
                (n_failed == 15 && n_logs > 100_000).then_some(())
            });
            check("/metrics", get(address, "/metrics").as_bytes());
            let (status, body) = http_get(address, "/readyz").unwrap();
            assert!(status == 503 && body.contains("circuit open"), "{body}");
            check("/readyz", body.as_bytes());
            let command_line = fs::read(format!("/proc/{}/cmdline", running.pid()));
            check("the command line", &command_line.unwrap_or_default());
        } else {
            poll_until("it logs much", SOON, || (running.stderr_so_far().len() > 50_000).then_some(()));
        }
        running.signal(Signal::TERM);
        let ran = running.wait();
        assert!(ran.stderr.len() > 10_000 && ran.stderr_text().contains("\"pipelines\""));
        check("the log and the summary", &ran.stderr);
    }
    assert!(check_files(&scratch.path("state")) > 20, "the spools have batches");
    assert!(plain.requests().iter().any(|request| format!("{request:?}").contains(MARK)), "secrets are sent");
    assert!(tls.requests().iter().any(|request| format!("{request:?}").contains(MARK)), "secrets are sent");
}

#[test]
fn what_is_wrong_with_a_configuration_is_said_without_its_secrets() {
    let scratch = Scratch::new();
    let job = format!(
        "{{\"destination_conf\": \"s3://b/x?region=r&acess-key-id={MARK}&secret-access-key={MARK}&sse=none\", \
         \"dataset\": \"workers_trace_events\", \"enabld\": true}}"
    );
    let sink = format!(
        "sink: {{http: {{url: 'ftp://u:{MARK}@h/{MARK}', headers: {{'X Y': {MARK}}}, upload: {{max_bytes: -1}}}}}}"
    );
    for rest in [format!("jobs:\n- {job}\n"), sink] {
        scratch.write("p.yaml", format!("source: {{file: {{include: [a]}}}}\nstate_dir: s\n{rest}\n"));
        for command in ["check", "run"] {
            let ran = logweir([command, "p.yaml"]).dir(scratch.dir()).env("RUST_LOG", "debug").output();
            assert_eq!(ran.code(), Some(2));
            check(command, &ran.stdout);
            check(command, &ran.stderr);
        }
    }
}
