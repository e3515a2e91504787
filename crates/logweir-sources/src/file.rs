//! Reads files.

mod decompress;
mod discover;
mod look;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use logweir_event::Positions;
use rustix::fs::OFlags;

use crate::Source;
use crate::context::SourceContext;
use crate::error::SourceError;
use crate::positions::FilePositions;
use crate::progress::Progress;
use crate::pump::{End, Pump};
use crate::raw::RawInput;
use crate::thread::{Alarm, on_thread};
use discover::Found;

pub(crate) use decompress::{Decompressed, MAX_MAGIC, is_compressed};
pub(crate) use discover::Globs;
pub use look::{Look, look};

/// The configuration of `source.file`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSourceConfig {
    /// Globs of the files to read, or plain paths.
    pub include: Vec<String>,
    /// Globs of files to leave out, matched with the path as `include` leads to it.
    pub exclude: Vec<String>,
}

/// Reads files once, each to its end, one after the other in the byte order of their paths.
///
/// Gzip and Zstandard are recognised by how a file begins, never by its name. Pipes and devices are read until their
/// writers are gone. A file that cannot be read, or not to its end, is reported; the others are still read.
#[derive(Debug)]
pub struct FileSource {
    globs: Globs,
    positions: FilePositions,
}

impl FileSource {
    /// Returns a source for the files that `config` names; they are looked for when it runs.
    ///
    /// # Errors
    ///
    /// [`SourceError::Pattern`] if one of the globs cannot be understood.
    pub fn new(config: &FileSourceConfig) -> Result<Self, SourceError> {
        Ok(Self { globs: Globs::new(config)?, positions: FilePositions::default() })
    }

    /// Returns who knows what its positions mean.
    pub fn positions(&self) -> Arc<dyn Positions> {
        Arc::new(self.positions.clone())
    }
}

impl Source for FileSource {
    fn run(self: Box<Self>, context: SourceContext) -> BoxFuture<'static, Result<(), SourceError>> {
        on_thread(context, move |context, alarm| read_all(&self, context, &alarm)).boxed()
    }
}

fn read_all(source: &FileSource, context: SourceContext, alarm: &Alarm) -> Result<(), SourceError> {
    let FileSource { globs, positions } = source;
    let (report, progress, stop) = (context.report.clone(), context.progress.clone(), context.stop.clone());
    let outputs = context.outputs.clone();
    let mut pump = Pump::new(context);
    let mut n_failed = 0;
    let mut fail = |error: &SourceError| {
        report(error);
        n_failed += 1;
    };

    let files = globs.discover(&outputs, &mut fail);
    if let Some(total) = files.iter().map(|file| file.size).sum() {
        progress.set_total(total);
    }
    for (index, file) in files.into_iter().enumerate() {
        if stop.is_cancelled() {
            break;
        }
        positions.push(&file.path);
        match read_one(&mut pump, index as u32, file, &progress, alarm) {
            Ok(Flow::Next) => {}
            Ok(Flow::Last) => break,
            Err(error) => fail(&error),
        }
    }
    if n_failed > 0 { Err(SourceError::SomeFailed { n: n_failed }) } else { Ok(()) }
}

/// Whether there is a reason to read on.
enum Flow {
    Next,
    /// The source is to stop, or nobody takes chunks any more.
    Last,
}

fn read_one(
    pump: &mut Pump,
    index: u32,
    found: Found,
    progress: &Arc<Progress>,
    alarm: &Alarm,
) -> Result<Flow, SourceError> {
    let (path, expected) = (found.path, found.size.unwrap_or(0));
    let (raw, size) = match open(&path, progress, alarm) {
        Ok(opened) => opened,
        Err(source) => {
            progress.correct(expected, 0);
            return Err(SourceError::Open { path, source });
        }
    };
    let mut input = Decompressed::new(raw);
    let Ok((end, offset)) = pump.read(index, &mut input) else {
        return Ok(Flow::Last);
    };
    let n_used = input.n_used();
    if !matches!(end, End::Stopped) {
        progress.correct(expected, n_used);
    }
    match (end, size) {
        (End::Stopped, _) => Ok(Flow::Last),
        (End::Failed(source), _) if input.is_damaged() => {
            Err(SourceError::Decompress { path, offset, source })
        }
        (End::Failed(source), _) => Err(SourceError::Read { path, offset, source }),
        (End::Finished, Some(size)) if n_used < size => Err(SourceError::Shrunk { path, offset, size }),
        (End::Finished, _) => Ok(Flow::Next),
    }
}

/// Opens an input; returns it with its size, `None` for what is no regular file.
fn open(path: &PathBuf, progress: &Arc<Progress>, alarm: &Alarm) -> io::Result<(RawInput, Option<u64>)> {
    // Non-blocking, because opening a named pipe would otherwise wait for a writer where nothing can interrupt it.
    // For a regular file it means nothing; all else is polled before it is read.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    let size = metadata.is_file().then_some(metadata.len());
    if size.is_some() {
        advise(&file);
    }
    Ok((RawInput::new(file, alarm, progress)?, size))
}

/// Tells the system that the file will be read from start to end, so that it reads further ahead.
#[cfg(target_os = "linux")]
fn advise(file: &File) {
    // Only advice: where it is refused, reading works all the same.
    rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Sequential).ok();
}

#[cfg(not(target_os = "linux"))]
fn advise(_file: &File) {}
