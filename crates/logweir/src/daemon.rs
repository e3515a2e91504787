//! Runs the pipelines of the configuration, and those of the next one once SIGHUP asks for it.
//!
//! The next ones are built while the others run: all files are read, all sinks opened, a new address bound. If any of
//! that fails, the reload is refused and nothing has changed. Only then the sources of the old ones stop; they drain,
//! their last positions are committed, and from those the new ones go on.

use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;

use logweir_pipeline::{AdminConfig, Board, Pipeline, PipelineConfig, check_reload};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::admin::Admin;
use crate::notify::{Notice, Notifier};
use crate::run::log_notes;
use crate::signals::Hangups;

/// The most lines that are kept of why a reload was refused.
const MAX_LINES: usize = 10;

/// What runs pipelines until they end or are told to.
pub(crate) struct Daemon<'a> {
    /// The pipeline files, as the command line names them.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) board: Arc<Board>,
    pub(crate) workers: &'a Handle,
    /// Cancelled when the process is to end.
    pub(crate) stop: &'a CancellationToken,
    pub(crate) hangups: Hangups,
    pub(crate) admin: Option<Admin>,
    pub(crate) notifier: &'a Notifier,
}

/// A configuration that is ready to take over.
struct Next {
    pipelines: Vec<Pipeline>,
    admin: NextAdmin,
}

/// What becomes of the admin endpoint.
enum NextAdmin {
    /// Where it is, with what is said of it now.
    Stays(AdminConfig),
    Becomes(Option<Admin>),
}

impl Daemon<'_> {
    /// Runs pipelines, and those of each configuration that takes over, until the last ones have ended.
    pub(crate) async fn run(mut self, pipelines: Vec<Pipeline>) {
        self.run_all(pipelines).await;
        if let Some(admin) = self.admin {
            admin.finish().await;
        }
    }

    async fn run_all(&mut self, mut pipelines: Vec<Pipeline>) {
        loop {
            let (board, stop) = (self.board.clone(), self.stop.child_token());
            let mut running = pin!(logweir_pipeline::run(pipelines, &board, self.workers, &stop));
            self.notifier.tell(Notice::Ready);
            let Some(next) = self.next(running.as_mut()).await else { return };
            tracing::info!("the new configuration takes over; what the old one has read is delivered first");
            stop.cancel();
            running.await;
            if self.stop.is_cancelled() {
                return;
            }
            self.board.reload_applied();
            match (next.admin, &self.admin) {
                (NextAdmin::Becomes(admin), _) => {
                    if admin.is_none() && self.admin.is_some() {
                        tracing::warn!(
                            "the admin endpoint closes, as the new configuration has none: nobody can watch from now on"
                        );
                    }
                    self.admin = admin;
                }
                (NextAdmin::Stays(config), Some(admin)) => admin.renew(config),
                (NextAdmin::Stays(_), None) => {}
            }
            pipelines = next.pipelines;
        }
    }

    /// Waits for a configuration that can take over; returns `None` if the pipelines have ended before.
    async fn next(&mut self, mut running: Pin<&mut impl Future<Output = ()>>) -> Option<Next> {
        loop {
            let prepared = tokio::select! {
                // So that what runs is on the board before anything is prepared.
                biased;
                // Cancel safe: it is only borrowed.
                () = &mut running => return None,
                // Cancel safe, as nothing is waited for after it.
                prepared = self.prepare() => prepared,
            };
            match prepared {
                Ok(next) => return Some(next),
                Err(why) => {
                    self.board.reload_refused(&why);
                    tracing::error!(why, "the reload is refused, and the running configuration stays");
                    self.notifier.tell(Notice::Ready);
                }
            }
        }
    }

    /// Waits until a new configuration is asked for and builds it, or says why that cannot be.
    async fn prepare(&mut self) -> Result<Next, String> {
        self.hangups.next().await;
        // What has just taken over may be about to open its sources, and the next must not take them from it.
        self.board.opened().await;
        tracing::info!("the configuration is read anew");
        self.notifier.tell(Notice::Reloading);
        let (files, board) = (self.files.clone(), self.board.clone());
        let opened = spawn_blocking(move || open(&files, &board)).await;
        let (configs, pipelines) = opened.map_err(|error| format!("an error of ours: {error}"))??;
        let admin = match configs.into_iter().find_map(|config| config.admin) {
            None => NextAdmin::Becomes(None),
            Some(config) if self.admin.as_ref().is_some_and(|admin| admin.listen() == config.listen) => {
                NextAdmin::Stays(config)
            }
            Some(config) => {
                let started = Admin::start(config, self.board.clone()).await;
                NextAdmin::Becomes(Some(started.map_err(|error| format!("{error:#}"))?))
            }
        };
        Ok(Next { pipelines, admin })
    }
}

/// Reads the files and opens their pipelines beside those that run. It blocks.
fn open(files: &[PathBuf], board: &Board) -> Result<(Vec<PipelineConfig>, Vec<Pipeline>), String> {
    let loaded = logweir_pipeline::load(files).map_err(|problems| {
        let text = problems.to_string();
        text.lines().take(MAX_LINES).collect::<Vec<_>>().join("\n")
    })?;
    log_notes(&loaded);
    let configs = loaded.pipelines;
    check_reload(board, &configs).map_err(|error| error.to_string())?;
    let pipelines =
        Pipeline::open_all(&configs, board).map_err(|error| format!("{:#}", anyhow::Error::new(error)))?;
    Ok((configs, pipelines))
}
