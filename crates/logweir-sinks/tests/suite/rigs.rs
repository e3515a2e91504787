//! The sinks that conform, each with what it takes to try it.

use std::fs::File;
use std::io::{PipeReader, Read, pipe};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use logweir_event::BatchFrame;
use logweir_sinks::{
    AckLevel, Compression, DestinationConfig, DirectoryConfig, FileSinkConfig, NullSink, ObjectPrefix,
    PathTemplate, Rotation, Sink, StdoutSink, UploadSink, UploadSinkConfig, UploadStats,
};
use logweir_testkit::scratch::Scratch;

use crate::books::{NAMES, open, plain};
use crate::conformance::{Probe, Rig};

/// Reads everything that comes, and keeps it, once it is told to begin.
struct Reading {
    begin: Option<SyncSender<()>>,
    thread: JoinHandle<Vec<u8>>,
}

impl Reading {
    /// Reads what `open` opens.
    fn start<R: Read>(open: impl FnOnce() -> R + Send + 'static) -> Self {
        let (begin, told) = sync_channel(1);
        let thread = spawn(move || {
            let mut bytes = Vec::new();
            // If nobody tells, the reader goes away without having read.
            if told.recv().is_ok() {
                open().read_to_end(&mut bytes).unwrap();
            }
            bytes
        });
        Self { begin: Some(begin), thread }
    }

    fn begin(&mut self) {
        self.begin.take().unwrap().send(()).unwrap();
    }

    fn read(self) -> Vec<u8> {
        drop(self.begin);
        self.thread.join().unwrap()
    }
}

/// Takes everything.
pub(crate) struct Null;

impl Rig for Null {
    fn sink(&mut self) -> Box<dyn Sink> {
        Box::new(NullSink)
    }
}

/// Standard output that is a pipe.
pub(crate) struct Stdout {
    /// Whether somebody has set the pipe to non-blocking.
    pub(crate) is_nonblocking: bool,
    /// Whether it is one that cannot be opened anew.
    pub(crate) is_socket: bool,
    reading: Option<Reading>,
}

impl Stdout {
    pub(crate) fn new(is_nonblocking: bool, is_socket: bool) -> Self {
        Self { is_nonblocking, is_socket, reading: None }
    }

    fn ends(&self) -> (OwnedFd, OwnedFd) {
        let (reader, writer) = if self.is_socket {
            let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
            (reader.into(), writer.into())
        } else {
            let (reader, writer): (PipeReader, _) = pipe().unwrap();
            (reader.into(), writer.into())
        };
        if self.is_nonblocking {
            rustix::io::ioctl_fionbio(&writer, true).unwrap();
        }
        (reader, writer)
    }
}

impl Rig for Stdout {
    fn sink(&mut self) -> Box<dyn Sink> {
        let (reader, writer) = self.ends();
        let mut reading = Reading::start(|| File::from(reader));
        reading.begin();
        self.reading = Some(reading);
        Box::new(StdoutSink::from(writer))
    }

    fn blocked(&mut self) -> Option<Box<dyn Sink>> {
        let (reader, writer) = self.ends();
        self.reading = Some(Reading::start(|| File::from(reader)));
        Some(Box::new(StdoutSink::from(writer)))
    }

    fn unblock(&mut self) {
        self.reading.as_mut().unwrap().begin();
    }

    fn delivered(&mut self) -> Option<Vec<u8>> {
        self.reading.take().map(Reading::read)
    }
}

/// A named pipe.
pub(crate) struct Fifo {
    scratch: Scratch,
    n_pipes: usize,
    reading: Option<Reading>,
}

impl Fifo {
    pub(crate) fn new() -> Self {
        Self { scratch: Scratch::new(), n_pipes: 0, reading: None }
    }

    fn make(&mut self) -> (PathBuf, Box<dyn Sink>) {
        use rustix::fs::{CWD, Mode, mkfifoat};
        self.n_pipes += 1;
        let path = self.scratch.path(format!("{}.pipe", self.n_pipes));
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
        let sink = open(FileSinkConfig { ack: AckLevel::Synced, ..plain(path.clone()) }).unwrap();
        (path, Box::new(sink))
    }
}

impl Rig for Fifo {
    fn sink(&mut self) -> Box<dyn Sink> {
        let (path, sink) = self.make();
        let mut reading = Reading::start(|| File::open(path).unwrap());
        reading.begin();
        self.reading = Some(reading);
        sink
    }

    fn blocked(&mut self) -> Option<Box<dyn Sink>> {
        let (path, sink) = self.make();
        self.reading = Some(Reading::start(|| File::open(path).unwrap()));
        Some(sink)
    }

    fn unblock(&mut self) {
        self.reading.as_mut().unwrap().begin();
    }

    fn delivered(&mut self) -> Option<Vec<u8>> {
        self.reading.take().map(Reading::read)
    }
}

/// Files, each run in a directory of its own.
pub(crate) struct Files {
    scratch: Scratch,
    n_runs: usize,
    path: &'static str,
    config: FileSinkConfig,
}

impl Files {
    /// Returns files of a path template, with the options of `config`.
    pub(crate) fn new(path: &'static str, config: FileSinkConfig) -> Self {
        Self { scratch: Scratch::new(), n_runs: 0, path, config }
    }

