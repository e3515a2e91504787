//! Keeps the checkpoints of a source that follows files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use logweir_event::{Condition, Positions};
use tokio::select;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use super::positions::FollowPositions;
use super::registry::{Committed, Registry};
use crate::checkpoint::{Checkpoint, CheckpointStore};
use crate::tracker::AckTracker;

/// How trouble with checkpoints is called in the condition.
const SUBJECT: &str = "checkpoint";

/// Writes down, about once a second, how far everything has been delivered.
#[derive(Debug)]
pub struct Checkpointer {
    /// `None` while it is being written.
    store: Option<CheckpointStore>,
    registry: Registry,
    pace: Pace,
    /// What was written last.
    last: Option<Checkpoint>,
    /// The version of what was written last.
    written: Option<(u64, u64)>,
    /// What was written last says, for who asks.
    committed: Committed,
    /// Whether nothing is written yet.
    is_held: Arc<AtomicBool>,
}

impl Checkpointer {
    pub(super) fn new(store: CheckpointStore, registry: Registry, pace: Pace) -> Self {
        let committed = Committed::default();
        Self {
            store: Some(store),
            registry,
            pace,
            last: None,
            written: None,
            committed,
            is_held: Arc::default(),
        }
    }

    /// Holds all checkpoints back until what the source begins behind is
    /// [delivered](Positions::former_is_delivered), which is kept elsewhere so far.
    pub fn hold(&self) {
        self.is_held.store(true, Ordering::Relaxed);
    }

    /// Returns who knows what the positions of chunks mean whose acks are `tracker`'s.
    pub fn positions(&self, tracker: AckTracker) -> Arc<dyn Positions> {
        let pipeline = self.store.as_ref().map_or_else(String::new, |store| store.pipeline().to_owned());
        let (registry, committed) = (self.registry.clone(), self.committed.clone());
        let is_held = self.is_held.clone();
        Arc::new(FollowPositions { pipeline, registry, tracker, committed, is_held })
    }

    /// Writes checkpoints of what `tracker` knows to be delivered until `done` is cancelled, and then a last one;
    /// returns whether that one was written. It tells `condition` of what it cannot write, and goes on trying, but not
    /// after `done`.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: if the future is dropped, a checkpoint may still be written, and no last one is.
    pub async fn run(mut self, tracker: AckTracker, condition: Condition, done: CancellationToken) -> bool {
        let (mut pause, mut looked) = (self.pace.look_every, Instant::now());
        loop {
            select! {
                // Cancel safe: a cancelled token stays cancelled.
                () = done.cancelled() => break,
                // Cancel safe: only time is lost.
                () = sleep(pause) => {}
            }
            let is_same = self.written == Some(self.version(&tracker));
            if is_same && looked.elapsed() < self.pace.check_every {
                // What comes after a silence is written soon.
                pause = self.pace.look_every;
                continue;
            }
            looked = Instant::now();
            pause = if !self.commit(&tracker, &condition).await {
                self.pace.longer(pause)
            } else if is_same || self.written.is_none_or(|(_, n_delivered)| n_delivered == 0) {
                // What was delivered while it was written may not be in it.
                self.pace.look_every
            } else {
                self.pace.commit_every
            };
        }
        self.commit(&tracker, &condition).await
    }

    /// Returns two numbers of which one has changed if a checkpoint may differ from the last one.
    fn version(&self, tracker: &AckTracker) -> (u64, u64) {
        (self.registry.version(), tracker.n_delivered())
    }

    /// Writes a checkpoint if it differs from the last one, or that is gone; returns whether all is written.
    async fn commit(&mut self, tracker: &AckTracker, condition: &Condition) -> bool {
        if self.is_held.load(Ordering::Relaxed) {
            return true;
        }
        // Before the checkpoint is made: what changes meanwhile is seen the next time.
        let version = self.version(tracker);
        let Some(mut store) = self.store.take() else { return false };
        let (registry, tracker, last) = (self.registry.clone(), tracker.clone(), self.last.take());
        let committed = self.committed.clone();
        let written = spawn_blocking(move || {
            // Before the rest: what is forgotten by now is in none of it.
            let forgotten = registry.forgotten();
            let marks = tracker.marks();
            let checkpoint = registry.checkpoint(&marks);
            let result = match &last {
                Some(last) if *last == checkpoint && store.is_there() => Ok(()),
                _ => store.commit(&checkpoint),
            };
            let last = if result.is_ok() {
                registry.is_written_without(&forgotten);
                committed.set(&marks, forgotten);
                Some(checkpoint)
            } else {
                last
            };
            (store, last, result)
        });
        let Ok((store, last, result)) = written.await else {
            // It panicked, or the runtime is going down: there is nothing to write with any more.
            return false;
        };
        (self.store, self.last) = (Some(store), last);
        match result {
            Ok(()) => {
                self.written = Some(version);
                if condition.clear(SUBJECT) {
                    tracing::info!("checkpoints can be written again");
                }
                true
            }
            Err(error) => {
                if condition.trouble(SUBJECT, "checkpoint", &error) {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the checkpoint cannot be written; events go on, and come again after a crash; it is tried again"
                    );
                }
                false
            }
        }
    }
}
