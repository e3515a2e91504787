//! From text to [`Node`]s.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::{Character, Content, Node, Text, Tree, Value};

/// Why a text is no JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Illegal {
    /// The byte at which it stops being JSON.
    pub at: usize,
    /// What is wrong there.
    pub why: &'static str,
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.why, self.at)
    }
}

impl std::error::Error for Illegal {}

/// Returns the one value that a text consists of, white space around it aside.
///
/// # Errors
///
/// [`Illegal`] if the text is not UTF-8 or not JSON as of RFC 8259, with no extension whatever.
pub fn parse(text: &[u8]) -> Result<Node, Illegal> {
    let text = std::str::from_utf8(text)
        .map_err(|error| Illegal { at: error.valid_up_to(), why: "bytes that are not UTF-8" })?;
    let mut parser = Parser { text, at: 0, values: Vec::new(), open: Vec::new() };
    let index = parser.whole_text()?;
    let tree = Tree { text: text.to_owned(), values: parser.values };
    Ok(Node { tree: Arc::new(tree), index })
}

/// Returns whether a text is a number by the grammar of RFC 8259 section 6, and nothing else.
pub fn is_number(text: &str) -> bool {
    let mut parser = Parser { text, at: 0, values: Vec::new(), open: Vec::new() };
    parser.number().is_ok() && parser.at == text.len()
}

struct Parser<'t> {
    text: &'t str,
    /// The next byte to look at; always at the start of a character.
    at: usize,
    values: Vec<Value>,
    /// The arrays and objects begun and not ended, the innermost last.
    open: Vec<Open>,
}

struct Open {
    start: usize,
    members: Members,
}

enum Members {
    Array(Vec<usize>),
    Object {
        done: Vec<(Text, usize)>,
        /// The name whose value is being read.
        name: Text,
    },
}

