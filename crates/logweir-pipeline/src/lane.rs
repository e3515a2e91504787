//! One of the decoders: takes chunks through decode, the stages and encode, and hands the payloads on.
//!
//! A pipeline has `limits.decoders` lanes. The source deals its chunks out to them in turn and each sink collects the
//! payloads in the same turn, so order is kept without a number or a lock. All stages of a chunk run in one task,
//! while its bytes are in the cache; a lane awaits only to receive and to send.

use std::sync::Arc;

use bytes::Bytes;
use logweir_event::{Ack, Batch, Chunk, Payload, Position};
use logweir_stages::{Decode, Encode, Stage, Tally};
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;

use crate::channel::CountedSender;
use crate::ledger::{Ledger, OutputIndex, OutputReceipt, Passed, malformed_index};
use crate::tap::Point;

/// What one task of the pipeline owns.
pub(crate) struct Lane {
    pub(crate) decode: Decode,
    /// Where decoded events can be watched.
    pub(crate) decoded: Arc<Point>,
    /// The stages before the outputs.
    pub(crate) stages: Vec<Watched>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) dead_letters: Option<CountedSender<Payload>>,
    pub(crate) ledger: Arc<Ledger>,
    /// Cancelled when there is no time left: what nobody takes at once is dropped then.
    pub(crate) abort: CancellationToken,
    /// The chunk at hand; between chunks just memory to be used again.
    pub(crate) batch: Batch,
}

/// A stage and where it lets events be watched.
pub(crate) struct Watched {
    pub(crate) stage: Box<dyn Stage>,
    pub(crate) point: Arc<Point>,
}

/// What a lane does for one output.
pub(crate) struct Branch {
    pub(crate) stages: Vec<Watched>,
    /// Where events can be watched as they are to be written.
    pub(crate) encoded: Arc<Point>,
    pub(crate) encode: Encode,
    pub(crate) receipt: Arc<OutputReceipt>,
    pub(crate) payloads: CountedSender<Payload>,
    /// The output's own copy of the batch, used only if it has stages.
    pub(crate) batch: Batch,
}

impl Lane {
    /// Works until the source has dropped its sender and the last chunk is through. Also what comes when no time is left
    /// is decoded and booked: it has been read, and must not vanish from the books.
    pub(crate) async fn run(mut self, mut chunks: Receiver<Chunk>) {
        while let Some(chunk) = chunks.recv().await {
            // A chunk is one batch, save one of very many events.
            let mut end = self.pass(&chunk, 0);
            while end < chunk.bytes.len() {
                self.hand_on(&chunk.ack, chunk.end, More::Follows).await;
                end = self.pass(&chunk, end);
            }
            let Chunk { bytes, ack, end, .. } = chunk;
            drop(bytes);
            self.hand_on(&ack, end, More::None).await;
            ack.deliver();
        }
    }

    /// Takes the events of a chunk from byte `from` on through all stages and books what came of them; returns how far
    /// it came.
    fn pass(&mut self, chunk: &Chunk, from: usize) -> usize {
        let end = self.decode.decode(chunk, from, &mut self.batch);
        if self.decoded.is_watched() {
            self.decoded.show_decoded(&self.batch);
        }
        let tally = apply(&mut self.stages, &mut self.batch);
        let outputs: Vec<_> = self.branches.iter_mut().map(|branch| branch.pass(&self.batch)).collect();
        let mut malformed = [0; 3];
        for reject in self.batch.rejects() {
            malformed[malformed_index(reject.reason)] += 1;
        }
        self.ledger.book_passed(&Passed {
            n_events: self.batch.len() as u64,
            malformed,
            oversized: self.batch.n_oversized(),
            bytes_in: if from == 0 { chunk.n_bytes_read } else { 0 },
            tally,
            forwarded: self.batch.selection().count() as u64,
            outputs: &outputs,
        });
        end
    }

    /// Sends what has passed to where it goes, each part with a clone of the ack, and lets go of the bytes. The chunk
    /// ends at `end`.
    async fn hand_on(&mut self, ack: &Ack, end: Position, more: More) {
        if let Some(sender) = &self.dead_letters {
            let lines = more.mark(dead_letters(&self.batch)).bound_to(None, ack.clone());
            sender.send(lines, &self.abort).await;
        }
        for branch in &mut self.branches {
            branch.hand_on(&self.batch, ack, end, more, &self.abort).await;
        }
        self.batch.release();
    }
}

impl Branch {
    /// Takes the events through the stages of this output; returns what they did, and to which output that belongs.
    fn pass(&mut self, shared: &Batch) -> (OutputIndex, Tally) {
        let (batch, tally) = if self.stages.is_empty() {
            (shared, Tally::default())
        } else {
            self.batch.clone_from(shared);
            let tally = apply(&mut self.stages, &mut self.batch);
            (&self.batch, tally)
        };
        if self.encoded.is_watched() {
            self.encoded.show(batch, batch.selection());
        }
        (self.receipt.output, tally)
    }

    async fn hand_on(
        &mut self,
        shared: &Batch,
        ack: &Ack,
        end: Position,
        more: More,
        abort: &CancellationToken,
    ) {
        let batch = if self.stages.is_empty() { shared } else { &self.batch };
        for payload in self.encode.encode(batch, end) {
            // To an output that has failed nothing can be sent; the payload then books its events as not delivered.
            let payload = more.mark(payload).bound_to(Some(self.receipt.clone()), ack.clone());
            self.payloads.send(payload, abort).await;
        }
        self.batch.release();
    }
}

/// Whether another batch of the same chunk follows.
#[derive(Clone, Copy)]
enum More {
    Follows,
    None,
}

impl More {
    fn mark(self, payload: Payload) -> Payload {
        match self {
            Self::Follows => payload.followed_by_more(),
            Self::None => payload,
        }
    }
}

fn apply(stages: &mut [Watched], batch: &mut Batch) -> Tally {
    let mut tally = Tally::default();
    for Watched { stage, point } in stages {
        let before = point.is_watched().then(|| batch.selection().clone());
        stage.apply(batch, &mut tally);
        if let Some(before) = before {
            point.show(batch, &before);
        }
    }
    tally
}

/// Returns the malformed lines, byte for byte.
fn dead_letters(batch: &Batch) -> Payload {
    let mut lines = Vec::new();
    for reject in batch.rejects() {
        let line = batch.bytes(reject.line);
        lines.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            lines.push(b'\n');
        }
    }
    Payload::new(vec![Bytes::from(lines)], batch.rejects().len() as u64)
}
