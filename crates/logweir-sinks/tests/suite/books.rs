//! Payloads whose fate is written down.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use logweir_event::{Ack, Condition, EventPlace, Payload, Places, Position, Receipt, Settled, Verdict};
use logweir_sinks::{
    FileSink, FileSinkConfig, PathTemplate, PayloadReceiver, ReadOnce, SinkContext, SinkError, SinkNames,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Keeps what became of payloads and of their acks, in order.
#[derive(Default, Debug)]
pub(crate) struct Books {
    settled: Mutex<Vec<Settled>>,
    verdicts: Mutex<Vec<Verdict>>,
}

impl Receipt for Books {
    fn settle(&self, settled: Settled) {
        self.settled.lock().unwrap().push(settled);
    }
}

impl Books {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn settled(&self) -> Vec<Settled> {
        self.settled.lock().unwrap().clone()
    }

    pub(crate) fn verdicts(&self) -> Vec<Verdict> {
        self.verdicts.lock().unwrap().clone()
    }

    /// Returns a payload of these lines, each part a run of its own.
    pub(crate) fn payload(self: &Arc<Self>, parts: &[&str]) -> Payload {
        let n_events = parts.concat().matches('\n').count() as u64;
        let parts = parts.iter().map(|part| Bytes::copy_from_slice(part.as_bytes())).collect();
        let books = self.clone();
        let ack = Ack::new(move |verdict| books.verdicts.lock().unwrap().push(verdict));
        with_places(Payload::new(parts, n_events)).bound_to(Some(self.clone()), ack)
    }
}

/// Has a payload say where its events lie, as if it were a chunk.
pub(crate) fn with_places(payload: Payload) -> Payload {
    let chunk = Bytes::from(payload.parts().concat());
    let line_ends = chunk.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at as u32 + 1);
    let place = |end| EventPlace { rendered_end: end, read_end: end, time_ms: None };
    let events = line_ends.map(place).collect();
    let end = Position { input: 0, offset: chunk.len() as u64 };
    payload.with_places(Places::new(chunk, end, events, 0))
}

/// Returns a receiver of these payloads, dealt to `n_channels` in turn, and then the end.
pub(crate) fn receiver(payloads: Vec<Payload>, n_channels: usize) -> PayloadReceiver {
    let capacity = payloads.len().max(1);
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..n_channels).map(|_| mpsc::channel(capacity)).unzip();
    for (payload, sender) in payloads.into_iter().zip(senders.iter().cycle()) {
        sender.try_send(payload).unwrap();
    }
    PayloadReceiver::new(receivers)
}

/// Returns a failure-free booking.
pub(crate) fn all_written(written: u64, bytes: u64) -> Settled {
    Settled { written, bytes, ..Settled::default() }
}

/// Returns the booking of events that were not delivered, without a byte.
pub(crate) fn undelivered(undelivered: u64) -> Settled {
    Settled { undelivered, ..Settled::default() }
}

/// Returns what a sink works with that is given all the time it wants.
pub(crate) fn context(payloads: PayloadReceiver) -> SinkContext {
    let (abort, condition) = (CancellationToken::new(), Condition::new());
    SinkContext { payloads, abort, condition, positions: Arc::new(ReadOnce) }
}

/// What the sinks of the tests are called.
pub(crate) const NAMES: SinkNames<'_> = SinkNames { pipeline: "tests", output: None };

/// Returns the configuration that says nothing but the path.
pub(crate) fn plain(path: impl Into<PathBuf>) -> FileSinkConfig {
    FileSinkConfig::new(PathTemplate::fixed(path))
}

pub(crate) fn open(config: FileSinkConfig) -> Result<FileSink, SinkError> {
    FileSink::open(config, &NAMES)
}
