//! Starts the real binary, feeds it, and reads what it says at the end.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use logweir_testkit::process::{Ran, Run, Running, http_get_with, poll_until};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

/// How long anything may take: far more than it needs, on a machine busy with other tests.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Bytes offered in one write.
const PIECE_BYTES: usize = 16 << 10;

/// More than a pipe holds: once this much has been taken, the process has begun to read.
const BEGUN: u64 = 128 << 10;

/// How often in a row nothing may have been taken, looked at every few milliseconds, before it counts as a stall.
const STALLED_LOOKS: u32 = 150;

/// Returns a run of the binary.
pub(crate) fn logweir<'a>(args: impl IntoIterator<Item = &'a str>) -> Run {
    Run::new(env!("CARGO_BIN_EXE_logweir")).args(args).env("RUST_LOG", "info").deadline(SOON)
}

/// Returns a run of one pipeline, `pipeline.yaml`, in a scratch directory: quiet, with the summary as JSON.
pub(crate) fn pipeline(scratch: &Scratch, yaml: &str) -> Run {
    scratch.write("pipeline.yaml", yaml);
    logweir(["run", "--quiet", "--summary", "json", "pipeline.yaml"]).dir(scratch.dir())
}

/// What can become of an event where there is a single sink, as keys of the summary.
pub(crate) const FATES: [&str; 9] = [
    "written",
    "filtered",
    "sampled_out",
    "malformed.not_utf8",
    "malformed.not_json",
    "malformed.not_object",
    "oversized",
    "failed",
    "returned",
];

/// What opens the admin endpoint of a [`watched_pipeline`].
pub(crate) const TOKEN: &str = "a-token-of-tests";

/// What a [`watched_pipeline`] says of its admin endpoint.
pub(crate) const ADMIN: &str = "admin: {listen: \"127.0.0.1:0\", token: a-token-of-tests}\n";

/// Returns a run like [`pipeline`]'s that is not quiet and logs JSON, so that [`admin`] finds the endpoint.
pub(crate) fn watched_pipeline(scratch: &Scratch, yaml: &str) -> Run {
    scratch.write("pipeline.yaml", format!("{yaml}\n{ADMIN}"));
    logweir(["run", "--log-format", "json", "--summary", "json", "pipeline.yaml"]).dir(scratch.dir())
}

/// Returns a pipeline that follows what is in `in` of a scratch directory, with the rest of its configuration.
pub(crate) fn follow(scratch: &Scratch, rest: &str) -> String {
    let include = scratch.path("in/*");
    format!("source: {{file: {{include: [\"{}\"]}}}}\nstate_dir: state\n{rest}", include.display())
}

/// Adds to a file of a scratch directory, making it and its directories if they are missing.
pub(crate) fn append(scratch: &Scratch, name: &str, bytes: impl AsRef<[u8]>) {
    let path = scratch.path(name);
    fs::create_dir_all(path.parent().expect("a file is in a directory")).expect("a directory can be made");
    let mut file = File::options().create(true).append(true).open(&path).expect("a file can be opened");
    file.write_all(bytes.as_ref()).expect("a file can be written");
}

/// Makes a named pipe in a scratch directory.
pub(crate) fn make_fifo(scratch: &Scratch, name: &str) {
    let made = Command::new("mkfifo").arg(scratch.path(name)).status().expect("mkfifo is there");
    assert!(made.success(), "{name} cannot be made");
}

/// Returns the root of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("the crate lies two directories below the workspace").to_owned()
}

/// The summary of one pipeline.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Summary(pub(crate) Value);

/// Returns the summaries on the very last line of stderr.
pub(crate) fn summaries(ran: &Ran) -> Vec<Summary> {
    let stderr = ran.stderr_text();
    let line = stderr.strip_suffix('\n').unwrap_or_else(|| panic!("no line feed at the end of {stderr:?}"));
    let last = line.rsplit('\n').next().unwrap_or_default();
    let value: Value = serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {stderr}"));
    let pipelines = value["pipelines"].as_array().unwrap_or_else(|| panic!("no pipelines: {last}"));
    pipelines.iter().cloned().map(Summary).collect()
}

/// Returns the summary of the only pipeline.
pub(crate) fn summary(ran: &Ran) -> Summary {
    let mut all = summaries(ran);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

impl Summary {
    /// Returns a count, given its key or a path of keys.
    pub(crate) fn count(&self, path: &str) -> u64 {
        let value = path.split('.').fold(&self.0, |value, key| &value[key]);
        value.as_u64().unwrap_or_else(|| panic!("{path} is no count in {}", self.0))
    }

    /// Returns the keys, sorted.
    pub(crate) fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<_> =
            self.0.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        keys
    }

    /// Returns the summary of an output.
    pub(crate) fn output(&self, name: &str) -> Self {
        let outputs = self.0["outputs"].as_array().unwrap_or_else(|| panic!("no outputs in {}", self.0));
        let found = outputs.iter().find(|output| output["name"] == name);
        Self(found.unwrap_or_else(|| panic!("no output {name} in {}", self.0)).clone())
    }

    /// Returns the events that were read from a pipe whose reading was stopped, less the line that this cut: it is
    /// no event, and counted as malformed, since nobody can read it again.
    #[track_caller]
    pub(crate) fn n_whole_events(&self) -> u64 {
        let n_cut = self.count("malformed.not_json");
        assert!(n_cut <= 1, "{}", self.0);
        self.count("read") - n_cut
    }

    /// Checks that a pipeline with a single sink has accounted for every event, by adding up, not only by its word.
    #[track_caller]
    pub(crate) fn check_balanced(&self) {
        let sum: u64 = FATES.iter().map(|part| self.count(part)).sum();
        assert_eq!(sum, self.count("read"), "{}", self.0);
        assert_eq!(self.0["balanced"], true, "{}", self.0);
    }
}

