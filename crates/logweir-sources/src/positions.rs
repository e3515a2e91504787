//! What the positions of sources mean that read everything once.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use logweir_event::{Position, Positions, Reached};

/// The positions of an input that nobody can read again: no other run has the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct StreamPositions {
    /// What no other run has: when it began, in nanoseconds since the Unix epoch, and the process.
    run: [u8; 20],
}

impl StreamPositions {
    /// Returns those of a stream that begins now.
    pub(crate) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let mut run = [0; 20];
        run[..16].copy_from_slice(&since.to_be_bytes());
        run[16..].copy_from_slice(&process::id().to_be_bytes());
        Self { run }
    }
}

impl Positions for StreamPositions {
    fn identity(&self, _input: u32) -> Vec<u8> {
        self.run.to_vec()
    }

    fn covering(&self, _reached: &[Reached]) -> Option<Vec<u8>> {
        None
    }

    fn is_committed(&self, _positions: &[Position]) -> bool {
        true
    }
}

/// The positions of files that are read once: a file has the same each time it is read. A clone is the same list.
#[derive(Clone, Default, Debug)]
pub(crate) struct FilePositions {
    /// The files by input.
    paths: Arc<Mutex<Vec<PathBuf>>>,
}

impl FilePositions {
    /// Says which file the next input is.
    pub(crate) fn push(&self, path: &Path) {
        self.lock().push(path.to_owned());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PathBuf>> {
        // The list is whole after each push, even if somebody panicked.
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Positions for FilePositions {
    fn identity(&self, input: u32) -> Vec<u8> {
        let paths = self.lock();
        let path = paths.get(input as usize).map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()));
        path.map_or_else(Vec::new, |path| path.as_os_str().as_bytes().to_vec())
    }

    fn covering(&self, _reached: &[Reached]) -> Option<Vec<u8>> {
        None
    }

    fn is_committed(&self, _positions: &[Position]) -> bool {
        true
    }
}
