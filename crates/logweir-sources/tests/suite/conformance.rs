//! What every source must do, whatever it reads.

use std::io::{PipeWriter, Write, pipe};
use std::os::fd::OwnedFd;
use std::thread::JoinHandle;
use std::time::Duration;

use logweir_event::Chunk;

use crate::rig::{Ran, Rig, start};
use logweir_sources::{
    CheckpointStore, FileSource, FileSourceConfig, FollowConfig, FollowSource, Source, StartAt, StateDir,
    StdinSource,
};
use logweir_testkit::process::poll_until;
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;

/// An input that is written while it is read; it ends when this is dropped.
enum Feed {
    /// A pipe, or a named pipe, which opens once the source has opened its end.
    Pipe(JoinHandle<PipeWriter>),
    Named(JoinHandle<std::fs::File>),
}

impl Feed {
    fn into_writer(self) -> Box<dyn Write + Send> {
        match self {
            Self::Pipe(thread) => Box::new(thread.join().unwrap()),
            Self::Named(thread) => Box::new(thread.join().unwrap()),
        }
    }
}

fn file_source(include: &std::path::Path) -> FileSource {
    let include = vec![include.to_str().unwrap().to_owned()];
    FileSource::new(&FileSourceConfig { include, exclude: Vec::new() }).unwrap()
}

/// Starts a source that follows a file, whose checkpoints nobody writes.
fn follow_source(scratch: &Scratch, include: &std::path::Path) -> FollowSource {
    let include = vec![include.to_str().unwrap().to_owned()];
    let start_at = StartAt::Beginning;
    let config = FollowConfig { include, exclude: Vec::new(), start_at, open_files: 16 };
    let dir = StateDir::open(&scratch.path("state")).unwrap();
    let (store, checkpoint) = CheckpointStore::open(dir, "conformance").unwrap();
    FollowSource::new(&config, store, checkpoint).unwrap().0
}

/// A source that runs.
struct Subject {
    name: &'static str,
    rig: Rig,
    /// Whether it waits for more when it has read all there is.
    follows: bool,
}

impl Subject {
    fn ending(name: &'static str, rig: Rig) -> Self {
        Self { name, rig, follows: false }
    }

    fn following(name: &'static str, rig: Rig) -> Self {
        Self { name, rig, follows: true }
    }

    /// Takes all there is, of which `n_bytes` bytes are still to come, delivering each chunk, and waits for the end, which
    /// it is told to come to if it follows.
    fn finish(mut self, n_bytes: usize) -> Ran {
        if !self.follows {
            return self.rig.finish();
        }
        let (mut bytes, mut n_oversized) = (Vec::new(), 0);
        while bytes.len() < n_bytes {
            let chunk = self.rig.chunk().expect("it follows until it is told to stop");
            bytes.extend_from_slice(&chunk.bytes);
            n_oversized += chunk.n_oversized;
            chunk.ack.deliver();
        }
        let (progress, tracker) = (self.rig.progress.clone(), self.rig.tracker.clone());
        poll_until("nothing is left to read", Duration::from_secs(20), || {
            (progress.lag(tracker.delivered_source_bytes()) == 0).then_some(())
        });
        let rest = self.rig.stop();
        bytes.extend(rest.bytes);
        Ran { bytes, n_oversized: n_oversized + rest.n_oversized, ..rest }
    }
}

