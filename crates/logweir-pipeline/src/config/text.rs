//! The text of a file and the places in it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest file that is read. A pipeline is a page or two; what is larger is the wrong file.
const MAX_FILE_BYTES: usize = 1 << 20;

/// A configuration file: its name and what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigFile {
    /// The path, as the user gave it and as problems show it; its last part names a pipeline that has no `name`.
    pub path: PathBuf,
    /// What the file holds.
    pub text: String,
}

impl ConfigFile {
    /// Reads a file, or says why that cannot be.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let mut bytes = Vec::new();
        // A pipe has no size, so the bound is on what is read.
        File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes))
            .map_err(|error| format!("this file cannot be read: {error}"))?;
        if bytes.len() > MAX_FILE_BYTES {
            return Err(too_large());
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = good.filter(|byte| **byte == b'\n').count() + 1;
            format!("this file is not UTF-8: line {line} has a byte that belongs to no character")
        })?;
        Ok(Self { path: path.to_owned(), text })
    }
}

/// A stretch of a text, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A file and where its lines begin.
pub(super) struct Doc {
    file: ConfigFile,
    /// The path as it is shown.
    shown: String,
    /// The offset at which each line begins; the first is 0.
    line_starts: Vec<usize>,
}

impl Doc {
    pub(super) fn new(mut file: ConfigFile) -> Self {
        // A byte-order mark is no part of the text, nor of the first column.
        if let Some(rest) = file.text.strip_prefix('\u{feff}') {
            file.text = rest.to_owned();
        }
        let bytes = file.text.as_bytes();
        let ends_line = |at: usize| match bytes[at] {
            b'\n' => true,
            // YAML 1.2 section 5.4: a carriage return ends a line, alone or with the line feed behind it.
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        let line_starts =
            std::iter::once(0).chain((0..bytes.len()).filter(|at| ends_line(*at)).map(|at| at + 1)).collect();
        Self { shown: file.path.display().to_string(), line_starts, file }
    }

    /// Returns the path as it is shown.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns the path.
    pub(super) fn path(&self) -> &Path {
        &self.file.path
    }

    /// Returns the text, without a byte-order mark.
    pub(super) fn text(&self) -> &str {
        &self.file.text
    }

    /// Returns why the file is refused whatever it says, if so.
    pub(super) fn too_large(&self) -> Option<String> {
        (self.file.text.len() > MAX_FILE_BYTES).then(too_large)
    }

    /// Returns the text of a place.
    pub(super) fn slice(&self, place: Place) -> &str {
        self.text().get(place.start..place.end).unwrap_or_default()
    }

    /// Returns the line, from 1, and the column in characters, from 1, of an offset.
    pub(super) fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text().len());
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        let before = self.text().get(start..offset).unwrap_or_default();
        (line, before.chars().count() + 1)
    }

    /// Returns a line, counted from 1, without its ending.
    pub(super) fn line(&self, line: usize) -> &str {
        let start = self.line_starts[line - 1];
        let end = self.line_starts.get(line).copied().unwrap_or(self.text().len());
        self.text()[start..end].trim_end_matches(['\n', '\r'])
    }

    /// Returns how many characters of a place are on a line, counted from 1, which the place begins on.
    pub(super) fn chars_on_line(&self, place: Place, line: usize) -> usize {
        let line_end = self.line_starts[line - 1] + self.line(line).len();
        let on_line = Place { start: place.start, end: place.end.min(line_end) };
        if on_line.start < on_line.end { self.slice(on_line).trim_end().chars().count() } else { 0 }
    }

    /// Returns a place as a problem elsewhere refers to it.
    pub(super) fn cite(&self, place: Place) -> String {
        let (line, column) = self.line_and_column(place.start);
        format!("{}:{line}:{column}", self.shown)
    }
}

fn too_large() -> String {
    String::from("this file is larger than 1 MiB, which no pipeline is")
}
