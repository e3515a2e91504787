//! The books: what became of every event.
//!
//! One [`Ledger`] a pipeline, changed once a batch transition under one lock, so that every copy of it adds up: what
//! was read is written, dropped for a reason, failed, returned, or in flight. It outlives restarts and reloads of its
//! pipeline, so that no number ever goes back.

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
    /// The outputs in the order in which they came up; one for a pipeline with a single sink.
    pub outputs: Vec<OutputAccounts>,
}

/// The part of the books that belongs to one output.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OutputAccounts {
    /// The output's name; `None` for a pipeline's single sink.
    pub name: Option<String>,
    /// Events that came from the shared part.
    pub received: u64,
    /// Events that the shared part forwarded while there was no such output: before a reload brought it, or after one
    /// took it away.
    pub absent: u64,
    /// What the output's own stages did.
    pub tally: Tally,
    /// Events the sink has taken.
    pub written: u64,
    /// Events that are not delivered and will not be: given up, or refused for good by where they were to go.
    pub failed: u64,
    /// Events that are safe in the output's spool, for the next run to deliver.
    pub kept: u64,
    /// Events that were not delivered, and that the source reads again.
    pub returned: u64,
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
                .all(|output| output.n_forwarded() == self.forwarded && output.in_flight() == Some(0))
    }

    /// Returns the only output of a pipeline that has a `sink`; `None` for one that has `outputs`.
    pub fn single_output(&self) -> Option<&OutputAccounts> {
        self.outputs.first().filter(|output| output.name.is_none())
    }

    /// Returns the events given up by any sink.
    pub fn failed(&self) -> u64 {
        self.outputs.iter().map(|output| output.failed).sum()
    }

    /// Returns the events that are safe in the spool of some output, for the next run to deliver.
    pub fn kept(&self) -> u64 {
        self.outputs.iter().map(|output| output.kept).sum()
    }

    /// Returns the events that some sink has not delivered and the source reads again.
    pub fn returned(&self) -> u64 {
        self.outputs.iter().map(|output| output.returned).sum()
    }

    /// Returns the events on their way to any sink.
    pub fn in_flight(&self) -> u64 {
        self.outputs.iter().filter_map(OutputAccounts::in_flight).sum()
    }
}

impl OutputAccounts {
    /// Returns the events on their way to the sink; `None` if more came out than went in, which would be an error
    /// of ours.
    pub fn in_flight(&self) -> Option<u64> {
        let dropped = self.tally.filtered + self.tally.sampled_out + self.failed + self.kept + self.returned;
        self.received.checked_sub(self.written + dropped)
    }

    /// Returns the events that the shared part has forwarded.
    fn n_forwarded(&self) -> u64 {
        self.received + self.absent
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
    /// The outputs that there are, and what the stages of each did.
    pub(crate) outputs: &'a [(OutputIndex, Tally)],
}

/// Which output of a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OutputIndex(usize);

/// The books of a pipeline.
#[derive(Debug)]
pub struct Ledger {
    accounts: Mutex<Accounts>,
    /// Whether the source reads again what is not delivered.
    is_replayable: bool,
}

impl Ledger {
    /// Opens the books of a pipeline; what is not delivered counts as returned if its source is replayable, else as
    /// failed.
    pub(crate) fn new(is_replayable: bool) -> Self {
        Self { accounts: Mutex::default(), is_replayable }
    }

    /// Returns the account of an output, opening it if there is none.
    pub(crate) fn output(&self, name: Option<&str>) -> OutputIndex {
        let mut accounts = self.lock();
        let known = accounts.outputs.iter().position(|output| output.name.as_deref() == name);
        OutputIndex(known.unwrap_or_else(|| {
            let absent = accounts.forwarded;
            let name = name.map(str::to_owned);
            accounts.outputs.push(OutputAccounts { name, absent, ..OutputAccounts::default() });
            accounts.outputs.len() - 1
        }))
    }

    /// Returns whether the source reads again what is not delivered.
    pub(crate) fn is_replayable(&self) -> bool {
        self.is_replayable
    }

