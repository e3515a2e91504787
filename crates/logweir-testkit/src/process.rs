//! Running the real binary, and waiting for what it does.

mod http;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub use http::{http_get, http_get_with};
pub use rustix::process::Signal;

/// Long enough for any run of a test on a machine that is busy with others.
const DEADLINE: Duration = Duration::from_secs(60);
/// Short enough not to be noticed, long enough not to take the machine from what is waited for.
const POLL_EVERY: Duration = Duration::from_millis(2);

/// A program to run, with its arguments and what it reads.
///
/// ```
/// use logweir_testkit::process::Run;
///
/// let ran = Run::new("cat").stdin("one\n").output();
/// assert!(ran.status.success());
/// assert_eq!(ran.stdout, b"one\n");
/// ```
#[derive(Debug)]
pub struct Run {
    command: Command,
    stdin: Feed,
    stdout: Keep,
    deadline: Duration,
}

/// What the program reads.
#[derive(Debug)]
enum Feed {
    /// These bytes, then the end.
    Bytes(Vec<u8>),
    /// Whatever the test writes.
    Held,
}

/// What becomes of the program's output.
#[derive(Debug, PartialEq, Eq)]
enum Keep {
    /// It is collected.
    Collected,
    /// The test reads it, or does not.
    Held,
}

impl Run {
    /// Returns a run of the program at `path` without arguments and with nothing to read; it has a minute.
    pub fn new(path: impl Into<OsString>) -> Self {
        let command = Command::new(path.into());
        Self { command, stdin: Feed::Bytes(Vec::new()), stdout: Keep::Collected, deadline: DEADLINE }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Takes all variables out of the environment whose names begin with `prefix`.
    #[must_use]
    pub fn without_env(mut self, prefix: &str) -> Self {
        let names = std::env::vars_os().map(|(name, _)| name);
        for name in names.filter(|name| name.to_string_lossy().starts_with(prefix)) {
            self.command.env_remove(name);
        }
        self
    }

    /// Sets the directory it runs in.
    #[must_use]
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.command.current_dir(dir.into());
        self
    }

    /// Gives it these bytes to read, and then the end.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Feed::Bytes(bytes.into());
        self
    }

    /// Leaves it to the test to write what it reads: see [`Running::take_stdin`].
    #[must_use]
    pub fn hold_stdin(mut self) -> Self {
        self.stdin = Feed::Held;
        self
    }

    /// Leaves it to the test to read what it writes: see [`Running::take_stdout`].
    #[must_use]
    pub fn hold_stdout(mut self) -> Self {
        self.stdout = Keep::Held;
        self
    }

    /// Sets how long it may take from its start before it is killed and the test fails.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts it and waits until it ends.
    ///
    /// # Panics
    ///
    /// If it cannot be started, or does not end within its deadline.
    pub fn output(self) -> Ran {
        self.start().wait()
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn start(mut self) -> Running {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = format!("{:?}", self.command);
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
        let kill_at = Instant::now() + self.deadline;

        if let Feed::Bytes(bytes) = self.stdin
            && let Some(mut stdin) = child.stdin.take()
        {
            // A program that ends early closes its end, which is for the test to judge by its status.
            thread::spawn(move || stdin.write_all(&bytes));
        }
        let collected = (self.stdout == Keep::Collected).then(|| child.stdout.take()).flatten();
        let stdout = collected.map(Collector::new);
        let stderr = child.stderr.take().map(Collector::new);
        Running { program, child, kill_at, stdout, stderr }
    }
}

/// A program that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    program: String,
    child: Child,
    kill_at: Instant,
    /// `None` if the test reads it.
    stdout: Option<Collector>,
    stderr: Option<Collector>,
}

impl Running {
    /// Returns its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the end it reads from, once, if [`Run::hold_stdin`] was asked for; dropping it is the end of input.
    pub fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Returns the end it writes to, once, if [`Run::hold_stdout`] was asked for; dropping it closes it.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Returns what it has written to stdout so far, unless the test reads that itself.
    pub fn stdout_so_far(&self) -> Vec<u8> {
        self.stdout.as_ref().map(Collector::so_far).unwrap_or_default()
    }

    /// Returns what it has written to stderr so far.
    pub fn stderr_so_far(&self) -> Vec<u8> {
        self.stderr.as_ref().map(Collector::so_far).unwrap_or_default()
    }

    /// Sends it a signal.
    ///
    /// # Panics
    ///
    /// If it is gone.
    pub fn signal(&self, signal: Signal) {
        send_signal(self.pid(), signal);
    }

    /// Waits until it ends.
    ///
    /// # Panics
    ///
    /// If it does not end within its deadline; it is killed then, and what it wrote to stderr shown.
    pub fn wait(mut self) -> Ran {
        // What it still reads from would never end otherwise.
        drop(self.child.stdin.take());
        let left = self.kill_at.saturating_duration_since(Instant::now());
        let ended = poll(left, || self.child.try_wait().ok().flatten());
        let Some(status) = ended else {
            let stderr = String::from_utf8_lossy(&self.stderr_so_far()).into_owned();
            panic!("{} did not end in time; stderr:\n{stderr}", self.program);
        };
        let stdout = self.stdout.take().map(Collector::finish).unwrap_or_default();
        let stderr = self.stderr.take().map(Collector::finish).unwrap_or_default();
        Ran { status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for one that has ended already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// What a program left behind.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to stdout, unless the test read that itself.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
}

impl Ran {
    /// Returns its exit code, `None` if a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Returns what it wrote to stderr as text.
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// Reads a pipe to its end on a thread of its own, so that the program never waits for the test.
#[derive(Debug)]
struct Collector {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: JoinHandle<()>,
}

impl Collector {
    fn new(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let thread = thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(n @ 1..) = pipe.read(&mut buffer) {
                sink.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..n]);
            }
        });
        Self { bytes, thread }
    }

    fn so_far(&self) -> Vec<u8> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn finish(self) -> Vec<u8> {
        self.thread.join().expect("a thread that only reads does not panic");
        std::mem::take(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waits until `look` gives something and returns it. This is how a test waits; it never sleeps for a time.
///
/// # Panics
///
/// If that does not happen within `deadline`, naming `what` was waited for.
pub fn poll_until<T>(what: &str, deadline: Duration, look: impl FnMut() -> Option<T>) -> T {
    poll(deadline, look).unwrap_or_else(|| panic!("waited {deadline:?} in vain: {what}"))
}

/// Lets time pass where that is what a test is about: how long a process lives before it is killed, how fast a writer
/// writes. Never to wait for something.
pub fn let_pass(time: Duration) {
    poll(time, || None::<()>);
}

#[expect(clippy::disallowed_methods, reason = "between two looks there is nothing to wait for but time")]
fn poll<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let give_up_at = Instant::now() + deadline;
    loop {
        // The time first: what happens before the deadline counts, however late this thread gets to look.
        let is_last = Instant::now() >= give_up_at;
        if let Some(found) = look() {
            return Some(found);
        }
        if is_last {
            return None;
        }
        thread::sleep(POLL_EVERY);
    }
}

/// Sends a signal to a process.
///
/// # Panics
///
/// If there is no such process, or it belongs to somebody else.
pub fn send_signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
    rustix::process::kill_process(pid, signal)
        .unwrap_or_else(|error| panic!("{signal:?} to {pid:?}: {error}"));
}

/// Returns the largest resident set a running process has had, in bytes; `None` where the system does not tell.
pub fn peak_rss_bytes(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
