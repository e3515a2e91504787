//! Searches for files, and learns what has become of those that are known.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use logweir_event::FileId;

use super::followed::Followed;
use super::stats::Rotation;
use super::{Follower, SEARCH_AFTER};
use crate::error::SourceError;

/// How long the bytes that a file held when it was emptied may turn up in a copy, before they are counted as lost.
const LOST_AFTER: Duration = Duration::from_secs(60);

impl Follower {
    /// Takes what the system has told of changes.
    pub(super) fn take_hints(&mut self) {
        let changes = self.watch.take();
        for path in changes.modified {
            let plain = path.strip_prefix(".").unwrap_or(&path);
            // Others' files change in the same directories.
            if let Some(key) = self.files.at(&path).or_else(|| self.files.at(plain)) {
                self.look_at(key);
            }
        }
        if changes.rescan {
            self.search_soon();
        }
    }

    /// Has all files searched for in a moment; where that takes long, seldom enough to leave most of the time for
    /// reading.
    pub(super) fn search_soon(&mut self) {
        let at = (Instant::now() + SEARCH_AFTER).max(self.not_before);
        self.next_search = self.next_search.min(at);
    }

    /// Looks whether a file has something to read.
    fn look_at(&mut self, key: u32) {
        let Some(file) = self.files.get_mut(key) else { return };
        let metadata = match &file.file {
            Some(file) => file.metadata(),
            None => fs::metadata(&file.path),
        };
        match metadata {
            Ok(metadata) if FileId::from(&metadata) == file.id => self.note_size(key, metadata.len()),
            _ => self.search_soon(),
        }
    }

    /// Takes note of a file's size, and queues it if there is something to read.
    fn note_size(&mut self, key: u32, size: u64) {
        let Some(file) = self.files.get_mut(key) else { return };
        file.set_size(size);
        if file.is_behind() {
            self.queue(key);
        }
    }

    /// Finds all files there are.
    pub(super) fn search(&mut self) {
        let started = Instant::now();
        self.n_searches += 1;
        let mut directories = self.globs.directories();
        let mut is_whole = true;
        let condition = self.condition.clone();
        let paths = self.globs.paths(&mut |error: &SourceError| {
            is_whole = false;
            if condition.trouble("include", error.kind(), error) {
                tracing::error!(error = error as &dyn std::error::Error, "files cannot be searched for");
            }
        });
        if is_whole {
            self.condition.clear("include");
        }
        let links: Vec<_> =
            paths.iter().filter_map(|path| Some((path.clone(), behind_link(path)?))).collect();
        directories.extend(links.iter().filter_map(|(_, real)| real.parent().map(Path::to_owned)));
        if self.watch.set(directories) {
            // What came between the search and the watch has not been told.
            self.search_soon();
        }
        let mut seen = HashSet::new();
        let mut new = Vec::new();
        for path in paths {
            let Ok(metadata) = fs::metadata(&path) else {
                // It has gone meanwhile, or leads nowhere.
                continue;
            };
            let id = FileId::from(&metadata);
            if !self.is_to_be_followed(&path, &metadata) || !seen.insert(id) {
                continue;
            }
            match self.files.with_id(id) {
                Some(key) => self.found_again(key, &path, metadata.len()),
                None => new.push((path, metadata)),
            }
        }
        self.found_new(new);
        if is_whole {
            self.find_missing(&seen);
            self.lay_ghosts();
        }
        for (path, real) in links {
            if let Some(key) = self.files.at(&path) {
                self.files.add_alias(key, real);
            }
        }
        self.is_tending = true;
        self.not_before = Instant::now() + 4 * started.elapsed();
    }

    fn is_to_be_followed(&mut self, path: &Path, metadata: &Metadata) -> bool {
        let id = FileId::from(metadata);
        if metadata.is_file() && !self.outputs.contains(&id) {
            return true;
        }
        if self.refused.insert(id) {
            let path = path.display();
            if metadata.is_file() {
                tracing::error!(%path, "is written to by this process, and so is not read");
            } else {
                let is_directory = metadata.is_dir();
                let is_pipe = metadata.file_type().is_fifo();
                tracing::warn!(%path, is_directory, is_pipe, "is no regular file, and so is not followed");
            }
        }
        false
    }

