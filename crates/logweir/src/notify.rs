//! Tells the service manager how the process is, as systemd wants it (`sd_notify(3)`).
//!
//! A task of its own does it, and sends from a thread made for blocking: a manager that does not read must not hold up
//! anything else. Without a manager, which is without `NOTIFY_SOCKET`, nothing is told.

use std::sync::Arc;
use std::time::Duration;

use logweir_pipeline::Board;
use sd_notify::NotifyState;
use tokio::runtime::Handle;
use tokio::select;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How often it is looked whether something else is to be told.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// More than can happen before the task comes to tell it.
const MAX_NOTICES: usize = 16;

/// The longest text that is told of how things are.
const MAX_STATUS_CHARS: usize = 200;

/// Somebody who tells the service manager. Dropping it ends that.
pub(crate) struct Notifier {
    notices: Sender<Notice>,
    /// The task that tells; it is aborted with the set.
    _task: JoinSet<()>,
}

/// What is to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Notice {
    /// Once all pipelines run: that the process is ready.
    Ready,
    /// That the configuration is read anew.
    Reloading,
    /// That the process comes to its end.
    Stopping,
}

impl Notifier {
    /// Starts to tell of what is on the board; a watchdog is told that all is well as long as `workers` works, and the
    /// runtime that this runs on.
    pub(crate) fn start(board: Arc<Board>, workers: Handle) -> Self {
        let (notices, received) = channel(MAX_NOTICES);
        let mut task = JoinSet::new();
        if std::env::var_os("NOTIFY_SOCKET").is_some() {
            let watchdog = sd_notify::watchdog_enabled();
            let telling = Telling { board, workers, probes: JoinSet::new(), watchdog, told: String::new() };
            task.spawn(telling.run(received));
        }
        Self { notices, _task: task }
    }

    /// Has something told, soon.
    pub(crate) fn tell(&self, notice: Notice) {
        // Full or closed, there is nobody who listens.
        let _ = self.notices.try_send(notice);
    }
}

struct Telling {
    board: Arc<Board>,
    workers: Handle,
    /// What has been given to the workers to do, to see whether they do it: one at most.
    probes: JoinSet<()>,
    /// How long the manager waits for a sign of life.
    watchdog: Option<Duration>,
    /// What was told last of how things are.
    told: String,
}

impl Telling {
    async fn run(mut self, mut notices: Receiver<Notice>) {
        // The manager says to tell at half of the time that it waits.
        let every = self.watchdog.map_or(LOOK_EVERY, |watchdog| (watchdog / 2).min(LOOK_EVERY));
        let mut ticks = interval(every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            select! {
                // Cancel safe: nothing is taken unless it is returned.
                notice = notices.recv() => match notice {
                    Some(Notice::Ready) => self.ready().await,
                    Some(Notice::Reloading) => self.reloading().await,
                    Some(Notice::Stopping) => send(vec![NotifyState::Stopping], None).await,
                    None => return,
                },
                // Cancel safe: a tick that is not returned comes again.
                _ = ticks.tick() => {
                    self.status().await;
                    if self.watchdog.is_some() && self.workers_work(every).await {
                        send(vec![NotifyState::Watchdog], None).await;
                    }
                }
            }
        }
    }

    async fn ready(&mut self) {
        self.board.running().await;
        self.told = status(&self.board);
        send(vec![NotifyState::Ready], Some(self.told.clone())).await;
    }

    async fn reloading(&mut self) {
        let mut states = vec![NotifyState::Reloading];
        // Newer managers refuse the one without the other.
        states.extend(NotifyState::monotonic_usec_now());
        self.told = String::from("reading the configuration anew");
        send(states, Some(self.told.clone())).await;
    }

    /// Tells how things are if that has changed.
    async fn status(&mut self) {
        let status = status(&self.board);
        if status != self.told {
            self.told.clone_from(&status);
            send(Vec::new(), Some(status)).await;
        }
    }

    /// Returns whether the workers do what they are given, within a while.
    async fn workers_work(&mut self, patience: Duration) -> bool {
        if self.probes.is_empty() {
            self.probes.spawn_on(async {}, &self.workers);
        }
        timeout(patience, self.probes.join_next()).await.is_ok()
    }
}

/// Returns how things are, on one line.
fn status(board: &Board) -> String {
    let text = board.readiness().text;
    let line = text.lines().collect::<Vec<_>>().join("; ");
    line.chars().take(MAX_STATUS_CHARS).collect()
}

/// Sends notices, together with how things are.
async fn send(states: Vec<NotifyState<'static>>, text: Option<String>) {
    let send = move || {
        let mut states = states;
        states.extend(text.as_deref().map(NotifyState::Status));
        sd_notify::notify(&states)
    };
    // A thread that cannot be had any more belongs to a process that ends.
    if let Ok(Err(error)) = spawn_blocking(send).await {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
