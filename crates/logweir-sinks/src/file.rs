//! Writes to files.
//!
//! What a pipe or a device is told is gone; it is written as standard output is. All else here is about regular files,
//! from which nothing may be missing that was acked:
//!
//! - The **writer** takes payloads and adds them to the file that is to be written, which it opens, completes and
//!   follows by its path; whatever the system says against that it waits out.
//! - Where events are to be synced, a second thread brings them to the disk, many at a time (**group commit**), and
//!   only then delivers their acks.
//! - What is compressed comes in complete **members**.
//! - What a run that was stopped has left torn is **repaired** by the next.

mod config;
mod files;
mod group_commit;
mod last_member;
mod member;
mod open_file;
mod repair;
mod target;
mod writer;

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use logweir_event::FileId;

use crate::Sink;
use crate::append;
use crate::context::SinkContext;
use crate::disk::{ConfinedDisk, Disk, FollowingDisk};
use crate::error::SinkError;
use crate::hold::Hold;
use crate::stream::{Stream, write_held};
use crate::template::SinkNames;
use crate::thread::{Alarm, on_thread, on_thread_with_alarm};
use files::Files;
use group_commit::GroupCommit;
use target::Target;
use writer::Writer;

pub use config::{AckLevel, Compression, FileMode, FileSinkConfig, Rotation, Tail};

/// Writes to files that hold whole lines only: an event that an error tears is taken back.
///
/// A pipe or a device is written as it is, and there an event counts as written once it is taken.
#[derive(Debug)]
pub struct FileSink {
    config: FileSinkConfig,
    kind: Kind,
}

/// What it writes to.
#[derive(Debug)]
enum Kind {
    /// Regular files.
    Files {
        disk: Arc<dyn Disk>,
        target: Target,
        /// The identity of the file, where there is one from the start.
        id: Option<FileId>,
    },
    /// A pipe or a device.
    Stream(PathBuf),
}

impl FileSink {
    /// Returns a sink for the files that `config` names, having made the first of them, or where it will be, so that
    /// what is wrong shows now. What a file holds is left alone until the sink runs.
    ///
    /// # Errors
    ///
    /// [`SinkError::Open`], naming the file or the directory that cannot be made; [`SinkError::Refused`] if the
    /// configuration asks for what cannot be done.
    pub fn open(config: FileSinkConfig, names: &SinkNames<'_>) -> Result<Self, SinkError> {
        let disk: Arc<dyn Disk> = match config.path.as_fixed() {
            Some(path) if is_stream(path) => return Self::of_stream(path.to_owned(), config),
            // With rotation no file is opened under the name that is configured, only under those made of it.
            Some(_) if !config.rotate.is_some() => Arc::new(FollowingDisk),
            _ => Arc::new(ConfinedDisk::new(config.path.base().to_owned())),
        };
        Self::open_on(disk, config, names)
    }

    /// Returns a sink as [`open`](FileSink::open) does, for the files of another disk than the system's.
    ///
    /// # Errors
    ///
    /// As [`open`](FileSink::open).
    pub fn open_on(
        disk: Arc<dyn Disk>,
        config: FileSinkConfig,
        names: &SinkNames<'_>,
    ) -> Result<Self, SinkError> {
        let target = Target::new(&config, names)?;
        check_level(&config)?;
        let path = target.path_at(Timestamp::now());
        let parent = path.parent().unwrap_or(Path::new(""));
        disk.make_dirs(parent).map_err(|source| SinkError::Open { path: parent.to_owned(), source })?;
        let mut id = None;
        if target.is_in_place() {
            id = disk.open(&path).map_err(|source| SinkError::Open { path, source })?.id();
        }
        Ok(Self { config, kind: Kind::Files { disk, target, id } })
    }

