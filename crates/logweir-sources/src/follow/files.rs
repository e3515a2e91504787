//! The files that are followed, found by what they are and by where they lie.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use logweir_event::FileId;

use super::followed::{Followed, State};

/// All files that are followed, each under a key that it keeps as long as it is.
pub(super) struct Files {
    by_key: BTreeMap<u32, Followed>,
    by_id: HashMap<FileId, u32>,
    by_path: HashMap<PathBuf, u32>,
    /// Other paths by which what happens to a file may be told, as of the last search.
    aliases: HashMap<PathBuf, u32>,
    next_key: u32,
    /// Those that are open.
    open: BTreeSet<u32>,
    /// How many of those that are open are gone: closed, they would be lost.
    n_gone: usize,
    max_open: usize,
}

impl Files {
    /// Returns none, of which at most `max_open` will be open.
    pub(super) fn new(max_open: usize) -> Self {
        Self {
            by_key: BTreeMap::new(),
            by_id: HashMap::new(),
            by_path: HashMap::new(),
            aliases: HashMap::new(),
            next_key: 0,
            open: BTreeSet::new(),
            n_gone: 0,
            max_open: max_open.max(1),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn n_open(&self) -> usize {
        self.open.len()
    }

    pub(super) fn get(&self, key: u32) -> Option<&Followed> {
        self.by_key.get(&key)
    }

    pub(super) fn get_mut(&mut self, key: u32) -> Option<&mut Followed> {
        self.by_key.get_mut(&key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Followed)> {
        self.by_key.iter().map(|(key, file)| (*key, file))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u32, &mut Followed)> {
        self.by_key.iter_mut().map(|(key, file)| (*key, file))
    }

    /// Returns the key of the file with this identity.
    pub(super) fn with_id(&self, id: FileId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Returns the key of the file that was last seen at a path.
    pub(super) fn at(&self, path: &Path) -> Option<u32> {
        self.by_path.get(path).or_else(|| self.aliases.get(path)).copied()
    }

    /// Adds a file; returns its key.
    pub(super) fn insert(&mut self, file: Followed) -> u32 {
        let key = self.next_key;
        self.next_key += 1;
        self.by_id.insert(file.id, key);
        self.by_path.insert(file.path.clone(), key);
        self.by_key.insert(key, file);
        key
    }

    /// Takes a file out.
    pub(super) fn remove(&mut self, key: u32) -> Option<Followed> {
        self.forget_path(key);
        let file = self.by_key.remove(&key)?;
        self.open.remove(&key);
        self.n_gone -= usize::from(file.file.is_some() && file.missing_since.is_some());
        self.by_id.remove(&file.id);
        Some(file)
    }

    /// Gives a file another path.
    pub(super) fn rename(&mut self, key: u32, path: &Path) {
        self.forget_path(key);
        self.by_path.insert(path.to_owned(), key);
        if let Some(file) = self.by_key.get_mut(&key) {
            path.clone_into(&mut file.path);
        }
    }

    /// Says that a path no longer leads to a file.
    pub(super) fn forget_path(&mut self, key: u32) {
        if let Some(file) = self.by_key.get(&key)
            && self.by_path.get(&file.path) == Some(&key)
        {
            self.by_path.remove(&file.path);
        }
    }

    /// Says by which other paths what happens to files may be told.
    pub(super) fn set_aliases(&mut self, aliases: HashMap<PathBuf, u32>) {
        self.aliases = aliases;
    }

    /// Takes note of whether names lead to a file, as a search found.
    pub(super) fn set_missing(&mut self, key: u32, missing: Option<(Instant, u64)>) {
        let Some(file) = self.by_key.get_mut(&key) else { return };
        if file.file.is_some() {
            self.n_gone -= usize::from(file.missing_since.is_some());
            self.n_gone += usize::from(missing.is_some());
        }
        file.missing_since = missing;
    }

    /// Makes sure that one more file may be opened, closing one that has nothing to read; returns whether it could.
    pub(super) fn make_room(&mut self) -> bool {
        self.open.len() - self.n_gone < self.max_open || self.close_one()
    }

    /// Has files closed that are gone and read to their end, those that have been gone the longest first, until there are
    /// no more than of others; and one in any case if `at_once`.
    pub(super) fn let_go(&mut self, at_once: bool) {
        let n_surplus = self.n_gone.saturating_sub(self.max_open).max(usize::from(at_once));
        if n_surplus == 0 {
            return;
        }
        let is_held =
            |file: &&mut Followed| file.missing_since.is_some() && file.file.is_some() && !file.is_behind();
        let mut held: Vec<_> = self.by_key.values_mut().filter(is_held).collect();
        held.sort_by_key(|file| file.missing_since);
        for file in held.into_iter().take(n_surplus) {
            file.is_to_close = true;
        }
    }

    /// Closes the file that was read the longest time ago and has nothing to read; returns whether there was one.
    pub(super) fn close_one(&mut self) -> bool {
        let open = self.open.iter().filter_map(|key| Some((*key, self.by_key.get(key)?)));
        let idle = open.filter(|(_, file)| file.may_be_closed());
        let Some((key, _)) = idle.min_by_key(|(_, file)| file.last_turn) else {
            return false;
        };
        self.open.remove(&key);
        if let Some(file) = self.by_key.get_mut(&key) {
            file.file = None;
        }
        true
    }

    /// Takes note of what a file waits for.
    pub(super) fn set_state(&mut self, key: u32, state: State) {
        if let Some(file) = self.by_key.get_mut(&key) {
            file.state = state;
        }
    }

    /// Takes note that a file has been opened.
    pub(super) fn opened(&mut self, key: u32) {
        self.open.insert(key);
        self.n_gone += usize::from(self.by_key.get(&key).is_some_and(|file| file.missing_since.is_some()));
    }
}
