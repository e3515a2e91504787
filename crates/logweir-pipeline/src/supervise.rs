//! Starts a pipeline again that failed in a way that this mends.
//!
//! A sync that fails says that the disk may have lost what was written since the last good one, and to sync again proves
//! nothing. But none of it was acked: so the pipeline ends, and opens again from the committed positions. That takes a
//! source that gives again what was not delivered.

use std::time::{Duration, Instant};

use tokio::select;
use tokio::time::sleep;

use crate::blocking::on_thread;
use crate::build::Pipeline;
use crate::config::PipelineConfig;
use crate::generation::{End, Surroundings};
use crate::status::Status;

/// The first pause before a pipeline is started again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A pipeline that has run this long has mended: what fails then is something new.
const MENDED_AFTER: Duration = Duration::from_secs(60);

/// Runs a pipeline until it ends for good, starting it again as often as that may help.
pub(crate) async fn supervise(mut pipeline: Pipeline, around: Surroundings<'_>) {
    let (status, config) = (pipeline.status.clone(), pipeline.config.clone());
    let mut pause = FIRST_PAUSE;
    loop {
        let since = Instant::now();
        let End::Mendable(kind) = pipeline.run_once(&around).await else { break };
        if since.elapsed() >= MENDED_AFTER {
            pause = FIRST_PAUSE;
        }
        status.wait();
        around.board.tell();
        let Some(opened) = open_again(&config, kind, &mut pause, &status, &around).await else { break };
        pipeline = opened;
    }
    status.end();
    around.board.tell();
}

