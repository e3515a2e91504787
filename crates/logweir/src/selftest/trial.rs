//! A run: kills the pipeline again and again while logs are written, and finds out what was lost.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use fastrand::Rng;
use indicatif::{HumanCount, ProgressBar};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, timeout};

use super::inventory::{InFlight, Inventory};
use super::judge::Judge;
use super::log::lock;
use super::place::Place;
use super::report::{Lost, Report};
use super::seen::Seen;
use super::victim::Victim;
use super::writer::Writer;

/// How large the file of what was delivered may become.
const MAX_DELIVERED_BYTES: u64 = 64 << 20;
/// How long the pipeline may take to end when it is told to.
const END_PATIENCE: Duration = Duration::from_secs(60);
/// How often the pipeline is looked at while something is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How many of the events that were lost are looked up, and how many runs of them are named.
const MAX_LOOKED_UP: usize = 10_000;
const MAX_NAMED: usize = 10;

/// What is to be done.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// The program that runs pipelines.
    pub(super) program: PathBuf,
    /// All that is left to chance follows from it.
    pub(super) seed: u64,
    /// After how long there are no more kills.
    pub(super) kill_for: Option<Duration>,
    /// After how many there are no more.
    pub(super) n_kills: Option<u64>,
    /// How long nothing may be delivered at the end, though something is missing, before that is taken to be lost.
    pub(super) drain_patience: Duration,
}

/// A run of a plan.
pub(super) struct Trial {
    plan: Plan,
    place: Place,
    bar: ProgressBar,
    rng: Rng,
    signals: Signals,
    inventory: Arc<Mutex<Inventory>>,
    judge: Judge,
    started: Instant,
    n_kills: u64,
    in_flight: InFlight,
    most_in_flight: InFlight,
}

impl Trial {
    /// Returns one that happens in `place` and tells `bar` how it goes.
    pub(super) fn new(plan: Plan, place: Place, bar: ProgressBar) -> anyhow::Result<Self> {
        let seed = plan.seed;
        Ok(Self {
            rng: Rng::with_seed(seed),
            signals: Signals::new().context("signals cannot be watched")?,
            inventory: Arc::new(Mutex::new(Inventory::new(seed))),
            judge: Judge::new(place.delivered(), seed),
            started: Instant::now(),
            n_kills: 0,
            in_flight: InFlight::default(),
            most_in_flight: InFlight::default(),
            plan,
            place,
            bar,
        })
    }

    /// Runs it to its end, or to the first signal: then there are no more kills, and what is written is still delivered
    /// and judged.
    pub(super) async fn run(mut self) -> anyhow::Result<Report> {
        let writer = Writer::start(self.place.clone(), self.rng.u64(..), self.inventory.clone())?;
        while self.wants_more() && !writer.has_ended() {
            let is_interrupted = self.kill_once().await?;
            if is_interrupted {
                break;
            }
        }
        let rotations = writer.finish()?;
        let bad_end = self.drain().await?;
        let inventory = lock(&self.inventory);
        Ok(Report {
            seed: self.plan.seed,
            elapsed: self.started.elapsed(),
            n_kills: self.n_kills,
            rotations,
            n_written: inventory.n_events,
            n_written_bytes: inventory.n_bytes,
            n_delivered: self.judge.seen.n_seen(),
            n_duplicated: self.judge.n_duplicated,
            delivery: self.place.delivery(),
            n_changed: self.judge.n_changed(),
            n_altered: self.judge.n_altered,
            altered: self.judge.altered.clone(),
            n_taken_back: self.judge.n_taken_back,
            in_flight: self.in_flight,
            most_in_flight: self.most_in_flight,
            lost: first_lost(&self.judge.seen, &inventory),
            bad_end,
            kept_in: None,
        })
    }

    fn wants_more(&self) -> bool {
        self.plan.n_kills.is_none_or(|n_kills| self.n_kills < n_kills)
            && self.plan.kill_for.is_none_or(|kill_for| self.started.elapsed() < kill_for)
    }

