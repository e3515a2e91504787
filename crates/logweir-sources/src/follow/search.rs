//! Searches for files, and learns what has become of those that are known.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use logweir_event::FileId;

use super::Follower;
use super::followed::{Content, Doubt, Followed};
use super::stats::Rotation;
use super::trouble::is_too_many_open;
use crate::error::SourceError;

impl Follower {
    /// Takes what the system has told of changes.
    pub(super) fn take_hints(&mut self) {
        let changes = self.watch.take();
        let known = changes.modified.iter().filter_map(|path| {
            // Others' files change in the same directories.
            self.files.at(path).or_else(|| self.files.at(path.strip_prefix(".").unwrap_or(path)))
        });
        // Those that were found first come first: the others may be copies of them.
        for key in known.collect::<BTreeSet<u32>>() {
            if let Some(file) = self.files.get_mut(key) {
                file.touch();
            }
            self.look_at(key);
        }
        if changes.rescan {
            self.search_soon();
        }
    }

    /// Has all files searched for in a moment; where that takes long, seldom enough to leave most of the time for
    /// reading.
    pub(super) fn search_soon(&mut self) {
        let at = (Instant::now() + self.pace.search_after).max(self.not_before);
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
            Ok(metadata) if FileId::from(&metadata) == file.id => self.note(key, &metadata),
            _ => self.search_soon(),
        }
    }

    /// Takes note of what the system says of a file; queues it if there is something to read, and holds it open.
    fn note(&mut self, key: u32, metadata: &Metadata) {
        let Some(file) = self.files.get_mut(key) else { return };
        file.note(metadata);
        if file.is_behind() {
            self.queue(key);
            self.hold(key);
        }
    }

    /// Opens a file that is to be read, if there is room, while it is there.
    fn hold(&mut self, key: u32) {
        let is_closed = |file: &Followed| file.file.is_none() && file.retry.is_none() && file.size > 0;
        if self.files.get(key).is_some_and(is_closed)
            && self.files.make_room()
            && let Some(file) = self.files.get_mut(key)
            && file.open().is_ok_and(|is_same| is_same)
        {
            self.files.opened(key);
        }
    }

    /// Finds all files there are.
    pub(super) fn search(&mut self) {
        let started = Instant::now();
        self.n_searches += 1;
        let (paths, is_whole) = self.list();
        let links: Vec<_> =
            paths.iter().filter_map(|path| Some((path.clone(), behind_link(path)?))).collect();
        let mut directories = self.globs.directories();
        directories.extend(links.iter().filter_map(|(_, real)| real.parent().map(Path::to_owned)));
        if self.watch.set(directories) {
            // What came between the search and the watch has not been told.
            self.search_soon();
        }
        let mut seen = HashSet::new();
        let mut new = Vec::new();
        for path in paths {
            // If not, it has gone meanwhile, or leads nowhere.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let id = FileId::from(&metadata);
            if !self.is_to_be_followed(&path, &metadata) || !seen.insert(id) {
                continue;
            }
            match self.files.with_id(id) {
                Some(key) => self.found_again(key, &path, &metadata),
                None => new.push((path, metadata)),
            }
        }
        self.found_new(new);
        self.find_missing(&seen);
        if is_whole {
            self.lay_ghosts();
            if self.n_searches == 1 && self.files.len() == 0 {
                tracing::warn!("no file is there yet that include matches; it is looked for again and again");
            }
        }
        let aliases = links.into_iter().filter_map(|(path, real)| Some((real, self.files.at(&path)?)));
        let aliases = aliases.collect();
        self.files.set_aliases(aliases);
        self.is_tending = true;
        self.not_before = Instant::now() + 4 * started.elapsed();
    }

    /// Returns all paths that are to be looked at, and whether none can be missing.
    fn list(&mut self) -> (Vec<PathBuf>, bool) {
        let (mut is_whole, mut has_too_many_open) = (true, false);
        let condition = self.condition.clone();
        let paths = self.globs.paths(&mut |error: &SourceError| {
            is_whole = false;
            has_too_many_open |=
                matches!(error, SourceError::List { source, .. } if is_too_many_open(source));
            if condition.trouble("include", error.kind(), error) {
                tracing::error!(error = error as &dyn std::error::Error, "files cannot be searched for");
            }
        });
        if is_whole && self.condition.clear("include") {
            tracing::info!("files can be searched for again");
        }
        if has_too_many_open {
            self.close_some();
        }
        (paths, is_whole)
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

    fn found_again(&mut self, key: u32, path: &Path, metadata: &Metadata) {
        let Some(file) = self.files.get(key) else { return };
        let (input, was_missing, is_renamed) = (file.input, file.missing_since.is_some(), file.path != path);
        if is_renamed {
            tracing::info!(from = %file.path.display(), to = %path.display(), "a file was renamed");
            self.stats.count(Rotation::Renamed);
        }
        if is_renamed || was_missing {
            self.renumber(key);
            self.files.rename(key, path);
            self.files.set_missing(key, None);
            self.registry.update(input, |entry| {
                path.clone_into(&mut entry.path);
                entry.gone_since = None;
            });
        }
        self.note(key, metadata);
    }

    /// Takes a file for one that has just been found if nothing is known of it: another has its number by now, maybe.
    fn renumber(&mut self, key: u32) {
        let n_searches = self.n_searches;
        if let Some(file) = self.files.get_mut(key)
            && matches!(file.content, Content::Unknown(Doubt { within: None, .. }))
            && file.file.is_none()
        {
            file.found_in = n_searches;
        }
    }

    /// Takes in files that were not known, the ones that were written to the longest time ago first.
    fn found_new(&mut self, mut found: Vec<(PathBuf, Metadata)>) {
        // The clock may have been set, so that the order is only likely to be this.
        found.sort_by_cached_key(|(_, metadata)| metadata.modified().ok());
        let starts_at_end = self.starts_at_end && self.n_searches == 1;
        for (path, metadata) in found {
            let input = self.new_input();
            let mut file = Followed::new(input, path, &metadata, self.n_searches);
            file.starts_behind = starts_at_end.then_some(metadata.len());
            // Another file may have lain there, which is missing now or has another name.
            let key = self.files.insert(file);
            self.note(key, &metadata);
        }
    }

    /// Finds out which files no name leads to any more.
    fn find_missing(&mut self, seen: &HashSet<FileId>) {
        let unseen =
            self.files.iter().filter(|(_, file)| file.missing_since.is_none() && !seen.contains(&file.id));
        let missing: Vec<_> = unseen.filter_map(|(key, file)| Some((key, what_became(file)?))).collect();
        for (key, rotation) in missing {
            self.files.set_missing(key, Some((Instant::now(), self.n_searches)));
            let Some(file) = self.files.get(key) else { continue };
            let input = file.input;
            tracing::info!(path = %file.path.display(), what = rotation.name(), "a file is gone");
            self.stats.count(rotation);
            self.files.forget_path(key);
            self.registry.set_gone(input);
            self.queue(key);
            // It may have been renamed while the search went on; only the next one tells.
            self.search_soon();
        }
    }

    /// Looks at files that need it.
    pub(super) fn tend(&mut self) {
        let now = Instant::now();
        let mut due = Vec::new();
        let mut gone = Vec::new();
        self.is_tending = self.ghosts.iter().any(|ghost| ghost.n_unread > 0);
        for (key, file) in self.files.iter_mut() {
            self.is_tending |= file.missing_since.is_some() || file.retry.is_some() || file.is_unclear();
            let is_retried = file.retry.is_none_or(|(at, _)| now >= at);
            match (file.missing_since, &file.file) {
                (Some(_), Some(open)) => {
                    if let Ok(metadata) = open.metadata() {
                        file.note(&metadata);
                    }
                    if is_retried && !is_put_off(file, now) {
                        due.push(key);
                    }
                }
                (Some((_, missed_in)), None) if missed_in < self.n_searches => gone.push(key),
                // The pause is kept should it fail again.
                (None, _) if file.retry.is_some() && is_retried => due.push(key),
                (None, _) if file.retry.is_none() && is_to_be_looked_into(file, now) => due.push(key),
                _ => {}
            }
        }
        for key in due {
            if self.is_hopeless(key) {
                gone.push(key);
            } else {
                self.queue_due(key);
            }
        }
        for key in gone {
            self.forget(key);
        }
        self.files.let_go(false);
        self.count_lost();
    }

    /// Returns whether a file is gone that cannot be read either.
    fn is_hopeless(&self, key: u32) -> bool {
        self.files.get(key).is_some_and(|file| file.retry.is_some()) && self.is_over(key)
    }

    /// Counts what was in files that were emptied, and in no copy of them.
    fn count_lost(&mut self) {
        for ghost in self.ghosts.iter_mut().filter(|ghost| ghost.n_unread > 0) {
            if ghost.since.elapsed() >= self.pace.lost_after {
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

/// Returns what has become of a file that a search did not come across, if it is gone from where it was.
fn what_became(file: &Followed) -> Option<Rotation> {
    match fs::metadata(&file.path) {
        Ok(metadata) if FileId::from(&metadata) != file.id => Some(Rotation::Replaced),
        // It is there, and the search was not whole, or it came back meanwhile.
        Ok(_) => None,
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
        Err(_) if matches!(file.n_names(), Some(0) | None) => Some(Rotation::Deleted),
        Err(_) => Some(Rotation::MovedAway),
    }
}

/// Returns whether a file of which it is not clear what it is shall be looked into now.
fn is_to_be_looked_into(file: &Followed, now: Instant) -> bool {
    let Content::Unknown(doubt) = &file.content else { return false };
    file.is_behind() && doubt.again.is_none_or(|(at, _)| now >= at)
}

/// Returns whether a file is not to be looked into before some time has passed.
fn is_put_off(file: &Followed, now: Instant) -> bool {
    matches!(&file.content, Content::Unknown(Doubt { again: Some((at, _)), .. }) if now < *at)
}

/// Returns where a symbolic link leads to; `None` for anything else.
fn behind_link(path: &Path) -> Option<PathBuf> {
    let is_link = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink());
    if is_link { fs::canonicalize(path).ok() } else { None }
}
