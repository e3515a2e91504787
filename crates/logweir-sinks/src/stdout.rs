//! Writes to standard output.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::fd::{AsFd, OwnedFd};

use futures::FutureExt;
use futures::future::BoxFuture;
use logweir_event::FileId;
use rustix::event::{PollFd, PollFlags, poll};

use crate::Sink;
use crate::append;
use crate::context::SinkContext;
use crate::error::SinkError;
use crate::receiver::PayloadReceiver;
use crate::thread::on_thread;
use crate::vectored::write_payload;

/// What standard output is called in errors.
const NAME: &str = "stdout";

/// Writes to standard output, straight to the descriptor: payloads are large, and a buffer would only copy them.
#[derive(Debug)]
pub struct StdoutSink {
    output: OwnedFd,
}

impl StdoutSink {
    /// Returns a sink that writes to the standard output of this process.
    ///
    /// # Errors
    ///
    /// [`SinkError::Open`] if the process may open no more files.
    pub fn new() -> Result<Self, SinkError> {
        let output = io::stdout().as_fd().try_clone_to_owned();
        Ok(Self { output: output.map_err(|source| SinkError::Open { path: NAME.into(), source })? })
    }
}

impl From<OwnedFd> for StdoutSink {
    /// Returns a sink that writes to another descriptor as if it were standard output.
    fn from(output: OwnedFd) -> Self {
        Self { output }
    }
}

impl Sink for StdoutSink {
    fn writes_to(&self) -> Option<FileId> {
        append::id(self.output.try_clone().map(File::from).and_then(|file| file.metadata()))
    }

    fn run(self: Box<Self>, context: SinkContext) -> BoxFuture<'static, Result<(), SinkError>> {
        on_thread(|| write_all(self.output.into(), context.payloads)).boxed()
    }
}

fn write_all(file: File, mut payloads: PayloadReceiver) -> Result<(), SinkError> {
    append::widen_pipe(&file);
    let mut output = Patient(file);
    while let Some(payload) = payloads.blocking_recv() {
        match write_payload(&mut output, &payload) {
            Ok(()) => payload.written(),
            Err(cut_off) => {
                payload.cut_off(cut_off.n_taken);
                return Err(match cut_off.source {
                    source if source.kind() == ErrorKind::BrokenPipe => SinkError::Closed,
                    source => SinkError::Write { path: NAME.into(), source },
                });
            }
        }
    }
    Ok(())
}

/// A descriptor that somebody else may have set to non-blocking, which all who share it then are: where it has no
/// room, it is waited for.
struct Patient(File);

impl Patient {
    fn wait(&self) -> io::Result<()> {
        match poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            match self.0.write_vectored(slices) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait()?,
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
