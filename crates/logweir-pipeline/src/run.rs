//! Runs pipelines: the only place that starts their tasks.

use std::any::Any;
use std::collections::HashSet;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use futures::future::join_all;
use logweir_event::{Condition, FileId};
use logweir_sinks::{SinkContext, SinkError};
use logweir_sources::{ChunkSender, SourceContext, SourceError};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::build::{OpenSource, Pipeline};
use crate::channel::CountedSender;
use crate::ledger::Accounts;
use crate::status::{Failure, Status};

/// What a pipeline's run came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// The pipeline's name.
    pub name: String,
    /// The books at the end.
    pub accounts: Accounts,
    /// How long it ran.
    pub elapsed: Duration,
    /// What went wrong in components.
    pub failures: Vec<Failure>,
    /// Whether it ended because the reader of its standard output went away, which is no error.
    pub reader_left: bool,
}

impl Outcome {
    /// Returns whether all that was read is accounted for and nothing failed, save what a reader that left did not
    /// take.
    pub fn is_success(&self) -> bool {
        self.failures.is_empty()
            && self.accounts.is_balanced()
            && (self.reader_left || self.accounts.failed() == 0)
    }
}

/// Runs pipelines until their sources end or `stop` is cancelled and what was read has drained.
///
/// Sources and sinks run on the calling runtime, lanes on `workers`, so that decoding never delays IO. A component
/// that fails stops its own pipeline's source; what was read still goes through, and the other pipelines go on.
///
/// # Cancel safety
///
/// Dropping the future ends all tasks at their next await; what is in flight is not delivered.
pub async fn run(pipelines: Vec<Pipeline>, workers: &Handle, stop: &CancellationToken) -> Vec<Outcome> {
    let outputs = pipelines.iter().flat_map(Pipeline::outputs).map(|(_, file)| file);
    let outputs: Arc<HashSet<FileId>> = Arc::new(outputs.collect());
    join_all(pipelines.into_iter().map(|pipeline| pipeline.run(workers, stop.child_token(), &outputs))).await
}

/// How a component's task ended.
enum Ended {
    Well,
    /// The reader of standard output has gone.
    ReaderLeft,
    Failed {
        component: String,
        kind: &'static str,
        error: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Pipeline {
    async fn run(self, workers: &Handle, stop: CancellationToken, outputs: &Arc<HashSet<FileId>>) -> Outcome {
        let started = Instant::now();
        let status = self.status();
        status.running.store(true, Ordering::Relaxed);
        let abandoned = Arc::new(AtomicBool::new(false));
        let abandon = || {
            abandoned.store(true, Ordering::Relaxed);
            stop.cancel();
        };
        let mut tasks = self.start(workers, &stop, &abandoned, outputs);
        let mut reader_left = false;
        while let Some(joined) = tasks.join_next().await {
            match joined.expect("tasks catch their panics and nobody aborts them") {
                Ended::Well => {}
                Ended::ReaderLeft => {
                    reader_left = true;
                    abandon();
                }
                Ended::Failed { component, kind, error } => {
                    status.fail(&component, kind, &*error);
                    abandon();
                }
            }
        }
        status.running.store(false, Ordering::Relaxed);
        Outcome {
            name: status.name.clone(),
            accounts: status.ledger.accounts(),
            elapsed: started.elapsed(),
            failures: status.failures(),
            reader_left,
        }
    }

    fn start(
        self,
        workers: &Handle,
        stop: &CancellationToken,
        abandoned: &Arc<AtomicBool>,
        outputs: &Arc<HashSet<FileId>>,
    ) -> JoinSet<Ended> {
        let Self { source, chunk_limits, chunks, lanes, sinks, dead_letters, status } = self;
        let mut tasks = JoinSet::new();
        for sink in sinks {
            let running = sink.sink.run(SinkContext {
                payloads: sink.payloads,
                abort: CancellationToken::new(),
                condition: Condition::new(),
            });
            tasks.spawn(guarded(
                sink.component.clone(),
                async move { sink_ended(sink.component, running.await) },
            ));
        }
        if let Some((sink, payloads)) = dead_letters {
            let running =
                sink.run(SinkContext { payloads, abort: stop.clone(), condition: Condition::new() });
            let ended = async move { sink_ended("dead_letter".to_owned(), running.await) };
            tasks.spawn(guarded("dead_letter".to_owned(), ended));
        }
        for (lane, chunks) in lanes {
            let ended = lane.run(chunks).map(|()| Ended::Well);
            tasks.spawn_on(guarded("lane".to_owned(), ended), workers);
        }
        let OpenSource { component, source } = source;
        let (chunks, mut waited): (Vec<_>, Vec<_>) =
            chunks.into_iter().map(CountedSender::into_parts).unzip();
        // All lanes share one count.
        let waited = waited.pop().unwrap_or_default();
        let context = SourceContext {
            chunks: ChunkSender::new(chunks, status.tracker.clone(), waited),
            stop: stop.clone(),
            limits: chunk_limits,
            outputs: outputs.clone(),
            abandoned: abandoned.clone(),
            report: reporter(component, &status),
            progress: status.progress.clone(),
            pool: status.pool.clone(),
            condition: Condition::new(),
        };
        let running = source.run(context);
        tasks.spawn(guarded(component.to_owned(), async move { source_ended(component, running.await) }));
        tasks
    }
}

/// Returns what a source tells of files it cannot read while it goes on with others.
fn reporter(component: &'static str, status: &Arc<Status>) -> Arc<dyn Fn(&SourceError) + Send + Sync> {
    let status = status.clone();
    Arc::new(move |error| status.fail(component, error.kind(), error))
}

fn source_ended(component: &str, result: Result<(), SourceError>) -> Ended {
    match result {
        // Each of them has been reported when it happened.
        Ok(()) | Err(SourceError::SomeFailed { .. }) => Ended::Well,
        Err(error) => {
            Ended::Failed { component: component.to_owned(), kind: error.kind(), error: Box::new(error) }
        }
    }
}

fn sink_ended(component: String, result: Result<(), SinkError>) -> Ended {
    match result {
        Ok(()) => Ended::Well,
        Err(SinkError::Closed) => Ended::ReaderLeft,
        Err(error) => Ended::Failed { component, kind: error.kind(), error: Box::new(error) },
    }
}

/// Turns a panic, which would be an error of ours, into a failure that names the component.
async fn guarded(component: String, task: impl Future<Output = Ended>) -> Ended {
    AssertUnwindSafe(task).catch_unwind().await.unwrap_or_else(|panic| {
        let error = panic_text(&*panic).into();
        Ended::Failed { component, kind: "panic", error }
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("no message"))
}
