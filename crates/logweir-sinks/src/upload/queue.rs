//! The batches that are to be uploaded.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use logweir_event::{Pending, Position};
use logweir_net::Backoff;

use super::config::DeliveryConfig;
use super::spool::Spool;
use super::writer::Closed;
use crate::destination::Upload;

/// The batches that are to be uploaded, or have been and wait for one before them.
#[derive(Default)]
pub(super) struct Queue {
    /// Oldest first.
    batches: VecDeque<Queued>,
}

/// A batch on its way.
pub(super) struct Queued {
    pub(super) seq: u64,
    pub(super) upload: Arc<Upload>,
    pub(super) state: State,
    /// The pauses between its attempts.
    pub(super) backoff: Backoff,
    /// When its last event happened, in milliseconds since 1970.
    pub(super) last_ms: i64,
    /// Whether a former run has left it.
    pub(super) is_left_over: bool,
    /// Whether its entry says from where to go on.
    pub(super) has_covering: bool,
    /// Who is to be told.
    pub(super) pendings: Vec<Pending>,
    /// How far it reaches in the inputs that it has something of.
    pub(super) positions: Vec<Position>,
}

/// How far it has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// It waits to be uploaded, if a time is given, until then.
    Waiting(Option<Instant>),
    /// It is being uploaded.
    Uploading,
    /// It needs no upload any more, and that is being kept in the spool.
    Marking(Fate),
    /// All of it is done.
    Done(Fate),
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// The destination has it.
    Delivered,
    /// The destination refuses it.
    Rejected,
}

impl Queued {
    /// Returns a batch of the spool that is to be uploaded, unless it has been.
    pub(super) fn new(closed: Closed, spool: &Spool, config: &DeliveryConfig) -> Self {
        let Closed { batch, is_left_over } = closed;
        let (seq, entry) = (batch.seq, batch.entry);
        let upload = Upload {
            path: spool.data_path(seq, entry.compression),
            key: entry.key,
            n_bytes: entry.n_bytes,
            n_raw_bytes: entry.n_raw_bytes,
            n_events: entry.n_events,
            compression: entry.compression,
        };
        let state = if batch.is_done { State::Done(Fate::Delivered) } else { State::Waiting(None) };
        Self {
            seq,
            upload: Arc::new(upload),
            state,
            backoff: Backoff::new(config.first_pause, config.longest_pause),
            last_ms: entry.last_ms,
            is_left_over,
            has_covering: entry.covering.is_some(),
            pendings: batch.pendings,
            positions: batch.reached.values().map(|reached| reached.position).collect(),
        }
    }
}

impl Queue {
    /// Adds a batch, which is newer than all that are there.
    pub(super) fn push(&mut self, batch: Queued) {
        self.batches.push_back(batch);
    }

    /// Returns a batch that is there.
    pub(super) fn get_mut(&mut self, seq: u64) -> &mut Queued {
        let index = self.batches.partition_point(|batch| batch.seq < seq);
        self.batches.get_mut(index).expect("a batch stays until it is done")
    }

    /// Returns the oldest batch that is to be uploaded now; of all, or only if it is the oldest there is.
    pub(super) fn next_ready(&mut self, is_oldest_only: bool) -> Option<&mut Queued> {
        let now = Instant::now();
        let n_tried = if is_oldest_only { 1 } else { self.batches.len() };
        let is_ready = |batch: &&mut Queued| matches!(batch.state, State::Waiting(until) if until.is_none_or(|until| until <= now));
        self.batches.iter_mut().take(n_tried).find(is_ready)
    }

    /// Returns when the next batch is to be uploaded that waits for its time; of all, or only if it is the oldest.
    pub(super) fn next_time(&self, is_oldest_only: bool) -> Option<Instant> {
        let n_tried = if is_oldest_only { 1 } else { self.batches.len() };
        let time = |batch: &Queued| match batch.state {
            State::Waiting(until) => until,
            _ => None,
        };
        self.batches.iter().take(n_tried).filter_map(time).min()
    }

    /// Takes the oldest batch away if it is done.
    pub(super) fn pop_done(&mut self) -> Option<(Queued, Fate)> {
        let State::Done(fate) = self.batches.front()?.state else { return None };
        Some((self.batches.pop_front()?, fate))
    }

    /// Takes the oldest batch away, whatever became of it.
    pub(super) fn pop(&mut self) -> Option<Queued> {
        self.batches.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }
}
