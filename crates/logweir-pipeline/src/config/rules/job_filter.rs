//! What Logpush's API asks of the filter of a job, beyond its being a filter.

use std::collections::HashSet;
use std::ops::Range;

use logweir_stages::{FilterConfig, Term, TermKind};

use super::job::known_fields;
use crate::config::dataset::{FIELDS, FieldType, WORKERS};
use crate::config::problem::{Found, Report};
use crate::config::shape::listed;
use crate::config::text::{Doc, Place};
use crate::config::walk::{BAD_PREDICATE, Inside, JobFilter, NOT_ALLOWED, nearest};

/// The most bytes of the text of a filter.
const MAX_BYTES: usize = 1000;

/// The most bytes of a filter of which more is said than that it is too long.
const MAX_READABLE_BYTES: usize = 16 * MAX_BYTES;

/// The most operators in a filter, those of predicates counted.
const MAX_OPERATORS: usize = 30;

/// Checks the filter that is written at `place`.
pub(super) fn check(filter: &JobFilter, place: Place, is_workers: bool, doc: &Doc, report: &mut Report<'_>) {
    let mut checker = Checker { text: &filter.text, n_operators: 0, found: Vec::new() };
    let is_readable = filter.text.len() <= MAX_READABLE_BYTES;
    if filter.text.len() > MAX_BYTES {
        let n_bytes = filter.text.len();
        checker.add(
            0..n_bytes,
            format!("the filter has {n_bytes} bytes"),
            Some(format!("at most {MAX_BYTES}")),
        );
    }
    if let Some(condition) = member(&filter.term, "where").filter(|_| is_readable) {
        checker.condition(condition, is_workers);
    }
    // Where both have something to say, the API has said it in its own words.
    let told: HashSet<usize> = checker.found.iter().map(|part| part.at.start).collect();
    let refused = if is_readable { FilterConfig::from_term(&filter.term).err() } else { None };
    for problem in refused.into_iter().flatten() {
        if !told.contains(&problem.at) {
            checker.add(problem.at..problem.at + 1, problem.message, None);
        }
    }
    let inside = Inside::of(doc, place, &filter.text);
    for BadPart { at, message, help } in checker.found {
        let (place, message) = if let Some(inside) = &inside {
            (inside.place(at), format!("{BAD_PREDICATE}: {message}"))
        } else {
            let nth = filter.text.get(..at.start).map_or(0, |before| before.chars().count()) + 1;
            (place, format!("{BAD_PREDICATE}: {message}, at character {nth} of the filter"))
        };
        report.push(Found { place, message, code: Some(NOT_ALLOWED), help });
    }
}

/// Something that the API does not take.
struct BadPart {
    /// Where, in bytes of the filter's text.
    at: Range<usize>,
    message: String,
    help: Option<String>,
}

struct Checker<'t> {
    text: &'t str,
    n_operators: usize,
    found: Vec<BadPart>,
}

