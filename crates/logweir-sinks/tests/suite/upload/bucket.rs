//! A destination in memory that takes, refuses, or stalls as it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, pending};
use logweir_sinks::{
    Compression, Destination, Envelope, Limits, Upload, UploadError, UploadVerdict, Uploaded,
};

use crate::fake_disk::FakeDisk;

/// What comes of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Taken,
    /// Taken, save so many events.
    TakenWithout(u64),
    /// Taken, and then the answer is lost.
    TakenUnheard,
    Fails(u16),
    FailsFor(Duration),
    Refused,
    Stalls,
}

/// A bucket; a clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Bucket(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    disk: FakeDisk,
    limits: Limits,
    envelope: Envelope,
    /// By key.
    objects: BTreeMap<String, Vec<u8>>,
    /// What was tried, in order.
    attempts: Vec<Upload>,
    /// What comes of the next attempts.
    script: VecDeque<Answer>,
    /// What comes of all others.
    otherwise: Option<Answer>,
    n_at_once: usize,
    most_at_once: usize,
}

impl Bucket {
    /// Returns one that takes everything, from spools on this disk.
    pub(crate) fn new(disk: &FakeDisk) -> Self {
        let bucket = Self::default();
        bucket.lock().disk = disk.clone();
        bucket
    }

    pub(crate) fn limit(&self, limits: Limits) {
        self.lock().limits = limits;
    }

    /// Says in which form events are wanted.
    pub(crate) fn wrap(&self, envelope: Envelope) {
        self.lock().envelope = envelope;
    }

    /// Says what comes of the next attempts.
    pub(crate) fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().script.extend(answers);
    }

    /// Says what comes of every attempt that no script says anything of.
    pub(crate) fn always(&self, answer: Answer) {
        self.lock().otherwise = Some(answer);
    }

    pub(crate) fn attempts(&self) -> Vec<Upload> {
        self.lock().attempts.clone()
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.lock().most_at_once
    }

    /// Returns the objects by their keys, decompressed.
    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let objects = self.lock().objects.clone();
        objects.into_iter().map(|(key, bytes)| (key, decompressed(&bytes))).collect()
    }

    /// Returns the objects by their keys, as they came.
    pub(crate) fn raw_objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().objects.clone()
    }

    fn answer(&self, upload: &Upload) -> Answer {
        let mut state = self.lock();
        state.attempts.push(upload.clone());
        state.n_at_once += 1;
        state.most_at_once = state.most_at_once.max(state.n_at_once);
        let answer = state.script.pop_front().or_else(|| state.otherwise.clone()).unwrap_or(Answer::Taken);
        let is_taken = matches!(answer, Answer::Taken | Answer::TakenUnheard | Answer::TakenWithout(_));
        if is_taken {
            // A process that is dead sends nothing.
            let Some(bytes) = state.disk.read(&upload.path) else { return Answer::Stalls };
            assert_eq!(bytes.len() as u64, upload.n_bytes);
            assert_eq!(decompressed(&bytes).len() as u64, upload.n_raw_bytes);
            if let Some(before) = state.objects.insert(upload.key.clone(), bytes.clone()) {
                assert!(before == bytes, "the same key always has the same bytes");
            }
        }
        answer
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

/// Counts an attempt as over, also if it is given up.
struct AtOnce(Bucket);

impl Drop for AtOnce {
    fn drop(&mut self) {
        self.0.lock().n_at_once -= 1;
    }
}

impl Destination for Bucket {
    fn name(&self) -> String {
        "fake://bucket".to_owned()
    }

    fn limits(&self) -> Limits {
        self.lock().limits
    }

    fn envelope(&self) -> Envelope {
        self.lock().envelope.clone()
    }

    fn key(&self, date: &str, name: &str) -> String {
        format!("logs/{date}/{name}")
    }

    fn upload<'a>(&'a self, upload: &'a Upload) -> BoxFuture<'a, Result<Uploaded, UploadError>> {
        let failed = |status, verdict| {
            let message = format!("the bucket says {status}");
            Err(UploadError { status, verdict, message })
        };
        async move {
            let answer = self.answer(upload);
            let _at_once = AtOnce(self.clone());
            tokio::task::yield_now().await;
            match answer {
                Answer::Taken => Ok(Uploaded { status: 200, ..Uploaded::default() }),
                Answer::TakenWithout(n_rejected) => {
                    let first_error = Some("not a number".to_owned());
                    Ok(Uploaded { status: 200, n_rejected, first_error })
                }
                Answer::TakenUnheard => failed(1104, UploadVerdict::Retry { after: None }),
                Answer::Fails(status) => failed(status, UploadVerdict::Retry { after: None }),
                Answer::FailsFor(after) => failed(429, UploadVerdict::Retry { after: Some(after) }),
                Answer::Refused => failed(403, UploadVerdict::Reject),
                Answer::Stalls => pending().await,
            }
        }
        .boxed()
    }
}

fn decompressed(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    if bytes.starts_with(b"\x1f\x8b") {
        // One member: nothing is behind it.
        let mut reader = flate2::bufread::GzDecoder::new(bytes);
        reader.read_to_end(&mut text).unwrap();
        assert!(reader.into_inner().is_empty());
    } else if bytes.starts_with(b"\x28\xb5\x2f\xfd") {
        zstd::Decoder::new(bytes).unwrap().single_frame().read_to_end(&mut text).unwrap();
    } else {
        text = bytes.to_vec();
    }
    text
}

/// Returns what a compression's keys end in.
pub(crate) fn ending(compression: Compression) -> &'static str {
    match compression {
        Compression::None => ".log",
        Compression::Gzip { .. } => ".log.gz",
        Compression::Zstd { .. } => ".log.zst",
    }
}
