//! Which files the patterns of a source take in.

use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::identity::{Identity, canonical};
use super::meet::{Part, glob_part};
use super::written::{Written, path_parts};

/// What stands for something else in a pattern.
const WILDCARDS: [char; 3] = ['*', '?', '['];

/// A `*` ends at a `/`, as it does when the source searches directories.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// The patterns of an `exclude`.
///
/// The source compares them with the path by which it finds a file, and so must we: a file that is left out under one
/// name may be read under another.
pub(super) struct Exclude(Vec<Pattern>);

impl Exclude {
    /// Takes the patterns that can be read; the others are problems already.
    pub(super) fn of<'a>(patterns: impl Iterator<Item = &'a str>) -> Self {
        Self(patterns.filter_map(|pattern| Pattern::new(pattern.trim_start_matches("./")).ok()).collect())
    }

    fn leaves_out(&self, found: &Path) -> bool {
        let found = found.strip_prefix(".").unwrap_or(found);
        self.0.iter().any(|pattern| pattern.matches_path_with(found, OPTIONS))
    }
}

/// One pattern of an `include`.
pub(super) struct Include<'a> {
    written: &'a str,
    /// The file that the pattern names if it is taken as a path: a file may well be called `a[1].ndjson`.
    file: Identity,
    /// The directories before the first wildcard, as written.
    base: PathBuf,
    /// The same, resolved.
    directory: PathBuf,
    /// The pattern, behind the resolved directories, for comparison with canonical paths.
    pattern: Option<Pattern>,
    /// The same, part by part.
    parts: Vec<Part>,
}

impl<'a> Include<'a> {
    pub(super) fn of(written: &'a str) -> Self {
        let parts: Vec<Component<'_>> = Path::new(written).components().collect();
        let is_wild = |part: &Component<'_>| part.as_os_str().to_string_lossy().contains(WILDCARDS);
        let n_plain = parts.iter().take_while(|part| !is_wild(part)).count();
        let base: PathBuf = parts[..n_plain].iter().collect();
        // `*.ndjson` looks into the working directory.
        let directory = canonical(if base.as_os_str().is_empty() { Path::new(".") } else { &base });
        let pattern = pattern_below(&directory, &parts[n_plain..]);
        let below = parts[n_plain..].iter().map(|part| glob_part(&part.as_os_str().to_string_lossy()));
        let parts = path_parts(&directory).into_iter().chain(below).collect();
        Self { written, file: Identity::of(Path::new(written)), base, directory, pattern, parts }
    }

    /// Returns whether a file, which may not exist yet, is taken in under some name that is not left out.
    pub(super) fn reads(&self, file: &Identity, exclude: &Exclude) -> bool {
        if self.file.is(file) && !exclude.leaves_out(Path::new(self.written)) {
            return true;
        }
        if let Some(found) = self.name_of(file.path())
            && !exclude.leaves_out(&found)
        {
            return true;
        }
        // Below a wildcard there may be links, under other names, to what is written: only a search finds them.
        file.inode().is_some()
            && self.found().any(|found| Identity::of(&found).is(file) && !exclude.leaves_out(&found))
    }

    /// Returns whether some of many files, most of which do not exist yet, is taken in. That `exclude` leaves them out is
    /// judged by an example.
    pub(super) fn reads_some(&self, files: &Written, exclude: &Exclude) -> bool {
        let example = files.example();
        let found = example.strip_prefix(&self.directory).map(|below| self.base.join(below));
        files.meet(&self.parts)
            && !found.is_ok_and(|found| exclude.leaves_out(&found))
            && !exclude.leaves_out(&example)
    }

    /// Returns the file that the pattern names, or some of those that it finds, `most` of them at most.
    pub(super) fn known(&self, most: usize) -> impl Iterator<Item = Identity> {
        let named = (!self.written.contains(WILDCARDS)).then(|| Identity::of(Path::new(self.written)));
        named.into_iter().chain(self.found().take(most).map(|found| Identity::of(&found)))
    }

    /// Returns the name by which the pattern finds a file with this canonical path, if it does.
    fn name_of(&self, path: &Path) -> Option<PathBuf> {
        if !self.pattern.as_ref()?.matches_path_with(path, OPTIONS) {
            return None;
        }
        Some(self.base.join(path.strip_prefix(&self.directory).ok()?))
    }

    /// Searches for the files there are.
    fn found(&self) -> impl Iterator<Item = PathBuf> {
        let paths = self.written.contains(WILDCARDS).then(|| glob::glob_with(self.written, OPTIONS));
        paths.into_iter().flatten().flatten().flatten()
    }
}

/// Returns the pattern of what is behind a directory; `None` for one that the walk has refused, or a directory whose
/// name is not UTF-8, in which only a search finds anything.
fn pattern_below(directory: &Path, parts: &[Component<'_>]) -> Option<Pattern> {
    let mut pattern = Pattern::escape(directory.to_str()?);
    for part in parts {
        if !pattern.ends_with('/') {
            pattern.push('/');
        }
        pattern.push_str(part.as_os_str().to_str()?);
    }
    Pattern::new(&pattern).ok()
}
