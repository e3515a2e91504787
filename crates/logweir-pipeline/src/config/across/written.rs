//! The files that an output may write to, where that is more than one.

use std::path::{Component, Path, PathBuf};

use super::identity::canonical;
use super::meet::{Part, Piece, plain_part};

/// Files in and below a directory, of which only a pattern of the names is known before they are made.
pub(super) struct Written {
    /// The path of a file, from the root on; its directories canonical as far as they are known and exist.
    parts: Vec<Part>,
}

/// Stands for the unknown in a path; no path that is accepted has one.
const UNKNOWN: char = '\0';

impl Written {
    /// Returns the files of a path in which `{pipeline}` and `{output}` stand for these names.
    ///
    /// A file may be given a number if there is one already, and may be called `.part` while it is written and `.torn`
    /// where something was set aside.
    pub(super) fn of_template(template: &str, pipeline: &str, output: Option<&str>) -> Self {
        let path = unknown_times(template, pipeline, output);
        let (base, below) = split_base(&path);
        let mut written = Self::below(Path::new(base), below);
        if let Some(Part::Name(name)) = written.parts.last_mut() {
            let dot = name.iter().rposition(|piece| *piece == Piece::One('.')).filter(|&at| at > 0);
            name.insert(dot.unwrap_or(name.len()), Piece::Many);
            name.push(Piece::Many);
        }
        written
    }

    /// Returns the files in which a pipeline's positions are kept in a directory.
    pub(super) fn in_state_dir(directory: &Path) -> [Self; 2] {
        ["lock", "\0.checkpoint\0"].map(|name| Self::below(directory, name))
    }

    /// Returns the batches that a job puts somewhere below a directory, which are compressed with gzip.
    pub(super) fn batches_below(directory: &Path) -> Self {
        let mut parts = path_parts(&canonical(directory));
        parts.extend([Part::Many, unknown_part("\0.log.gz")]);
        Self { parts }
    }

    fn below(directory: &Path, below: &str) -> Self {
        let base = canonical(directory);
        let mut parts = path_parts(&base);
        parts.extend(below.split('/').filter(|part| !part.is_empty() && *part != ".").map(unknown_part));
        Self { parts }
    }

    /// Returns the pattern of their paths, from the root on.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Returns a path such as they may have.
    pub(super) fn example(&self) -> PathBuf {
        let name = |part: &Part| match part {
            Part::Many => String::new(),
            Part::Name(pieces) => pieces.iter().filter_map(character).collect(),
        };
        Path::new("/").join(self.parts.iter().map(name).collect::<PathBuf>())
    }
}

fn character(piece: &Piece) -> Option<char> {
    match piece {
        Piece::One(one) => Some(*one),
        Piece::Some(_) => Some('0'),
        Piece::Many => None,
    }
}

/// Returns the parts of an absolute path.
pub(super) fn path_parts(path: &Path) -> Vec<Part> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy()),
        _ => None,
    });
    names.map(|name| plain_part(&name)).collect()
}

fn unknown_part(text: &str) -> Part {
    let piece = |c| if c == UNKNOWN { Piece::Many } else { Piece::One(c) };
    Part::Name(text.chars().map(piece).collect())
}

/// Returns the path with the names in it, and the unknown where a time stands; between the directories of a time too.
fn unknown_times(template: &str, pipeline: &str, output: Option<&str>) -> String {
    let mut path = String::new();
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        let inside = rest.strip_prefix('{').and_then(|rest| Some(&rest[..rest.find('}')?]));
        let n_bytes = match (first, inside) {
            _ if rest.starts_with("{{") || rest.starts_with("}}") => {
                path.push(first);
                2
            }
            ('{', Some(token)) => {
                match (token, output) {
                    ("pipeline", _) => path.push_str(pipeline),
                    ("output", Some(output)) => path.push_str(output),
                    (token, _) => {
                        let unknown = token.split('/').map(|_| UNKNOWN.to_string());
                        path.push_str(&unknown.collect::<Vec<_>>().join("/"));
                    }
                }
                token.len() + 2
            }
            _ => {
                path.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[n_bytes..];
    }
    path
}

/// Splits a path into the directories before the unknown, and what is below them.
fn split_base(path: &str) -> (&str, &str) {
    let known = path.find(UNKNOWN).unwrap_or(path.len());
    match path[..known].rfind('/') {
        Some(slash) => path.split_at(slash + 1),
        None => (".", path),
    }
}
