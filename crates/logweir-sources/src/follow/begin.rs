//! Where reading begins in a file: at its beginning, where it was left, or where a copy goes on.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::Duration;

use logweir_event::Position;

use super::Follower;
use super::compressed::{self, Compressed};
use super::followed::{Content, Followed, Plain};
use super::ghosts::{Ghost, found_copy, was_emptied};
use super::guarded::{Place, is_changed, read_exact_at};
use super::kin::{Kinship, Known, Names, compare};
use super::read::Begun;
use super::registry::{Entry, Finished, Head, n_head_bytes};
use super::stats::Rotation;
use crate::chunker::Chunker;
use crate::file::{MAX_MAGIC, is_compressed};
use crate::fingerprint::Fingerprint;
use crate::tracker::Mark;

/// How long a file that is the same as another so far may stand still before it is taken for a whole copy.
const COPIED_AFTER: Duration = Duration::from_secs(3);

/// How long a compressed file may stand still that begins like another and ends too early, before it is taken for what it
/// is.
const COMPRESSED_AFTER: Duration = Duration::from_secs(10);

/// What a file is found to be.
enum Identity {
    /// The one that a ghost, by its index, remembers, read up to this place.
    Ghost(usize, Box<Place>),
    /// A copy of one that was read up to `offset`, where `tail` comes before.
    Copy { offset: u64, tail: Fingerprint },
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
            Some(Content::Unknown) => self.identify(key),
            Some(Content::Plain(_)) => return if self.has_line_end(key) { Begun::Yes } else { Begun::No },
            Some(Content::Compressed(_)) => return self.open_compressed(key),
        };
        begun.unwrap_or_else(|error| {
            self.cannot("read", key, &error);
            Begun::No
        })
    }

    fn identify(&mut self, key: u32) -> io::Result<Begun> {
        let Some(followed) = self.files.get(key) else { return Ok(Begun::No) };
        let Some(file) = &followed.file else { return Ok(Begun::No) };
        let size = file.metadata()?.len();
        let first = read_exact_at(file, 0, n_head_bytes(size))?.unwrap_or_default();
        if let Some(followed) = self.files.get_mut(key) {
            followed.set_size(size);
        }
        let Some(followed) = self.files.get(key) else { return Ok(Begun::No) };
        let is_final = followed.missing_since.is_some();
        if size == 0 {
            if is_final {
                self.forget(key);
            }
            return Ok(Begun::No);
        }
        let has_settled = is_final || has_settled(followed);
        match is_compressed(&first[..first.len().min(MAX_MAGIC)]) {
            None | Some(true) if !has_settled => Ok(Begun::No),
            Some(true) => Ok(self.identify_compressed(key, &first)),
            None | Some(false) => self.identify_plain(key, &first),
        }
    }

    fn identify_plain(&mut self, key: u32, first: &[u8]) -> io::Result<Begun> {
        let Some(followed) = self.files.get(key) else { return Ok(Begun::No) };
        let Some(file) = &followed.file else { return Ok(Begun::No) };
        let identity = match self.same_inode(followed, file)? {
            Some((index, place)) => Identity::Ghost(index, Box::new(place)),
            None => self.plain_kin(key, first, followed, file)?,
        };
        let (input, path, id) = (followed.input, followed.path.clone(), followed.id);
        let (place, start, is_old) = match identity {
            Identity::Unclear => return Ok(Begun::No),
            Identity::Ghost(index, place) => {
                let ghost = self.ghosts.swap_remove(index);
                self.registry.remove(ghost.input);
                self.tracker.forget(ghost.input);
                (*place, true, true)
            }
            Identity::Copy { offset, .. } => {
                tracing::info!(path = %path.display(), offset, "a file is a copy of one that has been read up to there");
                self.stats.count(Rotation::Copied);
                found_copy(&mut self.ghosts, &path);
                (Place::at(file, offset)?.unwrap_or_else(Place::start), false, false)
            }
            Identity::New => {
                let at_end = self.starts_at_end && followed.found_in == 1;
                let offset =
                    if at_end { last_line_end(file, followed.size)? } else { self.cut_at(followed, file)? };
                if offset == 0 && self.may_have_been_read(key, first, followed) {
                    tracing::warn!(path = %path.display(), "some of a file may have been read before, and nothing tells how much; it is read from its beginning");
                    self.stats.count_reread();
                }
                if was_emptied(&mut self.ghosts, id) {
                    tracing::warn!(path = %path.display(), "a file was emptied or written anew while nobody read it; it is read from its beginning");
                    self.stats.count(Rotation::Truncated);
                }
                (Place::at(file, offset)?.unwrap_or_else(Place::start), true, false)
            }
        };
        let plain = Plain::from(file, place)?;
        let mark = Mark {
            position: Position { input, offset: plain.place.offset },
            tail: plain.place.window.fingerprint(),
        };
        let head = plain.known.head.clone();
        let entry = Entry {
            path,
            id,
            head,
            start: start.then_some(mark),
            is_compressed: false,
            finished: None,
            gone_since: None,
        };
        self.registry.insert(input, entry);
        if !start {
            // Behind all that was read of the original.
            self.chunks.pass(mark, 0);
        }
        if let Some(followed) = self.files.get_mut(key) {
            followed.content = Content::Plain(Box::new(plain));
            if is_old {
                followed.found_in = 0;
            }
        }
        Ok(Begun::Yes)
    }

    /// Returns the ghost of this very file that fits what it holds, the one that was read farthest.
    fn same_inode(&self, followed: &Followed, file: &File) -> io::Result<Option<(usize, Place)>> {
        let mut best: Option<(usize, Place)> = None;
        for (index, ghost) in self.ghosts.iter().enumerate() {
            if ghost.id != followed.id || ghost.is_compressed {
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

    /// Returns where to go on in a file that has lost its end and kept what comes before: behind the last line that was
    /// read of it. Returns 0 if there is no telling.
    fn cut_at(&self, followed: &Followed, file: &File) -> io::Result<u64> {
        for ghost in self.ghosts.iter().filter(|ghost| ghost.id == followed.id && !ghost.is_compressed) {
            if followed.size < ghost.known.offset
                && let Some((offset, tail)) = ghost.known.last_before(followed.size)
                && Place::verified(file, offset, tail)?.is_some()
            {
                return Ok(offset.max(last_line_end(file, followed.size)?));
            }
        }
        Ok(0)
    }

    /// Returns whether a file that begins with `first` begins like one that was read.
    fn may_have_been_read(&self, key: u32, first: &[u8], followed: &Followed) -> bool {
        let begins_alike = |ghost: &Ghost| {
            ghost.id == followed.id && ghost.known.offset > 0 && ghost.known.head.matches(first) == Some(true)
        };
        self.ghosts.iter().any(begins_alike) || self.relatives(key, first, followed).next().is_some()
    }

    /// Looks for a file of which this one, which begins with `first`, is a copy.
    fn plain_kin(&self, key: u32, first: &[u8], followed: &Followed, file: &File) -> io::Result<Identity> {
        let is_final = followed.missing_since.is_some();
        let stands_still = is_final || followed.changed.elapsed() >= COPIED_AFTER;
        let (mut copy, mut is_unclear): (Option<u64>, _) = (None, false);
        for other in self.relatives(key, first, followed) {
            if other.is_compressed {
                continue;
            }
            match compare(file, (followed.size, first), other.names, other.known)? {
                Kinship::None => {}
                Kinship::SameUntil(_) if other.is_behind && !is_final => is_unclear = true,
                Kinship::SameUntil(offset) => copy = copy.max(Some(offset)),
                Kinship::SameSoFar if other.is_emptied || stands_still => {
                    // Shorter than what tells it apart: it is no copy of anything that was read.
                    let is_short = followed.size < other.known.head.len();
                    copy = copy.max((!is_short).then_some(followed.size));
                }
                Kinship::SameSoFar => is_unclear = true,
            }
        }
        Ok(match copy {
            // What comes before is taken from the file itself.
            Some(offset) => Identity::Copy { offset, tail: Fingerprint::default() },
            None if is_unclear => Identity::Unclear,
            None => Identity::New,
        })
    }

    /// Returns the files that were read before this one was found, and of which it may be a copy by its name and its
    /// `first` bytes.
    fn relatives<'a>(
        &'a self,
        key: u32,
        first: &'a [u8],
        followed: &'a Followed,
    ) -> impl Iterator<Item = Relative<'a>> {
        let ghosts = self.ghosts.iter().filter(|ghost| ghost.found_in < followed.found_in).map(|ghost| {
            // The file that it remembers may be there and just not have been looked into.
            let is_there = self.files.with_id(ghost.id).and_then(|key| self.files.get(key));
            let is_behind =
                is_there.is_some_and(|file| matches!(file.content, Content::Unknown) && file.size > 0);
            Relative {
                names: Names::of(&followed.path, &ghost.path),
                known: &ghost.known,
                is_compressed: ghost.is_compressed,
                is_behind,
                is_emptied: !is_behind,
            }
        });
        let files = self.files.iter().filter_map(move |(other_key, other)| {
            let Content::Plain(plain) = &other.content else { return None };
            let is_older = other_key != key && other.found_in < followed.found_in;
            is_older.then(|| Relative {
                names: Names::of(&followed.path, &other.path),
                known: &plain.known,
                is_compressed: false,
                is_behind: other.is_behind(),
                is_emptied: false,
            })
        });
        ghosts.chain(files).filter(|relative| relative.known.may_be_in(relative.names, first))
    }

    fn identify_compressed(&mut self, key: u32, first: &[u8]) -> Begun {
        let Some(followed) = self.files.get(key) else { return Begun::No };
        let Some(file) = &followed.file else { return Begun::No };
        let (input, path, id, size) = (followed.input, followed.path.clone(), followed.id, followed.size);
        let raw_head = Fingerprint::of(first);
        let same = |ghost: &Ghost| {
            ghost.id == id && ghost.is_compressed && ghost.known.head.fingerprint() == raw_head
        };
        let old = self.ghosts.iter().position(same);
        let mut finished = None;
        let (offset, tail, start) = match old {
            Some(index) => {
                let ghost = self.ghosts.swap_remove(index);
                self.registry.remove(ghost.input);
                self.tracker.forget(ghost.input);
                finished = ghost.finished_bytes.filter(|n_bytes| *n_bytes == size);
                (ghost.known.offset, ghost.known.tail, true)
            }
            None => match self.compressed_kin(key, followed, file) {
                Identity::Unclear => return Begun::No,
                Identity::Copy { offset, tail } => {
                    tracing::info!(path = %path.display(), offset, "a file is a compressed copy of one that has been read up to there");
                    self.stats.count(Rotation::Compressed);
                    found_copy(&mut self.ghosts, &path);
                    (offset, tail, false)
                }
                Identity::Ghost(..) | Identity::New => (0, Fingerprint::default(), true),
            },
        };
        let mark = Mark { position: Position { input, offset }, tail };
        let entry = Entry {
            path,
            id,
            head: Head::Fingerprint(raw_head),
            start: start.then_some(mark),
            is_compressed: true,
            finished: finished.map(|n_bytes| Finished { offset, n_bytes }),
            gone_since: None,
        };
        self.registry.insert(input, entry);
        if !start {
            self.chunks.pass(mark, 0);
        }
        let Some(followed) = self.files.get_mut(key) else { return Begun::No };
        let mut content = Compressed::from(raw_head, offset, tail);
        if finished.is_some() {
            content.finish(size);
            followed.content = Content::Compressed(Box::new(content));
            return Begun::No;
        }
        followed.content = Content::Compressed(Box::new(content));
        self.open_compressed(key)
    }

    /// Looks for a file of which a compressed one is a copy.
    fn compressed_kin(&self, key: u32, followed: &Followed, file: &File) -> Identity {
        let is_final = followed.missing_since.is_some();
        let may_grow = !is_final && followed.changed.elapsed() < COMPRESSED_AFTER;
        let first = match compressed::head(file, &self.alarm) {
            Ok(first) => first,
            Err(_) if may_grow => return Identity::Unclear,
            // Reading it says what is wrong.
            Err(_) => return Identity::New,
        };
        let mut relatives: Vec<_> =
            self.relatives(key, &first, followed).filter(|other| !other.is_compressed).collect();
        // The farthest place first: behind it all is new.
        relatives.sort_by_key(|other| std::cmp::Reverse(other.known.offset));
        for other in relatives {
            let place = (other.known.offset, other.known.tail);
            match compressed::is_copy(file, place, &self.alarm, &self.stopping()) {
                Ok(true) if other.is_behind && !is_final => return Identity::Unclear,
                Ok(true) => return Identity::Copy { offset: place.0, tail: place.1 },
                Ok(false) => {}
                // Told to stop, all is left as it is; and whoever compresses may not be done.
                Err(_) if self.stop.is_cancelled() || may_grow => return Identity::Unclear,
                Err(error) => {
                    tracing::debug!(path = %followed.path.display(), %error, "holds less, or is damaged");
                }
            }
        }
        Identity::New
    }

    /// Begins to read a compressed file, or goes on, unless another is being read.
    fn open_compressed(&mut self, key: u32) -> Begun {
        let is_open =
            |file: &Followed| matches!(&file.content, Content::Compressed(content) if content.is_open());
        if self.files.iter().any(|(other, file)| other != key && is_open(file)) {
            return Begun::NoRoom;
        }
        let is_stopped = self.stopping();
        let chunker = Chunker::new(self.pool.clone(), self.limits);
        let Some(followed) = self.files.get_mut(key) else { return Begun::No };
        let (Content::Compressed(content), Some(file)) = (&mut followed.content, &followed.file) else {
            return Begun::No;
        };
        if content.is_open() {
            return Begun::Yes;
        }
        if content.is_finished(followed.size) {
            if followed.missing_since.is_some() {
                self.forget(key);
            }
            return Begun::No;
        }
        match content.open(file, chunker, &self.alarm, &is_stopped) {
            Ok(()) => Begun::Yes,
            Err(_) if self.stop.is_cancelled() => Begun::No,
            Err(error) if is_changed(&error) => {
                self.begin_anew(key);
                self.queue(key);
                Begun::No
            }
            Err(error) => {
                self.damaged(key, &error);
                Begun::No
            }
        }
    }
}

/// A file that was read before, as seen from one that may be a copy of it.
struct Relative<'a> {
    names: Names,
    known: &'a Known,
    is_compressed: bool,
    /// Whether more of it is about to be read.
    is_behind: bool,
    /// Whether it holds this no more.
    is_emptied: bool,
}

/// Returns whether nobody has written to a file for a while, so that what it begins with is all there.
fn has_settled(followed: &Followed) -> bool {
    if followed.changed.elapsed() >= compressed::SETTLED_AFTER {
        return true;
    }
    let modified = followed.file.as_ref().and_then(|file| file.metadata().ok()?.modified().ok());
    modified.is_some_and(|modified| modified.elapsed().is_ok_and(|age| age > 2 * compressed::SETTLED_AFTER))
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