    /// Starts the pipeline, kills it after a while, and judges; returns whether a signal has come.
    async fn kill_once(&mut self) -> anyhow::Result<bool> {
        let mut victim = Victim::start(&self.plan.program, &self.place)?;
        let life = life(&mut self.rng);
        let mut is_interrupted = self.signals.within(life).await;
        victim.check_alive(&self.place)?;
        victim.kill()?;
        self.n_kills += 1;
        self.judge()?;
        self.judge.remove_beyond(MAX_DELIVERED_BYTES).context("cannot remove what was delivered")?;
        // Logs are written and rotated while nobody reads them.
        let pause = Duration::from_millis(self.rng.u64(..100));
        is_interrupted |= self.signals.within(pause).await;
        Ok(is_interrupted)
    }

    /// Reads what was delivered, and adds up what may be delivered again.
    fn judge(&mut self) -> anyhow::Result<()> {
        let checkpoint = self.place.checkpoint()?;
        let n_written = lock(&self.inventory).n_events;
        self.read(n_written)?;
        let mut inventory = lock(&self.inventory);
        let now = inventory.in_flight(&checkpoint, |number| self.judge.seen.contains(number));
        inventory.forget(self.judge.seen.all_below());
        self.in_flight.n_events += now.n_events;
        self.in_flight.n_bytes += now.n_bytes;
        self.most_in_flight = self.most_in_flight.max(now);
        Ok(())
    }

    fn read(&mut self, n_written: u64) -> anyhow::Result<()> {
        self.judge.read(n_written).context("cannot read what was delivered")?;
        let (n_seen, n_kills) = (HumanCount(self.judge.seen.n_seen()), self.n_kills);
        self.bar
            .set_message(format!("{n_kills} kills, {n_seen} of {} events delivered", HumanCount(n_written)));
        self.bar.tick();
        Ok(())
    }

    /// Has the pipeline deliver all that is left, and end; returns what was wrong with how it ended.
    async fn drain(&mut self) -> anyhow::Result<Option<String>> {
        let n_written = lock(&self.inventory).n_events;
        let checkpointed = self.place.checkpointed();
        let mut victim = Victim::start(&self.plan.program, &self.place)?;
        let (mut left, mut since) = (self.left(n_written)?, Instant::now());
        // If there is nothing to deliver, its first checkpoint says that it listens to signals by now.
        while left != (0, 0) || self.place.checkpointed() == checkpointed {
            if since.elapsed() > self.plan.drain_patience {
                break;
            }
            self.look_later().await?;
            victim.check_alive(&self.place)?;
            self.read(n_written)?;
            let now = self.left(n_written)?;
            if now != left {
                (left, since) = (now, Instant::now());
            }
        }
        victim.check_alive(&self.place)?;
        let bad_end = self.end(victim).await?;
        self.read(n_written)?;
        Ok(bad_end.or(self.unsaid()?))
    }

    /// Returns how many events are not delivered yet, and how many that are the checkpoint does not say: those may still
    /// have to come once more.
    fn left(&self, n_written: u64) -> anyhow::Result<(u64, u64)> {
        Ok((n_written.saturating_sub(self.judge.seen.n_seen()), self.n_unsaid()?))
    }

    /// Asks the pipeline to end, and returns what was wrong with how it did.
    async fn end(&mut self, mut victim: Victim) -> anyhow::Result<Option<String>> {
        victim.ask_to_end()?;
        let asked = Instant::now();
        while asked.elapsed() < END_PATIENCE {
            if let Some(status) = victim.ended()? {
                return Ok((!status.success()).then(|| format!("ended with {status}")));
            }
            self.look_later().await?;
        }
        Ok(Some(format!("did not within {} s", END_PATIENCE.as_secs())))
    }

    /// Returns what the last checkpoint does not say though it was delivered.
    fn unsaid(&self) -> anyhow::Result<Option<String>> {
        let n_unsaid = self.n_unsaid()?;
        let what = format!("its last checkpoint lacks {n_unsaid} events that were delivered");
        Ok((n_unsaid > 0).then_some(what))
    }

    fn n_unsaid(&self) -> anyhow::Result<u64> {
        let checkpoint = self.place.checkpoint()?;
        let unsaid = lock(&self.inventory).in_flight(&checkpoint, |number| self.judge.seen.contains(number));
        Ok(unsaid.n_events)
    }