impl Parser<'_> {
    /// RFC 8259 section 2: `JSON-text = ws value ws`.
    fn whole_text(&mut self) -> Result<usize, Illegal> {
        let root = loop {
            if let Some(value) = self.begin_value()?
                && let Some(root) = self.end_value(value)?
            {
                break root;
            }
        };
        self.white_space();
        if self.at < self.text.len() {
            return self.illegal("text after the value");
        }
        Ok(root)
    }

    /// Reads a value that holds no other and returns it, or the beginning of one that does.
    fn begin_value(&mut self) -> Result<Option<usize>, Illegal> {
        self.white_space();
        let start = self.at;
        let content = match self.peek() {
            Some(b'{') => return self.begin_object(start),
            Some(b'[') => return Ok(self.begin_array(start)),
            Some(b'"') => Content::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Content::Number
            }
            Some(b't') => self.literal("true", Content::Bool)?,
            Some(b'f') => self.literal("false", Content::Bool)?,
            Some(b'n') => self.literal("null", Content::Null)?,
            _ => return self.illegal("no value where one must be"),
        };
        Ok(Some(self.push(start, content)))
    }

    fn begin_array(&mut self, start: usize) -> Option<usize> {
        self.at += 1;
        self.white_space();
        if self.take(b']') {
            return Some(self.push(start, Content::Array(Vec::new())));
        }
        self.open.push(Open { start, members: Members::Array(Vec::new()) });
        None
    }

    fn begin_object(&mut self, start: usize) -> Result<Option<usize>, Illegal> {
        self.at += 1;
        self.white_space();
        if self.take(b'}') {
            return Ok(Some(self.push(start, Content::Object(Vec::new()))));
        }
        let name = self.name()?;
        self.open.push(Open { start, members: Members::Object { done: Vec::new(), name } });
        Ok(None)
    }

    /// Puts a value where it belongs and closes all that ends behind it. Returns it if it is the outermost, `None`
    /// if another value must follow.
    fn end_value(&mut self, mut value: usize) -> Result<Option<usize>, Illegal> {
        while let Some(mut open) = self.open.pop() {
            self.white_space();
            value = match &mut open.members {
                Members::Array(elements) => {
                    elements.push(value);
                    if self.take(b',') {
                        self.open.push(open);
                        return Ok(None);
                    }
                    if !self.take(b']') {
                        return self.illegal("neither `,` nor `]` after an element");
                    }
                    let elements = std::mem::take(elements);
                    self.push(open.start, Content::Array(elements))
                }
                Members::Object { done, name } => {
                    done.push((std::mem::take(name), value));
                    if self.take(b',') {
                        self.white_space();
                        *name = self.name()?;
                        self.open.push(open);
                        return Ok(None);
                    }
                    if !self.take(b'}') {
                        return self.illegal("neither `,` nor `}` after a member");
                    }
                    let members = std::mem::take(done);
                    self.push(open.start, Content::Object(members))
                }
            };
        }
        Ok(Some(value))
    }

    /// Reads a member's name and the colon behind it.
    fn name(&mut self) -> Result<Text, Illegal> {
        if self.peek() != Some(b'"') {
            return self.illegal("no name where one must be");
        }
        let name = self.string()?.into_iter().map(|character| character.code).collect();
        self.white_space();
        if !self.take(b':') {
            return self.illegal("no `:` after a name");
        }
        Ok(Text(name))
    }

    /// RFC 8259 section 6: `[ minus ] int [ frac ] [ exp ]`.
    fn number(&mut self) -> Result<(), Illegal> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _signed = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Illegal> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return self.illegal("no digit where one must be");
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    /// RFC 8259 section 7, from quote to quote.
    fn string(&mut self) -> Result<Vec<Character>, Illegal> {
        self.at += 1;
        let mut characters = Vec::new();
        loop {
            let start = self.at;
            let code = match self.text[start..].chars().next() {
                None => return self.illegal("a string without an end"),
                Some('"') => {
                    self.at += 1;
                    return Ok(characters);
                }
                Some('\0'..' ') => return self.illegal("a control character in a string"),
                Some('\\') => self.escape()?,
                Some(character) => {
                    self.at += character.len_utf8();
                    u32::from(character)
                }
            };
            characters.push(Character { code, spelled: start..self.at });
        }
    }

    /// Reads one escape, or two that are a pair of surrogates.
    fn escape(&mut self) -> Result<u32, Illegal> {
        let Some(first) = self.unit(self.at)? else { return self.short_escape() };
        self.at += 6;
        let second = if (0xd800..0xdc00).contains(&first) { self.low_surrogate()? } else { None };
        let Some(low) = second else { return Ok(first) };
        self.at += 6;
        Ok(0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00))
    }

    fn short_escape(&mut self) -> Result<u32, Illegal> {
        let meant = match self.text.as_bytes().get(self.at + 1) {
            Some(&meant @ (b'"' | b'\\' | b'/')) => meant,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => 0x0a,
            Some(b'r') => 0x0d,
            Some(b't') => 0x09,
            _ => return self.illegal("an escape that does not exist"),
        };
        self.at += 2;
        Ok(u32::from(meant))
    }

    /// Returns the low surrogate escaped here, without taking it; `None` if something else stands here.
    fn low_surrogate(&self) -> Result<Option<u32>, Illegal> {
        Ok(self.unit(self.at)?.filter(|unit| (0xdc00..0xe000).contains(unit)))
    }

    /// Returns the four hex digits of the `\u` escape at `at`, `None` if something else stands there.
    fn unit(&self, at: usize) -> Result<Option<u32>, Illegal> {
        let rest = &self.text.as_bytes()[at..];
        if !rest.starts_with(b"\\u") {
            return Ok(None);
        }
        let digits = rest.get(2..6).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return self.illegal("no four hex digits after `\\u`") };
        let hex = |unit: u32, &digit: &u8| unit * 16 + char::from(digit).to_digit(16).unwrap_or(0);
        Ok(Some(digits.iter().fold(0, hex)))
    }

    fn literal(&mut self, word: &str, content: Content) -> Result<Content, Illegal> {
        if !self.text[self.at..].starts_with(word) {
            return self.illegal("a word that is none of JSON's");
        }
        self.at += word.len();
        Ok(content)
    }

    /// RFC 8259 section 2: space, tab, line feed, carriage return, and no other.
    fn white_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    fn push(&mut self, start: usize, content: Content) -> usize {
        let span: Range<usize> = start..self.at;
        self.values.push(Value { span, content });
        self.values.len() - 1
    }

    fn illegal<T>(&self, why: &'static str) -> Result<T, Illegal> {
        Err(Illegal { at: self.at, why })
    }
}
