//! `/tap` and `logweir tap`: events of a running pipeline as they pass, to who may see them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};

use logweir_testkit::process::{Run, Running, Signal, http_get, http_get_with, poll_until};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use crate::rig::{
    ADMIN, Feeder, SOON, TOKEN, admin, append, event, follow, logged, logweir, sample, succeeded,
};
use crate::terminal::OnTerminal;

const AUTHORIZATION: &str = "Bearer a-token-of-tests";

/// Returns a run of a pipeline that may be tapped, with further words of `admin.tap`.
fn tapped(scratch: &Scratch, yaml: &str, tap: &str) -> Run {
    scratch.write("pipeline.yaml", format!("{yaml}{}", with_tap(tap)));
    logweir(["run", "--log-format", "json", "--summary", "json", "pipeline.yaml"]).dir(scratch.dir())
}

fn with_tap(tap: &str) -> String {
    ADMIN.replace("}\n", &format!(", tap: {{{tap}}}}}\n"))
}

/// Starts `logweir tap` for an endpoint.
fn watch<'a>(address: SocketAddr, args: impl IntoIterator<Item = &'a str>) -> Running {
    let url = format!("http://{address}");
    let args =
        ["tap", "--url", &url].map(str::to_owned).into_iter().chain(args.into_iter().map(str::to_owned));
    let args: Vec<_> = args.collect();
    logweir(args.iter().map(String::as_str)).env("LOGWEIR_TOKEN", TOKEN).start()
}

/// Waits until so many taps are open.
fn wait_for_taps(address: SocketAddr, n_taps: u64) {
    poll_until("taps are open", SOON, || (sample(address, "logweir_taps") == n_taps).then_some(()));
}

/// Waits until the pipeline runs.
fn wait_until_ready(address: SocketAddr) {
    poll_until("it runs", SOON, || {
        http_get(address, "/readyz").is_ok_and(|(status, _)| status == 200).then_some(())
    });
}

/// Asks for a path with the token, and returns the connection.
fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\r\n").unwrap();
    stream
}

/// Reads all frames of a tap, from a thread of its own, until it ends.
fn frames(mut stream: TcpStream) -> JoinHandle<Vec<String>> {
    thread::spawn(move || {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{answer}");
        body.lines().map(str::to_owned).collect()
    })
}

/// Checks that of all that passed everything was shown or withheld, and returns the events shown.
#[track_caller]
fn check_adds_up(frames: &[String], n_passed: u64) -> Vec<&str> {
    let [.., totals, end] = frames else { panic!("{frames:?}") };
    let totals: Value = serde_json::from_str(totals).unwrap();
    assert!(end.starts_with("{\"end\":"), "{end}");
    let shown: Vec<_> =
        frames.iter().filter_map(|frame| frame.strip_prefix("{\"event\":")?.strip_suffix('}')).collect();
    let count = |name: &str| totals[name].as_u64().unwrap();
    assert_eq!(count("shown"), shown.len() as u64);
    assert_eq!((count("passed"), count("shown") + count("withheld")), (n_passed, n_passed), "{totals}");
    shown
}

/// Returns an event with an outcome.
fn outcome(outcome: &str, n: u32) -> String {
    format!("{{ \"n\":{n},\"Outcome\":\"{outcome}\"}}")
}

