//! Runs a pipeline once, from its start to its end.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt as _;
use logweir_event::{FileId, Positions, with_causes};
use logweir_sinks::SinkContext;
use logweir_sources::{Checkpointer, ChunkLimits, ChunkSender, Source, SourceContext};
use tokio::runtime::Handle;
use tokio::select;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::blocking::on_thread;
use crate::board::Board;
use crate::build::{Keeper, OpenSource, Pipeline, open_source, source_component};
use crate::channel::CountedSender;
use crate::ended::{Ended, Failed, guarded, reporter, sink_ended, source_ended};
use crate::live::Live;
use crate::parts::{CHECKPOINT, DEAD_LETTER, Parts};
use crate::patience::Patience;
use crate::status::Status;

/// How long the last checkpoint may take. Without it nothing is lost, and what it would have covered comes twice.
const CHECKPOINT_GRACE: Duration = Duration::from_secs(5);

/// What a generation runs in.
pub(crate) struct Surroundings<'a> {
    pub(crate) board: &'a Arc<Board>,
    /// Where lanes run.
    pub(crate) workers: &'a Handle,
    /// Cancelled when the pipeline is to stop.
    pub(crate) stop: &'a CancellationToken,
    /// What the process writes.
    pub(crate) outputs: &'a Arc<HashSet<FileId>>,
}

/// How a generation has ended.
pub(crate) enum End {
    /// For good.
    Over,
    /// By a failure of this kind, which mends if the pipeline is opened again and reads again what was not delivered.
    Mendable(&'static str),
}

impl Pipeline {
    /// Runs it until its source ends, or it is to stop or fails, and what has been read is delivered, or given up.
    pub(crate) async fn run_once(mut self, around: &Surroundings<'_>) -> End {
        let status = self.status.clone();
        let abort = CancellationToken::new();
        let parts = Parts::new(&self, &abort);
        let live = parts.live.clone();
        status.begin(live.clone());
        let source = match self.open_late(around.board).await {
            Ok(source) => source,
            Err(failed) => {
                status.fail(&failed.component, failed.kind, &*failed.error);
                return End::Mendable(failed.kind);
            }
        };
        let deadline = self.config.deadline;
        let mut generation = Generation {
            stop: around.stop.child_token(),
            abandoned: Arc::new(AtomicBool::new(false)),
            hold: abort.child_token(),
            abort,
            live,
            status: status.clone(),
            mendable: None,
            n_fatal: 0,
        };
        let OpenSource { source, keeper } = source;
        let positions = keeper.positions(&generation.live.tracker);
        let done = CancellationToken::new();
        let mut keeping = JoinSet::new();
        generation.keep(keeper, &done, &mut keeping);
        let mut tasks = self.start(parts, source, &positions, &generation, around);
        status.run();
        around.board.tell();
        generation.attend(&mut tasks, deadline).await;
        done.cancel();
        generation.last_checkpoint(&mut keeping).await;
        generation.tell_what_is_left();
        generation.end()
    }

    /// Opens the source if that could not be done before, because another generation still kept its positions.
    async fn open_late(&mut self, board: &Arc<Board>) -> Result<OpenSource, Failed> {
        if let Some(source) = self.source.take() {
            return Ok(source);
        }
        let failed = |component: String, error| Failed { component, kind: "open", is_mendable: true, error };
        let (config, board) = (self.config.clone(), board.clone());
        match on_thread(move || open_source(&config, &board)).await {
            Ok(Some(source)) => Ok(source),
            Ok(None) => {
                let error = "a former run of the pipeline has not ended yet, and still keeps its positions";
                Err(failed(CHECKPOINT.to_owned(), error.into()))
            }
            Err(error) => Err(failed(error.component, error.source)),
        }
    }

