//! Sinks that run while the test does something else.

use std::sync::Arc;
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use logweir_event::{Condition, Payload, Positions, Trouble};
use logweir_sinks::{PayloadReceiver, ReadOnce, Sink, SinkContext, SinkError};
use logweir_testkit::process::poll_until;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Long enough for whatever a test waits for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A sink that runs on a thread of its own.
pub(crate) struct Running {
    payloads: mpsc::Sender<Payload>,
    abort: CancellationToken,
    condition: Condition,
    thread: JoinHandle<Result<(), SinkError>>,
}

impl Running {
    pub(crate) fn start(sink: Box<dyn Sink>) -> Self {
        Self::start_with(sink, Arc::new(ReadOnce))
    }

    /// Starts a sink of a source whose positions are these.
    pub(crate) fn start_with(sink: Box<dyn Sink>, positions: Arc<dyn Positions>) -> Self {
        let (payloads, receiver) = mpsc::channel(10_000);
        let (abort, condition) = (CancellationToken::new(), Condition::new());
        let context = SinkContext {
            payloads: PayloadReceiver::new(vec![receiver]),
            abort: abort.clone(),
            condition: condition.clone(),
            positions,
        };
        let thread = spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(sink.run(context))
        });
        Self { payloads, abort, condition, thread }
    }

    /// Gives it a payload; one that has ended takes none.
    pub(crate) fn give(&self, payload: Payload) {
        drop(self.payloads.try_send(payload));
    }

    /// Gives it payloads.
    pub(crate) fn give_all(&self, payloads: impl IntoIterator<Item = Payload>) {
        for payload in payloads {
            self.give(payload);
        }
    }

    /// Waits until it is held up, and returns by what kind of trouble.
    pub(crate) fn held(&self) -> &'static str {
        poll_until("trouble", DEADLINE, || self.condition.troubles().first().map(|trouble| trouble.kind))
    }

    /// Waits until nothing holds it up.
    pub(crate) fn goes_on(&self) {
        poll_until("no trouble", DEADLINE, || self.condition.troubles().is_empty().then_some(()));
    }

    /// Returns what holds it up, if anything.
    pub(crate) fn troubles(&self) -> Vec<Trouble> {
        self.condition.troubles()
    }

    /// Gives no more.
    pub(crate) fn give_no_more(self) -> Ending {
        Ending { abort: self.abort, thread: self.thread }
    }

    /// Gives no more, and waits for its end.
    pub(crate) fn end(self) -> Result<(), SinkError> {
        drop(self.payloads);
        self.thread.join().unwrap()
    }

    /// Says that there is no time left, and waits for its end.
    pub(crate) fn give_up(self) -> Result<(), SinkError> {
        self.abort.cancel();
        self.end()
    }
}

/// A sink that is given no more.
pub(crate) struct Ending {
    abort: CancellationToken,
    thread: JoinHandle<Result<(), SinkError>>,
}

impl Ending {
    /// Returns whether it has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Says that there is no time left.
    pub(crate) fn abort(&self) {
        self.abort.cancel();
    }

    /// Waits for its end.
    pub(crate) fn join(self) -> Result<(), SinkError> {
        self.thread.join().unwrap()
    }
}
