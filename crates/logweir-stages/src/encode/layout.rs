//! How an event is rendered: the texts and the values that follow each other.

use logweir_event::{Batch, ColumnId};
use logweir_json::{Projection, Value, escape_into};
use memchr::memchr_iter;

use super::config::{EncodeConfig, OutputType};
use super::template::Token;

/// What is written of each event, one after the other: before each value its text, and a text behind the last.
pub(super) struct Layout {
    fields: Vec<Field>,
    after: Vec<u8>,
    output_type: OutputType,
    /// How many bytes at the beginning only separate an event from the one before.
    pub(super) n_delimiter_bytes: u32,
}

/// One value, which may be written more than once.
struct Field {
    /// What stands before the value.
    before: Vec<u8>,
    column: ColumnId,
}

impl Layout {
    /// Returns the layout of these fields, having asked `projection` for them.
    pub(super) fn new(config: &EncodeConfig, field_names: &[String], projection: &mut Projection) -> Self {
        let is_csv = config.output_type == OutputType::Csv;
        let (prefix, suffix) = if is_csv { ("", "\n") } else { ("{", "}\n") };
        let delimiter = config.record_delimiter.as_deref().unwrap_or_default();
        let mut draft = Draft { fields: Vec::new(), text: Vec::new(), projection };
        draft.push_text(delimiter.as_bytes());
        draft.push_text(config.record_prefix.as_deref().unwrap_or(prefix).as_bytes());
        match config.record_template.as_ref().filter(|template| !template.is_empty) {
            Some(template) => draft.push_template(&template.tokens, field_names),
            None => draft.push_joined(config, field_names),
        }
        draft.push_text(config.record_suffix.as_deref().unwrap_or(suffix).as_bytes());
        Self {
            fields: draft.fields,
            after: draft.text,
            output_type: config.output_type,
            n_delimiter_bytes: delimiter.len() as u32,
        }
    }

    /// Appends an event.
    #[inline]
    pub(super) fn render(&self, batch: &Batch, event: usize, out: &mut Vec<u8>) {
        for field in &self.fields {
            out.extend_from_slice(&field.before);
            let value = batch.field(event, field.column);
            match self.output_type {
                OutputType::Ndjson => out.extend_from_slice(value.unwrap_or(b"null")),
                OutputType::Csv => cell_into(value.unwrap_or(b"null"), out),
            }
        }
        out.extend_from_slice(&self.after);
    }

    /// Returns whether every event is one line: it ends in a line feed and has no other.
    pub(super) fn is_one_line(&self) -> bool {
        // A value is a part of a line, but the text that a csv string means may have any number of them.
        let has_plain_values = self.output_type == OutputType::Ndjson || self.fields.is_empty();
        let texts = self.fields.iter().map(|field| &field.before[..]);
        let n_line_feeds: usize =
            texts.chain([&self.after[..]]).map(|text| memchr_iter(b'\n', text).count()).sum();
        self.n_delimiter_bytes == 0 && has_plain_values && n_line_feeds == 1 && self.after.ends_with(b"\n")
    }

    /// Returns how long an event may become whose line has at most `n_bytes` bytes.
    pub(super) fn max_rendered_bytes(&self, n_bytes: u64) -> u64 {
        // Different fields are different parts of a line; of one that is written repeatedly each time counts.
        let repeats = |field: &Field| self.fields.iter().filter(|other| other.column == field.column).count();
        let n_repeats = self.fields.iter().map(repeats).max().unwrap_or(0) as u64;
        let n_text_bytes: usize = self.fields.iter().map(|field| field.before.len()).sum();
        // In csv quotes are doubled, and each value may get two more. What is missing is `null`.
        let n_bytes = if self.output_type == OutputType::Csv { n_bytes.saturating_mul(2) } else { n_bytes };
        let n_own_bytes = n_text_bytes + self.after.len() + 4 * self.fields.len();
        n_repeats.saturating_mul(n_bytes).saturating_add(n_own_bytes as u64)
    }
}

/// A layout while it is made.
struct Draft<'a> {
    fields: Vec<Field>,
    /// What stands behind the last of them.
    text: Vec<u8>,
    projection: &'a mut Projection,
}

impl Draft<'_> {
    fn push_text(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    fn push_field(&mut self, name: &str) {
        let before = std::mem::take(&mut self.text);
        self.fields.push(Field { before, column: self.projection.ask_top_level(name) });
    }

    fn push_joined(&mut self, config: &EncodeConfig, field_names: &[String]) {
        let delimiter = config.field_delimiter.as_deref().unwrap_or(",");
        for (i, name) in field_names.iter().enumerate() {
            if i > 0 {
                self.push_text(delimiter.as_bytes());
            }
            if config.output_type == OutputType::Ndjson {
                self.push_text(b"\"");
                escape_into(name.as_bytes(), &mut self.text);
                self.push_text(b"\":");
            }
            self.push_field(name);
        }
    }

    fn push_template(&mut self, tokens: &[Token], field_names: &[String]) {
        for token in tokens {
            match token {
                Token::Text(text) => self.push_text(text),
                Token::Field(name) if field_names.contains(name) => self.push_field(name),
                Token::Field(_) => self.push_text(b"null"),
            }
        }
    }
}

/// Appends a value as csv has it: strings, as the text they mean, and the JSON text of arrays and objects between
/// quotes, numbers and booleans bare, of null nothing.
fn cell_into(raw: &[u8], out: &mut Vec<u8>) {
    match Value::of(raw) {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => out.extend_from_slice(raw),
        Value::String(text) => {
            out.push(b'"');
            text.decode_with(|piece| out.extend_from_slice(if piece == b"\"" { b"\"\"" } else { piece }));
            out.push(b'"');
        }
        Value::Array(_) | Value::Object(_) => quoted_into(raw, out),
    }
}

/// Appends a text between quotes, those in it doubled.
fn quoted_into(text: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    // Where all is quotes at first, only the other bytes are to be put in their places.
    out.resize(start + text.len() + memchr_iter(b'"', text).count() + 2, b'"');
    let cell = &mut out[start..];
    let mut at = 1;
    for &byte in text {
        cell[at] = byte;
        at += 1 + usize::from(byte == b'"');
    }
}