    fn found_again(&mut self, key: u32, path: &Path, size: u64) {
        let Some(file) = self.files.get_mut(key) else { return };
        file.missing_since = None;
        if file.path != path {
            tracing::info!(from = %file.path.display(), to = %path.display(), "a file was renamed");
            self.stats.count(Rotation::Renamed);
            let input = file.input;
            self.files.rename(key, path);
            self.registry.update(input, |entry| path.clone_into(&mut entry.path));
        }
        self.note_size(key, size);
    }

    /// Takes in files that were not known, the ones that were written to the longest time ago first.
    fn found_new(&mut self, mut found: Vec<(PathBuf, Metadata)>) {
        found.sort_by_cached_key(|(_, metadata)| metadata.modified().ok());
        for (path, metadata) in found {
            let input = self.new_input();
            // Another file may have lain there, which is missing now or has another name.
            let key = self.files.insert(Followed::new(input, path, &metadata, self.n_searches));
            self.note_size(key, metadata.len());
            // Open it while it is there.
            if let Some(file) = self.files.get(key)
                && file.size > 0
                && self.files.make_room()
                && let Some(file) = self.files.get_mut(key)
                && file.open().is_ok_and(|is_same| is_same)
            {
                self.files.opened();
            }
        }
    }

    /// Finds out which files no name leads to any more.
    fn find_missing(&mut self, seen: &HashSet<FileId>) {
        let unseen =
            self.files.iter().filter(|(_, file)| file.missing_since.is_none() && !seen.contains(&file.id));
        let missing: Vec<_> = unseen.map(|(key, _)| key).collect();
        for key in missing {
            let Some(file) = self.files.get_mut(key) else { continue };
            file.missing_since = Some(Instant::now());
            let (input, path) = (file.input, file.path.clone());
            let rotation = match (fs::metadata(&path), file.n_names()) {
                (Ok(metadata), _) if FileId::from(&metadata) != file.id => Rotation::Replaced,
                (_, Some(0) | None) => Rotation::Deleted,
                _ => Rotation::MovedAway,
            };
            tracing::info!(path = %path.display(), what = rotation.name(), "a file is gone");
            self.stats.count(rotation);
            if self.files.at(&path) == Some(key) {
                self.files.forget_path(key);
            }
            self.registry.set_gone(input);
            self.queue(key);
        }
    }

    /// Looks at files that need it.
    pub(super) fn tend(&mut self) {
        let now = Instant::now();
        let mut due = Vec::new();
        let mut gone = Vec::new();
        self.is_tending = self.ghosts.iter().any(|ghost| ghost.n_unread > 0);
        for (key, file) in self.files.iter_mut() {
            let needs_it = file.missing_since.is_some() || file.retry.is_some() || file.is_unclear();
            self.is_tending |= needs_it;
            if file.missing_since.is_some() {
                match &file.file {
                    Some(open) => {
                        if let Ok(metadata) = open.metadata() {
                            file.set_size(metadata.len());
                        }
                        due.push(key);
                    }
                    None => gone.push(key),
                }
            } else if file.retry.is_some_and(|(at, _)| now >= at) {
                // Known to be due, so that it can be queued; the pause is kept should it fail again.
                due.push(key);
            } else if file.is_unclear() && file.retry.is_none() {
                due.push(key);
            }
        }
        for key in due {
            self.queue_due(key);
        }
        for key in gone {
            self.forget(key);
        }
        self.count_lost();
    }

    /// Counts what was in files that were emptied, and in no copy of them.
    fn count_lost(&mut self) {
        for ghost in self.ghosts.iter_mut().filter(|ghost| ghost.n_unread > 0) {
            if ghost.since.elapsed() >= LOST_AFTER {
                let n_bytes = std::mem::take(&mut ghost.n_unread);
                tracing::error!(path = %ghost.path.display(), n_bytes, "a file was emptied before it was read to its end, and no copy of it was found");
                self.stats.count_lost(n_bytes);
            }
        }
    }

    /// Returns a number for an input that no other has had in this run.
    pub(super) fn new_input(&mut self) -> u32 {
        self.next_input += 1;
        self.next_input
    }
}

/// Returns where a symbolic link leads to; `None` for anything else.
fn behind_link(path: &Path) -> Option<PathBuf> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    if is_link { fs::canonicalize(path).ok() } else { None }
}
