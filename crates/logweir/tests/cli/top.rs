//! `logweir top`, on a terminal and without one.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::thread;

use logweir_testkit::process::{Running, Signal, poll_until};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;

use crate::rig::{Feeder, SOON, TOKEN, admin, logweir, n_lines, sample, watched_pipeline};
use crate::terminal::OnTerminal;

const STAGES: &str = "stages:\n  - filter: { where: { key: Outcome, operator: '!eq', value: canceled } }\n";
const BLOCK: &str = "{\"Outcome\":\"ok\"}\n{\"Outcome\":\"canceled\"}\n{\"broken\":}\n";

/// Starts a process that is fed without an end.
fn loaded(scratch: &Scratch) -> (Running, SocketAddr, Feeder) {
    let yaml = format!("source: {{stdin: {{}}}}\n{STAGES}sink: {{\"null\": {{}}}}");
    let mut running = watched_pipeline(scratch, &yaml).hold_stdin().start();
    let address = admin(&running);
    let block = BLOCK.repeat(200);
    let feeder = Feeder::start(running.take_stdin().unwrap(), std::iter::repeat(block));
    (running, address, feeder)
}

/// Tells whether a row of the details begins like this, with a rate that is not zero.
fn has_rate(text: &str, row: &str) -> bool {
    text.lines().filter_map(|line| line.trim().strip_prefix(row)).any(|rest| {
        let rate = rest.split_whitespace().next().unwrap_or_default();
        rate.starts_with(|c: char| ('1'..='9').contains(&c))
    })
}

#[test]
fn rates_and_drops_of_a_running_process_are_shown_until_it_is_gone_and_q_is_pressed() {
    let scratch = Scratch::new();
    let (running, address, feeder) = loaded(&scratch);
    let url = format!("http://{address}");
    let mut top = OnTerminal::start(Path::new("."), &["top", "--interval", "100ms", "--url", &url]);
    let text = top.wait_for("rates and drops", |text| {
        ["read ", "written ", "dropped: filtered", "dropped: not_json"].iter().all(|row| has_rate(text, row))
    });
    assert!(text.contains(&format!("logweir {} at {address}", env!("CARGO_PKG_VERSION"))), "{text}");
    assert!(text.contains("pipeline: running"), "{text}");
    assert!(top.is_full_screen());

    top.press("?");
    top.wait_for("the keys are explained", |text| {
        text.contains("another pipeline") && text.contains("Ctrl-C")
    });
    top.press("?");
    top.resize(12, 50);
    top.wait_for("it has the new size", |text| {
        text.lines().count() <= 12
            && text.trim_end().ends_with("q quits  ? help")
            && has_rate(text, "pipeline")
    });
    top.resize(24, 100);
    top.wait_for("it has the larger size", |text| text.contains("page up/down scrolls"));

    drop(running);
    top.wait_for("it says that nobody answers", |text| {
        text.contains("lost connection") && text.contains("pipeline: running")
    });
    top.press("q");
    top.wait_until_ended(0);
    drop(feeder);
}

#[test]
fn a_signal_ends_it_with_the_terminal_given_back() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let scratch = Scratch::new();
        let (_running, address, _feeder) = loaded(&scratch);
        let top = OnTerminal::start(Path::new("."), &["top", "--url", &format!("http://{address}")]);
        top.wait_for("the pipeline is shown", |text| text.contains("pipeline: running"));
        top.send(signal);
        top.wait_until_ended(0);
    }
}

#[test]
fn it_waits_for_a_process_that_is_not_there_yet_and_says_so() {
    let mut top = OnTerminal::start(
        Path::new("."),
        &["top", "--interval", "100ms", "--url", &format!("http://{}", nobody())],
    );
    top.wait_for("it says that nobody answers", |text| {
        // To its end, which is beyond the first row.
        let text = text.replace('\n', " ");
        text.contains("no connection for") && text.contains("where the admin endpoint listens")
    });
    top.press("\u{3}");
    top.wait_until_ended(0);
}

