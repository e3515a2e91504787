//! Reads standard input.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use logweir_event::{FileId, Positions};

use crate::Source;
use crate::context::SourceContext;
use crate::error::SourceError;
use crate::positions::StreamPositions;
use crate::pump::{End, Input, Pump};
use crate::raw::RawInput;
use crate::thread::{Alarm, on_thread};

/// What standard input is called in errors.
const NAME: &str = "stdin";

/// Reads standard input to its end.
///
/// It is interruptible while the writer is silent, and never changes the descriptor's flags, which it shares with
/// whoever started this process. A pipe it lets hold more (256 KiB, on Linux).
#[derive(Debug)]
pub struct StdinSource {
    input: OwnedFd,
}

impl StdinSource {
    /// Returns a source that reads the standard input of this process.
    ///
    /// # Errors
    ///
    /// [`SourceError::Open`] if the process may open no more files.
    pub fn new() -> Result<Self, SourceError> {
        let input = io::stdin().as_fd().try_clone_to_owned();
        Ok(Self { input: input.map_err(|source| SourceError::Open { path: NAME.into(), source })? })
    }
}

impl StdinSource {
    /// Returns who knows what its positions mean.
    pub fn positions(&self) -> Arc<dyn Positions> {
        Arc::new(StreamPositions::new())
    }
}

impl From<OwnedFd> for StdinSource {
    /// Returns a source that reads another descriptor as if it were standard input.
    fn from(input: OwnedFd) -> Self {
        Self { input }
    }
}

impl Source for StdinSource {
    fn run(self: Box<Self>, context: SourceContext) -> BoxFuture<'static, Result<(), SourceError>> {
        on_thread(context, |context, alarm| read(self.input.into(), context, &alarm)).boxed()
    }
}

fn read(file: File, context: SourceContext, alarm: &Alarm) -> Result<(), SourceError> {
    let open = |source| SourceError::Open { path: NAME.into(), source };
    let metadata = file.metadata().map_err(open)?;
    if metadata.is_file() && context.outputs.contains(&FileId::from(&metadata)) {
        return Err(SourceError::OwnOutput { path: NAME.into() });
    }
    if let Some(n_bytes) = n_bytes_left(&file, &metadata).map_err(open)? {
        context.progress.set_total(n_bytes);
    }
    let mut input = RawInput::new(file, alarm, &context.progress).map_err(open)?;
    match Pump::new(context).read(0, &mut input) {
        Ok((End::Failed(source), offset)) => {
            Err(SourceError::Read { path: PathBuf::from(NAME), offset, source })
        }
        // Nobody takes chunks any more: whoever went has a reason to tell.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Returns the bytes from where a regular file stands to its end; `None` for anything else.
fn n_bytes_left(file: &File, metadata: &Metadata) -> io::Result<Option<u64>> {
    if !metadata.is_file() {
        return Ok(None);
    }
    Ok(Some(metadata.len().saturating_sub(rustix::fs::tell(file)?)))
}

impl Input for RawInput {
    fn n_source_bytes(&self) -> Option<u64> {
        None
    }

    fn can_be_read_again(&self) -> bool {
        self.never_waits()
    }
}
