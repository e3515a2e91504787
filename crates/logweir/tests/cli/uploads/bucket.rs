//! What a server was given.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use flate2::bufread::GzDecoder;
use logweir_testkit::http_server::{Act, Received, Reply};
use serde_json::Value;

/// What a server has taken: objects by their keys, and of what is posted each request by itself. A clone is the same.
#[derive(Clone, Default)]
pub(super) struct Bucket(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    objects: BTreeMap<String, Vec<u8>>,
    n_posted: usize,
    /// When each request came, the method and path of each, whether it was taken or not.
    came: Vec<(Instant, String)>,
}

impl Bucket {
    /// Returns an act that takes what is put or posted. It panics if a key is put again with other bytes.
    pub(super) fn taking(&self) -> Act {
        let bucket = self.clone();
        Act::reply_by(move |request| bucket.take(request))
    }

    /// Returns an act that notes that somebody came, and answers this.
    pub(super) fn answering(&self, reply: Reply) -> Act {
        let bucket = self.clone();
        Act::reply_by(move |request| {
            bucket.lock().note(request);
            reply.clone()
        })
    }

    fn take(&self, request: &Received) -> Reply {
        let mut taken = self.lock();
        taken.note(request);
        let path = request.path.split('?').next().unwrap_or_default().to_owned();
        let key = if request.method == "PUT" { path } else { format!("{path} {:06}", taken.n_posted) };
        taken.n_posted += 1;
        let before = taken.objects.insert(key.clone(), request.body.clone());
        assert!(before.is_none_or(|before| before == request.body), "{key} is put again with other bytes");
        Reply::new(200).header("ETag", "\"0\"")
    }

    /// Returns when each request came, and for what.
    pub(super) fn came(&self) -> Vec<(Instant, String)> {
        self.lock().came.clone()
    }

    /// Returns the keys of what was taken.
    pub(super) fn keys(&self) -> Vec<String> {
        self.lock().objects.keys().cloned().collect()
    }

    /// Returns what was taken under a key.
    pub(super) fn object(&self, key: &str) -> Option<Vec<u8>> {
        self.lock().objects.get(key).cloned()
    }

    /// Returns what was taken, in the order of the keys.
    pub(super) fn objects(&self) -> Vec<Vec<u8>> {
        self.lock().objects.values().cloned().collect()
    }

    /// Checks that the events with the numbers from 0 to `n_events` are there, each once.
    #[track_caller]
    pub(super) fn check_has(&self, n_events: u64) {
        check_numbers(&self.objects(), n_events);
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // A panic of `take` is what the test is told of.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn note(&mut self, request: &Received) {
        let path = request.path.split('?').next().unwrap_or_default();
        self.came.push((Instant::now(), format!("{} {path}", request.method)));
    }
}

/// Returns what is in a batch: one member of gzip with nothing behind it, or text.
#[track_caller]
pub(super) fn content(object: &[u8]) -> Vec<u8> {
    if !object.starts_with(&[0x1f, 0x8b]) {
        return object.to_vec();
    }
    let mut decoder = GzDecoder::new(object);
    let mut content = Vec::new();
    decoder.read_to_end(&mut content).expect("a batch can be decompressed");
    assert!(decoder.into_inner().is_empty(), "a batch is one member");
    content
}

/// Checks that the numbered events from 0 to `n_events` are in batches, each once.
#[track_caller]
pub(super) fn check_numbers(objects: &[Vec<u8>], n_events: u64) {
    let mut found: BTreeMap<u64, u64> = BTreeMap::new();
    for object in objects {
        for line in content(object).split_inclusive(|&byte| byte == b'\n') {
            let event: Value = serde_json::from_slice(line).expect("each line is an event");
            *found.entry(event["n"].as_u64().expect("events are numbered")).or_default() += 1;
        }
    }
    let lost: Vec<_> = (0..n_events).filter(|number| !found.contains_key(number)).take(10).collect();
    let doubled: Vec<_> = found.iter().filter(|(_, n)| **n > 1).take(10).collect();
    assert!(lost.is_empty() && doubled.is_empty(), "lost {lost:?}, doubled {doubled:?}");
    assert_eq!(found.len() as u64, n_events);
}

/// Returns the objects below a directory, in the order of their paths from there.
pub(super) fn objects(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            found.extend(objects(&path).into_iter().map(|(below, bytes)| (name.join(below), bytes)));
        } else {
            found.push((name, fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}
