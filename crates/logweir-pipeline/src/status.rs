//! What can be seen of a pipeline from outside.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use logweir_event::with_causes;
use logweir_sinks::{UploadSnapshot, UploadStats};

use crate::ledger::Ledger;
use crate::live::{Counters, Live};
use crate::outline::Outline;
use crate::run::Outcome;

/// The most failures whose texts are kept; more are only counted.
const MAX_FAILURES: usize = 100;

/// A pipeline as the admin endpoint, the progress bar and the summary see it.
///
/// It lives as long as the process: through restarts of its pipeline, and through reloads, also one that takes the
/// pipeline away. Its counters never go back.
pub struct Status {
    /// The pipeline's name.
    pub name: String,
    /// Its books.
    pub ledger: Arc<Ledger>,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    /// What it is made of; `None` until it is to run.
    outline: Option<Outline>,
    /// When it began to run.
    started: Option<Instant>,
    /// When it ended; `None` while it runs.
    ended: Option<Instant>,
    /// The generation that runs, or ran last.
    live: Option<Arc<Live>>,
    /// What all generations before that one counted.
    before: Counters,
    /// What went wrong in the generation that runs or ran last.
    failures: Vec<Failure>,
    /// How often each component has failed in each way, in all generations.
    failure_counts: BTreeMap<(String, &'static str), u64>,
    /// How often it was started again, by the kind of failure.
    restarts: BTreeMap<&'static str, u64>,
    /// What its outputs that upload have done, by their names.
    uploads: BTreeMap<Option<String>, UploadStats>,
    /// Whether it ended because the reader of its standard output went away.
    reader_left: bool,
    /// Whether some thread of it was left behind, stuck in the system, and with it what that has in hand.
    is_left_behind: bool,
}

/// Where a pipeline is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It is to run, and does not yet.
    Starting,
    /// Its components are started, and none has ended it.
    Running,
    /// It has failed and is to be started again.
    Waiting,
    /// It has ended, and something went wrong or its reader left.
    Ended,
    /// It has come to the end of its source or was told to end, nothing failed, and all that was read is accounted for.
    Finished,
    /// A reload has taken it away.
    Gone,
}

/// Something that went wrong in a component, not in the data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Which component: `source.file`, `sink.stdout`, `outputs.NAME.sink.file`, `dead_letter`, `lane`, `checkpoint`.
    pub component: String,
    /// What kind of failure, one of few words.
    pub kind: &'static str,
    /// What happened, with its causes.
    pub message: String,
}

impl Status {
    /// Returns the status of a pipeline that has not run yet.
    pub(crate) fn new(name: String, is_replayable: bool) -> Self {
        let state = State {
            phase: Phase::Starting,
            outline: None,
            started: None,
            ended: None,
            live: None,
            before: Counters::default(),
            failures: Vec::new(),
            failure_counts: BTreeMap::new(),
            // The kind there is today is shown from the start, so that an alert can be made of it.
            restarts: if is_replayable { BTreeMap::from([("sync", 0)]) } else { BTreeMap::new() },
            uploads: BTreeMap::new(),
            reader_left: false,
            is_left_behind: false,
        };
        Self { name, ledger: Arc::new(Ledger::new(is_replayable)), state: Mutex::new(state) }
    }

    /// Returns whether its components are started and none has ended it.
    pub fn is_running(&self) -> bool {
        self.lock().phase == Phase::Running
    }

    /// Returns whether it is to run, and does not yet.
    pub(crate) fn is_starting(&self) -> bool {
        matches!(self.lock().phase, Phase::Starting | Phase::Waiting)
    }

    /// Returns whether it is to run, and has not yet tried to.
    pub(crate) fn is_opening(&self) -> bool {
        self.lock().phase == Phase::Starting
    }

    /// Returns whether a reload has taken it away.
    pub fn is_gone(&self) -> bool {
        self.lock().phase == Phase::Gone
    }

    /// Returns whether it need not run: it has finished, or a reload has taken it away.
    pub fn is_done(&self) -> bool {
        matches!(self.lock().phase, Phase::Finished | Phase::Gone)
    }

    /// Returns where it is in its life.
    pub fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Returns what it is made of, or was when it ran last; `None` before it is to run.
    pub fn outline(&self) -> Option<Outline> {
        self.lock().outline.clone()
    }

    /// Returns what keeps it from being ready, a line each; none if it is ready: its components run, none has failed,
    /// and nothing holds one up.
    pub fn obstacles(&self) -> Vec<String> {
        let state = self.lock();
        let failures = state.failures.iter().map(|failure| (failure.component.as_str(), &failure.message));
        let mut lines: Vec<_> =
            failures.map(|(component, message)| format!("{component}: {message}")).collect();
        for (component, condition) in state.live.iter().flat_map(|live| &live.conditions) {
            let troubles = condition.troubles().into_iter();
            lines.extend(troubles.map(|trouble| format!("{component}: {}", trouble.message)));
        }
        match state.phase {
            Phase::Running | Phase::Finished => {}
            Phase::Waiting => lines.push(String::from("waits to be started again")),
            Phase::Starting | Phase::Ended | Phase::Gone => lines.push(String::from("not running")),
        }
        lines
    }

