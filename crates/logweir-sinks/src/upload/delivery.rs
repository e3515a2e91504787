//! Uploads the batches of the spool.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use logweir_event::{Condition, Pending};
use logweir_net::Backoff;
use tokio::select;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking, yield_now};
use tokio::time::{sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::circuit::Circuit;
use super::commits::Commits;
use super::config::{DeliveryConfig, OnReject};
use super::queue::{Fate, Queue, Queued, State};
use super::room::{Held, Room};
use super::spool::Spool;
use super::stats::{UploadOutcome, UploadStats};
use super::writer::Closed;
use crate::destination::{Destination, UploadError, UploadVerdict, Uploaded};

/// Uploads batches, a few at a time, until there are no more.
pub(super) struct Delivery {
    pub(super) destination: Arc<dyn Destination>,
    pub(super) config: DeliveryConfig,
    pub(super) spool: Arc<Spool>,
    pub(super) room: Arc<Room>,
    pub(super) stats: UploadStats,
    pub(super) condition: Condition,
    pub(super) commits: Commits,
    pub(super) queue: Queue,
    pub(super) circuit: Circuit,
    pub(super) tasks: JoinSet<Ended>,
    pub(super) n_uploading: usize,
    /// Until when the destination wants to be left alone.
    pub(super) quiet_until: Option<Instant>,
    /// The last batch that is done with all before it, while its entry is there.
    pub(super) last_done: Option<u64>,
}

/// What a task has done.
pub(super) enum Ended {
    /// It has tried to upload a batch.
    Upload { seq: u64, result: Result<Uploaded, UploadError>, took: Duration },
    /// It has kept in the spool that a batch needs nothing more.
    Mark { seq: u64 },
    /// It has removed an entry.
    Forget,
}

impl Delivery {
    /// Uploads batches until there are no more, or there is no time left: then those that are not delivered are kept for
    /// the next run.
    pub(super) async fn run(mut self, mut closed: mpsc::Receiver<Closed>, give_up: CancellationToken) {
        let mut is_ended = false;
        loop {
            self.settle_done().await;
            self.start_uploads();
            if is_ended && self.queue.is_empty() && self.tasks.is_empty() {
                return;
            }
            self.ask();
            let next_time = self.next_time().into_iter().chain(self.commits.next_time()).min();
            select! {
                // Cancel safe: a cancelled token stays cancelled. Looked at first, so that what ends cannot hide it.
                biased;
                () = give_up.cancelled() => break,
                // Cancel safe: a task that has not been joined is joined the next time.
                Some(joined) = self.tasks.join_next() => match joined {
                    Ok(ended) => self.end(ended),
                    Err(error) => std::panic::resume_unwind(error.into_panic()),
                },
                // Cancel safe: a wait for a batch that is given up has taken none.
                batch = closed.recv(), if !is_ended => match batch {
                    Some(batch) => self.queue.push(Queued::new(batch, &self.spool, &self.config)),
                    None => is_ended = true,
                },
                // Cancel safe: only time is lost.
                () = until(next_time) => {}
            }
        }
        self.keep(closed).await;
    }

    /// Starts as many uploads as there may be.
    fn start_uploads(&mut self) {
        if self.quiet_until.is_some_and(|until| until > Instant::now()) {
            return;
        }
        while self.n_uploading < self.config.max_uploads.max(1) {
            let Some(batch) = self.queue.next_ready(self.circuit.is_open()) else { return };
            batch.state = State::Uploading;
            self.n_uploading += 1;
            let (seq, upload, destination) = (batch.seq, batch.upload.clone(), self.destination.clone());
            self.tasks.spawn(async move {
                let since = Instant::now();
                let result = destination.upload(&upload).await;
                Ended::Upload { seq, result, took: since.elapsed() }
            });
        }
    }

    /// Returns when the next upload is to be started even if nothing happens.
    fn next_time(&self) -> Option<Instant> {
        if self.n_uploading >= self.config.max_uploads.max(1) {
            return None;
        }
        let next = self.queue.next_time(self.circuit.is_open());
        next.into_iter().chain(self.quiet_until.filter(|until| *until > Instant::now())).max()
    }

    fn end(&mut self, ended: Ended) {
        match ended {
            Ended::Upload { seq, result, took } => {
                self.n_uploading -= 1;
                match result {
                    Ok(uploaded) => self.succeed(seq, &uploaded, took),
                    Err(error) => self.fail(seq, &error, took),
                }
            }
            Ended::Mark { seq } => self.marked(seq),
            Ended::Forget => {}
        }
    }

    fn succeed(&mut self, seq: u64, uploaded: &Uploaded, took: Duration) {
        self.stats.count(UploadOutcome::Ok, uploaded.status, took);
        self.answered();
        let batch = self.queue.get_mut(seq);
        let upload = batch.upload.clone();
        let n_rejected = uploaded.n_rejected.min(upload.n_events);
        let n_recovered = if batch.is_left_over { upload.n_events - n_rejected } else { 0 };
        self.stats.change(|stats| {
            stats.batches_uploaded += 1;
            stats.events_uploaded += upload.n_events - n_rejected;
            stats.events_rejected += n_rejected;
            stats.events_recovered += n_recovered;
            stats.bytes_raw += upload.n_raw_bytes;
            stats.bytes_compressed += upload.n_bytes;
            (stats.last_error, stats.error_message) = (None, None);
        });
        if n_rejected > 0 {
            let error = uploaded.first_error.as_deref().unwrap_or_default();
            let (destination, key) = (self.destination.name(), &upload.key);
            tracing::error!(destination, key, n_rejected, error, "the destination refuses events of a batch");
        }
        self.mark(seq, Fate::Delivered);
    }

    fn fail(&mut self, seq: u64, error: &UploadError, took: Duration) {
        let outcome = match error.verdict {
            UploadVerdict::Retry { .. } => UploadOutcome::Retry,
            UploadVerdict::Reject => UploadOutcome::Rejected,
        };
        self.stats.count(outcome, error.status, took);
        let message = error.to_string();
        self.stats.change(|stats| {
            (stats.last_error, stats.error_message) = (Some(SystemTime::now()), Some(message));
        });
        match error.verdict {
            UploadVerdict::Retry { after } => self.retry(seq, after, error),
            UploadVerdict::Reject => self.refused(seq, error),
        }
    }

    /// Puts a batch back whose upload has failed.
    fn retry(&mut self, seq: u64, after: Option<Duration>, error: &UploadError) {
        if let Some(after) = after {
            self.quiet_until = self.quiet_until.max(Some(Instant::now() + after));
        }
        let batch = self.queue.get_mut(seq);
        batch.state = State::Waiting(Some(Instant::now() + batch.backoff.pause(after)));
        let (destination, key) = (self.destination.name(), batch.upload.key.clone());
        if self.circuit.has_no_failure() {
            let (status, error) = (error.status, error as &dyn Error);
            tracing::warn!(destination, key, status, error, "an upload has failed; it is tried again");
        }
        self.circuit.fail();
        self.tell_if_down(&destination, error);
    }

    /// Says that the destination is down, if it is.
    fn tell_if_down(&self, destination: &str, error: &UploadError) {
        let since = self.circuit.open_since();
        self.stats.change(|stats| stats.is_circuit_open = since.is_some());
        let Some(since) = since else { return };
        let down = Down { since, held: self.room.held(), error: error.clone() };
        if self.condition.trouble(destination, "upload", &down) {
            tracing::error!(
                destination,
                error = &down as &dyn Error,
                "uploads fail, and batches wait in the spool; the oldest is tried again and again"
            );
        }
    }

    /// Holds or drops a batch that is refused.
    fn refused(&mut self, seq: u64, error: &UploadError) {
        self.answered();
        let batch = self.queue.get_mut(seq);
        let (destination, key, status) = (self.destination.name(), batch.upload.key.clone(), error.status);
        let n_events = batch.upload.n_events;
        match self.config.on_reject {
            OnReject::Hold => {
                batch.state = State::Waiting(Some(Instant::now() + self.config.longest_pause));
                let refused = Refused { key: key.clone(), error: error.clone() };
                if self.condition.trouble(&key, "rejected", &refused) {
                    let error = error as &dyn Error;
                    tracing::error!(
                        destination,
                        key,
                        status,
                        n_events,
                        error,
                        "the destination refuses a batch, which is held; it is tried again and again"
                    );
                }
            }
            OnReject::Drop => {
                let error = error as &dyn Error;
                tracing::error!(
                    destination,
                    key,
                    status,
                    n_events,
                    error,
                    "a batch that is refused is dropped"
                );
                self.stats.change(|stats| {
                    stats.batches_rejected += 1;
                    stats.events_rejected += n_events;
                });
                self.mark(seq, Fate::Rejected);
            }
        }
    }

    /// Notes that the destination is there.
    fn answered(&mut self) {
        let was_open = self.circuit.is_open();
        self.circuit.close();
        let destination = self.destination.name();
        if was_open && self.condition.clear(&destination) {
            self.stats.change(|stats| stats.is_circuit_open = false);
            tracing::info!(destination, "the destination answers again");
        }
    }

    /// Keeps in the spool that a batch needs nothing more, trying until that succeeds.
    fn mark(&mut self, seq: u64, fate: Fate) {
        let batch = self.queue.get_mut(seq);
        batch.state = State::Marking(fate);
        self.condition.clear(&batch.upload.key);
        let (spool, condition, compression) =
            (self.spool.clone(), self.condition.clone(), batch.upload.compression);
        self.tasks.spawn(async move {
            let subject = format!("{}, uploaded", spool.dir().display());
            let mut backoff = Backoff::new(spool.first_pause(), Duration::from_secs(5));
            loop {
                let marking = spool.clone();
                let marked = blocking(move || marking.mark_done(seq, compression)).await;
                let Err(error) = marked else { break };
                condition.trouble(&subject, error.kind(), &error);
                sleep(backoff.pause(None)).await;
            }
            condition.clear(&subject);
            Ended::Mark { seq }
        });
    }

    /// Notes that the file of a batch is gone.
    fn marked(&mut self, seq: u64) {
        let batch = self.queue.get_mut(seq);
        if let State::Marking(fate) = batch.state {
            batch.state = State::Done(fate);
        }
        let (n_bytes, n_events) = (batch.upload.n_bytes, batch.upload.n_events);
        self.room.change(|held| {
            held.n_bytes -= n_bytes;
            held.n_batches -= 1;
            held.n_events -= n_events;
        });
    }

    /// Tells all who wait for batches that are done with all before them.
    async fn settle_done(&mut self) {
        while let Some((batch, fate)) = self.queue.pop_done() {
            let n_payloads = batch.pendings.len();
            settle(batch.pendings, fate).await;
            self.room.change(|held| held.n_payloads -= n_payloads);
            if fate == Fate::Delivered {
                let last_ms = u64::try_from(batch.last_ms).unwrap_or_default();
                let end = UNIX_EPOCH + Duration::from_millis(last_ms);
                self.stats.change(|stats| stats.last_complete = Some(end));
            }
            if let Some(before) = self.last_done.replace(batch.seq) {
                self.forget(before);
            }
            if !batch.has_covering {
                self.forget(batch.seq);
                self.last_done = None;
            } else if batch.is_left_over {
                self.commits.note_left_over(batch.seq);
            } else {
                self.commits.note(batch.seq, &batch.positions);
            }
        }
    }

    /// Asks the source what it knows to be delivered.
    fn ask(&mut self) {
        if let Some(seq) = self.commits.ask()
            && self.last_done == Some(seq)
        {
            self.forget(seq);
            self.last_done = None;
        }
    }

    /// Removes an entry that nobody needs any more. If that fails, the next run does it.
    fn forget(&mut self, seq: u64) {
        let spool = self.spool.clone();
        self.tasks.spawn(async move {
            if let Err(error) = blocking(move || spool.forget(seq)).await {
                tracing::debug!(error = &error as &dyn Error, "an entry of the spool stays for now");
            }
            Ended::Forget
        });
    }

    /// Leaves to the next run what is not delivered.
    async fn keep(mut self, mut closed: mpsc::Receiver<Closed>) {
        self.tasks.abort_all();
        closed.close();
        while let Some(batch) = closed.recv().await {
            self.queue.push(Queued::new(batch, &self.spool, &self.config));
        }
        let (mut n_batches, mut n_events) = (0, 0);
        while let Some(batch) = self.queue.pop() {
            match batch.state {
                State::Marking(fate) | State::Done(fate) => settle(batch.pendings, fate).await,
                State::Waiting(_) | State::Uploading => {
                    n_batches += 1;
                    n_events += batch.upload.n_events;
                    batch.pendings.into_iter().for_each(Pending::kept);
                }
            }
        }
        if n_batches > 0 {
            let spool = self.spool.dir().display();
            tracing::warn!(%spool, n_batches, n_events, "what is not uploaded is kept for the next run");
        }
    }
}

/// Tells all who wait for a batch, without keeping others waiting for long.
async fn settle(pendings: Vec<Pending>, fate: Fate) {
    /// Each tells the ledger and the source, which takes some hundred nanoseconds.
    const AT_ONCE: usize = 256;
    for (i, pending) in pendings.into_iter().enumerate() {
        if i % AT_ONCE == AT_ONCE - 1 {
            yield_now().await;
        }
        match fate {
            Fate::Delivered => pending.written(),
            Fate::Rejected => pending.rejected(),
        }
    }
}

/// Waits until a time; for ever if there is none.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time.into()).await,
        None => pending().await,
    }
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(run).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down: nobody waits for it any more.
            Err(_) => pending().await,
        },
    }
}

/// Says that a destination is down.
#[derive(Debug)]
struct Down {
    since: SystemTime,
    held: Held,
    error: UploadError,
}

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Held { n_batches, n_bytes, n_events, .. } = self.held;
        let since = Timestamp::try_from(self.since).unwrap_or_default();
        write!(
            f,
            "circuit open since {since:.0}, {n_batches} batches ({n_bytes} bytes, {n_events} events) wait; last error: \
             {} (status {})",
            self.error, self.error.status
        )
    }
}

impl Error for Down {}

/// Says that a batch is refused.
#[derive(Debug)]
struct Refused {
    key: String,
    error: UploadError,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (key, error) = (&self.key, &self.error);
        write!(f, "the destination refuses {key}, and all behind it waits: {error} (status {})", error.status)
    }
}

impl Error for Refused {}
