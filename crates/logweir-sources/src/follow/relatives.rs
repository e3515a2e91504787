//! Finds out what of a file that was not known is new.
//!
//! All that was read before and is related by its name is compared with it at the places that are remembered. If the
//! other is still there, its bytes tell for certain; if not, only those places do. As long as the other holds all that
//! the file does, there is time: whoever copies has not come to the end.

use std::collections::{BTreeMap, BTreeSet};

use super::Follower;
use super::followed::{Content, Doubt, Followed};
use super::ghosts::Ghost;
use super::kin::{ENOUGH_BYTES, Known, Names, uncompressed};
use crate::fingerprint::{Fingerprint, Window};

/// A file that was read before, as seen from one that may be a copy of it.
pub(super) struct Relative<'a> {
    names: Names,
    known: &'a Known,
    input: u32,
    /// Whether more of it is about to be read.
    is_behind: bool,
    /// The file itself, as long as it holds this.
    living: Option<&'a Followed>,
}

/// What a file holds at some places, and how much of it there is.
pub(super) struct Sample {
    /// What comes before each place that it reaches, its end among them.
    pub(super) windows: BTreeMap<u64, Window>,
    /// Bytes of its content, as far as it was looked at.
    pub(super) n_bytes: u64,
    /// Whether it ends too early, as while it is being compressed.
    pub(super) is_cut: bool,
    /// Whether it is compressed and whole, so that nobody will add to it.
    pub(super) is_whole: bool,
    /// Whether it is gone, so that nobody will either, and it is held open until it is known what it is.
    pub(super) is_gone: bool,
}

impl Sample {
    /// Returns whether nobody will add to it.
    fn is_final(&self) -> bool {
        self.is_whole || self.is_gone
    }

    fn ends_with(&self, offset: u64, tail: Fingerprint) -> bool {
        self.windows.get(&offset).is_some_and(|window| window.ends_with(tail))
    }
}

/// What a file has in common with those that were read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kinship {
    /// Nothing.
    None,
    /// It may hold some of what was read, and nothing tells how much.
    Doubtful,
    /// It holds nothing before this place that was not read; maybe not behind it either, if that is not sure.
    Copy { offset: u64, is_sure: bool },
    /// All it holds is held by this input as well, and either may change.
    Within { input: u32 },
    /// It depends on what is about to happen.
    Unclear,
}

impl Follower {
    /// Returns the files that were read before this one was found, and of which it may be a copy by its name and its
    /// `first` bytes.
    pub(super) fn relatives<'a>(
        &'a self,
        key: u32,
        first: &'a [u8],
        followed: &'a Followed,
    ) -> impl Iterator<Item = Relative<'a>> {
        let within = match &followed.content {
            Content::Unknown(Doubt { within: Some((input, _)), .. }) => Some(*input),
            _ => None,
        };
        // Of two that came at once, only a name like that tells which was first.
        let found_before = followed.found_in + u64::from(uncompressed(&followed.path).is_some());
        let is_first = move |input: u32, found_in: u64| found_in < found_before || within == Some(input);
        let past = self.ghosts.iter().filter(|ghost| !ghost.is_compressed);
        let past = past.filter(move |ghost| is_first(ghost.input, ghost.found_in));
        let past = past.map(|ghost| Relative {
            names: Names::of(&followed.path, &ghost.path),
            known: &ghost.known,
            input: ghost.input,
            is_behind: ghost.is_restored && ghost.id != followed.id && self.may_be_in_its_file(ghost),
            living: None,
        });
        let present = self.files.iter().filter_map(move |(other_key, other)| {
            let Content::Plain(plain) = &other.content else { return None };
            (other_key != key && is_first(other.input, other.found_in)).then(|| Relative {
                names: Names::of(&followed.path, &other.path),
                known: &plain.known,
                input: other.input,
                is_behind: other.is_behind(),
                living: Some(other),
            })
        });
        past.chain(present).filter(|relative| relative.may_be_in(first))
    }

    /// Returns whether the file that a ghost remembers is there and may hold the same, as it has not been looked into yet.
    fn may_be_in_its_file(&self, ghost: &Ghost) -> bool {
        let file = self.files.with_id(ghost.id).and_then(|key| self.files.get(key));
        file.is_some_and(|file| match &file.content {
            Content::Unknown(doubt) => file.size > 0 && !doubt.is_other,
            Content::Plain(_) | Content::Compressed(_) => false,
        })
    }
}