    /// Returns each kind of file there is.
    pub(crate) fn all() -> Vec<(&'static str, Self)> {
        let written = plain("");
        let synced =
            FileSinkConfig { ack: AckLevel::Synced, sync_every: Duration::from_millis(2), ..written.clone() };
        let compressed =
            |compression, config: &FileSinkConfig| FileSinkConfig { compression, ..config.clone() };
        let rotated = |max_bytes, config: &FileSinkConfig| {
            let rotate = Rotation { max_bytes: Some(max_bytes), every: None };
            FileSinkConfig { rotate, ..config.clone() }
        };
        let gzip = Compression::Gzip { level: 6 };
        let zstd = Compression::Zstd { level: 3 };
        vec![
            ("file, written", Self::new("made/for/it.ndjson", written.clone())),
            ("file, synced", Self::new("made/for/it.ndjson", synced.clone())),
            ("file, by the time, written", Self::new("{DATE}/{HOUR}.ndjson", written.clone())),
            ("file, by the time, synced", Self::new("{DATE:%Y/%m/%d}/{pipeline}.ndjson", synced.clone())),
            ("file, gzip, written", Self::new("it.gz", compressed(gzip, &written))),
            ("file, gzip, synced", Self::new("it.gz", compressed(gzip, &synced))),
            ("file, zstd, written", Self::new("it.zst", compressed(zstd, &written))),
            ("file, zstd, synced", Self::new("it.zst", compressed(zstd, &synced))),
            ("file, rotated, written", Self::new("it.ndjson", rotated(100, &written))),
            ("file, rotated, synced", Self::new("{DATE}.ndjson", rotated(100, &synced))),
            ("file, rotated, gzip", Self::new("it.gz", compressed(gzip, &rotated(200, &synced)))),
        ]
    }

    fn dir(&self) -> PathBuf {
        self.scratch.path(self.n_runs.to_string())
    }
}

impl Rig for Files {
    fn sink(&mut self) -> Box<dyn Sink> {
        self.n_runs += 1;
        let path = PathTemplate::parse(&format!("{}/{}", self.dir().display(), self.path)).unwrap();
        Box::new(open(FileSinkConfig { path, ..self.config.clone() }).unwrap())
    }

    fn delivered(&mut self) -> Option<Vec<u8>> {
        Some(read_files(&self.dir()))
    }

    fn probe(&self) -> Option<Probe> {
        let dir = self.dir();
        Some(Arc::new(move || read_files(&dir)))
    }
}

/// Uploads to a directory, each run to one of its own.
pub(crate) struct Uploads {
    scratch: Scratch,
    n_runs: usize,
    compression: Compression,
}

impl Uploads {
    /// Returns each way there is to compress.
    pub(crate) fn all() -> Vec<(&'static str, Self)> {
        let rig = |compression| Self { scratch: Scratch::new(), n_runs: 0, compression };
        vec![
            ("uploads", rig(Compression::None)),
            ("uploads, gzip", rig(Compression::Gzip { level: 1 })),
            ("uploads, zstd", rig(Compression::Zstd { level: 1 })),
        ]
    }

    fn dir(&self) -> PathBuf {
        self.scratch.path(self.n_runs.to_string())
    }
}

impl Rig for Uploads {
    fn sink(&mut self) -> Box<dyn Sink> {
        self.n_runs += 1;
        std::fs::create_dir(self.dir()).unwrap();
        let prefix = ObjectPrefix::parse("logs/{DATE}").unwrap();
        let destination = DestinationConfig::Directory(DirectoryConfig { root: self.dir(), prefix });
        let config = UploadSinkConfig { compression: self.compression, ..UploadSinkConfig::new(destination) };
        let spool = self.scratch.path(format!("{}.spool/made/for/it", self.n_runs));
        let sink = UploadSink::open(config, BatchFrame::default(), &NAMES, spool, UploadStats::new());
        Box::new(sink.unwrap())
    }

    fn delivered(&mut self) -> Option<Vec<u8>> {
        Some(read_files(&self.dir()))
    }

    fn probe(&self) -> Option<Probe> {
        let dir = self.dir();
        Some(Arc::new(move || read_files(&dir)))
    }
}

/// Returns what is in the files below a directory, decompressed as far as that can be read, in the order in which
/// they were begun.
pub(crate) fn read_files(dir: &Path) -> Vec<u8> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { dirs.push(path) } else { found.push(path) }
        }
    }
    found.sort_by_key(|path| (path.extension() == Some("part".as_ref()), number(path)));
    let mut bytes = Vec::new();
    for path in found {
        // A file that is being completed is called something else when it is opened.
        let Ok(mut file) = File::open(&path) else { continue };
        if path.to_string_lossy().contains(".gz") {
            flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).ok();
        } else if path.to_string_lossy().contains(".zst") {
            zstd::Decoder::new(file).unwrap().read_to_end(&mut bytes).ok();
        } else {
            file.read_to_end(&mut bytes).unwrap();
        }
    }
    bytes
}

/// Returns which of the files of its name it is.
fn number(path: &Path) -> u64 {
    let name = path.file_name().unwrap().to_str().unwrap();
    let parts: Vec<_> = name.split('.').filter_map(|part| part.parse().ok()).collect();
    parts.into_iter().rfind(|&n| n < 1_000_000).unwrap_or(0)
}
