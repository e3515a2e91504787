//! Where reading begins in a file: at its beginning, where it was left, or where a copy goes on.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::Instant;

use logweir_event::Position;

use super::Follower;
use super::followed::{Content, Doubt, Followed, Plain};
use super::ghosts::{Ghost, found_copy, was_emptied};
use super::guarded::{Place, read_exact_at};
use super::kin::ENOUGH_BYTES;
use super::read::Begun;
use super::registry::{Entry, n_head_bytes};
use super::relatives::{Kinship, Sample, judge, places};
use super::stats::Rotation;
use crate::file::{MAX_MAGIC, is_compressed};
use crate::tracker::Mark;

/// What a file is found to be.
pub(super) enum Identity {
    /// The one that a ghost, by its index, remembers, read up to this place.
    Ghost(usize, Box<Place>),
    /// A copy of one that was read up to this place.
    Copy(u64),
    /// Not yet clear.
    Unclear,
    /// One that was never read.
    New,
}

impl Follower {
    /// Makes a file whose turn it is ready to be read.
    pub(super) fn begin(&mut self, key: u32) -> Begun {
        let content = self.files.get(key).map(|file| &file.content);
        let begun = match content {
            None => Ok(Begun::No),
            Some(Content::Unknown(_)) => self.identify(key),
            Some(Content::Plain(_)) => self.go_on(key),
            Some(Content::Compressed(_)) => return self.open_compressed(key),
        };
        begun.unwrap_or_else(|error| {
            self.cannot("read", key, &error);
            Begun::No
        })
    }

    /// Goes on with an uncompressed file if there is a whole line.
    fn go_on(&mut self, key: u32) -> io::Result<Begun> {
        let Some(Followed { content: Content::Plain(plain), file: Some(file), .. }) = self.files.get(key)
        else {
            return Ok(Begun::No);
        };
        if plain.is_still_in(file)? {
            return self.find_line_end(key);
        }
        self.emptied(key);
        Ok(Begun::No)
    }

    fn identify(&mut self, key: u32) -> io::Result<Begun> {
        let Some(followed) = self.files.get_mut(key) else { return Ok(Begun::No) };
        let Some(file) = &followed.file else { return Ok(Begun::No) };
        let metadata = file.metadata()?;
        let size = metadata.len();
        let first = read_exact_at(file, 0, n_head_bytes(size))?.unwrap_or_default();
        followed.note(&metadata);
        followed.begin_turn();
        let is_final = followed.missing_since.is_some();
        if size == 0 {
            if is_final {
                self.forget(key);
            }
            return Ok(Begun::No);
        }
        let has_settled = is_final || self.has_settled(key);
        match is_compressed(&first[..first.len().min(MAX_MAGIC)]) {
            None | Some(true) if !has_settled => Ok(Begun::No),
            Some(true) => self.identify_compressed(key, &first),
            None | Some(false) => self.identify_plain(key, &first),
        }
    }

    /// Returns whether nobody has written to a file for a while, so that what it begins with is all there.
    fn has_settled(&self, key: u32) -> bool {
        self.files.get(key).is_some_and(|file| file.changed.elapsed() >= self.pace.settled_after)
    }

    fn identify_plain(&mut self, key: u32, first: &[u8]) -> io::Result<Begun> {
        let Some(followed) = self.files.get(key) else { return Ok(Begun::No) };
        let Some(file) = &followed.file else { return Ok(Begun::No) };
        let n_nuls = n_first_nuls(file, first, followed.size)?;
        if n_nuls == followed.size {
            // Not written yet, where somebody has reserved room, or behind a hole.
            if followed.missing_since.is_some() {
                self.forget(key);
            } else {
                self.put_off(key, None, true);
            }
            return Ok(Begun::No);
        }
        let identity = match self.same_inode(followed, file, first)? {
            Some((index, place)) => Identity::Ghost(index, Box::new(place)),
            None => self.plain_kin(key, first)?,
        };
        match identity {
            Identity::Unclear => return Ok(Begun::No),
            Identity::Ghost(index, place) => self.resume(key, index, *place)?,
            Identity::Copy(offset) => self.begin_copy(key, offset)?,
            Identity::New => self.begin_new(key, first, n_nuls)?,
        }
        Ok(Begun::Yes)
    }

    /// Goes on with a file where it was left, as the input it was.
    fn resume(&mut self, key: u32, index: usize, place: Place) -> io::Result<()> {
        let Some(followed) = self.files.get_mut(key) else { return Ok(()) };
        let Some(file) = &followed.file else { return Ok(()) };
        let mut plain = Plain::from(file, place)?;
        let ghost = self.ghosts.swap_remove(index);
        plain.known.marks = ghost.known.marks;
        let (path, head) = (followed.path.clone(), plain.known.head.clone());
        (followed.input, followed.found_in) = (ghost.input, ghost.found_in);
        followed.content = Content::Plain(Box::new(plain));
        self.registry.update(ghost.input, |entry| {
            (entry.path, entry.head, entry.gone_since) = (path, head, None);
        });
        Ok(())
    }

