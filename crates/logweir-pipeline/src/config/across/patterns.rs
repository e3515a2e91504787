//! Which files the patterns of a source take in.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::identity::{Identity, canonical};

/// What stands for something else in a pattern.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// A `*` ends at a `/`, as it does when directories are searched.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// The patterns of one `include` or `exclude`.
pub(super) struct Patterns(Vec<Entry>);

/// One pattern.
struct Entry {
    written: String,
    /// The file that the pattern names if it is taken as a path: a file may well be called `a[1].ndjson`.
    file: Identity,
    /// The pattern, behind directories that are resolved.
    pattern: Option<Pattern>,
}

impl Patterns {
    pub(super) fn of<'a>(patterns: impl Iterator<Item = &'a str>) -> Self {
        Self(patterns.map(Entry::of).collect())
    }

    /// Returns whether a file that may not exist yet is taken in, and not left out by `exclude`.
    pub(super) fn reads(&self, file: &Identity, exclude: &Self) -> bool {
        self.0.iter().any(|entry| entry.reads(file, exclude))
    }

    fn take(&self, path: &Path) -> bool {
        self.0.iter().any(|entry| entry.takes(path))
    }
}

impl Entry {
    fn of(written: &str) -> Self {
        let path = Path::new(written);
        Self { written: written.to_owned(), file: Identity::of(path), pattern: resolved(path) }
    }

    fn takes(&self, path: &Path) -> bool {
        self.file.path() == path || self.pattern.as_ref().is_some_and(|p| p.matches_path_with(path, OPTIONS))
    }

    fn reads(&self, file: &Identity, exclude: &Patterns) -> bool {
        if self.file.is(file) {
            return !exclude.take(self.file.path());
        }
        if self.takes(file.path()) {
            return !exclude.take(file.path());
        }
        // Below a wildcard there may be links, under other names, to what is written: only a search finds them.
        file.inode().is_some()
            && self.found().any(|found| Identity::of(&found).is(file) && !exclude.take(&found))
    }

    /// Searches for the files there are.
    fn found(&self) -> impl Iterator<Item = PathBuf> {
        let paths = self.written.contains(WILDCARDS).then(|| glob::glob_with(&self.written, OPTIONS));
        let found = paths.into_iter().flatten().flatten().flatten();
        found.map(|path| std::path::absolute(&path).unwrap_or(path))
    }
}

/// Returns a pattern whose directories before the first wildcard are resolved, so that it can be compared with a
/// canonical path; `None` for a pattern that the walk has refused.
fn resolved(path: &Path) -> Option<Pattern> {
    let is_wild = |part: &std::path::Component<'_>| {
        part.as_os_str().to_str().is_none_or(|part| part.contains(WILDCARDS))
    };
    let parts: Vec<_> = path.components().collect();
    let n_plain = parts.iter().take_while(|part| !is_wild(part)).count();
    let directory = canonical(&parts[..n_plain].iter().collect::<PathBuf>());
    let mut pattern = Pattern::escape(directory.to_str()?);
    for part in &parts[n_plain..] {
        if !pattern.ends_with('/') {
            pattern.push('/');
        }
        pattern.push_str(part.as_os_str().to_str()?);
    }
    Pattern::new(&pattern).ok()
}