/// Opens a pipeline again, waiting before each attempt; returns `None` if it is to stop.
async fn open_again(
    config: &PipelineConfig,
    kind: &'static str,
    pause: &mut Duration,
    status: &Status,
    around: &Surroundings<'_>,
) -> Option<Pipeline> {
    loop {
        tracing::warn!(
            pipeline = config.name,
            ?pause,
            "the pipeline is started again, from its last positions"
        );
        select! {
            // Cancel safe: a cancelled token stays cancelled. Looked at first, so that no new start can win.
            biased;
            () = around.stop.cancelled() => return None,
            // Cancel safe: only time is lost.
            () = sleep(*pause) => {}
        }
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        status.count_restart(kind);
        let (config, board) = (config.clone(), around.board.clone());
        match on_thread(move || Pipeline::open(config, &board)).await {
            Ok(pipeline) => return Some(pipeline),
            Err(error) => status.fail(&error.component, "open", &error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, sync_channel};

    use futures::FutureExt as _;
    use futures::future::BoxFuture;
    use logweir_event::FileId;
    use logweir_sinks::{Sink, SinkContext, SinkError};
    use tempfile::TempDir;
    use tokio::runtime::Handle;
    use tokio::time::{interval, timeout};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::board::Board;
    use crate::config::{ConfigFile, load_texts};
    use crate::run::{Outcome, run};

    const N_EVENTS: u64 = 5000;

    /// A sink that takes a few payloads, and then learns that the disk may have lost them.
    struct FailsToSync;

    impl Sink for FailsToSync {
        fn writes_to(&self) -> Option<FileId> {
            None
        }

        fn run(self: Box<Self>, mut context: SinkContext) -> BoxFuture<'static, Result<(), SinkError>> {
            async move {
                let mut taken = Vec::new();
                while let Some(payload) = context.payloads.recv().await {
                    taken.push(payload.into_pending());
                    if taken.len() == 3 {
                        let (path, source) = (PathBuf::from("out"), io::Error::other("the disk is gone"));
                        return Err(SinkError::Sync { path, source });
                    }
                }
                Ok(())
            }
            .boxed()
        }
    }

    /// A sink that is stuck with its first payload, whatever it is told, until there is word for it.
    struct IsStuck(Receiver<()>);

    impl Sink for IsStuck {
        fn writes_to(&self) -> Option<FileId> {
            None
        }

        fn run(self: Box<Self>, mut context: SinkContext) -> BoxFuture<'static, Result<(), SinkError>> {
            async move {
                on_thread(move || {
                    let _stuck = (context.payloads.blocking_recv(), self.0.recv());
                })
                .await;
                Ok(())
            }
            .boxed()
        }
    }

    /// Opens a pipeline that reads some thousand events, and whose first sink is to fail; the next one is not.
    fn open(dir: &TempDir, board: &Board, reading: &str) -> Pipeline {
        std::fs::write(dir.path().join("in"), "{}\n".repeat(N_EVENTS as usize)).unwrap();
        let text = format!(
            "source: {{file: {{include: [{dir}/in], {reading}}}}}\nsink: {{\"null\": {{}}}}\n\
             limits: {{chunk_bytes: 1 KiB, decoders: 2}}\nshutdown: {{deadline: 50 ms}}\n",
            dir = dir.path().display()
        );
        let state_dir = format!("state_dir: {}/state\n", dir.path().display());
        let text = if reading.contains("once") { text } else { text + &state_dir };
        let file = ConfigFile { path: PathBuf::from("p.yaml"), text };
        let config = load_texts(vec![file], &|_| None).unwrap().pipelines.remove(0);
        let mut pipeline = Pipeline::open(config, board).unwrap();
        pipeline.sinks[0].sink = Box::new(FailsToSync);
        pipeline
    }

    fn outcome(board: &Board) -> Outcome {
        board.statuses()[0].outcome()
    }

    #[tokio::test]
    async fn a_sync_that_failed_has_the_pipeline_read_again_what_was_not_acked() {
        let (dir, board) = (TempDir::new().unwrap(), Arc::new(Board::new()));
        let pipeline = open(&dir, &board, "read: follow");
        let stop = CancellationToken::new();
        let (workers, mut seen) = (Handle::current(), Vec::new());
        let watch = async {
            let mut looks = interval(Duration::from_millis(2));
            while outcome(&board).accounts.outputs.first().is_none_or(|output| output.written < N_EVENTS) {
                looks.tick().await;
                let readiness = board.readiness();
                if seen.last() != Some(&readiness) {
                    seen.push(readiness);
                }
                if let [output] = &outcome(&board).accounts.outputs[..] {
                    let in_flight = output.in_flight().expect("no more comes out than went in");
                    assert_eq!(output.received, output.written + output.returned + in_flight);
                }
            }
            stop.cancel();
        };
        let running = run(vec![pipeline], &board, &workers, &stop);
        timeout(Duration::from_secs(60), async { tokio::join!(running, watch) }).await.unwrap();

        let Outcome { accounts, failures, .. } = outcome(&board);
        assert!(failures.is_empty() && accounts.is_balanced(), "{failures:?} {accounts:?}");
        let output = &accounts.outputs[0];
        assert_eq!((output.written, output.failed), (N_EVENTS, 0));
        assert!(output.returned > 0 && accounts.read == N_EVENTS + output.returned, "{accounts:?}");
        assert_eq!(board.statuses()[0].restarts()["sync"], 1);
        let told =
            |text: &str| seen.iter().any(|readiness| !readiness.is_ready && readiness.text.contains(text));
        assert!(told("sink.null: cannot sync out to the disk: the disk is gone"), "{seen:?}");
        assert!(told("p: waits to be started again"), "{seen:?}");
        assert!(seen.last().unwrap().is_ready, "{seen:?}");
    }

    #[tokio::test]
    async fn what_cannot_be_read_again_is_not_started_again() {
        let (dir, board) = (TempDir::new().unwrap(), Arc::new(Board::new()));
        let pipeline = open(&dir, &board, "read: once");
        let stop = CancellationToken::new();
        let workers = Handle::current();
        let running = run(vec![pipeline], &board, &workers, &stop);
        timeout(Duration::from_secs(60), running).await.unwrap();
        let Outcome { accounts, failures, .. } = outcome(&board);
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(accounts.is_balanced() && accounts.failed() > 0 && accounts.returned() == 0, "{accounts:?}");
        assert!(board.statuses()[0].restarts().is_empty());
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait_for_a_new_start() {
        let (dir, board) = (TempDir::new().unwrap(), Arc::new(Board::new()));
        let pipeline = open(&dir, &board, "read: follow");
        // It can never be opened again.
        std::fs::write(dir.path().join("file"), "").unwrap();
        let mut pipeline = pipeline;
        pipeline.config.state_dir = Some(dir.path().join("file/state"));
        let stop = CancellationToken::new();
        let workers = Handle::current();
        let watch = async {
            let mut looks = interval(Duration::from_millis(2));
            while !board.readiness().text.contains("state_dir: pipeline `p`: state_dir cannot be opened") {
                looks.tick().await;
            }
            stop.cancel();
        };
        let running = run(vec![pipeline], &board, &workers, &stop);
        timeout(Duration::from_secs(60), async { tokio::join!(running, watch) }).await.unwrap();
        let Outcome { accounts, failures, .. } = outcome(&board);
        assert!(accounts.is_balanced() && !failures.is_empty(), "{accounts:?} {failures:?}");
        let readiness = board.readiness();
        assert!(!readiness.is_ready && readiness.text.contains("not running"), "{readiness:?}");
    }
    #[tokio::test]
    async fn what_is_stuck_is_left_behind_and_what_it_has_is_given_up() {
        let (dir, board) = (TempDir::new().unwrap(), Arc::new(Board::new()));
        let mut pipeline = open(&dir, &board, "read: follow");
        let (word, waits) = sync_channel(1);
        pipeline.sinks[0].sink = Box::new(IsStuck(waits));
        let stop = CancellationToken::new();
        let workers = Handle::current();
        let watch = async {
            let mut looks = interval(Duration::from_millis(2));
            while outcome(&board).accounts.in_flight() == 0 {
                looks.tick().await;
            }
            stop.cancel();
        };
        let running = run(vec![pipeline], &board, &workers, &stop);
        timeout(Duration::from_secs(20), async { tokio::join!(running, watch) }).await.unwrap();
        assert!(outcome(&board).accounts.in_flight() > 0, "it still has something in hand");
        let Outcome { accounts, failures, .. } = board.statuses()[0].last_outcome();
        assert!(accounts.is_balanced() && accounts.returned() == accounts.read, "{accounts:?}");
        assert!(failures.is_empty() && accounts.read > 0, "{failures:?}");
        word.send(()).unwrap();
    }
}