impl Checker<'_> {
    fn add(&mut self, at: Range<usize>, message: String, help: Option<String>) {
        self.found.push(BadPart { at, message, help });
    }

    /// Checks a condition and what it holds; it calls itself as deep as terms are, which is bounded.
    fn condition(&mut self, term: &Term, is_workers: bool) {
        for name in ["and", "or"] {
            if let Some(TermKind::List(list)) = member(term, name).map(|list| &list.kind) {
                for condition in list {
                    self.condition(condition, is_workers);
                }
            }
        }
        let Some(operator) = member(term, "operator") else { return };
        self.n_operators += 1;
        if self.n_operators == MAX_OPERATORS + 1 {
            let message = format!("this is operator {} of the filter", self.n_operators);
            self.add(self.extent(operator), message, Some(format!("at most {MAX_OPERATORS}")));
        }
        let (Some(key), Some(value)) = (member(term, "key"), member(term, "value")) else { return };
        if is_workers && let (Some(name), Some(operator_name)) = (text(key), text(operator)) {
            self.predicate((key, name), (operator, operator_name), value);
        }
    }

    /// Checks a predicate by the type of its field.
    fn predicate(
        &mut self,
        (key, name): (&Term, &str),
        (operator, operator_name): (&Term, &str),
        value: &Term,
    ) {
        let Some(field) = FieldType::of(name) else {
            let help = match nearest(FIELDS.iter().map(|(field, _)| *field), name) {
                Some(near) => format!("did you mean `{near}`?"),
                None if name.contains('.') => String::from(
                    "a job knows no paths into fields; a `filter` among the `stages` of a pipeline does",
                ),
                None => known_fields(),
            };
            return self.add(self.extent(key), format!("`{WORKERS}` has no field {name:?}"), Some(help));
        };
        if field == FieldType::Object {
            let help = String::from(
                "objects and arrays of them cannot be asked for in a job; a `filter` among the `stages` of a pipeline can \
                 look into them",
            );
            return self.add(self.extent(key), format!("field {name:?} is not filterable"), Some(help));
        }
        // What is no operator at all is for others to say.
        let positive = operator_name.strip_prefix('!').unwrap_or(operator_name);
        let Some((_, types)) = OPERATORS.iter().find(|(known, _)| *known == positive) else { return };
        if !types.contains(&field) {
            let kind = field.name();
            let message =
                format!("operator {operator_name:?} is not supported for the {kind} field {name:?}");
            let help = operators_of(field);
            return self.add(self.extent(operator), message, Some(help));
        }
        let kind = match (positive, field) {
            ("in", FieldType::Int) => "[]uint64",
            ("in", _) => "[]string",
            (_, FieldType::Int) => "uint64",
            _ => "string",
        };
        if !is_of_kind(value, kind) {
            let at = self.extent(value);
            let written = self.text.get(at.clone()).unwrap_or_default();
            self.add(at, format!("failed to decode value {written:?}, supported kinds: {kind}"), None);
        }
    }

    /// Returns where a value is written, all of it.
    fn extent(&self, term: &Term) -> Range<usize> {
        let rest = self.text.as_bytes().get(term.at..).unwrap_or_default();
        term.at..term.at + json_len(rest)
    }
}

/// The operators that need no `!` before them, and the types of the fields that each is for.
const OPERATORS: [(&str, &[FieldType]); 9] = [
    ("eq", &[FieldType::String, FieldType::Int]),
    ("lt", &[FieldType::Int]),
    ("leq", &[FieldType::Int]),
    ("gt", &[FieldType::Int]),
    ("geq", &[FieldType::Int]),
    ("startsWith", &[FieldType::String]),
    ("endsWith", &[FieldType::String]),
    ("contains", &[FieldType::String, FieldType::Array]),
    ("in", &[FieldType::String, FieldType::Int]),
];

/// Returns the operators for a type, as a sentence lists them.
fn operators_of(field: FieldType) -> String {
    let names = OPERATORS.iter().filter(|(_, types)| types.contains(&field)).map(|(name, _)| *name);
    format!("for it there are {}, and the same with `!`", listed(names, "and"))
}

/// Returns whether a value can be decoded as this kind: whole numbers may be texts too.
fn is_of_kind(value: &Term, kind: &str) -> bool {
    match (&value.kind, kind) {
        (TermKind::List(items), "[]uint64") => items.iter().all(|item| is_of_kind(item, "uint64")),
        (TermKind::List(items), "[]string") => items.iter().all(|item| is_of_kind(item, "string")),
        (TermKind::Number(number), "uint64") => is_whole(number),
        (TermKind::Text(text), "uint64") => std::str::from_utf8(text).is_ok_and(is_whole),
        (TermKind::Text(_), "string") => true,
        _ => false,
    }
}

/// Returns whether a text is a whole number of 64 bits, with no sign and no zero before it, as JSON would have it.
fn is_whole(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    is_plain && text.parse::<u64>().is_ok()
}

fn member<'t>(term: &'t Term, name: &str) -> Option<&'t Term> {
    let TermKind::Map(members) = &term.kind else { return None };
    members.iter().find(|(_, key, _)| key == name.as_bytes()).map(|(_, _, value)| value)
}

fn text(term: &Term) -> Option<&str> {
    match &term.kind {
        TermKind::Text(text) => std::str::from_utf8(text).ok(),
        _ => None,
    }
}

/// Returns how long the legal JSON value is that a text begins with.
fn json_len(text: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if in_string => at += 1,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => return at,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 && !in_string && matches!(byte, b'"' | b']' | b'}') {
            return at;
        }
    }
    at.min(text.len())
}
