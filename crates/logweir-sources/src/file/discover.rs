//! Finds the files to read.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use logweir_event::FileId;

use super::FileSourceConfig;
use crate::error::SourceError;

/// How `exclude` matches: as `include` does when it looks into directories, where `*` never crosses a `/`.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Globs that can be understood.
#[derive(Debug)]
pub(crate) struct Globs {
    include: Vec<String>,
    exclude: Vec<Pattern>,
}

/// A file to be read.
pub(crate) struct Found {
    /// The path by which it was found.
    pub(crate) path: PathBuf,
    /// Its size in bytes; `None` if it is no regular file.
    pub(crate) size: Option<u64>,
}

impl Globs {
    /// Returns the globs of a configuration, or an error naming one that is none.
    pub(crate) fn new(config: &FileSourceConfig) -> Result<Self, SourceError> {
        let compile = |text: &String| match Pattern::new(text) {
            Ok(pattern) => Ok(pattern),
            Err(source) => Err(SourceError::Pattern { pattern: text.clone(), source }),
        };
        config.include.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let without_dot = config.exclude.iter().map(|text| text.trim_start_matches("./").to_owned());
        let exclude = without_dot.map(|text| compile(&text)).collect::<Result<_, _>>()?;
        Ok(Self { include: config.include.clone(), exclude })
    }

    /// Returns the files in the byte order of their paths, each once however many names and globs lead to it; what
    /// cannot be read, or is one of `outputs`, is told to `fail`.
    pub(crate) fn discover(
        &self,
        outputs: &HashSet<FileId>,
        fail: &mut impl FnMut(&SourceError),
    ) -> Vec<Found> {
        let mut paths: Vec<OsString> = Vec::new();
        for include in &self.include {
            match matches(include, fail) {
                found if found.is_empty() => fail(&SourceError::NoMatch { pattern: include.clone() }),
                found => paths.extend(found.into_iter().map(PathBuf::into_os_string)),
            }
        }
        // `OsString` compares by its bytes; `PathBuf` would compare by component.
        paths.sort_unstable();
        paths.dedup();

        let mut seen = HashSet::new();
        let mut files = Vec::new();
        for path in paths.into_iter().map(PathBuf::from).filter(|path| !self.excludes(path)) {
            match inspect(&path) {
                Err(error) => fail(&error),
                Ok(metadata) if outputs.contains(&FileId::from(&metadata)) => {
                    fail(&SourceError::OwnOutput { path });
                }
                Ok(metadata) if seen.insert(FileId::from(&metadata)) => {
                    let size = metadata.is_file().then_some(metadata.len());
                    files.push(Found { path, size });
                }
                Ok(_) => {
                    tracing::debug!(path = %path.display(), "another name of a file that is read already");
                }
            }
        }
        files
    }

    /// Returns the paths there are now, in the byte order of their names; what cannot be listed is told to `fail`.
    pub(crate) fn paths(&self, fail: &mut impl FnMut(&SourceError)) -> Vec<PathBuf> {
        let mut paths: Vec<_> = self
            .include
            .iter()
            .flat_map(|include| matches(include, fail))
            .filter(|path| !self.excludes(path))
            .map(PathBuf::into_os_string)
            .collect();
        paths.sort_unstable();
        paths.dedup();
        paths.into_iter().map(PathBuf::from).collect()
    }

    /// Returns the directories in which a change may bring, take or rename a file that they lead to, as far as these
    /// directories exist.
    pub(crate) fn directories(&self) -> BTreeSet<PathBuf> {
        self.include.iter().flat_map(|include| directories(include)).collect()
    }

    fn excludes(&self, path: &Path) -> bool {
        let path = path.strip_prefix(".").unwrap_or(path);
        self.exclude.iter().any(|pattern| pattern.matches_path_with(path, MATCHING))
    }
}

/// Returns the paths that an `include` leads to.
fn matches(include: &str, fail: &mut impl FnMut(&SourceError)) -> Vec<PathBuf> {
    // A file may have a name that looks like a glob; and a plain path that leads nowhere shall say why.
    let is_plain = !include.contains(['*', '?', '[']);
    if is_plain || fs::symlink_metadata(include).is_ok() {
        return vec![PathBuf::from(include)];
    }
    let mut paths = Vec::new();
    let Ok(found) = glob::glob_with(include, MATCHING) else {
        // It was compiled before.
        return paths;
    };
    for path in found {
        match path {
            Ok(path) => paths.push(path),
            Err(error) => fail(&SourceError::List { path: error.path().to_owned(), source: error.into() }),
        }
    }
    paths
}

/// Returns the directories that an `include` leads through, from the last one before a wildcard on.
fn directories(include: &str) -> Vec<PathBuf> {
    let is_wild = |part: &OsStr| part.to_string_lossy().contains(['*', '?', '[']);
    let is_plain = fs::symlink_metadata(include).is_ok();
    let mut found = Vec::new();
    for ancestor in Path::new(include).ancestors().skip(1) {
        let directory = if ancestor.as_os_str().is_empty() { Path::new(".") } else { ancestor };
        if is_plain || !directory.iter().any(is_wild) {
            // If it is not there, it will come where it is missing.
            found.extend(directory.ancestors().find(|directory| directory.is_dir()).map(Path::to_owned));
            break;
        }
        let matching = directory.to_str().map(|pattern| glob::glob_with(pattern, MATCHING));
        let paths = matching.into_iter().flatten().flatten().flatten();
        found.extend(paths.filter(|path| path.is_dir()));
    }
    found
}

/// Returns what is at a path, if it can be read like a file.
fn inspect(path: &Path) -> Result<Metadata, SourceError> {
    let metadata =
        fs::metadata(path).map_err(|source| SourceError::Open { path: path.to_owned(), source })?;
    if metadata.is_dir() {
        return Err(SourceError::Directory { path: path.to_owned() });
    }
    if metadata.file_type().is_socket() {
        return Err(SourceError::Socket { path: path.to_owned() });
    }
    Ok(metadata)
}
