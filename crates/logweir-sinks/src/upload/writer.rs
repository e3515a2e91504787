//! Takes payloads and puts them into the files of batches.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::{Either, select};
use logweir_event::{Condition, Payload, Positions, Reached};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::batch::{Batch, Complete, Taken};
use super::body::Body;
use super::commits::Progress;
use super::error::SpoolError;
use super::manifest::Owner;
use super::room::Room;
use super::shape::Shape;
use super::spool::{Recovered, Spool, Spooled};
use super::stats::UploadStats;
use crate::destination::Destination;
use crate::error::SinkError;
use crate::hold::Hold;
use crate::receiver::PayloadReceiver;

/// A batch that has an entry in the spool, on its way to be uploaded.
pub(super) struct Closed {
    pub(super) batch: Complete,
    /// Whether a former run has left it.
    pub(super) is_left_over: bool,
}

/// Takes payloads and puts them into the files of batches, one after the other.
pub(super) struct Writer {
    pub(super) spool: Arc<Spool>,
    pub(super) room: Arc<Room>,
    pub(super) destination: Arc<dyn Destination>,
    pub(super) shape: Shape,
    pub(super) owner: Owner,
    /// The form that events have in these batches.
    pub(super) form: String,
    pub(super) max_interval: Duration,
    pub(super) positions: Arc<dyn Positions>,
    pub(super) condition: Condition,
    pub(super) stats: UploadStats,
    /// Where batches go that are complete.
    pub(super) closed: mpsc::Sender<Closed>,
    pub(super) progress: Arc<Progress>,
}

/// What the thread has at hand.
pub(super) struct Writing<'a> {
    writer: &'a Writer,
    hold: &'a mut Hold,
    next_seq: u64,
    batch: Option<Batch>,
    /// What of the room the batch at hand takes.
    n_bytes_held: u64,
    /// How far the batches reach that the source does not know to be delivered, and which of them is the last to reach
    /// into that input.
    reached: BTreeMap<u32, (u64, Reached)>,
}

/// What comes next.
enum Next {
    Payload(Payload),
    /// The batch at hand is due.
    TimeHasCome,
    End,
    /// There is no time left.
    GiveUp,
}

impl Writer {
    /// Recovers what a former run has left, and then takes payloads until there are no more.
    ///
    /// # Errors
    ///
    /// Why it cannot go on; what is in no batch with an entry is then not delivered.
    pub(super) fn run(
        &self,
        payloads: &mut PayloadReceiver,
        abort: CancellationToken,
    ) -> Result<(), SinkError> {
        let subject = self.spool.dir().display().to_string();
        let hold = Hold::of(subject, abort, self.condition.clone());
        let mut hold = hold.with_first_pause(self.spool.first_pause());
        let mut writing = Writing {
            writer: self,
            hold: &mut hold,
            next_seq: 1,
            batch: None,
            n_bytes_held: 0,
            reached: BTreeMap::new(),
        };
        writing.recover()?;
        loop {
            match writing.next(payloads) {
                Next::Payload(payload) => writing.take(payload)?,
                Next::TimeHasCome => writing.close()?,
                Next::End => return writing.close(),
                Next::GiveUp => return writing.give_up(),
            }
        }
    }
}