    fn start(
        self,
        parts: Parts,
        source: Box<dyn Source>,
        positions: &Arc<dyn Positions>,
        generation: &Generation,
        around: &Surroundings<'_>,
    ) -> JoinSet<Ended> {
        let Parts { chunks, lanes, payloads, dead_letters, live } = parts;
        let context = |payloads, component: &str, abort: &CancellationToken| SinkContext {
            payloads,
            abort: abort.clone(),
            condition: live.condition(component),
            positions: positions.clone(),
        };
        let mut tasks = JoinSet::new();
        for (sink, payloads) in self.sinks.into_iter().zip(payloads) {
            let running = sink.sink.run(context(payloads, &sink.component, &generation.abort));
            let component = sink.component.clone();
            tasks.spawn(guarded(component, async move { sink_ended(sink.component, running.await) }));
        }
        if let (Some(sink), Some(payloads)) = (self.dead_letters, dead_letters) {
            let running = sink.run(context(payloads, DEAD_LETTER, &generation.hold));
            let ended = async move { sink_ended(DEAD_LETTER.to_owned(), running.await) };
            tasks.spawn(guarded(DEAD_LETTER.to_owned(), ended));
        }
        for (lane, chunks) in lanes {
            let ended = lane.run(chunks).map(|()| Ended::Well);
            tasks.spawn_on(guarded("lane".to_owned(), ended), around.workers);
        }
        let component = source_component(&self.config.source);
        let (chunks, mut waited): (Vec<_>, Vec<_>) =
            chunks.into_iter().map(CountedSender::into_parts).unzip();
        // All lanes share one count.
        let waited = waited.pop().unwrap_or_default();
        let limits = self.config.limits;
        let running = source.run(SourceContext {
            chunks: ChunkSender::new(chunks, live.tracker.clone(), waited),
            stop: generation.stop.clone(),
            limits: ChunkLimits { max_event_bytes: limits.max_event_bytes, chunk_bytes: limits.chunk_bytes },
            outputs: around.outputs.clone(),
            abandoned: generation.abandoned.clone(),
            report: reporter(component, &generation.status),
            condition: live.condition(component),
            progress: live.progress.clone(),
            pool: live.pool.clone(),
        });
        tasks.spawn(guarded(component.to_owned(), async move { source_ended(component, running.await) }));
        tasks
    }
}

/// A generation that runs.
struct Generation {
    /// Cancelled when it is to stop: with the pipeline, or because a component has failed.
    stop: CancellationToken,
    /// Set before `stop` is cancelled if it is because of a failure.
    abandoned: Arc<AtomicBool>,
    /// Cancelled when there is no time left.
    abort: CancellationToken,
    /// Cancelled a moment before that: a dead-letter file that holds lets go then, so that events behind a line that it
    /// could not keep still come through.
    hold: CancellationToken,
    live: Arc<Live>,
    status: Arc<Status>,
    /// The kind of the first failure that to open the pipeline again mends.
    mendable: Option<&'static str>,
    /// Failures that nothing mends.
    n_fatal: usize,
}

impl Generation {
    /// Waits until all tasks have ended, for as long as they may take.
    async fn attend(&mut self, tasks: &mut JoinSet<Ended>, deadline: Duration) {
        let patience = Patience {
            stop: self.stop.clone(),
            hold: self.hold.clone(),
            abort: self.abort.clone(),
            status: self.status.clone(),
            live: self.live.clone(),
        };
        let patience = patience.run_out(deadline);
        let is_stuck = select! {
            () = self.join(tasks) => false,
            // Cancel safe, as nothing is waited for after it.
            () = patience => true,
        };
        if is_stuck {
            tracing::error!(
                pipeline = self.status.name,
                n_tasks = tasks.len(),
                "what does not end, stuck in the system, is left behind"
            );
            self.status.leave_behind();
            tasks.abort_all();
        }
    }

    async fn join(&mut self, tasks: &mut JoinSet<Ended>) {
        while let Some(joined) = tasks.join_next().await {
            match joined.expect("tasks catch their panics, and are aborted only after this") {
                Ended::Well => {}
                Ended::ReaderLeft => {
                    self.status.reader_left();
                    self.abandon();
                }
                Ended::Failed(failed) => {
                    self.fail(&failed);
                    self.abandon();
                }
            }
        }
    }

    /// Stops the source for a reason of ours.
    fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
        self.stop.cancel();
    }

    fn fail(&mut self, failed: &Failed) {
        let Failed { component, kind, is_mendable, error } = failed;
        let is_replayable = self.status.ledger.is_replayable();
        if is_replayable && self.hold.is_cancelled() {
            // It gave up because it had to, and what it did not take is read again.
            let error = with_causes(&**error);
            tracing::warn!(pipeline = self.status.name, component, kind, error, "a component has given up");
            return;
        }
        self.status.fail(component, kind, &**error);
        if is_replayable && *is_mendable {
            self.mendable = self.mendable.or(Some(kind));
        } else {
            self.n_fatal += 1;
        }
    }

    /// Starts what keeps the positions, or what is kept with them, until `done` is cancelled.
    fn keep(&self, keeper: Keeper, done: &CancellationToken, keeping: &mut JoinSet<()>) {
        let done = done.clone();
        match keeper {
            Keeper::Follow(checkpointer, stats) => {
                // It is set once a generation, here.
                let _ = self.live.follow.set(stats);
                keeping.spawn(self.commit(*checkpointer, done));
            }
            Keeper::Once { .. } => {
                keeping.spawn(async move {
                    done.cancelled().await;
                    drop(keeper);
                });
            }
        }
    }

    /// Returns the task that commits positions until `done` is cancelled.
    fn commit(
        &self,
        checkpointer: Checkpointer,
        done: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        let (tracker, condition) = (self.live.tracker.clone(), self.live.condition(CHECKPOINT));
        let status = self.status.clone();
        async move {
            if !checkpointer.run(tracker, condition, done).await {
                tracing::error!(
                    pipeline = status.name,
                    "the last checkpoint could not be written; what was delivered since the one before comes again"
                );
            }
        }
    }

    /// Waits until the last checkpoint is written, but not for ever.
    async fn last_checkpoint(&self, keeping: &mut JoinSet<()>) {
        let ended = timeout(CHECKPOINT_GRACE, async { while keeping.join_next().await.is_some() {} });
        if ended.await.is_err() {
            tracing::error!(
                pipeline = self.status.name,
                "the last checkpoint is not written in time; what was delivered since the one before comes again"
            );
        }
    }

    /// Logs what was not delivered in the end.
    fn tell_what_is_left(&self) {
        let accounts = self.status.ledger.accounts();
        if self.abort.is_cancelled() {
            let (failed, returned, in_flight) =
                (accounts.failed(), accounts.returned(), accounts.in_flight());
            tracing::warn!(
                pipeline = self.status.name,
                failed,
                returned,
                in_flight,
                "the deadline was over before all was delivered; what is returned is read again"
            );
        }
    }

    fn end(&self) -> End {
        match self.mendable {
            Some(kind) if self.n_fatal == 0 => End::Mendable(kind),
            _ => End::Over,
        }
    }
}
