//! What tells a file from others by its content: the last bytes before a position, and the first ones.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

/// The bytes of a [`Window`]: a few numbers, times and identifiers of an event, which no other place repeats.
pub(crate) const WINDOW_BYTES: usize = 256;

/// The XXH3-64 of up to 256 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint {
    /// How many bytes.
    pub n_bytes: u32,
    /// Their hash.
    pub hash: u64,
}

impl Default for Fingerprint {
    /// Returns the fingerprint of no bytes.
    fn default() -> Self {
        Self::of(&[])
    }
}

impl Fingerprint {
    /// Returns the fingerprint of `bytes`, of which there are a few hundred.
    pub fn of(bytes: &[u8]) -> Self {
        Self { n_bytes: bytes.len() as u32, hash: xxh3_64(bytes) }
    }
}

/// The last bytes before a place in a file, 256 or all there are.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Window {
    bytes: [u8; WINDOW_BYTES],
    len: usize,
}

impl Window {
    /// Returns the window at the start of a file.
    pub(crate) fn new() -> Self {
        Self { bytes: [0; WINDOW_BYTES], len: 0 }
    }

    /// Returns the bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Moves it behind `bytes`, which come next in the file.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let new = &bytes[bytes.len().saturating_sub(WINDOW_BYTES)..];
        let n_kept = self.len.min(WINDOW_BYTES - new.len());
        self.bytes.copy_within(self.len - n_kept..self.len, 0);
        self.bytes[n_kept..n_kept + new.len()].copy_from_slice(new);
        self.len = n_kept + new.len();
    }

    /// Returns whether its last bytes have this fingerprint, as many as it was taken of.
    pub(crate) fn ends_with(&self, fingerprint: Fingerprint) -> bool {
        let from = self.len.checked_sub(fingerprint.n_bytes as usize);
        from.is_some_and(|from| Fingerprint::of(&self.bytes()[from..]) == fingerprint)
    }

    /// Returns its fingerprint.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.bytes())
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The bytes are somebody's data.
        f.debug_struct("Window").field("len", &self.len).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_the_last_bytes_however_they_came() {
        let all: Vec<u8> = (0..2000_u32).map(|i| (i % 251) as u8).collect();
        for step in [1, 7, 255, 256, 257, 1000] {
            let mut window = Window::new();
            for (n_before, part) in all.chunks(step).scan(0, |n, part| {
                *n += part.len();
                Some((*n, part))
            }) {
                window.extend(part);
                assert_eq!(window.bytes(), &all[n_before.saturating_sub(WINDOW_BYTES)..n_before]);
            }
        }
    }
}