impl Writing<'_> {
    fn recover(&mut self) -> Result<(), SinkError> {
        let writer = self.writer;
        let Recovered { batches, next_seq, n_damaged } = self.with_patience(|writer| {
            writer.spool.take()?;
            writer.spool.recover(&writer.owner, &writer.form)
        })?;
        self.next_seq = next_seq;
        writer.stats.change(|stats| stats.spool_damaged = n_damaged);
        writer.progress.leave_over(batches.iter().filter(|batch| batch.entry.covering.is_some()).count());
        let waiting = batches.iter().filter(|batch| !batch.is_done);
        let (n_batches, n_events) =
            (waiting.clone().count(), waiting.map(|batch| batch.entry.n_events).sum::<u64>());
        if n_batches > 0 {
            let spool = writer.spool.dir().display();
            tracing::info!(%spool, n_batches, n_events, "what a former run has left is uploaded first");
        }
        for Spooled { seq, entry, is_done } in batches {
            let n_bytes = entry.n_bytes;
            if !is_done {
                writer.room.change(|held| {
                    held.n_bytes += n_bytes;
                    held.n_batches += 1;
                    held.n_events += entry.n_events;
                });
            }
            let batch = Complete { seq, entry, pendings: Vec::new(), reached: BTreeMap::new(), is_done };
            self.send(Closed { batch, is_left_over: true });
        }
        Ok(())
    }

    /// Waits for what comes next.
    fn next(&self, payloads: &mut PayloadReceiver) -> Next {
        let deadline = self.batch.as_ref().map(|batch| batch.due);
        // Even where payloads never stop coming.
        if deadline.is_some_and(|due| due <= Instant::now()) {
            return Next::TimeHasCome;
        }
        // Cancel safe: a wait for a payload that is given up has taken none, and a cancelled token stays cancelled.
        let (aborted, received) = (pin!(self.hold.abort().cancelled()), pin!(payloads.recv()));
        match self.hold.waiter().wait(select(aborted, received), deadline) {
            None => Next::TimeHasCome,
            Some(Either::Left(_)) => Next::GiveUp,
            Some(Either::Right((None, _))) => Next::End,
            Some(Either::Right((Some(payload), _))) => Next::Payload(payload),
        }
    }

    fn take(&mut self, payload: Payload) -> Result<(), SinkError> {
        if let Some(reached) = payload.reached() {
            self.writer.progress.reach(reached.position);
        }
        if payload.n_events() == 0 {
            match &mut self.batch {
                // The tracker of the source knows what else is to be delivered before it counts.
                None => payload.written(),
                Some(batch) => {
                    batch.reach(payload);
                    self.writer.room.change(|held| held.n_payloads += 1);
                }
            }
            return Ok(());
        }
        self.wait_for_room(&payload)?;
        let mut rest = Some(payload);
        while let Some(payload) = &rest {
            if self.batch.is_none() {
                self.batch = Some(self.begin(payload)?);
            }
            if self.add(&mut rest)? == Taken::Some {
                self.close()?;
            }
        }
        Ok(())
    }

    /// Begins a batch with the first event of a payload.
    fn begin(&mut self, payload: &Payload) -> Result<Batch, SinkError> {
        let seq = self.next_seq;
        let compression = self.writer.shape.compression;
        let file = self.with_patience(|writer| writer.spool.create(seq, compression))?;
        self.next_seq += 1;
        let writer = self.writer;
        let path = writer.spool.data_path(seq, compression);
        let failed = |source| SinkError::Write { path: path.clone(), source };
        let body = Body::new(file, path.clone(), compression, writer.shape.is_redacted).map_err(failed)?;
        let (positions, interval) = (&*writer.positions, writer.max_interval);
        let batch = Batch::begin(seq, body, &writer.shape, payload, positions, interval).map_err(failed)?;
        writer.room.change(|held| held.n_batches += 1);
        self.n_bytes_held = 0;
        Ok(batch)
    }

    /// Adds as much of a payload to the batch at hand as goes into it.
    fn add(&mut self, payload: &mut Option<Payload>) -> Result<Taken, SinkError> {
        let Some(batch) = &mut self.batch else { return Ok(Taken::Some) };
        let n_pendings = batch.n_pendings();
        let taken = batch.take(&self.writer.shape, payload).map_err(|source| no_memory(batch, source))?;
        let n_payloads = batch.n_pendings() - n_pendings;
        self.writer.room.change(|held| held.n_payloads += n_payloads);
        self.write(Body::write_some)?;
        Ok(taken)
    }

    /// Writes to the file of the batch at hand, waiting out what is in the way.
    fn write(&mut self, mut write: impl FnMut(&mut Body) -> io::Result<()>) -> Result<(), SinkError> {
        while let Some(batch) = &mut self.batch {
            let result = write(&mut batch.body);
            let n_bytes = batch.body.n_bytes();
            let n_more = n_bytes - self.n_bytes_held;
            self.n_bytes_held = n_bytes;
            self.writer.room.change(|held| held.n_bytes += n_more);
            let Err(source) = result else { break };
            self.hold.wait_out(SinkError::Write { path: batch.body.path().to_owned(), source })?;
        }
        self.hold.is_over();
        Ok(())
    }

    /// Completes the batch at hand, if there is one, and gives it an entry.
    fn close(&mut self) -> Result<(), SinkError> {
        let writer = self.writer;
        let Some(batch) = &mut self.batch else { return Ok(()) };
        batch.end(&writer.shape).map_err(|source| no_memory(batch, source))?;
        self.write(Body::write)?;
        let Some(batch) = self.batch.take() else { return Ok(()) };
        // A second sync that succeeds would say nothing about what the first has lost.
        let finished = batch.body.sync();
        let finished =
            finished.map_err(|source| SinkError::Sync { path: batch.body.path().to_owned(), source })?;
        let covering = self.covering(&batch);
        let (destination, positions) = (&*writer.destination, &*writer.positions);
        let batch = batch.complete(finished, &writer.shape, &writer.form, destination, positions, covering);
        self.with_patience(|writer| writer.spool.commit(&writer.owner, batch.seq, &batch.entry))?;
        writer.room.change(|held| held.n_events += batch.entry.n_events);
        self.send(Closed { batch, is_left_over: false });
        Ok(())
    }

    /// Returns from where the source is to read once the batch and all before it are safe.
    fn covering(&mut self, batch: &Batch) -> Option<Vec<u8>> {
        let committed = self.writer.progress.committed();
        self.reached.retain(|_, (seq, _)| *seq > committed);
        for (input, reached) in batch.reached() {
            self.reached.insert(*input, (batch.seq, reached.clone()));
        }
        let reached: Vec<_> = self.reached.values().map(|(_, reached)| reached.clone()).collect();
        self.writer.positions.covering(&reached)
    }

    /// Hands a batch over to be uploaded. If nobody uploads any more, it is kept for the next run.
    fn send(&self, closed: Closed) {
        let sent = self.hold.waiter().wait(self.writer.closed.send(closed), None);
        if let Some(Err(mpsc::error::SendError(closed))) = sent {
            closed.batch.pendings.into_iter().for_each(logweir_event::Pending::kept);
        }
    }

    /// Waits until the spool has room for a payload. What is at hand is completed first: only then can it be uploaded
    /// and make room.
    fn wait_for_room(&mut self, payload: &Payload) -> Result<(), SinkError> {
        let (room, n_bytes) = (self.writer.room.clone(), payload.n_bytes());
        if room.is_enough_for(n_bytes) {
            return Ok(());
        }
        self.close()?;
        if room.is_enough_for(n_bytes) {
            return Ok(());
        }
        let subject = format!("{}, full", self.writer.spool.dir().display());
        let error = Full { room: room.clone() };
        if self.writer.condition.trouble(&subject, "full", &error) {
            tracing::warn!(spool = subject, error = &error as &dyn Error, "the pipeline waits for uploads");
        }
        // Cancel safe: both only look.
        let (aborted, freed) = (pin!(self.hold.abort().cancelled()), pin!(room.enough_for(n_bytes)));
        let is_over = matches!(self.hold.waiter().wait(select(aborted, freed), None), Some(Either::Left(_)));
        self.writer.condition.clear(&subject);
        if is_over { Err(SinkError::GivenUp { n_events: payload.n_events() }) } else { Ok(()) }
    }

    fn give_up(&self) -> Result<(), SinkError> {
        match self.batch.as_ref().map(Batch::n_events) {
            None | Some(0) => Ok(()),
            Some(n_events) => Err(SinkError::GivenUp { n_events }),
        }
    }

    /// Tries something with the spool until it succeeds, or cannot be waited for.
    fn with_patience<T>(
        &mut self,
        mut attempt: impl FnMut(&Writer) -> Result<T, SpoolError>,
    ) -> Result<T, SinkError> {
        loop {
            match attempt(self.writer) {
                Ok(done) => {
                    self.hold.is_over();
                    return Ok(done);
                }
                Err(source) => {
                    let directory = self.writer.spool.dir().to_owned();
                    self.hold.wait_out(SinkError::Spool { directory, source })?;
                }
            }
        }
    }
}

fn no_memory(batch: &Batch, source: io::Error) -> SinkError {
    SinkError::Write { path: batch.body.path().to_owned(), source }
}

/// Says that the spool is full.
#[derive(Debug)]
struct Full {
    room: Arc<Room>,
}

impl std::fmt::Display for Full {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (held, max_bytes) = (self.room.held(), self.room.max_bytes());
        write!(
            f,
            "{} batches with {} bytes of at most {max_bytes}, in {} payloads, wait to be uploaded",
            held.n_batches, held.n_bytes, held.n_payloads
        )
    }
}

impl Error for Full {}
