//! What is wrong with a file, and how it is shown.

use std::fmt;

use super::text::{Doc, Place};

mod secrets;

use secrets::Secrets;

/// The characters of a line that are shown at most; a longer line is cut around the place.
const SHOWN_CHARS: usize = 160;
/// How many of them stand before the place, at most, when a line is cut.
const SHOWN_BEFORE: usize = 60;

/// One thing that is wrong with a configuration, where it is, and what would be right.
///
/// The text of a file is shown as it is written, so that what replaced a `${…}` never appears in a problem; each character
/// that may belong to a secret is shown as `*`.
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
    /// The code that Logpush's API gives for it, where that is known.
    pub code: Option<u16>,
    /// What would be right, where that can be said: one line.
    pub help: Option<String>,
    /// The characters of `text` before the place: `column - 1`, unless the line was cut.
    before: usize,
}

impl Problem {
    /// Returns a problem with a file as a whole.
    pub(super) fn of_file(file: String, message: String) -> Self {
        Self {
            file,
            line: 0,
            column: 0,
            text: String::new(),
            caret_len: 0,
            message,
            code: None,
            help: None,
            before: 0,
        }
    }

    /// Returns what was found at a place of a file.
    fn of(doc: &Doc, found: Found, secrets: &Secrets) -> Self {
        let Found { place, message, code, help } = found;
        let (line, column) = doc.line_and_column(place.start);
        let caret_len = doc.chars_on_line(place, line).max(1);
        let start = doc.line_start(line);
        let end = start + doc.line(line).len();
        let file = doc.shown().to_owned();
        if doc.n_chars(Place { start, end }) > SHOWN_CHARS {
            let (text, before, room) = window(doc.line(line), place.start.min(end) - start, start, secrets);
            let caret_len = caret_len.min(room);
            return Self { file, line, column, text, caret_len, message, code, help, before };
        }
        let (text, before) = (secrets.mask(start, doc.line(line)), column - 1);
        Self { file, line, column, text, caret_len, message, code, help, before }
    }

    /// Writes what is wrong, and the code in brackets as Logpush's documentation cites it.
    fn fmt_message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.code.map_or(Ok(()), |code| write!(f, " ({code})"))
    }
}

impl fmt::Display for Problem {
    /// Writes the place and the message, the line with carets under what is at fault, and the help; no line ending
    /// at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: ", self.file)?;
            self.fmt_message(f)?;
        } else {
            let gutter = self.line.to_string();
            let blank = " ".repeat(gutter.len());
            write!(f, "{}:{}:{}: ", self.file, self.line, self.column)?;
            self.fmt_message(f)?;
            writeln!(f, "\n  {gutter} | {}", self.text)?;
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

/// Collects the problems of one file, and what is worth a note besides.
pub(super) struct Report<'a> {
    doc: &'a Doc,
    problems: Vec<Found>,
    /// What is legal and surely unwanted.
    warnings: Vec<Found>,
    notes: Vec<Found>,
    /// Where secrets stand that do not look like one.
    secrets: Vec<Place>,
}

/// Something that was found in a file.
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) code: Option<u16>,
    pub(super) help: Option<String>,
}

impl<'a> Report<'a> {
    pub(super) fn new(doc: &'a Doc) -> Self {
        Self { doc, problems: Vec::new(), warnings: Vec::new(), notes: Vec::new(), secrets: Vec::new() }
    }

    /// Adds a problem with no advice.
    pub(super) fn add(&mut self, place: Place, message: impl Into<String>) {
        self.push(Found { place, message: message.into(), code: None, help: None });
    }

    /// Adds a problem and what would be right.
    pub(super) fn add_with_help(
        &mut self,
        place: Place,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Found { place, message: message.into(), code: None, help: Some(help.into()) });
    }

    /// Adds a problem.
    pub(super) fn push(&mut self, found: Found) {
        self.problems.push(found);
    }

    /// Adds what is legal and surely unwanted, and how to mend it.
    pub(super) fn warn(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.warnings.push(Found { place, message: message.into(), code: None, help: Some(help.into()) });
    }

    /// Adds what stands in the way of nothing and is worth knowing.
    pub(super) fn note(&mut self, place: Place, message: impl Into<String>) {
        self.notes.push(Found { place, message: message.into(), code: None, help: None });
    }

    /// Has nothing of a place shown.
    pub(super) fn hide(&mut self, place: Place) {
        self.secrets.push(place);
    }

    /// Has nothing shown of a secret but the variables and the files that it comes from.
    pub(super) fn hide_secret(&mut self, place: Place) {
        self.secrets.extend(secrets::written_out(self.doc.text(), place));
    }

    /// Has nothing shown of what may be a secret in a file that could not be understood.
    pub(super) fn hide_likely_secrets(&mut self) {
        self.secrets.extend(secrets::likely(self.doc.text()));
    }

    /// Returns a mark of how much has been found.
    pub(super) fn mark(&self) -> usize {
        self.problems.len()
    }

    /// Forgets the problems that were found since a mark.
    pub(super) fn forget_since(&mut self, mark: usize) {
        self.problems.truncate(mark);
    }

    /// Returns the problems, the warnings and the notes, each in the order of their places.
    pub(super) fn finish(self) -> [Vec<Problem>; 3] {
        let Self { doc, problems, warnings, notes, secrets } = self;
        let secrets = Secrets::of(doc.text(), &secrets);
        [problems, warnings, notes].map(|mut found| {
            found.sort_by_key(|found| found.place.start);
            found.into_iter().map(|found| Problem::of(doc, found, &secrets)).collect()
        })
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
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
        // What follows in a URL may be a secret.
        if out.ends_with("://") {
            out.push('…');
            break;
        }
    }
    out.push('`');
    out
}

/// Cuts a long line around an offset: what is shown, the characters before the offset in it, and those behind it, one
/// at least. The line begins at `start` in its file.
fn window(line: &str, at: usize, start: usize, secrets: &Secrets) -> (String, usize, usize) {
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
    text.push_str(&secrets.mask(start + first, &line[first..head.len() + end]));
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
