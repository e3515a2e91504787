//! `logweir top`, on a terminal and without one.

use std::io::{Read as _, Write};
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::thread;

use logweir_testkit::process::{Running, Signal, poll_until, send_signal};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::rig::{Feeder, SOON, TOKEN, admin, logweir, n_lines, sample, watched_pipeline};

const STAGES: &str = "stages:\n  - filter: { where: { key: Outcome, operator: '!eq', value: canceled } }\n";
const BLOCK: &str = "{\"Outcome\":\"ok\"}\n{\"Outcome\":\"canceled\"}\n{\"broken\":}\n";

/// A program on a terminal of its own.
struct OnTerminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl OnTerminal {
    /// Starts the binary with these arguments on a terminal of 80 by 24.
    fn start(args: &[&str]) -> Self {
        let pair = native_pty_system().openpty(size(24, 80)).expect("a terminal can be had");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_logweir"));
        command.args(args);
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).expect("the binary starts");
        let mut output = pair.master.try_clone_reader().expect("a terminal can be read");
        let keys = pair.master.take_writer().expect("a terminal can be written");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(not_zero(24), not_zero(80), 0)));
        let shown = screen.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut buffer) {
                shown.lock().unwrap().process(&buffer[..n]);
            }
        });
        Self { master: pair.master, keys, child, screen }
    }

    /// Waits until what can be read on the screen is as wanted, and returns it.
    fn wait_for(&self, what: &str, is_wanted: impl Fn(&str) -> bool) -> String {
        poll_until(what, SOON, || {
            let text = self.screen.lock().unwrap().screen().contents();
            is_wanted(&text).then_some(text)
        })
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal takes keys");
    }

    fn resize(&self, rows: u16, columns: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(not_zero(rows), not_zero(columns));
        self.master.resize(size(rows, columns)).expect("a terminal can be resized");
    }

    /// Waits for the end, and checks that it was a good one and that the terminal was given back.
    fn wait_until_ended(mut self) {
        let status = poll_until("it ends", SOON, || self.child.try_wait().expect("a child can be asked"));
        assert!(status.success(), "{status:?}");
        poll_until("the screen is given back", SOON, || {
            let parser = self.screen.lock().unwrap();
            (!parser.screen().alternate_screen() && !parser.screen().hide_cursor()).then_some(())
        });
    }
}

fn not_zero(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("a terminal has a size")
}

fn size(rows: u16, cols: u16) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

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
    let mut top = OnTerminal::start(&["top", "--interval", "100ms", "--url", &url]);
    let text = top.wait_for("rates and drops", |text| {
        ["read ", "written ", "dropped: filtered", "dropped: not_json"].iter().all(|row| has_rate(text, row))
    });
    assert!(text.contains(&format!("logweir {} at {address}", env!("CARGO_PKG_VERSION"))), "{text}");
    assert!(text.contains("pipeline: running"), "{text}");
    assert!(top.screen.lock().unwrap().screen().alternate_screen());

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
    top.wait_until_ended();
    drop(feeder);
}

#[test]
fn a_signal_ends_it_with_the_terminal_given_back() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let scratch = Scratch::new();
        let (_running, address, _feeder) = loaded(&scratch);
        let top = OnTerminal::start(&["top", "--url", &format!("http://{address}")]);
        top.wait_for("the pipeline is shown", |text| text.contains("pipeline: running"));
        send_signal(top.child.process_id().expect("it runs"), signal);
        top.wait_until_ended();
    }
}

#[test]
fn it_waits_for_a_process_that_is_not_there_yet_and_says_so() {
    let mut top =
        OnTerminal::start(&["top", "--interval", "100ms", "--url", &format!("http://{}", nobody())]);
    top.wait_for("it says that nobody answers", |text| {
        text.contains("no connection for") && text.contains("nothing listens on")
    });
    top.press("\u{3}");
    top.wait_until_ended();
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
    for (args, said) in [
        (&["top", "--url", absent.as_str()][..], "nothing listens on 127.0.0.1:"),
        (&["top", "--url", other.as_str()], "is not logweir"),
        (&["top", "--url", "https://localhost:1"], "plain HTTP"),
        (&["top", "none.yaml"], "add `admin: { listen: "),
        (&["top", "zero.yaml"], "only the running process knows it"),
        (&["top", "bad.yaml"], "did you mean `listen`?"),
        (
            &["top", "--url", absent.as_str(), "--token-file", "absent"],
            "the token cannot be read from absent",
        ),
    ] {
        let ran = logweir(args.iter().copied()).dir(scratch.dir()).output();
        assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(1), &b""[..]), "{args:?}");
        assert!(ran.stderr_text().contains(said), "{args:?}: {}", ran.stderr_text());
    }
}