#[test]
fn each_place_shows_what_passes_it() {
    let scratch = Scratch::new();
    let yaml = follow(
        &scratch,
        "stages: [{filter: {where: {key: Outcome, operator: eq, value: ok}}}]\n\
         outputs:\n- {name: a, sink: {file: {path: a.ndjson}}}\n\
         - {name: b, stages: [{filter: {where: {key: n, operator: eq, value: 1}}}], \
         encode: {field_names: [n, Outcome], output_type: csv}, sink: {'null': {}}}\n",
    );
    let running = tapped(&scratch, &yaml, "").start();
    let address = admin(&running);
    wait_until_ready(address);
    let [ok1, bad, ok2] = [outcome("ok", 1), outcome("exception", 2), outcome("ok", 3)];
    let all = format!("{ok1}\n{bad}\n{ok2}\n");
    let kept = format!("{ok1}\n{ok2}\n");
    let cases: [(&[&str], &str, &str); 9] = [
        (&["--after", "decode"], "3", &all),
        (&["--after", "decode", "--dropped"], "1", "no \"event\"\n"),
        (&["--after", "stages[0]"], "2", &kept),
        (&["--after", "stages[0]", "--dropped"], "1", &format!("{bad}\n")),
        (&["--after", "filter", "--output", "b"], "1", &format!("{ok1}\n")),
        (&["--after", "outputs.b.stages[0]", "--dropped"], "1", &format!("{ok2}\n")),
        (&["--after", "encode", "--output", "a", "--pipeline", "pipeline"], "2", &kept),
        (&["--after", "outputs.b.encode"], "1", "1,\"ok\"\n"),
        (&["--after", "decode", "--rate", "0.5"], "1", &format!("{bad}\n")),
    ];
    // No more than eight at once.
    for cases in cases.chunks(8) {
        let taps = cases
            .iter()
            .map(|(args, limit, _)| watch(address, args.iter().copied().chain(["--limit", limit])));
        let taps: Vec<_> = taps.collect();
        wait_for_taps(address, cases.len() as u64);
        append(&scratch, "in/a.ndjson", format!("{ok1}\n{bad}\nno \"event\"\n{ok2}\n"));
        for (tap, (args, _, expected)) in taps.into_iter().zip(cases) {
            let ran = tap.wait();
            assert_eq!(ran.code(), Some(0), "{args:?}: {}", ran.stderr_text());
            assert_eq!(String::from_utf8_lossy(&ran.stdout), **expected, "{args:?}");
        }
        wait_for_taps(address, 0);
    }
    assert!(sample(address, "logweir_tap_events_total{result=\"shown\"}") >= 13);
    running.signal(Signal::TERM);
    running.wait();
}

#[test]
fn all_that_passes_is_shown_or_counted() {
    const N_EVENTS: u64 = 5000;
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nsink: {'null': {}}\nlimits: {chunk_bytes: 4 KiB, decoders: 1}\n";
    let mut running = tapped(&scratch, yaml, "max_events_per_second: 50").hold_stdin().start();
    let address = admin(&running);
    wait_until_ready(address);
    let frames = frames(ask(address, "/tap?after=decode"));
    wait_for_taps(address, 1);
    let feeder = Feeder::start(running.take_stdin().unwrap(), (0..N_EVENTS).map(event));
    drop(feeder.finish());
    let summary = succeeded(&running.wait());
    assert_eq!(summary.count("written"), N_EVENTS);
    let frames = frames.join().unwrap();
    let shown = check_adds_up(&frames, N_EVENTS);
    assert!(shown.len() >= 50 && shown.len() < 1000, "{}", shown.len());
    assert_eq!(shown[..50].concat(), (0..50).map(|n| event(n).trim_end().to_owned()).collect::<String>());
}

#[test]
fn nobody_who_does_not_read_holds_up_anything() {
    const N_EVENTS: u64 = 100_000;
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nsink: {'null': {}}\n";
    let mut running = tapped(&scratch, yaml, "max_events_per_second: 10000").hold_stdin().start();
    let address = admin(&running);
    wait_until_ready(address);
    let silent: Vec<_> = (0..8).map(|_| ask(address, "/tap?after=encode")).collect();
    wait_for_taps(address, 8);
    let (status, said) =
        http_get_with(address, "/tap?after=decode", &[("Authorization", AUTHORIZATION)]).unwrap();
    assert!(status == 503 && said.contains('8'), "{status}: {said}");
    let feeder = Feeder::start(running.take_stdin().unwrap(), (0..N_EVENTS).map(event));
    drop(feeder.finish());
    assert_eq!(succeeded(&running.wait()).count("written"), N_EVENTS);
    drop(silent);
}

#[test]
fn who_is_gone_makes_room() {
    let scratch = Scratch::new();
    let running = tapped(&scratch, &follow(&scratch, "sink: {'null': {}}\n"), "").start();
    let address = admin(&running);
    wait_until_ready(address);
    let gone = ask(address, "/tap?after=decode");
    wait_for_taps(address, 1);
    drop(gone);
    wait_for_taps(address, 0);
    running.signal(Signal::TERM);
    running.wait();
}

