//! What a source would find now, for people.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use logweir_event::with_causes;
use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::{FileSourceConfig, Globs};
use crate::error::SourceError;

/// What is told of what one pattern leads to, at most: who has a hundred files that cannot be read has one problem.
const MOST_ERRORS: usize = 3;

/// What one pattern of an `include` leads to now.
#[derive(Debug)]
pub struct Look {
    /// The pattern.
    pub pattern: String,
    /// How many files it leads to that are not left out.
    pub n_files: usize,
    /// Their bytes, as far as they are regular files.
    pub n_bytes: u64,
    /// How many cannot be read, or not found.
    pub n_errors: usize,
    /// Why not, of the first of them. That a pattern leads to nothing is no error.
    pub errors: Vec<String>,
}

/// Looks for the files that a source would read. Nothing is opened, read or changed.
///
/// # Errors
///
/// [`SourceError::Pattern`] if one of the globs cannot be understood.
pub fn look(config: &FileSourceConfig) -> Result<Vec<Look>, SourceError> {
    config.include.iter().map(|pattern| look_at(pattern, &config.exclude)).collect()
}

fn look_at(pattern: &str, exclude: &[String]) -> Result<Look, SourceError> {
    let include = vec![pattern.to_owned()];
    let globs = Globs::new(&FileSourceConfig { include, exclude: exclude.to_vec() })?;
    let mut look =
        Look { pattern: pattern.to_owned(), n_files: 0, n_bytes: 0, n_errors: 0, errors: Vec::new() };
    let found = globs.discover(&HashSet::new(), &mut |error| look.add(error));
    for file in found {
        look.n_files += 1;
        look.n_bytes += file.size.unwrap_or(0);
        if let Err(source) = readable(&file.path) {
            look.add(&SourceError::Open { path: file.path, source });
        }
    }
    Ok(look)
}

impl Look {
    fn add(&mut self, error: &SourceError) {
        match error {
            SourceError::NoMatch { .. } => return,
            // A pattern may be a path.
            SourceError::Open { source, .. } if source.kind() == io::ErrorKind::NotFound => return,
            _ => {}
        }
        self.n_errors += 1;
        if self.errors.len() < MOST_ERRORS {
            self.errors.push(with_causes(error));
        }
    }
}

/// Returns an error if this process may not read what is at a path.
fn readable(path: &Path) -> io::Result<()> {
    Ok(accessat(CWD, path, Access::READ_OK, AtFlags::EACCESS)?)
}
