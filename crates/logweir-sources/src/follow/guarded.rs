//! Reads on in a file that others may change, and notices when it is no longer the same.
//!
//! A file that is emptied and written anew may be longer than before by the time somebody looks: its size tells
//! nothing. So each read begins a little before its place, and what comes back there must be what was there last time.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSliceMut, Read};

use crate::fingerprint::{Fingerprint, WINDOW_BYTES, Window};

/// The file no longer holds, before the place to read on, what it held.
#[derive(Debug)]
pub(super) struct Changed;

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the file was emptied or written anew")
    }
}

impl std::error::Error for Changed {}

/// Returns whether reading failed because of [`Changed`].
pub(super) fn is_changed(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Changed>()).is_some()
}

/// A place in a file, with what comes before it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) window: Window,
}

impl Place {
    /// Returns the start of a file.
    pub(super) fn start() -> Self {
        Self { offset: 0, window: Window::new() }
    }

    /// Returns the place at `offset`, taking what comes before from the file; `None` if it does not reach there.
    pub(super) fn at(file: &File, offset: u64) -> io::Result<Option<Self>> {
        let n_bytes = offset.min(WINDOW_BYTES as u64) as usize;
        let Some(bytes) = read_exact_at(file, offset - n_bytes as u64, n_bytes)? else {
            return Ok(None);
        };
        let mut window = Window::new();
        window.extend(&bytes);
        Ok(Some(Self { offset, window }))
    }

    /// Returns the place at `offset` if what comes before has this fingerprint.
    pub(super) fn verified(file: &File, offset: u64, tail: Fingerprint) -> io::Result<Option<Self>> {
        let place = Self::at(file, offset)?;
        Ok(place.filter(|place| place.window.ends_with(tail)))
    }

    /// Moves it behind `bytes`, which come next.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        self.window.extend(bytes);
    }
}

/// Returns `n_bytes` bytes of a file from `offset` on; `None` if it has not so many.
pub(super) fn read_exact_at(file: &File, offset: u64, n_bytes: usize) -> io::Result<Option<Vec<u8>>> {
    use std::os::unix::fs::FileExt as _;
    let mut bytes = vec![0; n_bytes];
    match file.read_exact_at(&mut bytes, offset) {
        Ok(()) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a file from a place on, moving the place along.
pub(super) struct GuardedRead<'a> {
    pub(super) file: &'a File,
    pub(super) place: &'a mut Place,
}

impl Read for GuardedRead<'_> {
    /// Fails with [`Changed`] if the file holds something else before the place than it did.
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut guard = [0; WINDOW_BYTES];
        let expected = self.place.window.bytes();
        let guard = &mut guard[..expected.len()];
        let from = self.place.offset - guard.len() as u64;
        let n_both =
            rustix::io::preadv(self.file, &mut [IoSliceMut::new(guard), IoSliceMut::new(room)], from)?;
        let Some(n_read) = n_both.checked_sub(guard.len()).filter(|_| *guard == *expected) else {
            return Err(io::Error::other(Changed));
        };
        self.place.advance(&room[..n_read]);
        Ok(n_read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use logweir_testkit::scratch::Scratch;

    use super::*;

    fn read(file: &File, place: &mut Place, n_bytes: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; n_bytes];
        let n_read = GuardedRead { file, place }.read(&mut bytes)?;
        bytes.truncate(n_read);
        Ok(bytes)
    }

    #[test]
    fn a_file_that_was_emptied_and_has_grown_longer_is_not_read_on() {
        let scratch = Scratch::new();
        let path = scratch.path("events");
        std::fs::write(&path, "first\nsecond\n").unwrap();
        let file = File::open(&path).unwrap();
        let mut place = Place::start();
        assert_eq!(read(&file, &mut place, 6).unwrap(), b"first\n");
        assert_eq!(read(&file, &mut place, 100).unwrap(), b"second\n");
        assert_eq!(read(&file, &mut place, 100).unwrap(), b"");
        let mut writer = File::options().append(true).open(&path).unwrap();
        writer.write_all(b"third\n").unwrap();
        assert_eq!(read(&file, &mut place, 100).unwrap(), b"third\n");
        for content in ["", "short\n", "quite other events, and more of them than before\n"] {
            std::fs::write(&path, content).unwrap();
            let error = read(&file, &mut place.clone(), 100).unwrap_err();
            assert!(is_changed(&error), "{content:?}: {error}");
        }
    }

    #[test]
    fn a_place_is_found_again_by_what_comes_before() {
        let scratch = Scratch::new();
        let path = scratch.path("events");
        let content: Vec<u8> = (0..1000_u32).flat_map(u32::to_le_bytes).collect();
        std::fs::write(&path, &content).unwrap();
        let file = File::open(&path).unwrap();
        for offset in [0, 1, 255, 256, 257, 3999, 4000] {
            let place = Place::at(&file, offset).unwrap().unwrap();
            let tail = place.window.fingerprint();
            assert!(Place::verified(&file, offset, tail).unwrap().is_some());
            assert!(offset == 0 || Place::verified(&file, offset - 1, tail).unwrap().is_none());
        }
        assert!(Place::at(&file, 4001).unwrap().is_none());
    }
}
