//! Writes to standard output.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};

use futures::FutureExt;
use futures::future::BoxFuture;
use logweir_event::FileId;

use crate::Sink;
use crate::append;
use crate::context::SinkContext;
use crate::error::SinkError;
use crate::hold::Hold;
use crate::stream::{Stream, write_held};
use crate::thread::{Alarm, on_thread_with_alarm};

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
        on_thread_with_alarm(context, |context, alarm| write_all(self.output.into(), context, alarm)).boxed()
    }
}

fn write_all(file: File, mut context: SinkContext, alarm: Alarm) -> Result<(), SinkError> {
    let mut hold = Hold::new(NAME.to_owned(), &context);
    let mut output = Stream::shared(file, alarm);
    while let Some(payload) = context.payloads.blocking_recv() {
        write_held(&mut output, payload, &mut hold, failed)?;
    }
    Ok(())
}

fn failed(source: io::Error) -> SinkError {
    match source.kind() {
        ErrorKind::BrokenPipe => SinkError::Closed,
        _ => SinkError::Write { path: NAME.into(), source },
    }
}
