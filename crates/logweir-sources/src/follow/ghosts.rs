//! Files that are not there any more, and what is remembered of them.
//!
//! A file that was emptied or is gone may live on in a copy, and one that the checkpoint tells of may still be found: until
//! then each is a ghost, known by what its content began and ended with.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use logweir_event::{FileId, Position};

use super::Follower;
use super::followed::{Content, Followed};
use super::kin::{Known, Names};
use super::registry::{Entry, Finished, Head};
use super::stats::Rotation;
use crate::checkpoint::Checkpoint;
use crate::tracker::Mark;

/// Files that are gone are remembered for the sake of copies that may still be made of them; so many, so long.
const MAX_GHOSTS: usize = 1000;
const GHOST_SECONDS: u64 = 24 * 3600;

/// What is known of a file that is not followed: it was emptied, is gone, or has not been found yet.
pub(super) struct Ghost {
    pub(super) input: u32,
    pub(super) id: FileId,
    pub(super) path: PathBuf,
    pub(super) known: Known,
    pub(super) is_compressed: bool,
    /// Of a compressed file that was read to its end: its size.
    pub(super) finished_bytes: Option<u64>,
    /// The search that found it first, 0 if that was in an earlier run.
    pub(super) found_in: u64,
    /// Whether all that is known of it comes from the checkpoint.
    pub(super) is_restored: bool,
    /// Since when it is one.
    pub(super) since: Instant,
    /// Bytes it had that were not read.
    pub(super) n_unread: u64,
}

impl Follower {
    /// Remembers the files of the last run until they are found.
    pub(super) fn remember(&mut self, checkpoint: Checkpoint) {
        let now = super::registry::now();
        for file in checkpoint.files {
            let gone_for = file.gone_since.map_or(0, |since| now.saturating_sub(since));
            let since = Instant::now().checked_sub(Duration::from_secs(gone_for));
            let input = self.new_input();
            let id = FileId::new(file.device, file.inode);
            let position = Position { input, offset: file.offset };
            let head = Head::Fingerprint(file.head);
            let known =
                Known { head: head.clone(), offset: file.offset, tail: file.tail, marks: VecDeque::new() };
            let finished = file.finished_bytes.map(|n_bytes| Finished { offset: file.offset, n_bytes });
            let entry = Entry {
                path: file.path.clone(),
                id,
                head,
                start: Some(Mark { position, tail: file.tail }),
                is_compressed: file.is_compressed,
                finished,
                gone_since: file.gone_since,
            };
            self.registry.insert(input, entry);
            self.ghosts.push(Ghost {
                input,
                id,
                path: file.path,
                known,
                is_compressed: file.is_compressed,
                finished_bytes: file.finished_bytes,
                found_in: 0,
                is_restored: true,
                // A machine that was started since remembers it longer.
                since: since.unwrap_or_else(Instant::now),
                n_unread: 0,
            });
        }
    }

    /// Begins anew with a file that holds something else than it did; what it was becomes a ghost.
    pub(super) fn begin_anew(&mut self, key: u32) {
        let input = self.new_input();
        let Some(followed) = self.files.get_mut(key) else { return };
        if let Some(file) = &followed.file
            && let Ok(metadata) = file.metadata()
        {
            tracing::info!(path = %followed.path.display(), "a file was emptied or written anew; it is read from its beginning");
            if let Content::Plain(plain) = &followed.content
                && plain.scanned.offset > plain.place.offset
            {
                self.stats.count_unfinished();
            }
            self.stats.count(Rotation::Truncated);
            let ghost = Ghost::of(followed, followed.n_lost());
            followed.begin_anew(input, self.n_searches);
            followed.note(&metadata);
            self.become_ghost(ghost);
        }
    }

    /// Takes out a file that is gone.
    pub(super) fn forget(&mut self, key: u32) {
        let Some(followed) = self.files.remove(key) else { return };
        if let Some(trouble) = followed.retry.and(Some(followed.path.display().to_string())) {
            self.condition.clear(&trouble);
        }
        let n_lost = followed.n_lost();
        if !matches!(followed.content, Content::Unknown(_)) {
            // What it held may be in a copy of it.
            self.become_ghost(Ghost::of(&followed, n_lost));
        } else if n_lost > 0 {
            tracing::error!(path = %followed.path.display(), n_bytes = n_lost, "a file was gone before it was read");
            self.stats.count_lost(n_lost);
        }
    }

