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
    is_restored: bool,
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
            if file.gone_since.is_some_and(|since| now.saturating_sub(since) > GHOST_SECONDS) {
                continue;
            }
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
                since: Instant::now(),
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
            let n_unread = followed.n_unread();
            tracing::info!(path = %followed.path.display(), "a file was emptied or written anew; it is read from its beginning");
            if let Content::Plain(plain) = &followed.content
                && plain.scanned > plain.place.offset
            {
                self.stats.count_unfinished();
            }
            self.stats.count(Rotation::Truncated);
            let ghost = Ghost::of(followed, n_unread);
            (followed.input, followed.content) = (input, Content::Unknown);
            followed.set_size(metadata.len());
            self.become_ghost(ghost);
        }
    }

    /// Takes out a file that is gone.
    pub(super) fn forget(&mut self, key: u32) {
        let Some(followed) = self.files.remove(key) else { return };
        if let Some(trouble) = followed.retry.and(Some(followed.path.display().to_string())) {
            self.condition.clear(&trouble);
        }
        let n_unread = followed.n_unread();
        if n_unread > 0 {
            tracing::error!(path = %followed.path.display(), n_bytes = n_unread, "a file was gone before it was read to its end");
            self.stats.count_lost(n_unread);
        }
        if matches!(followed.content, Content::Unknown) {
            self.registry.remove(followed.input);
            return;
        }
        self.become_ghost(Ghost::of(&followed, 0));
    }

    fn become_ghost(&mut self, ghost: Ghost) {
        self.is_tending = true;
        self.registry.set_gone(ghost.input);
        self.ghosts.push(ghost);
        if self.ghosts.len() > MAX_GHOSTS
            && let Some(oldest) = (0..self.ghosts.len()).min_by_key(|&index| self.ghosts[index].since)
        {
            self.drop_ghost(oldest);
        }
    }

    /// Forgets those that have been ghosts for a day.
    pub(super) fn lay_ghosts(&mut self) {
        for index in (0..self.ghosts.len()).rev() {
            let ghost = &self.ghosts[index];
            if self.files.with_id(ghost.id).is_none() {
                self.registry.set_gone(ghost.input);
            }
            if ghost.since.elapsed() > Duration::from_secs(GHOST_SECONDS) {
                self.drop_ghost(index);
            }
        }
    }

    fn drop_ghost(&mut self, index: usize) {
        let ghost = self.ghosts.swap_remove(index);
        self.registry.remove(ghost.input);
        self.tracker.forget(ghost.input);
    }
}

impl Ghost {
    fn of(followed: &Followed, n_unread: u64) -> Self {
        let (known, is_compressed, finished_bytes) = match &followed.content {
            Content::Plain(plain) => (plain.known.clone(), false, None),
            Content::Compressed(content) => (content.known(), true, content.finished_bytes()),
            Content::Unknown => (Known::nothing(), false, None),
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
