//! The commands of the texts are run, each text in a directory of its own, one block after the other.
//!
//! Blocks of `sh` have to succeed. Blocks of `console` have lines that begin with `$ `, each with what it prints on standard
//! output behind it; `UPDATE_EXPECTED=1` writes what it prints now. A comment right before a block, which no reader sees, may say
//!
//! - `not run: WHY`: it is shown and not run, for a reason;
//! - `before: COMMAND`: what has to be done first, so that it can be run;
//! - `exit: CODE`: how the last command of a console ends, if not with 0;
//! - `left running: URL`: it goes on while the next ones run, which begin once something answers there;
//! - `file: NAME`: what the block holds is put into a file of that name.
//!
//! The directory has `pipelines/`, `deploy/`, `docs/explain/`, a `shop.yaml` and an `events.ndjson`. Where they say port 9598, another
//! stands that is free.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use logweir_testkit::process::{Ran, Run, Running, http_get, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::markdown::{Block, Text};
use crate::{check_none, texts, workspace};

/// How long anything may take, on a machine busy with other tests.
const SOON: Duration = Duration::from_secs(60);

const SHOP: &str = "
source: { file: { include: [\"logs/*.ndjson\"] } }
stages: [{ filter: { where: { key: Outcome, operator: \"!eq\", value: canceled } } }, { truncate: { limit: 200 } }]
sink: { file: { path: out/shop.ndjson } }
state_dir: state/shop
tests: [{ name: what was canceled goes, input: { Outcome: canceled }, expect_dropped: filtered }]
";

/// Returns a port that nobody listens on, below those that the system gives to who asks for any: no other test takes it.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let candidates = std::iter::repeat_with(|| {
        let offset = std::process::id().wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000;
        10_000 + u16::try_from(offset).unwrap()
    });
    candidates
        .take(20_000)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("some port is free")
}

/// A text whose commands are run.
struct Session {
    scratch: Scratch,
    /// Where the next block begins: where the last one ended.
    directory: PathBuf,
    port: u16,
    running: Vec<Running>,
}

impl Session {
    fn new() -> Self {
        let scratch = Scratch::new();
        let copied =
            ["pipelines", "deploy", "docs/explain"].map(|name| (workspace().join(name), scratch.path(name)));
        for (from, to) in copied {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            let copied =
                Run::new("cp").args(["-R".into(), from.into_os_string(), to.into_os_string()]).output();
            assert!(copied.status.success(), "{}", copied.stderr_text());
        }
        let events = fs::read(workspace().join("pipelines/quickstart.ndjson")).unwrap();
        scratch.write("shop.yaml", SHOP);
        scratch.write("events.ndjson", &events);
        scratch.write("logs/a.ndjson", &events);
        Self { directory: scratch.dir().to_owned(), scratch, port: free_port(), running: Vec::new() }
    }

    /// Returns a run of a script.
    fn script(&self, script: &str) -> Run {
        // The binary under test comes first of all programs.
        let programs = PathBuf::from(env!("CARGO_BIN_EXE_logweir")).parent().unwrap().to_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        let script = script.replace("9598", &self.port.to_string());
        Run::new("bash")
            .args(["-euo", "pipefail", "-c", script.as_str()])
            .dir(&self.directory)
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("HOME", self.scratch.dir())
            .deadline(SOON)
    }

    /// Runs a script, and goes where it went.
    fn run(&mut self, script: &str) -> Ran {
        let place = self.scratch.path(".place");
        let ran = self.script(&format!("{script}\npwd > '{}'", place.display())).output();
        if ran.status.success() {
            self.directory = PathBuf::from(fs::read_to_string(place).unwrap().trim_end());
        }
        self.use_port();
        ran
    }

    /// Has the pipelines that there are now listen on the port of this session.
    fn use_port(&self) {
        for entry in fs::read_dir(&self.directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "yaml") {
                let text = fs::read_to_string(&path).unwrap();
                if text.contains("9598") {
                    fs::write(&path, text.replace("9598", &self.port.to_string())).unwrap();
                }
            }
        }
    }

    /// Starts what goes on, and waits until it answers.
    fn leave_running(&mut self, block: &Block, url: &str) {
        let path = url.strip_prefix("http://127.0.0.1:9598").unwrap();
        let running = self.script(&format!("exec {}", block.body.trim())).start();
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        poll_until("it answers", SOON, || http_get(address, path).ok());
        self.running.push(running);
    }

    /// Runs a block; returns what is wrong.
    fn block(&mut self, text: &Text, block: &Block) -> Option<String> {
        if let Some(name) = block.note("file") {
            fs::write(self.directory.join(name), &block.body).unwrap();
            return None;
        }
        if !["sh", "console"].contains(&block.language.as_str()) || block.note("not run").is_some() {
            return None;
        }
        if let Some(before) = block.note("before") {
            let ran = self.run(before);
            assert!(ran.status.success(), "{}: {before}: {}", text.at(block.line), ran.stderr_text());
        }
        if let Some(url) = block.note("left running") {
            self.leave_running(block, url);
            return None;
        }
        if block.language == "console" {
            return self.console(text, block);
        }
        let ran = self.run(&block.body);
        (!ran.status.success()).then(|| {
            let said = String::from_utf8_lossy(&ran.stdout);
            format!("{}: {}\n{said}{}", text.at(block.line), ran.status, ran.stderr_text())
        })
    }

    fn console(&mut self, text: &Text, block: &Block) -> Option<String> {
        let code: i32 = block.note("exit").map_or(0, |code| code.parse().unwrap());
        let mut said = String::new();
        let commands: Vec<_> = block.body.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
        assert!(!commands.is_empty(), "{}: no line begins with `$ `", text.at(block.line));
        for (index, command) in commands.iter().enumerate() {
            let ran = self.run(command);
            let expected = if index + 1 == commands.len() { code } else { 0 };
            if ran.code() != Some(expected) {
                return Some(format!(
                    "{}: {command}: {}\n{}",
                    text.at(block.line),
                    ran.status,
                    ran.stderr_text()
                ));
            }
            said.extend(["$ ", command, "\n", &String::from_utf8_lossy(&ran.stdout)]);
        }
        let said = said.replace(&self.port.to_string(), "9598");
        let (said, shown) = (said.trim_end(), block.body.trim_end());
        if said == shown {
            return None;
        }
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            let path = workspace().join(&text.path);
            let updated = fs::read_to_string(&path).unwrap().replacen(shown, said, 1);
            fs::write(path, updated).unwrap();
            return None;
        }
        Some(format!("{}: it prints\n{said}\nand not\n{shown}", text.at(block.line)))
    }
}

/// Runs the commands of a text; returns how many blocks were run, and what is wrong.
fn run(text: &Text) -> (usize, Vec<String>) {
    let mut session = Session::new();
    let mut wrong = Vec::new();
    let mut n_run = 0;
    for block in text.blocks() {
        let is_command = ["sh", "console"].contains(&block.language.as_str());
        n_run += usize::from(is_command && block.note("not run").is_none());
        wrong.extend(session.block(text, &block));
    }
    (n_run, wrong)
}

#[test]
fn the_commands_of_the_texts_do_what_they_say() {
    let mut texts = texts("docs");
    texts.push(Text::read(&workspace(), PathBuf::from("README.md")));
    let texts: Vec<_> = texts
        .into_iter()
        .filter(|text| text.blocks().iter().any(|block| ["sh", "console"].contains(&block.language.as_str())))
        .collect();
    let mut n_run = 0;
    let mut found = Vec::new();
    for text in &texts {
        let (n, wrong) = run(text);
        n_run += n;
        found.extend(wrong);
    }
    assert!(n_run > 12, "only {n_run} blocks are run");
    check_none(&found);
}

#[test]
fn no_command_hides_in_a_block_without_a_language() {
    let mut found = Vec::new();
    for text in ["", "docs"].into_iter().flat_map(texts) {
        for block in text.blocks() {
            let is_command = |line: &str| {
                line.starts_with("logweir ") || line.starts_with("$ logweir ") || line.contains("| logweir ")
            };
            if !["sh", "console"].contains(&block.language.as_str()) && block.body.lines().any(is_command) {
                found.push(format!("{}: call it `sh` or `console`, so that it is run", text.at(block.line)));
            }
            for note in &block.notes {
                let known = ["not run:", "before:", "exit:", "left running:", "file:"];
                if ["sh", "console"].contains(&block.language.as_str())
                    && !known.iter().any(|name| note.starts_with(name))
                {
                    found.push(format!("{}: what is `{note}`?", text.at(block.line)));
                }
                if note.strip_prefix("not run:").is_some_and(|why| why.trim().len() < 10) {
                    found.push(format!("{}: say why it is not run", text.at(block.line)));
                }
            }
        }
    }
    check_none(&found);
}
