//! Writes jobs as a pipeline file.

use std::fmt::Write as _;

use super::value::{Job, Piece, Value};

/// What stands above the jobs.
const HEAD: &str = "\
# Logpush jobs, written by `logweir import`. Each is a pipeline of its own over this source.
# Where the events are: files that are followed as they grow. Put yours in.
source:
  file: { include: [events/*.ndjson] }
# Where positions, and batches that wait to be uploaded, are kept over a restart.
state_dir: state
jobs:
";

/// The keys whose texts are taken as they are: no variable is replaced in them.
pub(super) const LITERAL: [&str; 2] = ["filter", "record_template"];

/// The order in which the keys of a job are written; others come behind.
const ORDER: [&str; 7] =
    ["name", "dataset", "enabled", "destination_conf", "filter", "output_options", "logpull_options"];

/// What the API tells of a job, and is of no meaning here.
const TOLD: [&str; 3] = ["last_complete", "last_error", "error_message"];

/// Returns a pipeline file.
///
/// # Errors
///
/// If a variable stands where none is replaced.
pub(super) fn pipeline_file(jobs: &[Job]) -> Result<String, String> {
    let mut writer = Writer { out: String::from(HEAD) };
    for job in jobs {
        let start = writer.out.len();
        writer.map(&written_members(job), 2)?;
        // The first key stands behind the dash of the item.
        writer.out.replace_range(start..start + 4, "  - ");
    }
    Ok(writer.out)
}

/// Returns the members of a job that say something, in the order in which they are written.
fn written_members(job: &Job) -> Vec<(String, Value)> {
    let mut members = job.members.clone();
    members.retain(|(key, value)| *value != Value::Null && !TOLD.contains(&key.as_str()));
    members.sort_by_key(|(key, _)| ORDER.iter().position(|known| known == key).unwrap_or(ORDER.len()));
    members
}

struct Writer {
    out: String,
}

impl Writer {
    /// Writes the members of a map, each on a line of its own; `level` counts the spaces before them by twos.
    fn map(&mut self, members: &[(String, Value)], level: usize) -> Result<(), String> {
        if members.is_empty() {
            return Err(String::from("a job in these files has no keys"));
        }
        for (key, value) in members {
            self.indent(level);
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
            if !key.is_empty()
                && key.starts_with(|c: char| c.is_ascii_alphabetic())
                && key.chars().all(is_plain)
            {
                self.out.push_str(key);
            } else {
                self.quoted(key);
            }
            self.out.push(':');
            self.value(key, value, level)?;
        }
        Ok(())
    }

    fn value(&mut self, key: &str, value: &Value, level: usize) -> Result<(), String> {
        match value {
            Value::Map(members) if !members.is_empty() => {
                self.out.push('\n');
                return self.map(members, level + 1);
            }
            Value::List(items) if !items.is_empty() => {
                self.out.push('\n');
                for item in items {
                    self.indent(level + 1);
                    self.out.push('-');
                    self.value(key, item, level + 1)?;
                }
                return Ok(());
            }
            _ => self.out.push(' '),
        }
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => self.out.push_str(number),
            Value::Text(pieces) => self.text(key, pieces)?,
            Value::List(_) => self.out.push_str("[]"),
            Value::Map(_) => self.out.push_str("{}"),
        }
        self.out.push('\n');
        Ok(())
    }

    fn text(&mut self, key: &str, pieces: &[Piece]) -> Result<(), String> {
        let is_literal = LITERAL.contains(&key);
        let has_variable = pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. }));
        if is_literal && has_variable {
            return Err(format!(
                "a `{key}` depends on what only Terraform knows, and no variable is replaced in it: write what it comes to"
            ));
        }
        let text: String = pieces.iter().map(|piece| written(piece, is_literal)).collect();
        // A variable alone may stand for a number or a word, which have no quotes.
        if let [Piece::Variable { default: None, .. }] = pieces {
            self.out.push_str(&text);
        } else if let [Piece::Variable { default: Some(default), .. }] = pieces
            && default.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        {
            self.out.push_str(&text);
        } else {
            self.quoted(&text);
        }
        Ok(())
    }

    /// Writes a text in double quotes.
    fn quoted(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                ' '..='~' | '\u{a1}'..='\u{2027}' | '\u{2030}'..='\u{d7ff}' => self.out.push(c),
                c => {
                    let _ = write!(self.out, "\\U{:08X}", u32::from(c));
                }
            }
        }
        self.out.push('"');
    }

    fn indent(&mut self, level: usize) {
        self.out.extend(std::iter::repeat_n("  ", level));
    }
}

/// Returns a piece as a text that is replaced has it, or as one that is not.
fn written(piece: &Piece, is_literal: bool) -> String {
    match piece {
        Piece::Known(text) if is_literal => text.clone(),
        Piece::Known(text) => text.replace('$', "$$"),
        Piece::Variable { name, default: None } => format!("${{{name}}}"),
        Piece::Variable { name, default: Some(default) } => format!("${{{name}:-{default}}}"),
    }
}