    fn begin_copy(&mut self, key: u32, offset: u64) -> io::Result<()> {
        let Some(followed) = self.files.get(key) else { return Ok(()) };
        tracing::info!(path = %followed.path.display(), offset, "a file is a copy of one that has been read up to there");
        self.stats.count(Rotation::Copied);
        found_copy(&mut self.ghosts, &followed.path);
        // Behind all that was read of the original.
        if let Some(mark) = self.begin_at(key, offset, false)? {
            self.chunks.pass(mark, 0);
        }
        Ok(())
    }

    fn begin_new(&mut self, key: u32, first: &[u8], n_nuls: u64) -> io::Result<()> {
        let Some(followed) = self.files.get(key) else { return Ok(()) };
        let Some(file) = &followed.file else { return Ok(()) };
        let (id, path) = (followed.id, followed.path.clone());
        let begins_alike = |ghost: &Ghost| {
            ghost.id == id && ghost.known.offset > 0 && ghost.known.head.matches(first) == Some(true)
        };
        let begins_alike = self.ghosts.iter().any(begins_alike);
        let offset = match followed.starts_behind {
            Some(size) if size <= followed.size => last_line_end(file, size)?,
            _ => self.cut_at(followed, file)?,
        };
        if begins_alike {
            self.count_reread(key);
        }
        if was_emptied(&mut self.ghosts, id) {
            tracing::warn!(path = %path.display(), "a file was emptied or written anew while nobody read it; it is read from its beginning");
            self.stats.count(Rotation::Truncated);
        }
        if n_nuls > offset {
            tracing::warn!(path = %path.display(), n_bytes = n_nuls, "a file begins with zeros, which are skipped: somebody goes on writing where they were before it was emptied");
            self.stats.count_skipped_nuls(n_nuls);
        }
        self.begin_at(key, offset.max(n_nuls), true)?;
        Ok(())
    }

    /// Counts a file of which some may come twice.
    fn count_reread(&self, key: u32) {
        if let Some(followed) = self.files.get(key) {
            tracing::warn!(path = %followed.path.display(), "some of a file may have been read before, and nothing tells how much; it comes again");
            self.stats.count_reread();
        }
    }

    /// Begins to read a file at a place; what comes before has been delivered if `is_start`.
    fn begin_at(&mut self, key: u32, offset: u64, is_start: bool) -> io::Result<Option<Mark>> {
        let Some(followed) = self.files.get_mut(key) else { return Ok(None) };
        let Some(file) = &followed.file else { return Ok(None) };
        let place = Place::at(file, offset)?.unwrap_or_else(Place::start);
        let position = Position { input: followed.input, offset: place.offset };
        let mark = Mark { position, tail: place.window.fingerprint() };
        let plain = Plain::from(file, place)?;
        let entry = Entry {
            path: followed.path.clone(),
            id: followed.id,
            head: plain.known.head.clone(),
            start: is_start.then_some(mark),
            is_compressed: false,
            finished: None,
            gone_since: None,
        };
        self.registry.insert(followed.input, entry);
        followed.content = Content::Plain(Box::new(plain));
        Ok(Some(mark))
    }

    /// Returns the ghost of this very file that fits what it holds, the one that was read farthest.
    fn same_inode(
        &self,
        followed: &Followed,
        file: &File,
        first: &[u8],
    ) -> io::Result<Option<(usize, Place)>> {
        let mut best: Option<(usize, Place)> = None;
        for (index, ghost) in self.ghosts.iter().enumerate() {
            // One of which nothing was read fits any file, and another may have its inode by now.
            let is_same = ghost.id == followed.id && !ghost.is_compressed && ghost.known.offset > 0;
            if !is_same || ghost.known.head.matches(first) != Some(true) {
                continue;
            }
            if let Some(place) = Place::verified(file, ghost.known.offset, ghost.known.tail)?
                && best.as_ref().is_none_or(|(_, best)| place.offset >= best.offset)
            {
                best = Some((index, place));
            }
        }
        Ok(best)
    }

    /// Returns where to go on in a file that has lost its end and kept what comes before: at the last place it was read up
    /// to that is still the same. Returns 0 if there is none.
    fn cut_at(&self, followed: &Followed, file: &File) -> io::Result<u64> {
        for ghost in self.ghosts.iter().filter(|ghost| ghost.id == followed.id && !ghost.is_compressed) {
            for (offset, tail) in ghost.known.places().rev() {
                let is_enough = offset >= ENOUGH_BYTES && offset <= followed.size;
                if is_enough && Place::verified(file, offset, tail)?.is_some() {
                    return Ok(offset);
                }
            }
        }
        Ok(0)
    }

