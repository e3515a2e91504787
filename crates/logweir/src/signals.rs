//! The signals that a run listens to.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signal that a file has grown beyond what the process may write, 25 on Linux and macOS. Unwatched it ends the
/// process without a word; watched, the write fails like on a full disk.
const SIGXFSZ: i32 = 25;

/// The signals that end a run.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// Kept only to be watched.
    _too_large: Signal,
}

/// The signal that has the configuration read anew.
pub(crate) struct Hangups(Signal);

impl Signals {
    /// Begins to watch.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            _too_large: signal(SignalKind::from_raw(SIGXFSZ))?,
        })
    }

    /// Waits for the next one. Cancel safe: so is receiving a signal.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

impl Hangups {
    /// Begins to watch: from here on SIGHUP no longer ends the process.
    pub(crate) fn new() -> io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for one. Several that came since the last call are one; one that comes while nobody waits is kept. Cancel
    /// safe: so is receiving a signal.
    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}
