//! From a stream to lines, and from lines to events.

use logweir_event::Malformed;

use super::json::{Kind, Node, parse};

/// One line of a stream.
#[derive(Clone, Debug)]
pub enum Line {
    /// Nothing but space, tab and CR; counted as nothing.
    Blank(Vec<u8>),
    /// An event.
    Event(Event),
    /// A line that is no event, and why.
    Malformed(Malformed, Vec<u8>),
    /// A line that is too long to be looked at.
    Oversized(Vec<u8>),
}

impl Line {
    /// Returns the line as it was read, with its ending if it has one.
    pub fn raw(&self) -> &[u8] {
        match self {
            Self::Event(event) => event.line(),
            Self::Blank(raw) | Self::Malformed(_, raw) | Self::Oversized(raw) => raw,
        }
    }
}

/// An event: its line, and what the line says.
#[derive(Clone, Debug)]
pub struct Event {
    line: Vec<u8>,
    object: Node,
}

impl Event {
    /// Reads the event on a line.
    ///
    /// # Errors
    ///
    /// The first reason, in the order of [`Malformed`], why there is none.
    pub fn read(line: &[u8]) -> Result<Self, Malformed> {
        if std::str::from_utf8(line).is_err() {
            return Err(Malformed::NotUtf8);
        }
        let object = parse(line).map_err(|_| Malformed::NotJson)?;
        if object.kind() != Kind::Object {
            return Err(Malformed::NotObject);
        }
        Ok(Self { line: line.to_vec(), object })
    }

    /// Returns the line, with its ending if it has one.
    pub fn line(&self) -> &[u8] {
        &self.line
    }

    /// Returns the event from its `{` to its `}`.
    pub fn body(&self) -> &[u8] {
        &self.line[self.object.span()]
    }

    /// Returns what the line says; spans count from the start of the line.
    pub fn object(&self) -> &Node {
        &self.object
    }
}

/// Returns all lines of a stream, blank ones too; all their bytes together are the stream without its byte-order
/// mark. A line longer than `max_event_bytes`, its ending not counted, is oversized whatever is on it.
pub fn decode(input: &[u8], max_event_bytes: usize) -> Vec<Line> {
    let input = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input);
    input.split_inclusive(|&byte| byte == b'\n').map(|line| classify(line, max_event_bytes)).collect()
}

fn classify(line: &[u8], max_event_bytes: usize) -> Line {
    let content = without_ending(line);
    if content.len() > max_event_bytes {
        return Line::Oversized(line.to_vec());
    }
    if content.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
        return Line::Blank(line.to_vec());
    }
    match Event::read(line) {
        Ok(event) => Line::Event(event),
        Err(reason) => Line::Malformed(reason, line.to_vec()),
    }
}

/// Takes `\n` or `\r\n` away. A `\r` at the end of a stream that lacks the `\n` is no ending but white space.
fn without_ending(line: &[u8]) -> &[u8] {
    let Some(line) = line.strip_suffix(b"\n") else { return line };
    line.strip_suffix(b"\r").unwrap_or(line)
}