    /// Returns a copy in which everything adds up.
    pub fn accounts(&self) -> Accounts {
        self.lock().clone()
    }

    /// Gives up what is in flight, for a process that ends at once: what a sink has not said it took is not delivered.
    pub fn give_up(&self) -> Accounts {
        let mut accounts = self.lock();
        for output in &mut accounts.outputs {
            let undelivered = output.in_flight().unwrap_or(0);
            *self.undelivered(output) += undelivered;
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
        accounts.tally += &passed.tally;
        accounts.forwarded += passed.forwarded;
        for (index, output) in accounts.outputs.iter_mut().enumerate() {
            match passed.outputs.iter().find(|(present, _)| present.0 == index) {
                Some((_, tally)) => {
                    output.received += passed.forwarded;
                    output.tally += tally;
                }
                None => output.absent += passed.forwarded,
            }
        }
    }

    fn book_settled(&self, output: OutputIndex, settled: Settled) {
        let mut accounts = self.lock();
        let output = &mut accounts.outputs[output.0];
        output.written += settled.written;
        output.failed += settled.rejected;
        output.kept += settled.kept;
        *self.undelivered(output) += settled.undelivered;
        output.bytes_out += settled.bytes;
    }

    /// Returns where events are counted that are not delivered.
    fn undelivered<'a>(&self, output: &'a mut OutputAccounts) -> &'a mut u64 {
        if self.is_replayable { &mut output.returned } else { &mut output.failed }
    }

    fn lock(&self) -> MutexGuard<'_, Accounts> {
        // A panic between two additions cannot leave the numbers in a state that matters more than showing them.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Books what the sink of one output says.
pub(crate) struct OutputReceipt {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) output: OutputIndex,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Books a chunk of `n` events of which all are forwarded to these outputs.
    fn pass(ledger: &Ledger, n: u64, outputs: &[OutputIndex]) {
        let outputs: Vec<_> = outputs.iter().map(|&output| (output, Tally::default())).collect();
        ledger.book_passed(&Passed {
            n_events: n,
            malformed: [0; 3],
            oversized: 0,
            bytes_in: 0,
            tally: Tally::default(),
            forwarded: n,
            outputs: &outputs,
        });
    }

    #[test]
    fn outputs_that_come_and_go_add_up_at_every_moment() {
        let ledger = Ledger::new(true);
        let a = ledger.output(Some("a"));
        pass(&ledger, 5, &[a]);
        let b = ledger.output(Some("b"));
        assert_eq!(ledger.output(Some("a")), a, "the same output, the same account");
        ledger.book_settled(a, Settled { written: 2, undelivered: 3, ..Settled::default() });
        pass(&ledger, 7, &[b]);
        let accounts = ledger.accounts();
        let [a, b] = &accounts.outputs[..] else { panic!("two outputs") };
        assert_eq!((a.received, a.absent, a.written, a.returned), (5, 7, 2, 3));
        assert_eq!((b.received, b.absent, b.in_flight()), (7, 5, Some(7)));
        assert!(!accounts.is_balanced(), "seven are in flight");
        assert!(ledger.give_up().is_balanced());
        assert_eq!((ledger.accounts().returned(), ledger.accounts().failed()), (10, 0));
    }

    #[test]
    fn what_was_refused_has_failed_and_what_is_kept_is_not_read_again() {
        let ledger = Ledger::new(true);
        let only = ledger.output(None);
        pass(&ledger, 5, &[only]);
        ledger.book_settled(only, Settled { rejected: 2, ..Settled::default() });
        ledger.book_settled(only, Settled { kept: 3, ..Settled::default() });
        let accounts = ledger.accounts();
        assert!(accounts.is_balanced());
        assert_eq!((accounts.failed(), accounts.kept(), accounts.returned()), (2, 3, 0));
    }

    #[test]
    fn what_cannot_be_read_again_has_failed() {
        let ledger = Ledger::new(false);
        let only = ledger.output(None);
        pass(&ledger, 4, &[only]);
        ledger.book_settled(only, Settled { undelivered: 2, ..Settled::default() });
        assert_eq!((ledger.give_up().failed(), ledger.accounts().returned()), (4, 0));
    }
}