    async fn look_later(&mut self) -> anyhow::Result<()> {
        if self.signals.within(LOOK_EVERY).await {
            bail!("interrupted while the last events were delivered");
        }
        Ok(())
    }
}

/// Returns how long the pipeline lives: not long as a rule, sometimes not even until it has started, and sometimes long
/// enough for a checkpoint, without which it would never come forward.
fn life(rng: &mut Rng) -> Duration {
    let millis = match rng.u8(..20) {
        0..4 => rng.u64(..10),
        4..7 => rng.u64(1_000..2_500),
        _ => rng.u64(10..500),
    };
    Duration::from_millis(millis)
}

/// Returns the first events that were lost, in runs.
fn first_lost(seen: &Seen, inventory: &Inventory) -> Vec<Lost> {
    let mut runs: Vec<Lost> = Vec::new();
    for number in seen.missing(inventory.n_events).take(MAX_LOOKED_UP) {
        let file = inventory.tell(number);
        if let Some(run) = runs.last_mut().filter(|run| run.last + 1 == number && run.file == file) {
            run.last = number;
        } else if runs.len() < MAX_NAMED {
            runs.push(Lost { first: number, last: number, file });
        } else {
            break;
        }
    }
    runs
}

/// The signals that end a run early.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for a while; returns at once with true if a signal comes.
    async fn within(&mut self, while_: Duration) -> bool {
        let next = async {
            tokio::select! {
                // Cancel safe: so is receiving a signal.
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        };
        timeout(while_, next).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use logweir_testkit::scratch::Scratch;

    use super::*;
    use crate::selftest::place::Delivery;

    /// Runs a trial of a shell script in place of logweir.
    fn tried(scratch: &Scratch, script: &str, n_kills: u64) -> anyhow::Result<Report> {
        let program = scratch.write("program", format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let drain_patience = Duration::from_millis(500);
        let plan = Plan { program, seed: 4, kill_for: None, n_kills: Some(n_kills), drain_patience };
        let dir = scratch.path("run");
        std::fs::create_dir(&dir).unwrap();
        run(plan, &dir)
    }

    fn run(plan: Plan, dir: &Path) -> anyhow::Result<Report> {
        let place = Place::furnish(dir, Delivery::File)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async { Trial::new(plan, place, ProgressBar::hidden())?.run().await })
    }

    #[test]
    fn who_follows_one_log_only_and_forgets_how_far_is_found_out() {
        let scratch = Scratch::new();
        let script = "exec tail -q -n +1 -F logs/shop.ndjson >> out.ndjson 2>/dev/null";
        let report = tried(&scratch, script, 12).unwrap();
        assert!(!report.has_passed());
        assert_eq!(report.n_kills, 12);
        assert!(report.n_delivered > 0 && report.n_lost() > 0, "{report:?}");
        assert!((1..=MAX_NAMED).contains(&report.lost.len()), "{:?}", report.lost);
        let others = |lost: &Lost| lost.file.contains("auth.ndjson") || lost.file.contains("jobs.ndjson");
        assert!(report.lost.iter().any(others), "{:?}", report.lost);
        assert!(report.n_duplicated > 0, "it begins anew each time");
        assert!(
            report.in_flight.n_events > 0 && report.most_in_flight <= report.in_flight,
            "it has no checkpoint"
        );
        assert!(report.bad_end.is_some(), "a signal has ended it");
    }

    #[test]
    fn who_ends_by_himself_is_reported_with_what_he_said() {
        let scratch = Scratch::new();
        let error = format!("{:#}", tried(&scratch, "echo not today >&2; exit 3", 50).unwrap_err());
        assert!(error.contains("ended by itself, exit status: 3") && error.ends_with("not today"), "{error}");
    }

    #[test]
    fn a_checkpoint_that_is_damaged_ends_the_trial() {
        let scratch = Scratch::new();
        let script = "mkdir -p state; echo x > state/selftest.checkpoint; exec sleep 100";
        let error = format!("{:#}", tried(&scratch, script, 50).unwrap_err());
        assert!(error.contains("is not the checkpoint of this pipeline"), "{error}");
    }
}
