//! YAML as a tree that knows the place of every node.
//!
//! Of YAML we take what JSON has, in both of YAML's spellings: maps with text keys, lists, scalars, comments. Anchors,
//! aliases, tags and several documents in a file are refused by name, not misread. The events of the parser are
//! stacked here and not by its own loader, which recurses as deep as the file nests.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};

use super::problem::{Report, quoted};
use super::scalar::Plain;
use super::text::{Doc, Place};

mod pasted;

use pasted::Pasted;

/// The levels of lists and maps in one another that a file may have; a pipeline needs about ten.
pub(super) const MAX_DEPTH: usize = 128;

/// A value and where it is written.
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

impl Node {
    /// Returns what it says as JSON. It calls itself as deep as the tree is, which is bounded.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Refused => serde_json::Value::Null,
            Kind::Scalar { text, plain } => match Plain::of(text) {
                Plain::Null if *plain => serde_json::Value::Null,
                Plain::Bool(value) if *plain => value.into(),
                Plain::Number if *plain => {
                    serde_json::from_str(text).unwrap_or_else(|_| text.as_str().into())
                }
                _ => text.as_str().into(),
            },
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => {
                let member = |entry: &Entry| (entry.key.clone(), entry.value.to_json());
                serde_json::Value::Object(entries.iter().map(member).collect())
            }
        }
    }
}

/// The kinds of value.
pub(super) enum Kind {
    /// Something that has been refused already.
    Refused,
    /// A text, or a word or number by [`Plain`] where it is `plain`: written without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// Its keys are different from one another.
    Map(Vec<Entry>),
}

/// A key and its value.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) value: Node,
}

/// Reads a text into a tree; `None` if it is no YAML that can be read on. What is refused is reported.
pub(super) fn parse<'d>(doc: &'d Doc, report: &mut Report<'d>) -> Option<Node> {
    if let Some(message) = doc.too_large() {
        report.add(Place { start: 0, end: 0 }, message);
        return None;
    }
    if let Some((start, c)) = doc.text().char_indices().find(|(_, c)| !is_printable(*c)) {
        let place = Place { start, end: start + c.len_utf8() };
        // The parser takes U+0000 for the end of the file: what stands behind it would be ignored.
        report.add(place, format!("the character U+{:04X} may not stand in YAML", u32::from(c)));
        return None;
    }
    let mark = report.mark();
    let error = match build(&Written { text: doc.text(), pasted: None }, doc, report) {
        Ok(root) => return root,
        Err(error) => error,
    };
    let pasted = if is_of_paste(&error) { Pasted::of(doc.text()) } else { None };
    let Some(pasted) = pasted.filter(Pasted::is_changed) else {
        refuse_syntax(doc, report, &error, error_offset(&error, doc.text()));
        return None;
    };
    report.forget_since(mark);
    match build(&Written { text: &pasted.text, pasted: Some(&pasted) }, doc, report) {
        Ok(root) => root,
        Err(error) => {
            refuse_syntax(doc, report, &error, pasted.old(error_offset(&error, &pasted.text)));
            None
        }
    }
}

/// A text for the parser.
struct Written<'t> {
    text: &'t str,
    /// How it was rewritten.
    pasted: Option<&'t Pasted>,
}

/// Returns whether a text may be refused because of JSON that was pasted into it.
fn is_of_paste(error: &ScanError) -> bool {
    ["indentation", "tab", "Unicode character escape"].iter().any(|reason| error.info().contains(reason))
}

fn error_offset(error: &ScanError, text: &str) -> usize {
    Offsets::of(text).byte(error.marker().index())
}

/// Builds the tree of a text: `None` if something was refused behind which there is no point in reading on.
fn build<'d>(
    written: &Written<'_>,
    doc: &'d Doc,
    report: &mut Report<'d>,
) -> Result<Option<Node>, ScanError> {
    let offsets = Offsets::of(written.text);
    let byte = |index: usize| {
        let byte = offsets.byte(index);
        written.pasted.map_or(byte, |pasted| pasted.old(byte))
    };
    let mut builder = Builder { doc, report, stack: Vec::new(), root: None, n_documents: 0 };
    let mut parser = Parser::new_from_str(written.text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event?;
        let start = byte(span.start.index());
        let place = Place { start, end: byte(span.end.index()).max(start) };
        if !builder.take(event, place) {
            return Ok(None);
        }
    }
    let nothing =
        Node { place: Place { start: 0, end: 0 }, kind: Kind::Scalar { text: String::new(), plain: true } };
    Ok(Some(builder.root.unwrap_or(nothing)))
}