    fn of_stream(path: PathBuf, config: FileSinkConfig) -> Result<Self, SinkError> {
        if config.rotate.is_some() || config.compression != Compression::None {
            let reason =
                "a pipe or a device is written as it is: leave out `rotate` and `compression`".to_owned();
            return Err(SinkError::Refused { path: config.path.to_string(), reason });
        }
        Ok(Self { config, kind: Kind::Stream(path) })
    }
}

impl Sink for FileSink {
    fn writes_to(&self) -> Option<FileId> {
        match &self.kind {
            Kind::Stream(path) => append::id(fs::metadata(path)),
            Kind::Files { id, .. } => *id,
        }
    }

    fn run(self: Box<Self>, context: SinkContext) -> BoxFuture<'static, Result<(), SinkError>> {
        let Self { config, kind } = *self;
        match kind {
            Kind::Stream(path) => {
                on_thread_with_alarm(context, move |context, alarm| write_stream(&path, context, alarm))
                    .boxed()
            }
            Kind::Files { disk, target, .. } => {
                on_thread(move || write_files(&*disk, &target, &config, context)).boxed()
            }
        }
    }
}

fn write_files(
    disk: &dyn Disk,
    target: &Target,
    config: &FileSinkConfig,
    mut context: SinkContext,
) -> Result<(), SinkError> {
    let mut hold = Hold::new(config.path.to_string(), &context).with_first_pause(disk.first_pause());
    let last_name = (PathBuf::new(), 0);
    let files = Files { disk, target, config, commit: None, open: None, last_name };
    let mut unfinished = None;
    if config.ack == AckLevel::Written {
        let result = Writer::new(files, &mut hold).run(&mut context.payloads, &mut unfinished);
        if let Some((payload, n_taken)) = unfinished {
            payload.cut_off(n_taken);
        }
        return result;
    }
    let commit = GroupCommit::new(disk);
    let mut writer = Writer::new(Files { commit: Some(&commit), ..files }, &mut hold);
    let result = thread::scope(|scope| {
        let _closer = commit.closer();
        let syncing = thread::Builder::new().name("sync".to_owned()).spawn_scoped(scope, || commit.run());
        syncing.map_err(|source| SinkError::Thread { source })?;
        writer.run(&mut context.payloads, &mut unfinished)
    });
    if commit.failed().is_cancelled() {
        writer.cut_back(commit.acked_end());
    } else if let Some((payload, n_taken)) = unfinished {
        // Where it is read again, the beginning of it would be there twice.
        let is_back = config.tail == Tail::SetAside && writer.cut_back(commit.acked_end());
        payload.cut_off(if is_back { 0 } else { n_taken });
    }
    match commit.failure() {
        Some(source) => Err(SinkError::Sync { path: target.path_at(Timestamp::now()), source }),
        None => result,
    }
}

/// Writes to a pipe or a device. Of a named pipe the first event is waited for: to open it is to wait for a reader,
/// and where there is nothing to write there need be none.
fn write_stream(path: &Path, mut context: SinkContext, alarm: Alarm) -> Result<(), SinkError> {
    let mut hold = Hold::new(path.display().to_string(), &context);
    let Some(first) = context.payloads.blocking_recv_events() else { return Ok(()) };
    let mut stream = Stream::open(path, alarm, &mut hold)?;
    let mut next = Some(first);
    while let Some(payload) = next.take().or_else(|| context.payloads.blocking_recv()) {
        write_held(&mut stream, payload, &mut hold, |source| SinkError::Write {
            path: path.to_owned(),
            source,
        })?;
    }
    Ok(())
}

fn is_stream(path: &Path) -> bool {
    let file_type = fs::metadata(path).map(|metadata| metadata.file_type());
    file_type.is_ok_and(|file_type| file_type.is_fifo() || file_type.is_char_device())
}

/// Refuses levels that the compressor does not know.
fn check_level(config: &FileSinkConfig) -> Result<(), SinkError> {
    match config.compression.problem() {
        None => Ok(()),
        Some(reason) => Err(SinkError::Refused { path: config.path.to_string(), reason: reason.to_owned() }),
    }
}
