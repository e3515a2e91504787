//! A source, a sink and a bucket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use logweir_event::BatchFrame;
use logweir_sinks::{
    BatchConfig, DeliveryConfig, DestinationConfig, DirectoryConfig, Disk, ObjectPrefix, OnReject, Spool,
    SpoolConfig, UploadSink, UploadSinkConfig, UploadStats,
};

use super::bucket::Bucket;
use super::source::{Cuts, Line, Source};
use crate::books::NAMES;
use crate::fake_disk::FakeDisk;
use crate::running::Running;

/// Where the spool is.
pub(crate) const SPOOL: &str = "state/tests.spool";

/// A source, a sink and a bucket, and a disk between them.
pub(crate) struct World {
    pub(crate) disk: FakeDisk,
    pub(crate) bucket: Bucket,
    pub(crate) source: Arc<Source>,
    pub(crate) config: UploadSinkConfig,
    pub(crate) frame: BatchFrame,
    pub(crate) cuts: Cuts,
    pub(crate) stats: UploadStats,
}

impl World {
    pub(crate) fn new(source: Arc<Source>) -> Self {
        Self::on(FakeDisk::default(), source)
    }

    pub(crate) fn on(disk: FakeDisk, source: Arc<Source>) -> Self {
        Self {
            bucket: Bucket::new(&disk),
            disk,
            source,
            config: config(),
            frame: BatchFrame::default(),
            cuts: Cuts { chunks: vec![3], payload: 10, run: 1000, delimiter: "\n" },
            stats: UploadStats::new(),
        }
    }

    /// Runs a source of `n_events` events, one a chunk.
    pub(crate) fn of_events(n_events: usize) -> Self {
        let mut world = Self::new(Source::new(vec![(0..n_events).map(line).collect()], true));
        world.cuts.chunks = vec![1];
        world
    }

    pub(crate) fn sink(&self) -> UploadSink {
        let (disk, destination): (Arc<dyn Disk>, _) =
            (Arc::new(self.disk.clone()), Arc::new(self.bucket.clone()));
        let (config, frame) = (self.config.clone(), self.frame.clone());
        let spool_dir = PathBuf::from(SPOOL);
        UploadSink::open_on(disk, destination, config, frame, &NAMES, spool_dir, self.stats.clone()).unwrap()
    }

    /// Returns what the spool covers.
    pub(crate) fn covered(&self) -> Option<Vec<u8>> {
        Spool::covered_on(Arc::new(self.disk.clone()), Path::new(SPOOL)).unwrap()
    }

    /// Starts a run that reads on, and gives it all there is.
    pub(crate) fn start(&self) -> Running {
        self.source.begin(self.covered());
        let running = self.start_sink();
        running.give_all(self.source.payloads(&self.cuts));
        running
    }

    /// Starts the sink, and gives it nothing.
    pub(crate) fn start_sink(&self) -> Running {
        Running::start_with(Box::new(self.sink()), self.source.clone())
    }

    /// Returns the events in the bucket, object by object in the order of their keys, without what stands around and
    /// between them.
    pub(crate) fn delivered(&self) -> Vec<Vec<String>> {
        let objects = self.bucket.objects().into_values();
        objects.map(|object| self.events_of(&object)).collect()
    }

    /// Checks that the bucket has each event once.
    pub(crate) fn check_each_once(&self) {
        let mut found: Vec<_> = self.delivered().concat();
        let mut expected = self.source.events();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }

    /// Returns how many files in the spool have names that end like this.
    pub(crate) fn n_spooled(&self, ending: &str) -> usize {
        self.spooled().iter().filter(|name| name.ends_with(ending)).count()
    }

    /// Returns the names of the files in the spool.
    pub(crate) fn spooled(&self) -> Vec<String> {
        let name = |(path, _): (PathBuf, Vec<u8>)| path.file_name().unwrap().to_str().unwrap().to_owned();
        self.disk.files().into_iter().map(name).filter(|name| name != "lock").collect()
    }

    fn events_of(&self, object: &[u8]) -> Vec<String> {
        let text = object.strip_prefix(&self.frame.prefix[..]).expect("the prefix");
        let text = text.strip_suffix(&self.frame.suffix[..]).expect("the suffix");
        let text = std::str::from_utf8(text).unwrap();
        if self.cuts.delimiter.is_empty() {
            return text.split_inclusive('\n').map(|line| line.trim_end().to_owned()).collect();
        }
        text.split(self.cuts.delimiter).map(str::to_owned).collect()
    }
}

/// Returns a configuration that waits for nothing long.
pub(crate) fn config() -> UploadSinkConfig {
    let prefix = ObjectPrefix::parse("").unwrap();
    let destination = DestinationConfig::Directory(DirectoryConfig { root: "unused".into(), prefix });
    UploadSinkConfig {
        batch: BatchConfig { max_bytes: None, max_events: 10, max_interval: Duration::from_secs(60) },
        delivery: DeliveryConfig {
            max_uploads: 4,
            on_reject: OnReject::Hold,
            first_pause: Duration::from_micros(100),
            longest_pause: Duration::from_millis(2),
            ..DeliveryConfig::default()
        },
        spool: SpoolConfig { max_bytes: 1 << 30 },
        ..UploadSinkConfig::new(destination)
    }
}

/// Returns line `n`, of a length that depends on it.
pub(crate) fn line(n: usize) -> Line {
    let text = format!("{{\"n\":{n},\"pad\":\"{}\"}}", "x".repeat(n * 7 % 50));
    Line { text, time_ms: Some(1_763_800_000_000 + i64::try_from(n).unwrap() * 250), is_dropped: false }
}