#[test]
fn hidden_fields_are_not_shown_and_are_delivered() {
    let scratch = Scratch::new();
    let rest = "encode: {CVE-2021-44228: true}\nsink: {file: {path: out.ndjson}}\n";
    let redact = "redact: [Event.Request.Headers, Secret]";
    let running = tapped(&scratch, &follow(&scratch, rest), redact).start();
    let address = admin(&running);
    wait_until_ready(address);
    let events = [
        r#"{"Event":{"Request":{"Headers":{"cookie":"s3cret"},"URL":"/"}},"n":1}"#,
        r#"{"Event":{"Request":{"Headers":"s3cret"}},"Event":{"Requ\u0065st":{"Headers":["s3cret"]}},"n":2}"#,
        r#"{"Event":"{\"Request\":{\"Headers\":\"s3cret\"}}","Secret":"s3cret","S\u0065cret":"s3cret","n":3}"#,
        r#"{"a":"${jndi:s}","n":4}"#,
    ];
    let [decode, encode, dropped] = ["decode", "encode", "decode&dropped=true"]
        .map(|after| frames(ask(address, &format!("/tap?after={after}"))));
    wait_for_taps(address, 3);
    append(&scratch, "in/a.ndjson", format!("{}\nno event with s3cret\n", events.join("\n")));
    poll_until("all are shown", SOON, || {
        (sample(address, "logweir_tap_events_total{result=\"shown\"}") == 8).then_some(())
    });
    running.signal(Signal::TERM);
    succeeded_with_malformed(running);
    let hidden = [
        r#"{"Event":{"Request":{"Headers":"[redacted]","URL":"/"}},"n":1}"#,
        r#"{"Event":{"Request":{"Headers":"[redacted]"}},"Event":{"Requ\u0065st":{"Headers":"[redacted]"}},"n":2}"#,
        r#"{"Event":"[redacted]","Secret":"[redacted]","S\u0065cret":"[redacted]","n":3}"#,
        r#"{"a":"x{jndi:s}","n":4}"#,
    ];
    for frames in [decode, encode] {
        assert_eq!(check_adds_up(&frames.join().unwrap(), 4), hidden);
    }
    assert!(check_adds_up(&dropped.join().unwrap(), 1).is_empty());
    let written = std::fs::read_to_string(scratch.path("out.ndjson")).unwrap();
    assert_eq!(written, events.join("\n").replace("${", "x{") + "\n");
}

fn succeeded_with_malformed(running: Running) {
    let summary = succeeded(&running.wait());
    assert_eq!(summary.count("malformed.not_json"), 1);
}

#[test]
fn only_the_token_opens_what_is_not_health() {
    let scratch = Scratch::new();
    let running = tapped(&scratch, &follow(&scratch, "sink: {'null': {}}\n"), "").start();
    let address = admin(&running);
    let right = AUTHORIZATION.to_owned();
    let wrong = [
        String::new(),
        right.replace('a', "b"),
        right[..right.len() - 1].to_owned(),
        format!("{right}x"),
        right.replace("Bearer", "Basic"),
        TOKEN.to_owned(),
        format!("Bearer {}", "x".repeat(4096)),
    ];
    for path in ["/uploads", "/tap?after=decode", "/tap"] {
        assert_eq!(http_get(address, path).unwrap().0, 401, "{path}");
        for wrong in &wrong {
            let (status, said) = http_get_with(address, path, &[("Authorization", wrong)]).unwrap();
            assert_eq!(status, 401, "{path} {wrong}");
            assert!(said.contains("admin.token") && !said.contains(TOKEN), "{said}");
        }
    }
    for path in ["/", "/metrics", "/healthz", "/pipelines"] {
        assert_eq!(http_get(address, path).unwrap().0, 200, "{path}");
    }
    assert_eq!(http_get(address, "/nonsense").unwrap().0, 404);
    let ask = |path: &str| http_get_with(address, path, &[("Authorization", AUTHORIZATION)]).unwrap();
    assert_eq!(ask("/uploads").0, 200);
    poll_until("it runs", SOON, || (ask("/readyz").0 == 200).then_some(()));
    for (path, status, said) in [
        ("/tap", 400, "`after`"),
        ("/tap?after=encode&dropped=true", 400, "nothing is dropped"),
        ("/tap?after=filter", 404, "decode, encode"),
        ("/tap?after=decode&pipeline=other", 404, "pipeline"),
    ] {
        let answer = ask(path);
        assert!(answer.0 == status && answer.1.contains(said), "{path}: {answer:?}");
    }
    assert!(!String::from_utf8_lossy(&running.stderr_so_far()).contains(TOKEN));
    running.signal(Signal::TERM);
    running.wait();
}

#[test]
fn what_is_not_configured_is_shown_to_nobody() {
    for (config, said) in
        [(ADMIN, "taps are not enabled"), ("admin: {listen: \"127.0.0.1:0\"}\n", "set admin.token")]
    {
        let scratch = Scratch::new();
        scratch.write("pipeline.yaml", follow(&scratch, &format!("sink: {{'null': {{}}}}\n{config}")));
        let running = logweir(["run", "--log-format", "json", "pipeline.yaml"]).dir(scratch.dir()).start();
        let address = admin(&running);
        let (status, body) =
            http_get_with(address, "/tap?after=decode", &[("Authorization", AUTHORIZATION)]).unwrap();
        assert!(status == 403 && body.contains(said), "{status}: {body}");
        running.signal(Signal::TERM);
        running.wait();
    }
}

