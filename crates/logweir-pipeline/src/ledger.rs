//! The books: what became of every event.
//!
//! One [`Ledger`] a pipeline, changed once a batch transition under one lock, so that every copy of it adds up: what
//! was read is written, dropped for a reason, failed, or in flight.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use logweir_event::{Malformed, Receipt, Settled};
use logweir_stages::Tally;

/// A copy of the books of a pipeline.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Accounts {
    /// Events read, those that were malformed or oversized included.
    pub read: u64,
    /// Lines that were no events: not UTF-8, not JSON, not an object.
    pub malformed: [u64; 3],
    /// Lines longer than `max_event_bytes`.
    pub oversized: u64,
    /// What the stages before the outputs did.
    pub tally: Tally,
    /// Events handed to the outputs, to each all of them.
    pub forwarded: u64,
    /// Decompressed bytes read.
    pub bytes_in: u64,
    /// The outputs in the order of the configuration; one for a pipeline with a single sink.
    pub outputs: Vec<OutputAccounts>,
}

/// The part of the books that belongs to one output.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OutputAccounts {
    /// The output's name; `None` for a pipeline's single sink.
    pub name: Option<String>,
    /// Events that came from the shared part.
    pub received: u64,
    /// What the output's own stages did.
    pub tally: Tally,
    /// Events the sink has taken.
    pub written: u64,
    /// Events the sink has given up.
    pub failed: u64,
    /// Bytes the sink has taken.
    pub bytes_out: u64,
}

impl Accounts {
    /// Returns the events dropped before the outputs, and those forwarded to them.
    fn accounted(&self) -> u64 {
        let malformed: u64 = self.malformed.iter().sum();
        malformed + self.oversized + self.tally.filtered + self.tally.sampled_out + self.forwarded
    }

    /// Returns whether every event read is accounted for and none is in flight.
    pub fn is_balanced(&self) -> bool {
        self.read == self.accounted()
            && self
                .outputs
                .iter()
                .all(|output| output.received == self.forwarded && output.in_flight() == Some(0))
    }

    /// Returns the only output of a pipeline that has a `sink`; `None` for one that has `outputs`.
    pub fn single_output(&self) -> Option<&OutputAccounts> {
        self.outputs.first().filter(|output| output.name.is_none())
    }

    /// Returns the events given up by any sink.
    pub fn failed(&self) -> u64 {
        self.outputs.iter().map(|output| output.failed).sum()
    }
}

impl OutputAccounts {
    /// Returns the events on their way to the sink; `None` if more came out than went in, which would be an error
    /// of ours.
    pub fn in_flight(&self) -> Option<u64> {
        let settled = self.tally.filtered + self.tally.sampled_out + self.written + self.failed;
        self.received.checked_sub(settled)
    }
}

/// What decoding a chunk and running its events through the stages comes to.
pub(crate) struct Passed<'a> {
    pub(crate) n_events: u64,
    pub(crate) malformed: [u64; 3],
    pub(crate) oversized: u64,
    pub(crate) bytes_in: u64,
    pub(crate) tally: Tally,
    pub(crate) forwarded: u64,
    /// What each output's stages did.
    pub(crate) outputs: &'a [Tally],
}

/// The books of a running pipeline.
#[derive(Debug)]
pub struct Ledger(Mutex<Accounts>);

impl Ledger {
    /// Opens the books of a pipeline with these outputs.
    pub(crate) fn new(outputs: impl Iterator<Item = Option<String>>) -> Self {
        let outputs = outputs.map(|name| OutputAccounts { name, ..OutputAccounts::default() }).collect();
        Self(Mutex::new(Accounts { outputs, ..Accounts::default() }))
    }

    /// Returns a copy in which everything adds up.
    pub fn accounts(&self) -> Accounts {
        self.lock().clone()
    }

    /// Gives up what is in flight, for a process that ends at once: what a sink has not said it took counts as
    /// failed.
    pub fn give_up(&self) -> Accounts {
        let mut accounts = self.lock();
        for output in &mut accounts.outputs {
            output.failed += output.in_flight().unwrap_or(0);
        }
        accounts.clone()
    }

    /// Books a chunk that has passed the stages.
    pub(crate) fn book_passed(&self, passed: &Passed<'_>) {
        let mut accounts = self.lock();
        accounts.read += passed.n_events + passed.malformed.iter().sum::<u64>() + passed.oversized;
        for (total, n) in accounts.malformed.iter_mut().zip(passed.malformed) {
            *total += n;
        }
        accounts.oversized += passed.oversized;
        accounts.bytes_in += passed.bytes_in;
        accounts.tally += passed.tally;
        accounts.forwarded += passed.forwarded;
        for (output, &tally) in accounts.outputs.iter_mut().zip(passed.outputs) {
            output.received += passed.forwarded;
            output.tally += tally;
        }
    }

    fn book_settled(&self, output: usize, settled: Settled) {
        let mut accounts = self.lock();
        let output = &mut accounts.outputs[output];
        output.written += settled.written;
        output.failed += settled.given_up + settled.undelivered;
        output.bytes_out += settled.bytes;
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        // A panic between two additions cannot leave the numbers in a state that matters more than showing them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Books what the sink of one output says.
pub(crate) struct OutputReceipt {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) output: usize,
}

impl Receipt for OutputReceipt {
    fn settle(&self, settled: Settled) {
        self.ledger.book_settled(self.output, settled);
    }
}

/// Returns the index of a reason in [`Accounts::malformed`].
pub(crate) fn malformed_index(reason: Malformed) -> usize {
    match reason {
        Malformed::NotUtf8 => 0,
        Malformed::NotJson => 1,
        Malformed::NotObject => 2,
    }
}