/// Runs `check` for each source that can be fed while it reads.
fn for_each_fed(chunk_bytes: usize, held_bytes: usize, check: impl Fn(Subject, Box<dyn Write + Send>)) {
    let (reader, writer) = pipe().unwrap();
    let feed = Feed::Pipe(std::thread::spawn(|| writer));
    let rig = start(StdinSource::from(OwnedFd::from(reader)), chunk_bytes, held_bytes);
    check(Subject::ending("stdin, a pipe", rig), feed.into_writer());

    let scratch = Scratch::new();
    let path = scratch.path("events.pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    let rig = start(file_source(&path), chunk_bytes, held_bytes);
    let feed =
        Feed::Named(std::thread::spawn(move || std::fs::File::options().write(true).open(path).unwrap()));
    check(Subject::ending("file, a named pipe", rig), feed.into_writer());

    let path = scratch.write("events.ndjson", "");
    let rig = start(follow_source(&scratch, &path), chunk_bytes, held_bytes);
    let file = std::fs::File::options().append(true).open(path).unwrap();
    check(Subject::following("file, followed", rig), Box::new(file));
}

/// Runs `check` for each source with all of `bytes` to read.
fn for_each_filled(bytes: &[u8], chunk_bytes: usize, held_bytes: usize, check: impl Fn(Subject)) {
    let scratch = Scratch::new();
    let path = scratch.write("events.ndjson", bytes);
    let rig = start(file_source(&path), chunk_bytes, held_bytes);
    check(Subject::ending("file, a regular one", rig));
    let open = || OwnedFd::from(std::fs::File::open(&path).unwrap());
    let rig = start(StdinSource::from(open()), chunk_bytes, held_bytes);
    check(Subject::ending("stdin, a regular file", rig));
    let rig = start(follow_source(&scratch, &path), chunk_bytes, held_bytes);
    check(Subject::following("file, followed", rig));
    for_each_fed(chunk_bytes, held_bytes, |subject, mut feed| {
        let bytes = bytes.to_vec();
        // Whoever reads may hang up before all is written.
        let writing = std::thread::spawn(move || feed.write_all(&bytes).ok());
        check(subject);
        writing.join().unwrap();
    });
}

#[test]
fn all_bytes_come_out_in_order_for_any_chunk_size() {
    for chunk_bytes in [1000, 4096, 1 << 16, 1 << 22] {
        for_each_filled(EVENTS, chunk_bytes, 4 * chunk_bytes, |subject| {
            let name = subject.name;
            let ran = subject.finish(EVENTS.len());
            assert!(ran.bytes == EVENTS, "{name}, chunks of {chunk_bytes}");
            assert!(ran.result.is_ok() && ran.n_oversized == 0, "{name}");
        });
    }
}

#[test]
fn whole_lines_come_at_once_and_do_not_wait_for_more() {
    for_each_fed(1 << 16, 1 << 20, |mut subject, mut feed| {
        let name = subject.name;
        for event in ["{\"a\":1}\n", "{\"b\":2}\n{\"c\":3}\n", "\n"] {
            feed.write_all(event.as_bytes()).unwrap();
            let chunk = subject.rig.chunk().expect("a chunk");
            assert_eq!(chunk.bytes, event, "{name}");
            chunk.ack.deliver();
        }
        drop(feed);
        assert!(subject.finish(0).result.is_ok(), "{name}");
    });
}

#[test]
fn stop_ends_it_while_the_writer_is_silent() {
    for_each_fed(1 << 16, 1 << 20, |subject, mut feed| {
        let Subject { name, mut rig, follows } = subject;
        feed.write_all(b"{\"a\":1}\n{\"unfinished").unwrap();
        let chunk = rig.chunk().expect("a chunk");
        assert_eq!(chunk.bytes, "{\"a\":1}\n", "{name}");
        rig.stop.cancel();
        // What was read from a pipe is gone there, and must not vanish here; a file has it still.
        let rest = if follows { None } else { rig.chunk() };
        assert_eq!(rest.is_none(), follows, "{name}");
        assert!(rest.is_none_or(|rest| rest.bytes == "{\"unfinished"), "{name}");
        assert!(rig.chunk().is_none(), "{name}");
        assert!(rig.hang_up().is_ok(), "{name}");
    });
}

#[test]
fn an_abandoned_source_lets_go_of_an_unfinished_line() {
    for_each_fed(1 << 16, 1 << 20, |subject, mut feed| {
        let Subject { name, mut rig, .. } = subject;
        feed.write_all(b"{\"a\":1}\n{\"unfinished").unwrap();
        assert_eq!(rig.chunk().expect("a chunk").bytes, "{\"a\":1}\n", "{name}");
        rig.abandoned.store(true, std::sync::atomic::Ordering::Relaxed);
        rig.stop.cancel();
        assert!(rig.chunk().is_none(), "{name}");
        assert!(rig.hang_up().is_ok(), "{name}");
    });
}

#[test]
fn who_takes_nothing_holds_it_without_growing_memory() {
    let bytes = EVENTS.repeat(4);
    for_each_filled(&bytes, 1 << 14, 1 << 16, |mut subject| {
        let (name, rig) = (subject.name, &mut subject.rig);
        // With the chunks that are kept, the pool is a tighter bound than the channels.
        let kept: Vec<_> = (0..3).map(|_| rig.chunk().expect("a chunk")).collect();
        let mut before = 0;
        poll_until("reading comes to rest", Duration::from_secs(20), || {
            let n_read = rig.progress.n_read();
            let at_rest = n_read > 0 && std::mem::replace(&mut before, n_read) == n_read;
            at_rest.then_some(())
        });
        assert!(rig.progress.n_read() < bytes.len() as u64, "{name}: it does not read on");
        // A line may grow its buffer to the longest line beyond the bound.
        let longest = EVENTS.split(|&byte| byte == b'\n').map(<[u8]>::len).max().unwrap();
        assert!(rig.pool.held() <= (1 << 16) + 2 * longest, "{name}: held {}", rig.pool.held());
        let n_kept: usize = kept.iter().map(|chunk| chunk.bytes.len()).sum();
        for chunk in kept {
            chunk.ack.deliver();
        }
        let ran = subject.finish(bytes.len() - n_kept);
        assert!(ran.result.is_ok() && ran.bytes == bytes[n_kept..], "{name}: then it goes on");
    });
}

#[test]
fn stop_ends_it_while_it_waits_for_memory() {
    let line = [vec![b'x'; 99], b"\n".to_vec()].concat();
    for_each_filled(&line.repeat(50), 100, 200, |subject| {
        let Subject { name, mut rig, .. } = subject;
        let kept = [rig.chunk(), rig.chunk()];
        rig.stop.cancel();
        while rig.chunk().is_some() {}
        assert!(rig.hang_up().is_ok(), "{name}");
        drop(kept);
    });
}

#[test]
fn it_ends_when_nobody_takes_chunks_any_more() {
    for_each_filled(&EVENTS.repeat(4), 1 << 12, 1 << 20, |subject| {
        let Subject { name, mut rig, .. } = subject;
        rig.chunk().expect("a chunk").ack.deliver();
        let tracker = rig.tracker.clone();
        assert!(rig.hang_up().is_ok(), "{name}");
        assert_eq!(tracker.unresolved(), 0, "{name}");
        assert!(tracker.undelivered() > 0, "{name}: what was sent and not taken is not delivered");
    });
}

#[test]
fn what_is_delivered_in_any_order_counts_from_the_start() {
    for_each_filled(EVENTS, 1 << 14, 1 << 22, |mut subject| {
        let name = subject.name;
        let chunks: Vec<_> = (0..6).map(|_| subject.rig.chunk().expect("a chunk")).collect();
        let n_bytes: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
        let tracker = subject.rig.tracker.clone();
        for chunk in chunks.into_iter().rev() {
            assert_eq!(tracker.delivered(), None, "{name}: not before the first one");
            chunk.ack.deliver();
        }
        assert_eq!(tracker.delivered().unwrap().offset, n_bytes as u64, "{name}");
        let ran = subject.finish(EVENTS.len() - n_bytes);
        assert!(ran.bytes == EVENTS[n_bytes..], "{name}");
        assert_eq!(tracker.delivered().unwrap().offset, EVENTS.len() as u64, "{name}");
    });
}

#[test]
fn what_is_not_delivered_stays_so() {
    for_each_filled(EVENTS, 1 << 14, 1 << 22, |mut subject| {
        let name = subject.name;
        let Chunk { bytes, ack, .. } = subject.rig.chunk().expect("a chunk");
        let n_first = bytes.len();
        drop(bytes);
        ack.deliver();
        let n_lost = subject.rig.chunk().expect("a chunk").bytes.len();
        let tracker = subject.rig.tracker.clone();
        let mut n_left = EVENTS.len() - n_first - n_lost;
        while n_left > 0 {
            let chunk = subject.rig.chunk().expect("a chunk");
            n_left -= chunk.bytes.len();
            chunk.ack.deliver();
        }
        subject.rig.stop();
        assert_eq!(tracker.delivered().unwrap().offset, n_first as u64, "{name}");
        assert_eq!(tracker.undelivered(), 1, "{name}");
    });
}

#[test]
fn a_dropped_run_ends_its_thread() {
    let (reader, writer) = pipe().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let context = logweir_sources::SourceContext {
        condition: logweir_event::Condition::new(),
        chunks: logweir_sources::ChunkSender::new(
            vec![sender],
            logweir_sources::AckTracker::new(),
            std::sync::Arc::default(),
        ),
        outputs: std::sync::Arc::default(),
        abandoned: std::sync::Arc::default(),
        pool: logweir_sources::BufferPool::new(1 << 20, 1 << 16),
        limits: logweir_sources::ChunkLimits { max_event_bytes: 1 << 20, chunk_bytes: 1 << 16 },
        stop: tokio_util::sync::CancellationToken::new(),
        report: std::sync::Arc::new(|_| {}),
        progress: std::sync::Arc::default(),
    };
    runtime.block_on(async {
        let mut run = Box::new(StdinSource::from(OwnedFd::from(reader))).run(context);
        // Polled once, so that the thread is there.
        assert!(futures::poll!(&mut run).is_pending());
        drop(run);
        assert!(receiver.recv().await.is_none());
    });
    drop(writer);
}