/// Returns the places at which a file is to be compared with these.
pub(super) fn places(relatives: &[Relative<'_>], doubt: &Doubt) -> BTreeSet<u64> {
    let remembered = relatives.iter().flat_map(|relative| relative.known.places());
    // What goes on behind the end of another is not within it, even if it begins like all of it.
    let behind = relatives.iter().filter_map(|relative| Some(relative.living?.size + 1));
    let within = doubt.within.map(|(_, offset)| offset);
    remembered.map(|(offset, _)| offset).chain(behind).chain(within).collect()
}

/// Returns what a file has in common with all of these.
pub(super) fn judge(relatives: &[Relative<'_>], sample: &Sample, doubt: &Doubt) -> Kinship {
    let kinships = relatives.iter().map(|relative| relative.kinship(sample, doubt));
    kinships.fold(Kinship::None, Kinship::or)
}

impl Kinship {
    /// Returns what is to be thought of a file that has both in common with files.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unclear, _) | (_, Self::Unclear) => Self::Unclear,
            (within @ Self::Within { .. }, _) | (_, within @ Self::Within { .. }) => within,
            (Self::Copy { offset: a, .. }, Self::Copy { offset: b, .. }) if a > b => self,
            (_, copy @ Self::Copy { .. }) | (copy @ Self::Copy { .. }, _) => copy,
            (Self::Doubtful, _) | (_, Self::Doubtful) => Self::Doubtful,
            (Self::None, Self::None) => Self::None,
        }
    }
}

impl Relative<'_> {
    /// Returns whether a file that begins with `first` may be a copy of this one.
    fn may_be_in(&self, first: &[u8]) -> bool {
        // As long as all that the other holds is an unfinished line, only its own bytes tell.
        let is_all_unfinished = self.living.is_some() && self.known.offset == 0;
        self.known.may_be_in(self.names, first) || (is_all_unfinished && self.names == Names::Rotated)
    }

    /// Returns whether a file that is within this one is needed no more: this one has given all that it holds. As long as
    /// some of it was not sent, it would be lost with this one, should that go or the run end.
    fn has_given(&self, sample: &Sample) -> bool {
        let read = self.known.offset;
        // A line that is not finished may never be, and for that nobody's room on the disk is held.
        let is_let_go = sample.is_gone && (read >= sample.n_bytes || !self.is_behind);
        is_let_go || (sample.is_whole && read > sample.n_bytes)
    }

    fn kinship(&self, sample: &Sample, doubt: &Doubt) -> Kinship {
        let read = self.known.offset;
        if read > 0 && sample.n_bytes >= read && !sample.ends_with(read, self.known.tail) {
            return Kinship::None;
        }
        // If it cannot be read at the moment, what is remembered has to do.
        let window = self.living.and_then(|living| living.window(sample.n_bytes));
        let is_within = window.map(|window| sample.windows.get(&sample.n_bytes) == Some(&window));
        match is_within {
            Some(true) if self.has_given(sample) => Kinship::Copy { offset: sample.n_bytes, is_sure: true },
            Some(true) => Kinship::Within { input: self.input },
            // Nothing was read of it that could be in a copy.
            _ if read == 0 => Kinship::None,
            // Maybe it does not hold any more what was read of it, or it has not been looked into.
            _ if self.is_behind && !sample.is_final() => Kinship::Unclear,
            _ if sample.n_bytes >= read => Kinship::Copy { offset: read, is_sure: true },
            Some(false) => Kinship::None,
            None => self.kinship_to_past(sample, doubt),
        }
    }

    /// Returns what a file has in common with one that is gone, of which it holds less than was read.
    fn kinship_to_past(&self, sample: &Sample, doubt: &Doubt) -> Kinship {
        let reaches = |offset: u64| offset <= sample.n_bytes;
        let within = doubt.within.filter(|(input, offset)| *input == self.input && reaches(*offset));
        let same =
            |(offset, tail)| reaches(offset) && offset >= ENOUGH_BYTES && sample.ends_with(offset, tail);
        let marked = self.known.places().rev().find(|place| same(*place)).map(|(offset, _)| offset);
        let Some(offset) = marked.max(within.map(|(_, offset)| offset)) else {
            return Kinship::Doubtful;
        };
        Kinship::Copy { offset, is_sure: offset == sample.n_bytes && !sample.is_cut }
    }
}
