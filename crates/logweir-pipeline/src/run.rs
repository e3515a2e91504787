//! Runs pipelines side by side.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use logweir_event::FileId;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::build::Pipeline;
use crate::generation::Surroundings;
use crate::ledger::Accounts;
use crate::status::Failure;
use crate::supervise::supervise;

/// What a pipeline's run came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// The pipeline's name.
    pub name: String,
    /// The books at the end.
    pub accounts: Accounts,
    /// How long it ran.
    pub elapsed: Duration,
    /// What went wrong in components, and was not mended.
    pub failures: Vec<Failure>,
    /// Whether it ended because the reader of its standard output went away, which is no error.
    pub reader_left: bool,
}

impl Outcome {
    /// Returns whether all that was read is accounted for and nothing failed, save what a reader that left did not
    /// take. Events that are returned are safe: they are read again.
    pub fn is_success(&self) -> bool {
        self.failures.is_empty()
            && self.accounts.is_balanced()
            && (self.reader_left || self.accounts.failed() == 0)
    }
}

/// Runs pipelines until their sources end, or until `stop` is cancelled and what was read is delivered, or a pipeline's
/// deadline is over; what they come to is on the board.
///
/// Sources and sinks run on the calling runtime, lanes on `workers`, so that decoding never delays IO. A component that
/// fails stops its own pipeline's source; what was read still goes through, and the other pipelines go on. A failure
/// that reading again mends has the pipeline opened again.
///
/// It returns within about a second after the last deadline, or five if a checkpoint cannot be written; a thread that is
/// stuck in a call to the system is left behind.
///
/// # Cancel safety
///
/// Dropping the future ends all tasks at their next await; what is in flight is not delivered.
pub async fn run(pipelines: Vec<Pipeline>, board: &Arc<Board>, workers: &Handle, stop: &CancellationToken) {
    board.put_up(&pipelines);
    let outputs = pipelines.iter().flat_map(Pipeline::outputs).map(|(_, file)| file);
    let outputs: Arc<HashSet<FileId>> = Arc::new(outputs.collect());
    let supervised = pipelines.into_iter().map(|pipeline| {
        let around = Surroundings { board, workers, stop, outputs: &outputs };
        supervise(pipeline, around)
    });
    join_all(supervised).await;
}