/// Checks that a run was a full success, and returns its summary.
#[track_caller]
pub(crate) fn succeeded(ran: &Ran) -> Summary {
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let summary = summary(ran);
    summary.check_balanced();
    summary
}

/// Checks that a run ended with exit code 1, everything accounted for, and returns its summary.
#[track_caller]
pub(crate) fn failed(ran: &Ran) -> Summary {
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    let summary = summary(ran);
    summary.check_balanced();
    summary
}

/// Waits until a log line of a run that logs JSON says so, and returns it.
pub(crate) fn logged(running: &Running, message: &str) -> Value {
    let look = || {
        let stderr = running.stderr_so_far();
        let mut lines = stderr.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
        lines.find_map(|line| {
            let line: Value = serde_json::from_slice(line).ok()?;
            line["message"].as_str()?.contains(message).then_some(line)
        })
    };
    poll_until(message, SOON, look)
}

/// Waits for the admin endpoint of a [`watched_pipeline`] and returns its address.
pub(crate) fn admin(running: &Running) -> SocketAddr {
    let line = logged(running, "the admin endpoint listens");
    line["address"].as_str().expect("an address").parse().expect("an address and a port")
}

/// Returns what a path of the admin endpoint answers, which must be a success.
pub(crate) fn get(address: SocketAddr, path: &str) -> String {
    let authorization = format!("Bearer {TOKEN}");
    let answered = http_get_with(address, path, &[("Authorization", &authorization)]);
    let (status, body) = answered.expect("the admin endpoint answers");
    assert_eq!(status, 200, "{path}: {body}");
    body
}

/// Returns the value of one sample of `/metrics`, written with its labels as the exposition has them; all but times
/// are whole numbers.
pub(crate) fn sample(address: SocketAddr, series: &str) -> u64 {
    let body = get(address, "/metrics");
    let value = body.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no {series} in\n{body}"));
    value.parse().expect("a whole number")
}

/// Returns how many line feeds there are.
pub(crate) fn n_lines(bytes: &[u8]) -> usize {
    bytes.split(|&byte| byte == b'\n').count() - 1
}

/// Writes to a process from a thread of its own, which waits whenever the process takes no more.
pub(crate) struct Feeder {
    n_taken: Arc<AtomicU64>,
    thread: JoinHandle<Option<ChildStdin>>,
}

impl Feeder {
    /// Starts to write `blocks`, to their end or until the process is gone.
    pub(crate) fn start<B: AsRef<[u8]>>(
        mut stdin: ChildStdin,
        blocks: impl Iterator<Item = B> + Send + 'static,
    ) -> Self {
        let n_taken = Arc::new(AtomicU64::new(0));
        let counter = n_taken.clone();
        let thread = thread::spawn(move || {
            for block in blocks {
                for piece in block.as_ref().chunks(PIECE_BYTES) {
                    // Only a process that is gone fails this.
                    stdin.write_all(piece).ok()?;
                    counter.fetch_add(piece.len() as u64, Ordering::Relaxed);
                }
            }
            Some(stdin)
        });
        Self { n_taken, thread }
    }

    /// Returns how many bytes the pipe has taken so far.
    pub(crate) fn n_taken(&self) -> u64 {
        self.n_taken.load(Ordering::Relaxed)
    }

    /// Waits until no more is taken although the process has begun to read, and returns how many bytes were.
    pub(crate) fn wait_until_stalled(&self) -> u64 {
        let (mut before, mut n_looks) = (0, 0);
        poll_until("the process takes no more", SOON, || {
            let now = self.n_taken();
            n_looks = if now == before && now >= BEGUN { n_looks + 1 } else { 0 };
            before = now;
            (n_looks >= STALLED_LOOKS).then_some(now)
        })
    }

    /// Waits until all is written and returns the end to write to; `None` if the process went before.
    pub(crate) fn finish(self) -> Option<ChildStdin> {
        poll_until("all is written", SOON, || self.thread.is_finished().then_some(()));
        self.thread.join().expect("a thread that only writes does not panic")
    }
}

/// Returns blocks of numbered events without an end, each of about 16 KiB.
pub(crate) fn endless_events() -> impl Iterator<Item = Vec<u8>> + Send + 'static {
    (0u64..).map(|block| {
        let events = (block * 100..block * 100 + 100).map(event);
        events.collect::<String>().into_bytes()
    })
}

/// Returns an event with a number, on a line.
pub(crate) fn event(number: u64) -> String {
    format!("{{\"Outcome\":\"ok\",\"n\":{number},\"ScriptName\":\"{:-<120}\"}}\n", "endless")
}

/// Checks that `bytes` are the first whole events of [`endless_events`], and returns how many.
#[track_caller]
pub(crate) fn check_first_events(bytes: &[u8]) -> u64 {
    let mut n = 0;
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        assert_eq!(String::from_utf8_lossy(line), event(n), "event {n}");
        n += 1;
    }
    n
}
