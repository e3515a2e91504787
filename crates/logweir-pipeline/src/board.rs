//! What is known of all pipelines of the process, present and past.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::SystemTime;

use logweir_sources::{CheckpointError, StateDir};
use tokio::sync::Notify;

use crate::build::Pipeline;
use crate::outline::Outline;
use crate::status::Status;
use crate::tap::TapStats;

/// All pipelines of the process: those that run, and those that a reload has taken away, with their last numbers.
pub struct Board {
    /// When it was made, which the process does first of all.
    pub(crate) started: SystemTime,
    state: Mutex<State>,
    /// Notified when pipelines have been put up, or one of them has come to run.
    changed: Notify,
    /// Who watches events.
    pub(crate) taps: Arc<TapStats>,
}

#[derive(Default)]
struct State {
    /// In the order in which they came up.
    statuses: Vec<Arc<Status>>,
    reloads: Reloads,
    /// The state directories that are open, by their canonical paths: each is locked once for the whole process.
    dirs: HashMap<PathBuf, Weak<StateDir>>,
}

/// How reloads of the configuration went.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reloads {
    /// How many took effect.
    pub n_applied: u64,
    /// How many were refused.
    pub n_refused: u64,
    /// Why the last one was refused; `None` if it took effect, or there was none.
    pub refused: Option<String>,
}

/// Whether the process does its work.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Readiness {
    /// Whether all pipelines run, no component of theirs has failed, and nothing holds one up.
    pub is_ready: bool,
    /// What is to be known of it, a line each; every line ends in a line feed.
    pub text: String,
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}

impl Board {
    /// Returns one without pipelines.
    pub fn new() -> Self {
        Self {
            started: SystemTime::now(),
            state: Mutex::default(),
            changed: Notify::new(),
            taps: Arc::default(),
        }
    }

    /// Returns the pipelines, those that have gone included.
    pub fn statuses(&self) -> Vec<Arc<Status>> {
        self.lock().statuses.clone()
    }

    /// Returns how reloads went.
    pub fn reloads(&self) -> Reloads {
        self.lock().reloads.clone()
    }

    /// Counts a reload that has taken effect.
    pub fn reload_applied(&self) {
        let mut state = self.lock();
        state.reloads.n_applied += 1;
        state.reloads.refused = None;
    }

    /// Counts a reload that was refused, and keeps why.
    pub fn reload_refused(&self, why: &str) {
        let mut state = self.lock();
        state.reloads.n_refused += 1;
        state.reloads.refused = Some(why.to_owned());
    }

    /// Returns whether the process does its work. A reload that was refused does not change that, and is told.
    pub fn readiness(&self) -> Readiness {
        let State { statuses, reloads, .. } = &*self.lock();
        let mut text = String::new();
        for status in statuses.iter().filter(|status| !status.is_gone()) {
            text.extend(status.obstacles().iter().map(|line| format!("{}: {line}\n", status.name)));
        }
        let is_ready = text.is_empty() && !statuses.is_empty();
        if text.is_empty() {
            text.push_str(if is_ready { "ready\n" } else { "nothing runs yet\n" });
        }
        if let Some(why) = &reloads.refused {
            text.extend(["configuration: the last reload was refused: ", why.as_str(), "\n"]);
        }
        Readiness { is_ready, text }
    }

    /// Waits until every pipeline that has not ended runs.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only looks.
    pub async fn running(&self) {
        loop {
            let changed = self.changed.notified();
            let statuses = self.statuses();
            if !statuses.is_empty() && statuses.iter().all(|status| !status.is_starting()) {
                return;
            }
            changed.await;
        }
    }

    /// Waits until no pipeline is about to open its source for the first time: each runs, has failed to, or has ended.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: it only looks.
    pub async fn opened(&self) {
        loop {
            let changed = self.changed.notified();
            if !self.statuses().iter().any(|status| status.is_opening()) {
                return;
            }
            changed.await;
        }
    }

    /// Returns the status of a pipeline: the one there is, or one that is not on the board yet.
    pub(crate) fn status(&self, name: &str, is_replayable: bool) -> Arc<Status> {
        let known = self.lock().statuses.iter().find(|status| status.name == name).cloned();
        known.unwrap_or_else(|| Arc::new(Status::new(name.to_owned(), is_replayable)))
    }

    /// Puts up the pipelines that are to run now; all others are gone.
    pub(crate) fn put_up(&self, pipelines: &[Pipeline]) {
        let mut state = self.lock();
        for status in &state.statuses {
            if !pipelines.iter().any(|pipeline| pipeline.status.name == status.name) {
                status.go();
            }
        }
        for pipeline in pipelines {
            pipeline.status.expect_run(Outline::of(&pipeline.config));
            if !state.statuses.iter().any(|status| status.name == pipeline.status.name) {
                state.statuses.push(pipeline.status.clone());
            }
        }
    }

    /// Says that a pipeline runs, or has given up to.
    pub(crate) fn tell(&self) {
        self.changed.notify_waiters();
    }

    /// Returns a state directory, locked for this process.
    pub(crate) fn state_dir(&self, path: &Path) -> Result<Arc<StateDir>, CheckpointError> {
        let mut state = self.lock();
        let known = path.canonicalize().ok().and_then(|path| state.dirs.get(&path)?.upgrade());
        if let Some(dir) = known {
            return Ok(dir);
        }
        let dir = StateDir::open(path)?;
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        state.dirs.insert(path, Arc::downgrade(&dir));
        Ok(dir)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after each change, even if somebody panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