/// YAML 1.2 section 5.1 (`c-printable`), less U+0085 and U+FEFF, which editors hide and parsers disagree about.
fn is_printable(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

/// Turns the parser's places, in characters, into bytes.
enum Offsets {
    /// A character is a byte; the text has this many.
    Ascii(usize),
    /// The byte at which each character begins, and the end.
    Wide(Vec<usize>),
}

impl Offsets {
    fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Self::Ascii(text.len());
        }
        Self::Wide(text.char_indices().map(|(at, _)| at).chain([text.len()]).collect())
    }

    fn byte(&self, index: usize) -> usize {
        match self {
            Self::Ascii(len) => index.min(*len),
            Self::Wide(starts) => starts.get(index).or(starts.last()).copied().unwrap_or(0),
        }
    }
}

/// A list or map that has begun and not ended.
enum Frame {
    List { start: usize, items: Vec<Node> },
    Map { start: usize, entries: Vec<Entry>, key: Key, seen: HashMap<String, Place> },
}

/// What a map waits for.
enum Key {
    /// A key.
    Awaited,
    /// The value of this key.
    Read(String, Place),
    /// The value of a key that was refused, which is dropped.
    Refused,
}

struct Builder<'r, 'd> {
    doc: &'d Doc,
    report: &'r mut Report<'d>,
    /// The lists and maps that are open, the outermost first; at most [`MAX_DEPTH`].
    stack: Vec<Frame>,
    root: Option<Node>,
    n_documents: usize,
}

impl Builder<'_, '_> {
    /// Takes an event in; returns whether there is a point in going on.
    fn take(&mut self, event: Event<'_>, place: Place) -> bool {
        match event {
            Event::DocumentStart(_) => return self.begin_document(place),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_marks(place, anchor, tag.is_some());
                let plain = style == ScalarStyle::Plain;
                let place = self.without_trail(place, style);
                // What a tag was taken from is another text than was meant.
                let is_tagged = tag.is_some();
                let scalar = Kind::Scalar { text: text.into_owned(), plain };
                self.add(Node { place, kind: if is_tagged { Kind::Refused } else { scalar } });
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_marks(place, anchor, tag.is_some());
                return self.open(Frame::List { start: place.start, items: Vec::new() }, place);
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_marks(place, anchor, tag.is_some());
                let frame = Frame::Map {
                    start: place.start,
                    entries: Vec::new(),
                    key: Key::Awaited,
                    seen: HashMap::new(),
                };
                return self.open(frame, place);
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(place.end),
            Event::Alias(_) => {
                self.report.add_with_help(place, "aliases are not known here", "write the value out");
                self.add(Node { place, kind: Kind::Refused });
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        true
    }

    fn begin_document(&mut self, place: Place) -> bool {
        self.n_documents += 1;
        if self.n_documents > 1 {
            let help = "one file is one pipeline; `logweir run` takes several files";
            self.report.add_with_help(place, "a second document begins here", help);
            return false;
        }
        true
    }

    /// Returns the place of a scalar without the space and the comment that the parser counts to it.
    fn without_trail(&self, place: Place, style: ScalarStyle) -> Place {
        let written = self.doc.slice(place);
        let len = match style {
            ScalarStyle::DoubleQuoted => quoted_len(written, '"'),
            ScalarStyle::SingleQuoted => quoted_len(written, '\''),
            _ => written.trim_end().len(),
        };
        Place { start: place.start, end: place.start + len }
    }

    fn refuse_marks(&mut self, place: Place, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.report.add_with_help(place, "anchors are not known here", "leave the `&…` out");
        }
        if tagged {
            let written = self.doc.slice(place).split_whitespace().next().unwrap_or_default();
            let message =
                format!("{} without quotes is a tag of YAML, which is not known here", quoted(written));
            self.report.add_with_help(place, message, format!("put the text in quotes, as `\"{written}\"`"));
        }
    }

    fn open(&mut self, frame: Frame, place: Place) -> bool {
        if self.stack.len() == MAX_DEPTH {
            self.report.add(place, format!("this is nested more than {MAX_DEPTH} levels deep"));
            return false;
        }
        self.stack.push(frame);
        true
    }

    fn close(&mut self, end: usize) {
        let (start, kind) = match self.stack.pop() {
            Some(Frame::List { start, items }) => (start, Kind::List(items)),
            Some(Frame::Map { start, entries, .. }) => (start, Kind::Map(entries)),
            // The parser closes only what it has opened.
            None => return,
        };
        self.add(Node { place: Place { start, end: end.max(start) }, kind });
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, mut node: Node) {
        match self.stack.last_mut() {
            None => self.root = Some(node),
            Some(Frame::List { items, .. }) => items.push(node),
            Some(Frame::Map { entries, key, seen, .. }) => match std::mem::replace(key, Key::Awaited) {
                Key::Awaited => *key = read_key(self.doc, self.report, seen, &node),
                Key::Refused => {}
                Key::Read(key, key_place) => {
                    // A value that is not written has no place of its own that would mean anything to a reader.
                    if node.place.start == node.place.end {
                        node.place = key_place;
                    }
                    entries.push(Entry { key, key_place, value: node });
                }
            },
        }
    }
}

fn refuse_syntax<'d>(doc: &'d Doc, report: &mut Report<'d>, error: &ScanError, start: usize) {
    let place = Place { start, end: start };
    let message = format!("this is not YAML: {}", error.info());
    report.add_with_help(place, message, syntax_help(doc, error.info(), start));
}

