//! Runs a source on a thread and takes what it sends, as a pipeline with two decoders would.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use logweir_event::{Chunk, Condition, FileId, with_causes};
use logweir_sources::{
    AckTracker, BufferPool, ChunkLimits, ChunkSender, Progress, Source, SourceContext, SourceError,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The longest event that is let through unless a test says otherwise.
pub(crate) const MAX_EVENT_BYTES: usize = 4 << 20;

/// Chunks that a channel holds.
const CHANNEL_CHUNKS: usize = 2;

/// A running source.
pub(crate) struct Rig {
    receivers: Vec<mpsc::Receiver<Chunk>>,
    next: usize,
    pub(crate) tracker: AckTracker,
    pub(crate) pool: BufferPool,
    pub(crate) progress: Arc<Progress>,
    pub(crate) stop: CancellationToken,
    pub(crate) abandoned: Arc<AtomicBool>,
    pub(crate) condition: Condition,
    reported: Arc<Mutex<Vec<String>>>,
    thread: JoinHandle<Result<(), SourceError>>,
}

/// What a source gave and how it ended.
pub(crate) struct Ran {
    pub(crate) bytes: Vec<u8>,
    pub(crate) n_oversized: u64,
    /// The errors reported, each with its cause.
    pub(crate) reported: Vec<String>,
    pub(crate) result: Result<(), SourceError>,
}

/// Starts a source with chunks of `chunk_bytes` in a pool of `held_bytes`.
pub(crate) fn start(source: impl Source + 'static, chunk_bytes: usize, held_bytes: usize) -> Rig {
    start_beside(HashSet::new(), source, chunk_bytes, held_bytes)
}

/// Starts a source with chunks and events within `limits` in a pool of `held_bytes`.
pub(crate) fn start_within(limits: ChunkLimits, source: impl Source + 'static, held_bytes: usize) -> Rig {
    start_with(HashSet::new(), source, limits, held_bytes)
}

/// Starts a source in a process that writes to `outputs`.
pub(crate) fn start_beside(
    outputs: HashSet<FileId>,
    source: impl Source + 'static,
    chunk_bytes: usize,
    held_bytes: usize,
) -> Rig {
    start_with(outputs, source, ChunkLimits { max_event_bytes: MAX_EVENT_BYTES, chunk_bytes }, held_bytes)
}

fn start_with(
    outputs: HashSet<FileId>,
    source: impl Source + 'static,
    limits: ChunkLimits,
    held_bytes: usize,
) -> Rig {
    let abandoned = Arc::new(AtomicBool::new(false));
    let (senders, receivers) = (0..2).map(|_| mpsc::channel(CHANNEL_CHUNKS)).unzip();
    let (tracker, pool) = (AckTracker::new(), BufferPool::new(held_bytes, limits.chunk_bytes));
    let (progress, stop) = (Arc::new(Progress::new()), CancellationToken::new());
    let reported = Arc::new(Mutex::new(Vec::new()));
    let told = reported.clone();
    let condition = Condition::new();
    let context = SourceContext {
        chunks: ChunkSender::new(senders, tracker.clone(), Arc::default()),
        pool: pool.clone(),
        limits,
        outputs: Arc::new(outputs),
        abandoned: abandoned.clone(),
        stop: stop.clone(),
        report: Arc::new(move |error| told.lock().unwrap().push(with_causes(error))),
        progress: progress.clone(),
        condition: condition.clone(),
    };
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(Box::new(source).run(context))
    });
    Rig { receivers, next: 0, tracker, pool, progress, stop, abandoned, condition, reported, thread }
}

impl Rig {
    /// Takes the next chunk, waiting for it; `None` at the end.
    pub(crate) fn chunk(&mut self) -> Option<Chunk> {
        let chunk = self.receivers[self.next].blocking_recv();
        self.next = (self.next + 1) % self.receivers.len();
        chunk
    }

    /// Takes all there is, delivering each chunk, and waits for the end, when nothing may be left to read.
    pub(crate) fn finish(self) -> Ran {
        let (progress, tracker) = (self.progress.clone(), self.tracker.clone());
        let ran = self.drain();
        assert_eq!(progress.lag(tracker.delivered_source_bytes()), 0, "nothing is left to read");
        ran
    }

    fn drain(mut self) -> Ran {
        let (mut bytes, mut n_oversized) = (Vec::new(), 0);
        while let Some(chunk) = self.chunk() {
            bytes.extend_from_slice(&chunk.bytes);
            n_oversized += chunk.n_oversized;
            chunk.ack.deliver();
        }
        let result = self.thread.join().unwrap();
        assert_eq!(
            (self.tracker.unresolved(), self.pool.held()),
            (0, 0),
            "all is accounted for and given back"
        );
        let reported = self.reported.lock().unwrap().clone();
        Ran { bytes, n_oversized, reported, result }
    }

    /// Takes the next chunk if there is one.
    pub(crate) fn try_chunk(&mut self) -> Option<Chunk> {
        let chunk = self.receivers[self.next].try_recv().ok()?;
        self.next = (self.next + 1) % self.receivers.len();
        Some(chunk)
    }

    /// Tells the source to stop, takes all there still is, delivering each chunk, and waits for the end.
    pub(crate) fn stop(self) -> Ran {
        self.stop.cancel();
        self.drain()
    }

    /// Waits for the end without taking anything more that is sent.
    pub(crate) fn hang_up(self) -> Result<(), SourceError> {
        drop(self.receivers);
        self.thread.join().unwrap()
    }
}
