//! What is wrong with a file, and how it is shown.

use std::fmt;

use super::text::{Doc, Place};

/// The characters of a line that are shown at most; a longer line is cut around the place.
const SHOWN_CHARS: usize = 160;
/// How many of them stand before the place, at most, when a line is cut.
const SHOWN_BEFORE: usize = 60;

/// One thing that is wrong with a configuration, where it is, and what would be right.
///
/// The text of a file is shown as it is written: what replaced a `${…}` never appears in a problem.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The file, as the user named it.
    pub file: String,
    /// The line, counted from 1; 0 where the problem is the file as a whole.
    pub line: usize,
    /// The column in characters, counted from 1; 0 where the problem is the file as a whole.
    pub column: usize,
    /// The line as it is written, without its ending; a very long one is cut around the place, with `…` at the cuts.
    pub text: String,
    /// The characters at fault, from `column` on; at least 1 where there is a place.
    pub caret_len: usize,
    /// What is wrong: one line, no full stop.
    pub message: String,
    /// What would be right, where that can be said: one line.
    pub help: Option<String>,
    /// The characters of `text` before the place: `column - 1`, unless the line was cut.
    before: usize,
}

impl Problem {
    /// Returns a problem with a file as a whole.
    pub(super) fn of_file(file: String, message: String) -> Self {
        Self { file, line: 0, column: 0, text: String::new(), caret_len: 0, message, help: None, before: 0 }
    }

    /// Returns a problem at a place of a file.
    pub(super) fn at(doc: &Doc, place: Place, message: String, help: Option<String>) -> Self {
        let (line, column) = doc.line_and_column(place.start);
        let caret_len = doc.chars_on_line(place, line).max(1);
        let start = doc.line_start(line);
        let end = start + doc.line(line).len();
        if doc.n_chars(Place { start, end }) > SHOWN_CHARS {
            let (text, before, room) = window(doc.line(line), place.start.min(end) - start);
            let caret_len = caret_len.min(room);
            return Self {
                file: doc.shown().to_owned(),
                line,
                column,
                text,
                caret_len,
                message,
                help,
                before,
            };
        }
        let (text, before) = (doc.line(line).to_owned(), column - 1);
        Self { file: doc.shown().to_owned(), line, column, text, caret_len, message, help, before }
    }
}

impl fmt::Display for Problem {
    /// Writes the place and the message, the line with carets under what is at fault, and the help; no line ending
    /// at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.file, self.message)?;
        } else {
            let gutter = self.line.to_string();
            let blank = " ".repeat(gutter.len());
            writeln!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
            writeln!(f, "  {gutter} | {}", self.text)?;
            write!(f, "  {blank} | {}", self.carets())?;
        }
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl Problem {
    /// Returns the line that stands under the text: as wide as what is before the place, then carets.
    fn carets(&self) -> String {
        let mut line = String::new();
        for c in self.text.chars().take(self.before) {
            match c {
                // A tab is as wide in this line as in the one above, whatever the terminal makes of it.
                '\t' => line.push('\t'),
                c => line.extend(std::iter::repeat_n(' ', width(c))),
            }
        }
        let fault: usize = self.text.chars().skip(self.before).take(self.caret_len).map(width).sum();
        line.extend(std::iter::repeat_n('^', fault.max(1)));
        line
    }
}

/// All problems of the files of one process, in the order of the files and of their lines; never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self(problems)
    }

    /// Iterates over the problems.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Returns how many there are.
    #[expect(clippy::len_without_is_empty, reason = "there is always one at least")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    /// Writes the problems with a blank line between them; no line ending at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.iter().enumerate() {
            if n > 0 {
                f.write_str("\n\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects the problems of one file.
pub(super) struct Report<'a> {
    doc: &'a Doc,
    /// With the offset of each, by which they are put in order at the end.
    found: Vec<(usize, Problem)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(doc: &'a Doc) -> Self {
        Self { doc, found: Vec::new() }
    }

    /// Adds a problem with no advice.
    pub(super) fn add(&mut self, place: Place, message: impl Into<String>) {
        self.push(place, message.into(), None);
    }

    /// Adds a problem and what would be right.
    pub(super) fn add_with_help(
        &mut self,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(place, message.into(), Some(help.into()));
    }

    /// Returns the problems in the order of their places.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|(start, _)| *start);
        self.found.into_iter().map(|(_, problem)| problem).collect()
    }

    fn push(&mut self, place: Place, message: String, help: Option<String>) {
        self.found.push((place.start, Problem::at(self.doc, place, message, help)));
    }
}

/// Returns a text of a file as a message quotes it: in backquotes, short, on one line.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 48;
    let mut out = String::from("`");
    for (n, c) in text.chars().enumerate() {
        if n == MOST {
            out.push('…');
            break;
        }
        if c.is_control() { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out.push('`');
    out
}

/// Cuts a long line around an offset: what is shown, the characters before the offset in it, and those behind it, one
/// at least.
fn window(line: &str, at: usize) -> (String, usize, usize) {
    let (head, tail) = line.split_at_checked(at).unwrap_or((line, ""));
    let first = head.char_indices().rev().take(SHOWN_BEFORE).last().map_or(at, |(first, _)| first);
    let mut before = head[first..].chars().count();
    let room = SHOWN_CHARS - before;
    let end = tail.char_indices().nth(room).map_or(tail.len(), |(end, _)| end);
    let mut text = String::new();
    if first > 0 {
        text.push('…');
        before += 1;
    }
    text.push_str(&head[first..]);
    text.push_str(&tail[..end]);
    if end < tail.len() {
        text.push('…');
    }
    (text, before, tail[..end].chars().count().max(1))
}

/// Returns the columns of a terminal that a character takes.
///
/// The ranges are the blocks of Unicode's `EastAsianWidth.txt` that are wide, and its combining marks, coarsely: a
/// caret that is off by one under a rare script costs nobody more than a glance.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}
