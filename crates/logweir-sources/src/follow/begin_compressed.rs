//! Where reading begins in a compressed file: at its beginning, where it was left, or where what it was made of was left.

use std::io;

use logweir_event::Position;

use super::Follower;
use super::begin::Identity;
use super::compressed::{self, Compressed};
use super::followed::{Content, Followed};
use super::ghosts::{Ghost, found_copy};
use super::guarded::is_changed;
use super::kin::uncompressed;
use super::read::Begun;
use super::registry::{Entry, Head};
use super::relatives::{Kinship, Relative, judge, places};
use super::stats::Rotation;
use crate::chunker::Chunker;
use crate::fingerprint::{Fingerprint, Window};
use crate::tracker::Mark;

impl Follower {
    pub(super) fn identify_compressed(&mut self, key: u32, first: &[u8]) -> io::Result<Begun> {
        let Some(followed) = self.files.get(key) else { return Ok(Begun::No) };
        let raw_head = Fingerprint::of(first);
        let is_same = |ghost: &Ghost| {
            ghost.id == followed.id && ghost.is_compressed && ghost.known.head.fingerprint() == raw_head
        };
        if let Some(index) = self.ghosts.iter().position(is_same) {
            return Ok(self.resume_compressed(key, index, raw_head));
        }
        if followed.starts_behind.is_some_and(|size| size == followed.size) {
            self.begin_compressed_at(key, raw_head, 0, Fingerprint::default(), true);
            self.finish_compressed(key);
            return Ok(Begun::No);
        }
        let (identity, tail) = self.compressed_kin(key)?;
        match identity {
            Identity::Unclear => return Ok(Begun::No),
            Identity::Copy(offset) => {
                let Some(followed) = self.files.get(key) else { return Ok(Begun::No) };
                tracing::info!(path = %followed.path.display(), offset, "a file is a compressed copy of one that has been read up to there");
                self.stats.count(Rotation::Compressed);
                found_copy(&mut self.ghosts, &followed.path);
                self.begin_compressed_at(key, raw_head, offset, tail, false);
            }
            Identity::Ghost(..) | Identity::New => {
                self.begin_compressed_at(key, raw_head, 0, Fingerprint::default(), true);
            }
        }
        Ok(self.open_compressed(key))
    }

    /// Goes on with a compressed file where it was left, as the input it was.
    fn resume_compressed(&mut self, key: u32, index: usize, raw_head: Fingerprint) -> Begun {
        let Some(followed) = self.files.get_mut(key) else { return Begun::No };
        let ghost = self.ghosts.swap_remove(index);
        let mut content = Compressed::from(raw_head, ghost.known.offset, ghost.known.tail);
        if ghost.finished_bytes == Some(followed.size) {
            content.finish(followed.size);
        }
        (followed.input, followed.found_in) = (ghost.input, ghost.found_in);
        followed.content = Content::Compressed(Box::new(content));
        let path = followed.path.clone();
        self.registry.update(ghost.input, |entry| (entry.path, entry.gone_since) = (path, None));
        self.open_compressed(key)
    }

    fn begin_compressed_at(
        &mut self,
        key: u32,
        head: Fingerprint,
        offset: u64,
        tail: Fingerprint,
        is_start: bool,
    ) {
        let Some(followed) = self.files.get_mut(key) else { return };
        let mark = Mark { position: Position { input: followed.input, offset }, tail };
        let entry = Entry {
            path: followed.path.clone(),
            id: followed.id,
            head: Head::Fingerprint(head),
            start: is_start.then_some(mark),
            is_compressed: true,
            finished: None,
            gone_since: None,
        };
        self.registry.insert(followed.input, entry);
        followed.content = Content::Compressed(Box::new(Compressed::from(head, offset, tail)));
        if !is_start {
            self.chunks.pass(mark, 0);
        }
    }

    /// Looks for a file of which a compressed one is a copy; returns also what comes before the place to go on at.
    fn compressed_kin(&mut self, key: u32) -> io::Result<(Identity, Fingerprint)> {
        let unclear = Ok((Identity::Unclear, Fingerprint::default()));
        let Some(followed) = self.files.get(key) else { return unclear };
        let (Content::Unknown(doubt), Some(file)) = (&followed.content, &followed.file) else {
            return unclear;
        };
        let is_gone = followed.missing_since.is_some();
        let original = uncompressed(&followed.path).and_then(|path| self.files.at(&path));
        if !is_gone && original.and_then(|key| self.files.get(key)).is_some_and(Followed::is_behind) {
            // How much of it is new depends on how far that is read until it goes.
            self.put_off(key, None, false);
            return unclear;
        }
        let first = compressed::head(file, &self.alarm)?;
        let relatives: Vec<Relative<'_>> = self.relatives(key, &first, followed).collect();
        let doubt = *doubt;
        let sample = compressed::sample(file, &places(&relatives, &doubt), &self.alarm, &self.stopping());
        let mut sample = match sample {
            Err(_) if self.stop.is_cancelled() => return unclear,
            sample => sample?,
        };
        sample.is_gone = is_gone;
        let may_grow = sample.is_cut && !is_gone && followed.changed.elapsed() < self.pace.compressed_after;
        let kinship = match judge(&relatives, &sample, &doubt) {
            within @ Kinship::Within { .. } => within,
            // Whoever compresses may not be done.
            _ if may_grow => Kinship::Unclear,
            kinship => kinship,
        };
        drop(relatives);
        let identity = self.decide(key, kinship, sample.n_bytes);
        let Identity::Copy(offset) = identity else { return Ok((identity, Fingerprint::default())) };
        let tail = sample.windows.get(&offset).map(Window::fingerprint);
        Ok((identity, tail.unwrap_or_default()))
    }

    /// Begins to read a compressed file, or goes on, unless another is being read.
    pub(super) fn open_compressed(&mut self, key: u32) -> Begun {
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
                self.cannot_decompress(key, &error);
                Begun::No
            }
        }
    }
}