/// Returns what is most likely to be done about a text that is not YAML.
fn syntax_help(doc: &Doc, error: &str, start: usize) -> &'static str {
    let (line, _) = doc.line_and_column(start);
    let line = doc.line(line);
    let is_mark = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
    if doc.text().lines().any(is_mark) {
        return "a merge left its marks (`<<<<<<<`, `>>>>>>>`) in this file: settle the conflict first";
    }
    if line.trim_start_matches(' ').starts_with('\t') {
        return "indent with spaces, not with tabs";
    }
    if error.contains("unknown anchor") {
        return "a text that begins with `*` stands in quotes; aliases are not known here: write the value out";
    }
    if line.contains("${") {
        return "inside `{…}` and `[…]` a text with `${…}` stands in quotes";
    }
    if error.contains("flow") || error.contains("inside a block") {
        return "is every `[` and `{` above closed? A text with `: `, `,`, `[` or `{` in it stands in quotes";
    }
    "keys that belong together begin in the same column, and a text with `: ` or ` #` in it stands in quotes"
}

/// Returns the length of a text in quotes, both quotes included.
pub(super) fn quoted_len(written: &str, quote: char) -> usize {
    let mut chars = written.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            // In single quotes, two of them are one that is meant.
            if quote == '"' || chars.next_if(|(_, next)| *next == quote).is_none() {
                return at + 1;
            }
        }
    }
    written.len()
}

/// Understands a node as a key of a map that has seen others.
fn read_key(doc: &Doc, report: &mut Report<'_>, seen: &mut HashMap<String, Place>, node: &Node) -> Key {
    let place = node.place;
    let Kind::Scalar { text, plain } = &node.kind else {
        if !matches!(node.kind, Kind::Refused) {
            report.add(place, "a key is a text, not a list or a map");
        }
        return Key::Refused;
    };
    // `null` without quotes can mean nothing but the sink of that name.
    if *plain && text != "null" && Plain::of(text) != Plain::Text {
        let shown = quoted(text);
        report.add_with_help(place, format!("a key is a text, which {shown} is not"), "put it in quotes");
        return Key::Refused;
    }
    if let Some(first) = seen.get(text) {
        let (line, column) = doc.line_and_column(first.start);
        let message = format!("the key {} is given twice", quoted(text));
        report.add_with_help(place, message, format!("it stands already at line {line}, column {column}"));
        return Key::Refused;
    }
    seen.insert(text.clone(), place);
    Key::Read(text.clone(), place)
}