    /// Returns how many bytes of its source have been read, and how many there are in all where that is known and will
    /// be read to its end.
    pub fn progress(&self) -> (u64, Option<u64>) {
        let live = self.lock().live.clone();
        live.map_or((0, None), |live| {
            let total = if self.ledger.is_replayable() { None } else { live.progress.total() };
            (live.progress.n_read(), total)
        })
    }

    /// Returns what its run came to in the end: what a thread has in hand that was left behind is given up.
    pub fn last_outcome(&self) -> Outcome {
        if self.lock().is_left_behind {
            self.ledger.give_up();
        }
        self.outcome()
    }

    /// Returns what its run came to so far.
    pub fn outcome(&self) -> Outcome {
        let state = self.lock();
        let until = state.ended.unwrap_or_else(Instant::now);
        Outcome {
            name: self.name.clone(),
            accounts: self.ledger.accounts(),
            elapsed: state.started.map_or(Duration::ZERO, |started| until.duration_since(started)),
            failures: state.failures.clone(),
            reader_left: state.reader_left,
        }
    }

    /// Returns the generation that runs or ran last.
    pub(crate) fn live(&self) -> Option<Arc<Live>> {
        self.lock().live.clone()
    }

    /// Returns the generation that runs or ran last, and the counters of all.
    pub(crate) fn seen(&self) -> (Option<Arc<Live>>, Counters) {
        let state = self.lock();
        let mut counters = state.before.clone();
        if let Some(live) = &state.live {
            counters.add(live.counters());
        }
        for (failure, n) in &state.failure_counts {
            *counters.errors.entry(failure.clone()).or_default() += n;
        }
        (state.live.clone(), counters)
    }

    /// Returns what the output of this name that uploads has done, in all generations.
    pub(crate) fn uploads(&self, output: Option<&str>) -> UploadStats {
        self.lock().uploads.entry(output.map(str::to_owned)).or_default().clone()
    }

    /// Returns what its outputs that upload have done, each with its name; none for a single sink.
    pub fn all_uploads(&self) -> Vec<(Option<String>, UploadSnapshot)> {
        let uploads = self.lock().uploads.clone();
        uploads.into_iter().map(|(output, stats)| (output, stats.snapshot())).collect()
    }

    /// Returns how often it was started again, by the kind of failure.
    pub(crate) fn restarts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().restarts.clone()
    }

    /// Says that it is to run, and what it is made of then.
    pub(crate) fn expect_run(&self, outline: Outline) {
        let mut state = self.lock();
        (state.phase, state.outline) = (Phase::Starting, Some(outline));
    }

    /// Says that a generation is to run, with nothing wrong yet.
    pub(crate) fn begin(&self, live: Arc<Live>) {
        let mut state = self.lock();
        if let Some(before) = state.live.replace(live) {
            state.before.add(before.counters());
        }
        state.phase = Phase::Starting;
        state.started.get_or_insert_with(Instant::now);
        (state.ended, state.reader_left) = (None, false);
        state.failures.clear();
    }

    /// Says that its components are started.
    pub(crate) fn run(&self) {
        self.lock().phase = Phase::Running;
    }

    /// Says that it waits to be started again after a failure of this kind.
    pub(crate) fn wait(&self) {
        self.lock().phase = Phase::Waiting;
    }

    /// Counts a new start after a failure of this kind.
    pub(crate) fn count_restart(&self, kind: &'static str) {
        *self.lock().restarts.entry(kind).or_default() += 1;
    }

    /// Says that it has ended.
    pub(crate) fn end(&self) {
        let outcome = self.outcome();
        let is_finished = outcome.is_success() && !outcome.reader_left;
        let mut state = self.lock();
        state.phase = if is_finished { Phase::Finished } else { Phase::Ended };
        state.ended = Some(Instant::now());
    }

    /// Says that a reload has taken it away, or left it out.
    pub(crate) fn go(&self) {
        self.lock().phase = Phase::Gone;
    }

    /// Says that some thread of it is left behind.
    pub(crate) fn leave_behind(&self) {
        self.lock().is_left_behind = true;
    }

    /// Says that the reader of its standard output went away.
    pub(crate) fn reader_left(&self) {
        self.lock().reader_left = true;
    }

    /// Logs, counts and keeps a failure.
    pub(crate) fn fail(&self, component: &str, kind: &'static str, error: &dyn Error) {
        let message = with_causes(error);
        tracing::error!(pipeline = self.name, component, kind, error = message, "a component failed");
        let mut state = self.lock();
        *state.failure_counts.entry((component.to_owned(), kind)).or_default() += 1;
        if state.failures.len() < MAX_FAILURES {
            state.failures.push(Failure { component: component.to_owned(), kind, message });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after each change, even if somebody panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
