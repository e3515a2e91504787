//! What a filter is written in, before it is understood.

use logweir_json::{Value, check, elements, escape_into, members};

use super::FilterProblem;

/// How deep a filter may be nested, so that reading one costs little stack.
pub(super) const MAX_DEPTH: usize = 64;

/// A value of a configuration file or of a JSON text, with its place.
///
/// A filter comes in YAML or as JSON text; both become terms, so that one reader understands both and each problem
/// names the place where it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Term {
    /// Where it starts; whoever made the term knows in what.
    pub at: usize,
    /// What it is.
    pub kind: TermKind,
}

/// The kinds of JSON value.
#[derive(Clone, PartialEq, Debug)]
pub enum TermKind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is written, by JSON's grammar.
    Number(String),
    /// A string: UTF-8, save for lone surrogates, which are in WTF-8.
    Text(Vec<u8>),
    /// An array.
    List(Vec<Term>),
    /// An object: each name's place, the name, its value, in the order written.
    Map(Vec<(usize, Vec<u8>, Term)>),
}

impl Term {
    /// Reads JSON text; places are byte offsets in it.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or nested deeper than any filter needs.
    pub fn from_json(text: &str) -> Result<Self, FilterProblem> {
        let value = check(text.as_bytes()).map_err(|illegal| FilterProblem {
            at: illegal.at,
            message: format!("the filter is no JSON: expected {}", illegal.expected),
        })?;
        Self::of_legal(text.as_bytes(), value.start, value.end, 0)
    }

    /// Returns it as JSON writes it, without white space; numbers as they were written. Recursion goes as deep as the
    /// term.
    pub(super) fn to_json(&self) -> String {
        match &self.kind {
            TermKind::Null => String::from("null"),
            TermKind::Bool(value) => value.to_string(),
            TermKind::Number(raw) => raw.clone(),
            TermKind::Text(text) => quoted(text),
            TermKind::List(list) => {
                let list: Vec<_> = list.iter().map(Self::to_json).collect();
                format!("[{}]", list.join(","))
            }
            TermKind::Map(map) => {
                let member = |(_, name, value): &(usize, Vec<u8>, Self)| {
                    format!("{}:{}", quoted(name), value.to_json())
                };
                let map: Vec<_> = map.iter().map(member).collect();
                format!("{{{}}}", map.join(","))
            }
        }
    }

    /// Makes a term of the legal JSON value at `start..end`; recursion ends at [`MAX_DEPTH`].
    fn of_legal(text: &[u8], start: usize, end: usize, depth: usize) -> Result<Self, FilterProblem> {
        if depth > MAX_DEPTH {
            let message = format!(
                "the filter is nested deeper than {MAX_DEPTH} levels; `and` within `and` can be one list"
            );
            return Err(FilterProblem { at: start, message });
        }
        let kind = match Value::of(&text[start..end]) {
            Value::Null => TermKind::Null,
            Value::Bool(value) => TermKind::Bool(value),
            Value::Number(raw) => TermKind::Number(String::from_utf8_lossy(raw).into_owned()),
            Value::String(string) => TermKind::Text(decoded(string)),
            Value::Array(raw) => {
                let term = |element: std::ops::Range<usize>| {
                    Self::of_legal(text, start + element.start, start + element.end, depth + 1)
                };
                TermKind::List(elements(raw).map(term).collect::<Result<_, _>>()?)
            }
            Value::Object(raw) => {
                let mut map = Vec::new();
                for member in members(raw) {
                    let name = decoded(logweir_json::Text::new(&raw[member.name.clone()]));
                    let (from, to) = (start + member.value.start, start + member.value.end);
                    map.push((
                        start + member.name.start - 1,
                        name,
                        Self::of_legal(text, from, to, depth + 1)?,
                    ));
                }
                TermKind::Map(map)
            }
        };
        Ok(Self { at: start, kind })
    }
}

fn decoded(text: logweir_json::Text<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    text.decode_into(&mut out);
    out
}

/// Returns a decoded text as a JSON string.
fn quoted(text: &[u8]) -> String {
    let mut out = vec![b'"'];
    escape_into(text, &mut out);
    out.push(b'"');
    String::from_utf8_lossy(&out).into_owned()
}
