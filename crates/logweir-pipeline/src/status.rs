//! What can be seen of a pipeline from outside.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use logweir_sinks::DeadLetterStats;
use logweir_sources::{AckTracker, BufferPool, Progress};

use crate::channel::ChannelStats;
use crate::ledger::Ledger;

/// A pipeline as the admin endpoint, the progress bar and the summary see it.
pub struct Status {
    /// The pipeline's name.
    pub name: String,
    /// Its books.
    pub ledger: Arc<Ledger>,
    /// How far its source has come.
    pub progress: Arc<Progress>,
    /// The bytes of its chunks.
    pub pool: BufferPool,
    /// Its acks.
    pub tracker: AckTracker,
    /// Its channels.
    pub channels: Vec<Arc<ChannelStats>>,
    /// Its dead-letter file, where it has one.
    pub dead_letters: Option<DeadLetterStats>,
    /// Whether it is running: its components are started and none has ended the pipeline.
    pub(crate) running: AtomicBool,
    pub(crate) failures: Mutex<Vec<Failure>>,
}

/// Something that went wrong in a component, not in the data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Which component: `source.file`, `sink.stdout`, `outputs.NAME.sink.file`, `dead_letter`, `lane`.
    pub component: String,
    /// What kind of failure, one of few words.
    pub kind: &'static str,
    /// What happened, with its causes.
    pub message: String,
}

impl Status {
    /// Returns whether its components run and none has failed.
    pub fn is_ready(&self) -> bool {
        self.running.load(Ordering::Relaxed) && self.failures().is_empty()
    }

    /// Returns what has gone wrong so far.
    pub fn failures(&self) -> Vec<Failure> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how often each component has failed in each way.
    pub(crate) fn failure_counts(&self) -> BTreeMap<(String, &'static str), u64> {
        let mut counts = BTreeMap::new();
        for failure in self.failures() {
            *counts.entry((failure.component, failure.kind)).or_default() += 1;
        }
        counts
    }

    /// Logs and keeps a failure.
    pub(crate) fn fail(&self, component: &str, kind: &'static str, error: &dyn Error) {
        let message = with_causes(error);
        tracing::error!(pipeline = self.name, component, kind, error = message, "a component failed");
        let failure = Failure { component: component.to_owned(), kind, message };
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
    }
}

/// Returns an error's text followed by those of its causes.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