/// Returns an address on which nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn without_a_terminal_it_prints_what_it_sees_once() {
    let scratch = Scratch::new();
    let yaml = format!("source: {{stdin: {{}}}}\n{STAGES}sink: {{\"null\": {{}}}}");
    let mut running = watched_pipeline(&scratch, &yaml).hold_stdin().start();
    let address = admin(&running);
    let mut stdin = running.take_stdin().unwrap();
    stdin.write_all(EVENTS).unwrap();
    stdin.write_all(BLOCK.as_bytes()).unwrap();
    stdin.flush().unwrap();
    poll_until("all is written", SOON, || {
        let in_flight = "logweir_events_in_flight{pipeline=\"pipeline\"}";
        let dropped = "logweir_events_dropped_total{pipeline=\"pipeline\",reason=\"not_json\"}";
        (sample(address, in_flight) == 0 && sample(address, dropped) == 1).then_some(())
    });
    let url = format!("http://{address}");
    let ran = logweir(["top", "--interval", "100ms", "--url", &url]).output();
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(0), ""));
    let text = String::from_utf8(ran.stdout).unwrap();
    let n_events = n_lines(EVENTS) + BLOCK.lines().count();
    let read = text.lines().find_map(|line| line.strip_prefix("  read "));
    assert_eq!(read.unwrap().split_whitespace().collect::<Vec<_>>(), ["0", &n_events.to_string()], "{text}");
    let (head, rest) = text.split_once('\n').unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(head.starts_with(&format!("logweir {version} at {address}, up ")), "{head}");
    assert_eq!(head.contains(", memory "), cfg!(target_os = "linux"), "{head}");
    insta::assert_snapshot!(masked(rest));
}

#[test]
fn an_endpoint_is_found_in_a_file_whose_rest_cannot_be_used_here() {
    let scratch = Scratch::new();
    let running =
        watched_pipeline(&scratch, "source: {stdin: {}}\nsink: {\"null\": {}}").hold_stdin().start();
    let listen = admin(&running);
    let file = format!(
        "source: {{ file: {{ include: ['${{UNSET_DIR}}/*'] }} }}\nstages: [filtr: {{}}]\nsink: {{ stdout: {{}} }}\n\
         admin: {{ listen: \"{listen}\", token: \"${{UNSET_TOKEN}}\", tap: {{ redact: [Event.] }} }}\n"
    );
    scratch.write("broken.yaml", &file);
    let top = ["top", "--once", "--interval", "100ms", "broken.yaml"];
    let ran = logweir(top).dir(scratch.dir()).output();
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(0), ""));
    scratch.write("token", TOKEN);
    let tap = ["tap", "--after", "nowhere", "--token-file", "token", "broken.yaml"];
    let ran = logweir(tap).dir(scratch.dir()).output();
    assert_eq!(ran.code(), Some(1));
    assert!(!ran.stderr_text().contains("UNSET"), "{}", ran.stderr_text());
}

/// Returns a text with `#` for numbers, whatever their unit, and one blank for many, so that it is the same on every
/// machine.
fn masked(text: &str) -> String {
    let mask = |word: &str| match word {
        "B" | "KiB" | "MiB" => "bytes".to_owned(),
        word if word.starts_with(|c: char| c.is_ascii_digit()) => {
            let end = if word.ends_with(',') { "," } else { "" };
            format!("#{end}")
        }
        word => word.to_owned(),
    };
    let line = |line: &str| line.split_whitespace().map(mask).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_cannot_be_asked_is_named_with_what_to_do() {
    let scratch = Scratch::new();
    scratch.write("none.yaml", "source: {stdin: {}}\nsink: {stdout: {}}\n");
    scratch.write("zero.yaml", "source: {stdin: {}}\nsink: {stdout: {}}\nadmin: {listen: \"127.0.0.1:0\"}\n");
    scratch.write("bad.yaml", "source: {stdin: {}}\nadmin: {lisen: 1}\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        }
    });
    let absent = format!("http://{}", nobody());
    for (args, code, said) in [
        (&["top", "--url", absent.as_str()][..], 1, "nothing listens on 127.0.0.1:"),
        (&["top", "--url", other.as_str()], 1, "is not logweir"),
        (&["top", "--url", "https://localhost:1"], 2, "plain HTTP"),
        (&["top", "none.yaml"], 2, "add `admin: { listen: "),
        (&["top", "zero.yaml"], 2, "only the running process knows it"),
        (&["top", "bad.yaml"], 2, "did you mean `listen`?"),
        (
            &["top", "--url", absent.as_str(), "--token-file", "absent"],
            2,
            "the token cannot be read from absent",
        ),
    ] {
        let ran = logweir(args.iter().copied()).dir(scratch.dir()).output();
        assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(code), &b""[..]), "{args:?}");
        assert!(ran.stderr_text().contains(said), "{args:?}: {}", ran.stderr_text());
    }
}
