//! The files that an output may write to, where that is more than one.

use std::path::{Component, Path, PathBuf};

use glob::Pattern;

use super::identity::canonical;
use super::meet::{Part, Piece, paths_meet, plain_part};

/// Files in and below a directory, of which only a pattern of the names is known before they are made.
pub(super) struct Written {
    /// The patterns of the path of a file, from the root on; the directories canonical as far as they are known and exist.
    patterns: Vec<Vec<Part>>,
}

/// Stands for the unknown in a path; no path that is accepted has one.
const UNKNOWN: char = '\0';

/// Stands for a digit that is not known yet.
const DIGIT: char = '\u{1}';

/// What follows the name of a file while it is written, and where something was set aside.
const ENDINGS: [&str; 3] = ["", ".part", ".torn"];

impl Written {
    /// Returns the files of a path in which `{pipeline}` and `{output}` stand for these names.
    ///
    /// A file may be given a number if there is one already, and may be called `.part` while it is written and `.torn`
    /// where something was set aside.
    pub(super) fn of_template(template: &str, pipeline: &str, output: Option<&str>) -> Self {
        let path = unknown_times(template, pipeline, output);
        let (base, below) = split_base(&path);
        let parts = parts_below(Path::new(base), below);
        let Some((Part::Name(name), directories)) = parts.split_last() else {
            return Self { patterns: vec![parts] };
        };
        let mut patterns = Vec::new();
        for ending in ENDINGS {
            let name: Vec<_> = name.iter().cloned().chain(ending.chars().map(Piece::One)).collect();
            for name in std::iter::once(name.clone()).chain(numbered(&name)) {
                patterns.push([directories, &[Part::Name(name)]].concat());
            }
        }
        Self { patterns }
    }

    /// Returns the files in which a pipeline's positions are kept in a directory.
    pub(super) fn in_state_dir(directory: &Path) -> [Self; 2] {
        ["lock", "\0.checkpoint\0"].map(|name| Self::below(directory, name))
    }

    /// Returns the batches that a job puts somewhere below a directory, which are compressed with gzip.
    pub(super) fn batches_below(directory: &Path) -> Self {
        let mut parts = path_parts(&canonical(directory));
        parts.extend([Part::Many, unknown_part("\0.log.gz")]);
        Self { patterns: vec![parts] }
    }

    fn below(directory: &Path, below: &str) -> Self {
        Self { patterns: vec![parts_below(directory, below)] }
    }

    /// Returns whether one of the files may have a path of this pattern.
    pub(super) fn meet(&self, path: &[Part]) -> bool {
        self.patterns.iter().any(|pattern| paths_meet(pattern, path))
    }

    /// Returns whether one of the files may be one of those as well.
    pub(super) fn meet_files(&self, others: &Self) -> bool {
        others.patterns.iter().any(|pattern| self.meet(pattern))
    }

    /// Returns a path such as they may have.
    pub(super) fn example(&self) -> PathBuf {
        let name = |part: &Part| match part {
            Part::Many => String::new(),
            Part::Name(pieces) => pieces.iter().filter_map(character).collect(),
        };
        Path::new("/").join(self.patterns[0].iter().map(name).collect::<PathBuf>())
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

/// Returns the parts of a path below a directory.
fn parts_below(directory: &Path, below: &str) -> Vec<Part> {
    let mut parts = path_parts(&canonical(directory));
    parts.extend(below.split('/').filter(|part| !part.is_empty() && *part != ".").map(unknown_part));
    parts
}

fn unknown_part(text: &str) -> Part {
    let piece = |c| match c {
        UNKNOWN => Piece::Many,
        DIGIT => digit(),
        c => Piece::One(c),
    };
    Part::Name(text.chars().map(piece).collect())
}

fn digit() -> Piece {
    Piece::Some(Some(Pattern::new("[0-9]").expect("it is a pattern")))
}

/// Returns a name with a number in it, at all places where it may have one: before one of its endings, or at the end of a name
/// without any.
fn numbered(name: &[Piece]) -> impl Iterator<Item = Vec<Piece>> {
    let is_dot = |at: &usize| name[*at] == Piece::One('.');
    let mut places: Vec<usize> = (1..name.len()).filter(is_dot).collect();
    if places.is_empty() {
        places.push(name.len());
    }
    places.into_iter().map(|at| {
        let number = [Piece::One('.'), digit(), Piece::Many];
        [&name[..at], &number, &name[at..]].concat()
    })
}

/// Returns the path with the names in it, digits where a date or an hour stands, and the unknown where a time is written as
/// somebody wants it; between the directories of a time too.
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
                    ("DATE", _) => path.extend([DIGIT; 8]),
                    ("HOUR", _) => path.extend([DIGIT; 2]),
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
    let known = path.find([UNKNOWN, DIGIT]).unwrap_or(path.len());
    match path[..known].rfind('/') {
        Some(slash) => path.split_at(slash + 1),
        None => (".", path),
    }
}

#[cfg(test)]
mod tests {
    use super::super::meet::glob_part;
    use super::*;

    fn meet(template: &str, path: &str) -> bool {
        let path: Vec<_> = path.split('/').filter(|part| !part.is_empty()).map(glob_part).collect();
        Written::of_template(&format!("/none/{template}"), "shop", None).meet(&path)
    }

    #[test]
    fn what_is_written_has_the_digits_of_its_time_a_number_and_an_ending() {
        for path in [
            "out-20261122.ndjson",
            "out-20261122.ndjson.part",
            "out-20261122.ndjson.torn",
            "out-20261122.1.ndjson",
            "out-20261122.12.ndjson.part",
            "out-20261122.ndjson.3.torn",
            "out-20261122.3.ndjson.torn",
            "out-*.ndjson",
            "*.torn",
        ] {
            assert!(meet("out-{DATE}.ndjson", &format!("/none/{path}")), "{path}");
        }
        for path in [
            "shop.ndjson",
            "out.ndjson",
            "out-2026112.ndjson",
            "out-20261122.json",
            "out-today.ndjson",
            "*.gz",
        ] {
            assert!(!meet("out-{DATE}.ndjson", &format!("/none/{path}")), "{path}");
        }
        assert!(
            meet("a.ndjson.gz", "/none/a.1.ndjson.gz") && !meet("out-{DATE}.ndjson.gz", "/none/*.ndjson")
        );
        assert!(meet("{pipeline}", "/none/shop.1") && !meet("{pipeline}", "/none/web"));
    }

    #[test]
    fn directories_of_a_time_are_none_of_another_name() {
        assert!(!meet("{DATE}/events.ndjson", "/none/in/*.ndjson"));
        assert!(meet("{DATE}/{HOUR}.ndjson", "/none/2026*/07.ndjson"));
        assert!(meet("{DATE:%Y/%m}/events.ndjson", "/none/in/logs/*.ndjson"), "only who renders it knows");
    }
}
