//! One of the decoders: takes chunks through decode, the stages and encode, and hands the payloads on.
//!
//! A pipeline has `limits.decoders` lanes. The source deals its chunks out to them in turn and each sink collects the
//! payloads in the same turn, so order is kept without a number or a lock. All stages of a chunk run in one task,
//! while its bytes are in the cache; a lane awaits only to receive and to send.

use std::sync::Arc;

use bytes::Bytes;
use logweir_event::{Ack, Batch, Chunk, Payload, Receipt};
use logweir_stages::{Decode, Encode, Stage, Tally};
use tokio::sync::mpsc::Receiver;

use crate::channel::CountedSender;
use crate::ledger::{Ledger, Passed, malformed_index};

/// What one task of the pipeline owns.
pub(crate) struct Lane {
    pub(crate) decode: Decode,
    /// The stages before the outputs.
    pub(crate) stages: Vec<Box<dyn Stage>>,
    pub(crate) outputs: Vec<Branch>,
    /// Where the payloads of each output go.
    pub(crate) payloads: Vec<CountedSender<Payload>>,
    pub(crate) dead_letters: Option<CountedSender<Payload>>,
    pub(crate) ledger: Arc<Ledger>,
}

/// What a lane does for one output.
pub(crate) struct Branch {
    pub(crate) stages: Vec<Box<dyn Stage>>,
    pub(crate) encode: Encode,
    pub(crate) receipt: Arc<dyn Receipt>,
}

impl Lane {
    /// Works until the source has dropped its sender and the last chunk is through.
    pub(crate) async fn run(mut self, mut chunks: Receiver<Chunk>) {
        let mut scratch = Scratch::default();
        while let Some(chunk) = chunks.recv().await {
            let (dead_letters, payloads) = self.pass(chunk, &mut scratch);
            if let Some(sender) = &self.dead_letters {
                sender.send(dead_letters).await;
            }
            for (sender, payload) in self.payloads.iter().zip(payloads) {
                // To an output that has failed nothing can be sent; the payload then books its events as failed.
                sender.send(payload).await;
            }
        }
    }

    /// Takes a chunk through all stages; returns its malformed lines and a payload for each output.
    fn pass(&mut self, chunk: Chunk, scratch: &mut Scratch) -> (Payload, Vec<Payload>) {
        let Scratch { batch, branched, tallies } = scratch;
        self.decode.decode(&chunk, batch);
        let Chunk { bytes, n_bytes_read, n_oversized: _, ack } = chunk;
        drop(bytes);

        let mut tally = Tally::default();
        apply(&mut self.stages, batch, &mut tally);
        let forwarded = batch.selection().count() as u64;
        tallies.clear();
        let n_outputs = self.outputs.len();
        let mut payloads = Vec::with_capacity(n_outputs);
        for branch in &mut self.outputs {
            let mut tally = Tally::default();
            // Without stages of its own an output only looks at the batch; with them it works on a copy.
            let batch = if branch.stages.is_empty() {
                &*batch
            } else {
                branched.clone_from(batch);
                apply(&mut branch.stages, branched, &mut tally);
                &*branched
            };
            let payload = branch.encode.encode(batch);
            payloads.push(payload.bound_to(Some(branch.receipt.clone()), ack.clone()));
            tallies.push(tally);
        }

        let mut malformed = [0; 3];
        for reject in batch.rejects() {
            malformed[malformed_index(reject.reason)] += 1;
        }
        self.ledger.book_passed(&Passed {
            n_events: batch.len() as u64,
            malformed,
            oversized: batch.n_oversized(),
            bytes_in: n_bytes_read,
            tally,
            forwarded,
            outputs: tallies,
        });
        let dead_letters = dead_letters(batch, self.dead_letters.is_some(), ack);
        // What is held of the chunk now is held by its payloads alone.
        batch.release();
        branched.release();
        (dead_letters, payloads)
    }
}

/// What is reused from chunk to chunk.
#[derive(Default)]
struct Scratch {
    batch: Batch,
    /// The copy that an output with stages of its own works on.
    branched: Batch,
    tallies: Vec<Tally>,
}

fn apply(stages: &mut [Box<dyn Stage>], batch: &mut Batch, tally: &mut Tally) {
    for stage in stages {
        stage.apply(batch, tally);
    }
}

/// Returns the malformed lines, byte for byte, for the dead-letter file if there is one. The ack is delivered with
/// them; where nobody wants them it is delivered here.
fn dead_letters(batch: &Batch, wanted: bool, ack: Ack) -> Payload {
    if !wanted {
        ack.deliver();
        return Payload::new(Vec::new(), 0);
    }
    let mut lines = Vec::new();
    for reject in batch.rejects() {
        let line = batch.bytes(reject.line);
        lines.extend_from_slice(line);
        if !line.ends_with(b"\n") {
            lines.push(b'\n');
        }
    }
    let n_lines = batch.rejects().len() as u64;
    Payload::new(vec![Bytes::from(lines)], n_lines).bound_to(None, ack)
}
