//! Reads JSON that was pasted into YAML as it is.
//!
//! In YAML the lines of a `{…}` or `[…]` are indented more than the block around them, with spaces, and a character
//! beyond `U+FFFF` is one escape. JSON knows no such rules, and what is pasted from an API keeps none of them. So where a
//! file is refused for one of these reasons, its brackets are indented and its surrogate pairs joined, and it is read
//! again. What means something without that is never touched.

/// What is written for a surrogate pair: `\U` and eight digits.
const JOINED_BYTES: usize = 10;

/// The most bytes that indenting may add: a file that wants more is no paste.
const MAX_ADDED: usize = 1 << 20;

/// A text that was rewritten, and where each of its pieces came from.
pub(super) struct Pasted {
    pub(super) text: String,
    /// The pieces in order: where each begins in the new text and in the old one.
    pieces: Vec<(usize, usize)>,
}

impl Pasted {
    /// Returns a text with brackets indented and surrogate pairs joined.
    pub(super) fn of(text: &str) -> Option<Self> {
        let new = Self { text: String::with_capacity(text.len()), pieces: vec![(0, 0)] };
        let mut rewriter = Rewriter { old: text, at: 0, copied: 0, new };
        while rewriter.at < text.len() {
            rewriter.block_line()?;
        }
        rewriter.copy_to(text.len());
        Some(rewriter.new)
    }

    /// Returns whether anything was rewritten.
    pub(super) fn is_changed(&self) -> bool {
        self.pieces.len() > 1
    }

    /// Returns the offset in the old text of an offset in the new one.
    pub(super) fn old(&self, new: usize) -> usize {
        let next = self.pieces.partition_point(|(start, _)| *start <= new);
        let (new_start, old_start) = self.pieces[next - 1];
        let old = old_start + (new - new_start);
        // Inside what was put in, the place is where that stands.
        self.pieces.get(next).map_or(old, |(_, next_old)| old.min(*next_old))
    }
}

struct Rewriter<'t> {
    old: &'t str,
    at: usize,
    /// How far the old text has been copied.
    copied: usize,
    new: Pasted,
}

impl Rewriter<'_> {
    fn rest(&self) -> &[u8] {
        &self.old.as_bytes()[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    fn copy_to(&mut self, end: usize) {
        self.new.text.push_str(&self.old[self.copied..end]);
        self.copied = end;
    }

    /// Puts `text` in the place of the old text from here to `end`.
    fn replace(&mut self, end: usize, text: &str) {
        self.copy_to(self.at);
        self.new.pieces.push((self.new.text.len(), self.at));
        self.new.text.push_str(text);
        self.new.pieces.push((self.new.text.len(), end));
        self.copied = end;
        self.at = end;
    }

    fn skip_while(&mut self, is_part: impl Fn(u8) -> bool) {
        let n_bytes = self.rest().iter().take_while(|byte| is_part(**byte)).count();
        self.at += n_bytes;
    }

    fn skip_line(&mut self) {
        self.skip_while(|byte| byte != b'\n');
        self.at = (self.at + 1).min(self.old.len());
    }

    /// Goes over one line of a block, and over the brackets or the scalar that begin on it.
    fn block_line(&mut self) -> Option<()> {
        let start = self.at;
        self.skip_while(|byte| byte == b' ');
        let mut column = self.at - start;
        while self.rest().starts_with(b"- ") {
            self.at += 1;
            self.skip_while(|byte| byte == b' ');
            column = self.at - start;
        }
        match self.peek() {
            Some(b'{' | b'[') => return self.brackets(self.at - start),
            Some(quote @ (b'"' | b'\'')) => self.quoted(quote),
            Some(_) => self.key(),
            None => return Some(()),
        }
        self.skip_while(|byte| byte == b' ');
        if self.peek() == Some(b':') {
            self.at += 1;
            self.skip_while(|byte| matches!(byte, b' ' | b'\t'));
            match self.peek() {
                Some(b'{' | b'[') => return self.brackets(column),
                Some(quote @ (b'"' | b'\'')) => self.quoted(quote),
                Some(b'|' | b'>') => {
                    self.skip_line();
                    self.block_scalar(column);
                    return Some(());
                }
                _ => {}
            }
        }
        self.skip_line();
        Some(())
    }

    /// Goes over a key without quotes, or the line if it is none.
    fn key(&mut self) {
        let rest = self.rest();
        let ends = |at: &usize| match rest[*at] {
            b'\n' => true,
            b':' => rest.get(at + 1).is_none_or(u8::is_ascii_whitespace),
            b'#' => *at == 0,
            _ => false,
        };
        self.at += (0..rest.len()).find(ends).unwrap_or(rest.len());
    }

    /// Goes over the lines of a block scalar whose key stands at `column`.
    fn block_scalar(&mut self, column: usize) {
        while self.at < self.old.len() {
            let line = self.rest();
            let indent = line.iter().take_while(|byte| **byte == b' ').count();
            let is_blank = line.get(indent).is_none_or(|byte| matches!(byte, b'\n' | b'\r'));
            if !is_blank && indent <= column {
                return;
            }
            self.skip_line();
        }
    }

    /// Goes over a text in quotes; in double ones surrogate pairs are joined.
    fn quoted(&mut self, quote: u8) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            if byte == quote {
                self.at += 1;
                return;
            }
            if byte != b'\\' || quote == b'\'' {
                self.at += 1;
            } else if let Some(c) = pair(self.rest()) {
                let joined = format!("\\U{:08X}", u32::from(c));
                debug_assert_eq!(joined.len(), JOINED_BYTES);
                self.replace(self.at + 12, &joined);
            } else {
                self.at = (self.at + 2).min(self.old.len());
                // What is escaped may be longer than a byte.
                while !self.old.is_char_boundary(self.at) {
                    self.at += 1;
                }
            }
        }
    }

    /// Goes over brackets, indenting each of their lines behind `column`, up to the end of the line that they end on.
    fn brackets(&mut self, column: usize) -> Option<()> {
        let indent = " ".repeat(column + 1);
        let mut depth = 0_usize;
        let mut before = b' ';
        while let Some(byte) = self.peek() {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                // Inside of a word a quote is a character like others.
                b'"' | b'\'' if !before.is_ascii_alphanumeric() => {
                    self.quoted(byte);
                    before = byte;
                    continue;
                }
                b'#' if before.is_ascii_whitespace() => {
                    self.skip_while(|byte| byte != b'\n');
                    continue;
                }
                b'\n' => {
                    self.at += 1;
                    let line = self.at;
                    self.skip_while(|byte| matches!(byte, b' ' | b'\t'));
                    let end = std::mem::replace(&mut self.at, line);
                    if self.new.text.len() + indent.len() > self.old.len() + MAX_ADDED {
                        return None;
                    }
                    if self.old[line..end] == indent {
                        self.at = end;
                    } else {
                        self.replace(end, &indent);
                    }
                    before = b' ';
                    continue;
                }
                _ => {}
            }
            self.at += 1;
            before = byte;
            if depth == 0 {
                break;
            }
        }
        self.skip_line();
        Some(())
    }
}

/// Returns the character of the surrogate pair that a text begins with, both halves escaped.
fn pair(text: &[u8]) -> Option<char> {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(escape).ok()?, 16).ok()
    };
    let units = [unit(0)?, unit(6)?];
    // A single unit that is a character by itself is no half of a pair.
    let is_pair = (0xD800..0xDC00).contains(&units[0]);
    char::decode_utf16(units).next().filter(|_| is_pair)?.ok()
}