    fn become_ghost(&mut self, ghost: Ghost) {
        self.is_tending = true;
        self.registry.set_gone(ghost.input);
        // What waited for something to happen to it is looked into again.
        for (_, file) in self.files.iter_mut() {
            if let Content::Unknown(doubt) = &mut file.content
                && doubt.within.is_some_and(|(input, _)| input == ghost.input)
            {
                (doubt.again, doubt.settled_at) = (None, None);
            }
        }
        self.ghosts.push(ghost);
        self.bound_ghosts();
    }

    /// Forgets those that have been ghosts for a day, and the oldest where there are too many.
    pub(super) fn lay_ghosts(&mut self) {
        for index in (0..self.ghosts.len()).rev() {
            let ghost = &self.ghosts[index];
            if self.files.with_id(ghost.id).is_none() {
                self.registry.set_gone(ghost.input);
            }
            if ghost.since.elapsed() > Duration::from_secs(GHOST_SECONDS) && !self.is_awaited(ghost) {
                self.drop_ghost(index);
            }
        }
        self.bound_ghosts();
    }

    fn bound_ghosts(&mut self) {
        if self.ghosts.len() <= MAX_GHOSTS {
            return;
        }
        let is_past = |index: &usize| !self.is_awaited(&self.ghosts[*index]);
        let mut past: Vec<_> = (0..self.ghosts.len()).filter(is_past).collect();
        past.sort_by_key(|&index| self.ghosts[index].since);
        past.truncate(past.len().saturating_sub(MAX_GHOSTS));
        // From the last one on, so that the others keep their places.
        past.sort_unstable();
        for index in past.into_iter().rev() {
            self.drop_ghost(index);
        }
    }

    /// Returns whether the file that a ghost remembers may be there and just has not been looked into.
    pub(super) fn is_awaited(&self, ghost: &Ghost) -> bool {
        let is_unknown =
            |key| self.files.get(key).is_some_and(|file| matches!(file.content, Content::Unknown(_)));
        self.n_searches == 0 || self.files.with_id(ghost.id).is_some_and(is_unknown)
    }

    fn drop_ghost(&mut self, index: usize) {
        let ghost = self.ghosts.swap_remove(index);
        if ghost.n_unread > 0 {
            tracing::error!(path = %ghost.path.display(), n_bytes = ghost.n_unread, "a file was gone before it was read to its end, and no copy of it was found");
            self.stats.count_lost(ghost.n_unread);
        }
        self.registry.remove(ghost.input);
        self.tracker.forget(ghost.input);
    }
}

impl Ghost {
    fn of(followed: &Followed, n_unread: u64) -> Self {
        let (known, is_compressed, finished_bytes) = match &followed.content {
            Content::Plain(plain) => (plain.known.clone(), false, None),
            Content::Compressed(content) => (content.known(), true, content.finished_bytes()),
            Content::Unknown(_) => (Known::nothing(), false, None),
        };
        Self {
            input: followed.input,
            id: followed.id,
            path: followed.path.clone(),
            known,
            is_compressed,
            finished_bytes,
            found_in: followed.found_in,
            is_restored: false,
            since: Instant::now(),
            n_unread,
        }
    }
}

/// Returns whether a file of this identity was read in an earlier run, and forgets that it was.
pub(super) fn was_emptied(ghosts: &mut [Ghost], id: FileId) -> bool {
    let mut was_emptied = false;
    for ghost in ghosts.iter_mut().filter(|ghost| ghost.id == id && ghost.known.offset > 0) {
        was_emptied |= std::mem::take(&mut ghost.is_restored);
    }
    was_emptied
}

/// Says that what files held that were emptied has turned up in a copy.
pub(super) fn found_copy(ghosts: &mut [Ghost], copy: &Path) {
    for ghost in ghosts.iter_mut().filter(|ghost| Names::of(copy, &ghost.path) != Names::Unrelated) {
        ghost.n_unread = 0;
    }
}
