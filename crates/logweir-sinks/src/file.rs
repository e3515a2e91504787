//! Writes to a file.

mod config;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use futures::FutureExt;
use futures::future::BoxFuture;
use logweir_event::{FileId, Payload};

use crate::Sink;
use crate::append;
use crate::context::SinkContext;
use crate::error::SinkError;
use crate::receiver::PayloadReceiver;
use crate::template::SinkNames;
use crate::thread::on_thread;
use crate::vectored::{CutOff, write_payload};

pub use config::{AckLevel, Compression, FileMode, FileSinkConfig, Rotation, Tail};

/// Writes to a file that then holds whole lines only: an event that an error tears is taken back.
#[derive(Debug)]
pub struct FileSink {
    config: FileSinkConfig,
    /// The path, with the names in it.
    path: PathBuf,
    /// `None` for a named pipe, which opens only when somebody reads it.
    file: Option<File>,
}

impl FileSink {
    /// Opens the file, making it and missing directories above it; what it holds is left alone until the sink runs.
    ///
    /// # Errors
    ///
    /// [`SinkError::Open`], naming the file or the directory that cannot be made; [`SinkError::Refused`] if the
    /// configuration asks for what cannot be done.
    pub fn open(config: FileSinkConfig, names: &SinkNames<'_>) -> Result<Self, SinkError> {
        let path = plain_path(&config, names)?;
        let is_pipe = fs::metadata(&path).is_ok_and(|metadata| metadata.file_type().is_fifo());
        if is_pipe {
            return Ok(Self { config, path, file: None });
        }
        append::make_parents(&path)?;
        let file = open(&path)?;
        Ok(Self { config, path, file: Some(file) })
    }
}

impl Sink for FileSink {
    fn writes_to(&self) -> Option<FileId> {
        append::id(fs::metadata(&self.path))
    }

    fn run(self: Box<Self>, context: SinkContext) -> BoxFuture<'static, Result<(), SinkError>> {
        on_thread(|| self.write_all(context.payloads)).boxed()
    }
}

impl FileSink {
    fn write_all(self, mut payloads: PayloadReceiver) -> Result<(), SinkError> {
        let Self { config, path, file } = self;
        let failed = |source| SinkError::Write { path: path.clone(), source };
        // Of a named pipe the first event is waited for: to open it is to wait for a reader, which nothing can end, and
        // where there is nothing to write there need be none.
        let first = payloads.blocking_recv_events();
        let mut file = match (file, &first) {
            (Some(file), _) => file,
            (None, Some(_)) => open_pipe(&path)?,
            (None, None) => return Ok(()),
        };
        prepare(&mut file, config.mode).map_err(failed)?;
        // Where the next payload begins, as long as nobody else writes to the file.
        let mut end = file.metadata().map_err(failed)?.len();
        let mut next = first;
        while let Some(payload) = next.take().or_else(|| payloads.blocking_recv()) {
            match write_payload(&mut file, &payload) {
                Ok(()) => {
                    end += payload.n_bytes();
                    payload.written();
                }
                Err(cut_off) => {
                    let n_kept = take_back_torn_event(&file, end, &payload, &cut_off);
                    payload.cut_off(n_kept);
                    return Err(failed(cut_off.source));
                }
            }
        }
        Ok(())
    }
}

/// Returns the path of a sink that writes one file as it is, and refuses all others.
fn plain_path(config: &FileSinkConfig, names: &SinkNames<'_>) -> Result<PathBuf, SinkError> {
    let template = config.path.with_names(names);
    let refused =
        |reason: &str| SinkError::Refused { path: config.path.to_string(), reason: reason.to_owned() };
    if template.has_output() {
        return Err(refused("the pipeline's only output has no name, so `{output}` stands for nothing"));
    }
    let path = template.as_fixed().ok_or_else(|| refused("the time cannot be part of a path yet"))?;
    let is_plain = config.ack == AckLevel::Written
        && !config.rotate.is_some()
        && config.compression == Compression::None
        && config.tail == Tail::EndLine;
    if !is_plain {
        return Err(refused("files are only written as they are yet"));
    }
    Ok(path.to_owned())
}

fn open(path: &Path) -> Result<File, SinkError> {
    append::open(path).map_err(|source| SinkError::Open { path: path.to_owned(), source })
}

/// Opens a named pipe, waiting until somebody reads it. Not for reading as well, which would not wait: then nobody
/// would notice that the reader has gone.
fn open_pipe(path: &Path) -> Result<File, SinkError> {
    let file = OpenOptions::new().write(true).open(path);
    file.inspect(append::widen_pipe).map_err(|source| SinkError::Open { path: path.to_owned(), source })
}

/// Makes the file ready for the first event.
///
/// A file that is empty is not emptied: ext4 takes that for the start of a rewrite, and then writes all of the file to
/// the disk when it is closed (its mount option `auto_da_alloc`), which costs as long as all else.
fn prepare(file: &mut File, mode: FileMode) -> std::io::Result<()> {
    let metadata = file.metadata()?;
    match mode {
        FileMode::Append if append::ends_inside_a_line(file) => file.write_all(b"\n"),
        FileMode::Overwrite if metadata.is_file() && metadata.len() > 0 => file.set_len(0),
        FileMode::Append | FileMode::Overwrite => Ok(()),
    }
}

/// Takes back what was written of an event that was cut off, the payload having begun at `start`; returns how many
/// bytes of the payload stay in the file.
fn take_back_torn_event(file: &File, start: u64, payload: &Payload, cut_off: &CutOff) -> u64 {
    let (_, n_whole) = payload.whole_events_within(cut_off.n_taken);
    let is_back = append::cut_back(file, start + n_whole, start + cut_off.n_taken);
    if is_back { n_whole } else { cut_off.n_taken }
}
