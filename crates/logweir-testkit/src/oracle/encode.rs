//! Writing events: as they are, or what the output options make of them.

mod template;

use super::decode::Event;
use super::json::{Kind, Node};

/// What is written, and how: Logpush's output options. `None` stands for what the output type has by default.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// The top-level fields to write; without them an event is written as it is.
    pub field_names: Option<Vec<String>>,
    /// Whether the output type is csv, not ndjson.
    pub is_csv: bool,
    /// Once before a batch.
    pub batch_prefix: Option<String>,
    /// Once behind a batch.
    pub batch_suffix: Option<String>,
    /// Before each event.
    pub record_prefix: Option<String>,
    /// Behind each event.
    pub record_suffix: Option<String>,
    /// Between events.
    pub record_delimiter: Option<String>,
    /// Between fields.
    pub field_delimiter: Option<String>,
    /// In the place of the joined fields; an empty one is none.
    pub record_template: Option<String>,
    /// Whether lookups are redacted (CVE-2021-44228).
    pub is_redacted: bool,
}

impl Options {
    /// Returns the options that write these fields, all else by default.
    pub fn of_fields(field_names: &[&str]) -> Self {
        let field_names = Some(field_names.iter().map(ToString::to_string).collect());
        Self { field_names, ..Self::default() }
    }
}

/// Returns a whole batch as it is delivered.
///
/// # Panics
///
/// If the template is no template.
pub fn render(events: &[Event], options: &Options) -> Vec<u8> {
    let text = |option: &Option<String>| option.clone().unwrap_or_default().into_bytes();
    let events: Vec<_> = events.iter().map(|event| render_event(event, options)).collect();
    let batch = [
        text(&options.batch_prefix),
        events.join(&text(&options.record_delimiter)[..]),
        text(&options.batch_suffix),
    ]
    .concat();
    if options.is_redacted { redacted(&batch) } else { batch }
}

/// Returns one event as it is written in a batch, no lookups redacted.
///
/// # Panics
///
/// If the template is no template.
pub fn render_event(event: &Event, options: &Options) -> Vec<u8> {
    let Some(names) = &options.field_names else {
        let missing = if event.line().ends_with(b"\n") { "" } else { "\n" };
        return [event.line(), missing.as_bytes()].concat();
    };
    let (prefix, suffix) = if options.is_csv { ("", "\n") } else { ("{", "}\n") };
    let body = match options.record_template.as_deref().unwrap_or("") {
        "" => joined(event.object(), names, options),
        text => template::render(text, |name| {
            if names.iter().any(|known| known == name) {
                value(event.object(), name, options)
            } else {
                "null".to_owned()
            }
        }),
    };
    let before = options.record_prefix.as_deref().unwrap_or(prefix);
    let behind = options.record_suffix.as_deref().unwrap_or(suffix);
    [before.as_bytes(), &body, behind.as_bytes()].concat()
}

fn joined(object: &Node, names: &[String], options: &Options) -> Vec<u8> {
    let field = |name: &String| {
        let value = value(object, name, options);
        if options.is_csv { value } else { format!("{}:{value}", quoted(name)) }
    };
    let fields: Vec<String> = names.iter().map(field).collect();
    fields.join(options.field_delimiter.as_deref().unwrap_or(",")).into_bytes()
}

/// Returns the value of a field as the output type has it.
fn value(object: &Node, name: &str, options: &Options) -> String {
    match object.get(name) {
        None if options.is_csv => String::new(),
        None => "null".to_owned(),
        Some(node) if options.is_csv => cell(&node),
        Some(node) => node.raw().to_owned(),
    }
}

/// Returns a value as csv has it.
fn cell(node: &Node) -> String {
    let text = match node.kind() {
        Kind::Null => return String::new(),
        Kind::Bool | Kind::Number => return node.raw().to_owned(),
        Kind::String => decoded(node),
        Kind::Array | Kind::Object => node.raw().to_owned(),
    };
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// Returns the text of a string, in which a surrogate without its other half is as it is spelled.
fn decoded(node: &Node) -> String {
    let start = node.span().start;
    let mut text = String::new();
    for character in node.characters().unwrap_or_default() {
        let spelled = &node.raw()[character.spelled.start - start..character.spelled.end - start];
        match char::from_u32(character.code) {
            Some(char) => text.push(char),
            None => text.push_str(spelled),
        }
    }
    text
}

/// Returns a text in which every `${` is `x{`, also where `$` is spelled `\u0024` (which becomes `\u0078`), or `{`
/// `\u007b` in either case. A backslash that is escaped begins no escape.
pub fn redacted(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    for at in 0..text.len() {
        let n_backslashes = text[..at].iter().rev().take_while(|&&byte| byte == b'\\').count();
        for brace in ["{", "\\u007b", "\\u007B"] {
            if text[at..].starts_with(format!("${brace}").as_bytes()) {
                out[at] = b'x';
            }
            let is_escape = n_backslashes % 2 == 0;
            if is_escape && text[at..].starts_with(format!("\\u0024{brace}").as_bytes()) {
                out[at..at + 6].copy_from_slice(b"\\u0078");
            }
        }
    }
    out
}

/// Returns a text as a JSON string that escapes only what must be escaped (RFC 8259 section 7), in the short form
/// where there is one.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' => out.extend(['\\', 'u', '0', '0', hex(character, 4), hex(character, 0)]),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// Returns the hex digit of the four bits from `shift` on.
fn hex(character: char, shift: u32) -> char {
    char::from_digit(u32::from(character) >> shift & 0xf, 16).unwrap_or('0')
}