#[test]
fn a_reload_ends_taps_and_brings_another_token() {
    let scratch = Scratch::new();
    let yaml = follow(&scratch, "sink: {'null': {}}\n");
    let running = tapped(&scratch, &yaml, "").start();
    let address = admin(&running);
    wait_until_ready(address);
    let watched = watch(address, ["--after", "decode"]);
    wait_for_taps(address, 1);
    let renewed = with_tap("").replace(TOKEN, "another-token-of-tests");
    let new = scratch.write("new", format!("{yaml}{renewed}"));
    std::fs::rename(new, scratch.path("pipeline.yaml")).unwrap();
    running.signal(Signal::HUP);
    let ran = watched.wait();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("has ended, or was loaded anew"), "{}", ran.stderr_text());
    logged(&running, "the new configuration takes over");
    let status = |token: &str| {
        let authorization = format!("Bearer {token}");
        http_get_with(address, "/uploads", &[("Authorization", &authorization)]).unwrap().0
    };
    poll_until("the new token opens", SOON, || (status("another-token-of-tests") == 200).then_some(()));
    assert_eq!(status(TOKEN), 401);
    running.signal(Signal::TERM);
    running.wait();
}

#[test]
fn who_sends_half_a_request_is_not_waited_for() {
    let scratch = Scratch::new();
    let running = tapped(&scratch, &follow(&scratch, "sink: {'null': {}}\n"), "").start();
    let address = admin(&running);
    let mut half = TcpStream::connect(address).unwrap();
    half.set_read_timeout(Some(SOON)).unwrap();
    half.write_all(b"GET /metrics HTTP/1.1\r\nHost:").unwrap();
    let mut said = Vec::new();
    // It is closed, or reset.
    let _ = half.read_to_end(&mut said);
    assert!(!String::from_utf8_lossy(&said).contains("200 OK"));
    running.signal(Signal::TERM);
    running.wait();
}

#[test]
fn what_goes_wrong_is_said_with_what_to_do() {
    let scratch = Scratch::new();
    let running = tapped(&scratch, &follow(&scratch, "sink: {'null': {}}\n"), "").start();
    let address = admin(&running);
    wait_until_ready(address);
    let check = |url: &str, token: &str, after: &str, said: &str| {
        let ran = logweir(["tap", "--url", url, "--after", after]).env("LOGWEIR_TOKEN", token).output();
        let stderr = ran.stderr_text();
        assert!(ran.code() == Some(1) && stderr.contains(said), "{:?}: {stderr}", ran.code());
        assert!(ran.stdout.is_empty() && !stderr.contains("secret-of-tests-0"), "{stderr}");
    };
    let url = format!("http://{address}");
    check(&url, "secret-of-tests-0", "decode", "does not take the token");
    check(&url, TOKEN, "filter", "it has decode, encode");
    check("http://127.0.0.1:1", TOKEN, "decode", "nothing listens on 127.0.0.1:1");
    running.signal(Signal::TERM);
    running.wait();
}

#[test]
fn before_a_person_no_event_commands_the_terminal() {
    let scratch = Scratch::new();
    let running = tapped(&scratch, &follow(&scratch, "sink: {'null': {}}\n"), "").start();
    let address = admin(&running);
    wait_until_ready(address);
    scratch.write("token", TOKEN);
    let url = format!("http://{address}");
    let args = ["tap", "--url", &url, "--token-file", "token", "--after", "decode", "--limit", "1"];
    for (args, line, seen) in [
        (&args[..], "{\"a\":\"\u{9b}31m\u{202e}\"}\n", r#"{"a":"\u{9b}31m\u{202e}"}"#),
        (
            &[&args[..], &["--dropped"]].concat()[..],
            "no event \x1b]0;mine\x07\x1b[31mred\n",
            r"\u{1b}[31mred",
        ),
    ] {
        let tap = OnTerminal::start(scratch.dir(), args);
        tap.wait_for("it says what it does", |text| text.contains("watching decode; Ctrl-C ends it"));
        wait_for_taps(address, 1);
        append(&scratch, "in/a.ndjson", line);
        tap.wait_for("the line is shown", |text| text.contains(seen));
        tap.wait_until_ended(0);
        wait_for_taps(address, 0);
    }
    running.signal(Signal::TERM);
    running.wait();
}
