//! The text of a file and the places in it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::problem::{Problem, Problems};

/// The largest file that is read. A pipeline is a page or two; what is larger is the wrong file.
const MAX_FILE_BYTES: usize = 1 << 20;

/// The bytes for which the characters are counted once and for all.
const BLOCK: usize = 256;

/// A configuration file: its name and what it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConfigFile {
    /// The path, as the user gave it and as problems show it; its last part names a pipeline that has no `name`.
    pub path: PathBuf,
    /// What the file holds.
    pub text: String,
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, is no UTF-8, or is larger than 1 MiB: a problem with the file as a whole.
    pub fn open(path: &Path) -> Result<Self, Problems> {
        let refused = |message| Problems::new(vec![Problem::of_file(path.display().to_string(), message)]);
        let file = File::open(path).map_err(|error| refused(cannot_be_read(&error)))?;
        Self::read(path, file)
    }

    /// Reads a text to its end, which is called `path`.
    ///
    /// # Errors
    ///
    /// As [`open`](ConfigFile::open).
    pub fn read(path: &Path, text: impl Read) -> Result<Self, Problems> {
        let text = read(text)
            .map_err(|message| Problems::new(vec![Problem::of_file(path.display().to_string(), message)]))?;
        Ok(Self { path: path.to_owned(), text })
    }
}

/// Reads a text to its end, or says why that cannot be.
fn read(text: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    // A pipe has no size, so the bound is on what is read.
    text.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| cannot_be_read(&error))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(too_large());
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(String::from("this file is UTF-16, not UTF-8: save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = good.filter(|byte| **byte == b'\n').count() + 1;
        format!("this file is not UTF-8: line {line} has a byte that belongs to no character")
    })
}

fn cannot_be_read(error: &io::Error) -> String {
    format!("this file cannot be read: {error}")
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
    /// The characters before each [`BLOCK`] of bytes, and before the end.
    chars_before: Vec<usize>,
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
        let mut n_chars = 0;
        let mut chars_before = vec![0];
        for block in bytes.chunks(BLOCK) {
            n_chars += count_chars(block);
            chars_before.push(n_chars);
        }
        Self { shown: file.path.display().to_string(), line_starts, chars_before, file }
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
        (line, self.n_chars(Place { start: self.line_start(line), end: offset }) + 1)
    }

    /// Returns the offset at which a line begins.
    pub(super) fn line_start(&self, line: usize) -> usize {
        self.line_starts[line - 1]
    }

    /// Returns how many characters a place has; the cost does not grow with it, since one long line may have a
    /// problem in every corner.
    pub(super) fn n_chars(&self, place: Place) -> usize {
        let before = |offset: usize| {
            let block = offset / BLOCK;
            self.chars_before[block] + count_chars(&self.text().as_bytes()[block * BLOCK..offset])
        };
        before(place.end).saturating_sub(before(place.start))
    }

    /// Returns a line, counted from 1, without its ending.
    pub(super) fn line(&self, line: usize) -> &str {
        let start = self.line_start(line);
        let end = self.line_starts.get(line).copied().unwrap_or(self.text().len());
        self.text()[start..end].trim_end_matches(['\n', '\r'])
    }

    /// Returns how many characters of a place are on a line, counted from 1, which the place begins on.
    pub(super) fn chars_on_line(&self, place: Place, line: usize) -> usize {
        let line_end = self.line_start(line) + self.line(line).len();
        let on_line = Place { start: place.start, end: place.end.min(line_end) };
        let len = self.slice(on_line).trim_end().len();
        self.n_chars(Place { start: place.start, end: place.start + len })
    }

    /// Returns a place as a problem elsewhere refers to it.
    pub(super) fn cite(&self, place: Place) -> String {
        let (line, column) = self.line_and_column(place.start);
        format!("{}:{line}:{column}", self.shown)
    }
}

/// Returns the characters that begin in a piece of UTF-8: the bytes that continue none.
fn count_chars(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

fn too_large() -> String {
    String::from("this file is larger than 1 MiB, which no pipeline is")
}
