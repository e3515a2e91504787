//! Tells whether a file is a copy of another that has been read, so that it is not read twice.
//!
//! Some rotate logs by copying them and emptying the original, some compress what was rotated, some move it to another
//! disk: each makes a new file with old content. That it is one is believed only if its name says so and its content
//! does, and it is the same up to a place: there reading goes on. In doubt a file is read, since an event may come
//! twice but must not be missed.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::registry::Head;
use crate::fingerprint::{Fingerprint, WINDOW_BYTES};

/// How many of the places a file was read up to are remembered: enough that one of them lies before the end of a copy
/// that was made a moment ago.
const MAX_MARKS: usize = 32;

/// So many bytes are taken to be in no two files by chance.
pub(super) const ENOUGH_BYTES: u64 = WINDOW_BYTES as u64;

/// The endings of compressed files.
const COMPRESSED: [&[u8]; 3] = [b".gz", b".zst", b".zstd"];

/// What is known of the content of a file that was read.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) head: Head,
    /// How far it was read, and what comes before.
    pub(super) offset: u64,
    pub(super) tail: Fingerprint,
    /// Some places before, in order.
    pub(super) marks: VecDeque<(u64, Fingerprint)>,
}

impl Known {
    /// Returns what is known of a file of which nothing was read.
    pub(super) fn nothing() -> Self {
        let (head, tail) = (Head::Bytes(Vec::new()), Fingerprint::default());
        Self { head, offset: 0, tail, marks: VecDeque::new() }
    }

    /// Returns whether a file whose name relates to that of this one so, and which begins with `first`, may be a copy.
    pub(super) fn may_be_in(&self, names: Names, first: &[u8]) -> bool {
        match names {
            Names::Rotated => self.offset > 0 && self.head.matches(first) != Some(false),
            // Where only the content speaks for a copy, there must be enough of it.
            Names::Alike => self.offset >= ENOUGH_BYTES && self.head.matches(first) == Some(true),
            Names::Unrelated => false,
        }
    }

    /// Returns the places that are remembered, in order, the last one being where it was read up to.
    pub(super) fn places(&self) -> impl DoubleEndedIterator<Item = (u64, Fingerprint)> {
        let marks = self.marks.iter().copied().filter(|(offset, _)| *offset != self.offset);
        marks.chain([(self.offset, self.tail)])
    }

    /// Adds a place up to which it has been read now.
    pub(super) fn advance(&mut self, offset: u64, tail: Fingerprint) {
        if self.marks.len() == MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back((offset, tail));
        (self.offset, self.tail) = (offset, tail);
    }
}

/// Returns the path of the file of which one at this path, by its name, is the compressed form.
pub(super) fn uncompressed(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.as_bytes();
    let original = COMPRESSED.iter().find_map(|ending| name.strip_suffix(*ending))?;
    (!original.is_empty()).then(|| path.with_file_name(OsStr::from_bytes(original)))
}

/// How the name of a file relates to that of one that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Names {
    /// It is what a rotation calls the other.
    Rotated,
    /// They are alike, save for digits; or the same.
    Alike,
    /// There is no reason to think of a copy.
    Unrelated,
}

impl Names {
    /// Returns how `new` relates to `old`.
    pub(super) fn of(new: &Path, old: &Path) -> Self {
        let (Some(new_name), Some(old_name)) = (new.file_name(), old.file_name()) else {
            return Self::Unrelated;
        };
        let (new_base, old_base) = (base(new_name), base(old_name));
        if new_base == old_base && new_name.as_bytes().len() > new_base.len() {
            return Self::Rotated;
        }
        if new == old || without_digits(new_base) == without_digits(old_base) {
            return Self::Alike;
        }
        Self::Unrelated
    }
}

/// Returns a name without what rotating and compressing put behind it: `.1`, `-20261122`, `.2026-11-22`, `.gz`.
fn base(name: &OsStr) -> &[u8] {
    let mut name = name.as_bytes();
    for ending in COMPRESSED {
        name = name.strip_suffix(ending).unwrap_or(name);
    }
    let is_rotation =
        |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_' | b'T' | b'Z' | b':');
    let n_kept = name.iter().rposition(|byte| !is_rotation(byte)).map_or(0, |at| at + 1);
    let is_joined = name.get(n_kept).is_some_and(|byte| matches!(byte, b'-' | b'.' | b'_'));
    if n_kept > 0 && is_joined { &name[..n_kept] } else { name }
}

/// Returns a name without digits and what joins them.
fn without_digits(name: &[u8]) -> Vec<u8> {
    name.iter()
        .copied()
        .filter(|byte| !byte.is_ascii_digit() && !matches!(byte, b'-' | b'_' | b'.'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rotations_make_are_known() {
        for (new, old, expected) in [
            ("x.log.1", "x.log", Names::Rotated),
            ("x.log.2.gz", "x.log.1", Names::Rotated),
            ("x.log.1.gz", "x.log", Names::Rotated),
            ("x.log-20261122.zst", "x.log", Names::Rotated),
            ("x.log.2026-11-22T10:00:00", "x.log", Names::Rotated),
            ("x-20261122.log", "x.log", Names::Alike),
            ("x-20261122.log.gz", "x.log", Names::Alike),
            ("x.log", "x.log", Names::Alike),
            ("x.log", "x.log.1", Names::Alike),
            ("worker2", "worker1", Names::Alike),
            ("y.log.1", "x.log", Names::Unrelated),
            ("x.log.old", "x.log", Names::Unrelated),
            ("errors.log", "access.log", Names::Unrelated),
        ] {
            assert_eq!(Names::of(Path::new(new), Path::new(old)), expected, "{new} {old}");
        }
    }
}