    /// Looks for a file of which this one, which begins with `first`, is a copy.
    fn plain_kin(&mut self, key: u32, first: &[u8]) -> io::Result<Identity> {
        let Some(followed) = self.files.get(key) else { return Ok(Identity::Unclear) };
        let (Content::Unknown(doubt), Some(file)) = (&followed.content, &followed.file) else {
            return Ok(Identity::Unclear);
        };
        let relatives: Vec<_> = self.relatives(key, first, followed).collect();
        let (doubt, n_bytes) = (*doubt, followed.size);
        let mut windows = BTreeMap::new();
        for place in places(&relatives, &doubt).range(..n_bytes).copied().chain([n_bytes]) {
            let Some(place) = Place::at(file, place)? else { break };
            windows.insert(place.offset, place.window);
        }
        let is_gone = followed.missing_since.is_some();
        let sample = Sample { windows, n_bytes, is_cut: false, is_whole: false, is_gone };
        let kinship = judge(&relatives, &sample, &doubt);
        drop(relatives);
        Ok(self.decide(key, kinship, n_bytes))
    }

    /// Decides what a file is that has this in common with others, as far as its first `n_bytes` bytes tell.
    pub(super) fn decide(&mut self, key: u32, kinship: Kinship, n_bytes: u64) -> Identity {
        match kinship {
            Kinship::None => Identity::New,
            Kinship::Doubtful => {
                self.count_reread(key);
                Identity::New
            }
            Kinship::Copy { offset, is_sure } => {
                if !is_sure {
                    self.count_reread(key);
                }
                Identity::Copy(offset)
            }
            Kinship::Within { input } => {
                // One that is gone and waits for the other to be read is not to be closed before.
                let is_settled = self.files.get(key).is_some_and(|file| file.missing_since.is_none());
                self.put_off(key, Some((input, n_bytes)), is_settled);
                Identity::Unclear
            }
            Kinship::Unclear => {
                self.put_off(key, None, false);
                Identity::Unclear
            }
        }
    }

    /// Leaves a file for later of which it is not clear what it is; maybe it holds nothing that has to be read.
    pub(super) fn put_off(&mut self, key: u32, within: Option<(u32, u64)>, is_settled: bool) {
        // It could be read, if it could not before.
        self.clear_trouble(key);
        let (first, longest) = (self.pace.tend_every, self.pace.retry_at_most);
        let Some(followed) = self.files.get_mut(key) else { return };
        let size = followed.size;
        let Content::Unknown(doubt) = &mut followed.content else { return };
        let pause = doubt.again.map_or(first, |(_, pause)| (pause * 2).min(longest));
        *doubt = Doubt {
            again: Some((Instant::now() + pause, pause)),
            settled_at: is_settled.then_some(size),
            within: within.or(doubt.within),
            // That was looked at first.
            is_other: true,
        };
        self.is_tending = true;
    }
}

/// Returns where the last whole line of the first `size` bytes of a file ends.
fn last_line_end(file: &File, size: u64) -> io::Result<u64> {
    const BLOCK_BYTES: u64 = 64 * 1024;
    let mut room = vec![0; BLOCK_BYTES as usize];
    let mut end = size;
    while end > 0 {
        let n_bytes = end.min(BLOCK_BYTES);
        let block = &mut room[..n_bytes as usize];
        file.read_exact_at(block, end - n_bytes)?;
        if let Some(at) = memchr::memrchr(b'\n', block) {
            return Ok(end - n_bytes + at as u64 + 1);
        }
        end -= n_bytes;
    }
    Ok(0)
}

/// Returns how many zero bytes a file of `size` bytes, which begins with `first`, begins with.
fn n_first_nuls(file: &File, first: &[u8], size: u64) -> io::Result<u64> {
    const BLOCK_BYTES: u64 = 64 * 1024;
    if first.first() != Some(&0) {
        return Ok(0);
    }
    // A hole takes no room on the disk, and may be as large as it likes.
    let mut at = rustix::fs::seek(file, rustix::fs::SeekFrom::Data(0)).unwrap_or(0);
    let mut room = vec![0; BLOCK_BYTES as usize];
    while at < size {
        let n_read = file.read_at(&mut room, at)?;
        match room[..n_read].iter().position(|byte| *byte != 0) {
            Some(index) => return Ok(at + index as u64),
            None if n_read == 0 => break,
            None => at += n_read as u64,
        }
    }
    Ok(size)
}
