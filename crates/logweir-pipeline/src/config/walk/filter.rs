//! Hands filters to the crate that understands them, and its problems back with their places.

use logweir_stages::{FilterConfig, FilterProblem, Term, TermKind};

use super::inside::Inside;
use super::{Checked, Value, Walk};
use crate::config::problem::Found;
use crate::config::scalar::Plain;
use crate::config::shape::Shape;
use crate::config::text::Place;
use crate::config::tree::{Kind, Node, quoted_len};

impl Walk<'_, '_> {
    /// Checks a filter. Nothing is replaced in it: a `$` may be part of what is looked for.
    pub(super) fn filter(&mut self, shape: &Shape, node: &Node) -> Checked {
        let understood = match &node.kind {
            // What was refused inside has been reported; what the filter would say about the rest is guesswork.
            Kind::Map(_) => match term(node) {
                Some(condition) if matches!(shape, Shape::Condition) => {
                    FilterConfig::from_term(&filter_of(condition))
                }
                Some(filter) => FilterConfig::from_term(&filter),
                None => return Checked::bad(node.place),
            },
            Kind::Scalar { text, .. }
                if matches!(shape, Shape::Condition) && !text.trim_start().starts_with('{') =>
            {
                return self.unexpected(shape, node, None);
            }
            Kind::Scalar { text, plain } if !plain || Plain::of(text) == Plain::Text => {
                FilterConfig::from_json(text)
            }
            _ => return self.unexpected(shape, node, None),
        };
        match understood {
            Ok(filter) => Checked { place: node.place, value: Value::Filter(filter) },
            Err(problems) => {
                self.refuse_filter(shape, node, &problems, None);
                Checked::bad(node.place)
            }
        }
    }

    /// Reports what is wrong with a filter, with the code of Logpush's API where it has one.
    pub(super) fn refuse_filter(
        &mut self,
        shape: &Shape,
        node: &Node,
        problems: &[FilterProblem],
        code: Option<u16>,
    ) {
        let inside = self.inside(node);
        for problem in problems {
            let (place, message) = match &node.kind {
                Kind::Scalar { text, .. } => place_in_json(node.place, text, inside.as_ref(), problem),
                _ => (place_at(node, problem.at), problem.message.clone()),
            };
            self.report.push(Found { place, message, code, help: None });
        }
        if problems.is_empty() {
            self.report.add_with_help(node.place, "this is no filter", shape.help());
        }
    }
}

/// Returns the place of a problem with the JSON of a filter, and its message, which says where in the JSON it is if the
/// place cannot.
fn place_in_json(
    scalar: Place,
    text: &str,
    inside: Option<&Inside>,
    problem: &FilterProblem,
) -> (Place, String) {
    let at = (0..=problem.at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let len = if text[at..].starts_with('"') {
        quoted_len(&text[at..], '"')
    } else {
        text[at..].chars().next().map_or(0, char::len_utf8)
    };
    if let Some(inside) = inside {
        return (inside.place(at..at + len), problem.message.clone());
    }
    let nth = text[..at].chars().count() + 1;
    (scalar, format!("{}, at character {nth} of the filter", problem.message))
}

/// Returns the filter with this condition.
fn filter_of(condition: Term) -> Term {
    let at = condition.at;
    Term { at, kind: TermKind::Map(vec![(at, b"where".to_vec(), condition)]) }
}

/// Returns a node as a term, whose places are offsets in the file; `None` if something in it was refused.
///
/// It calls itself as deep as the tree is, which is bounded.
fn term(node: &Node) -> Option<Term> {
    let kind = match &node.kind {
        Kind::Refused => return None,
        Kind::Scalar { text, plain } => scalar(text, *plain),
        Kind::List(items) => TermKind::List(items.iter().map(term).collect::<Option<_>>()?),
        Kind::Map(entries) => {
            let entry = |entry: &crate::config::tree::Entry| {
                Some((entry.key_place.start, entry.key.clone().into_bytes(), term(&entry.value)?))
            };
            TermKind::Map(entries.iter().map(entry).collect::<Option<_>>()?)
        }
    };
    Some(Term { at: node.place.start, kind })
}

fn scalar(text: &str, plain: bool) -> TermKind {
    match Plain::of(text) {
        Plain::Null if plain => TermKind::Null,
        Plain::Bool(value) if plain => TermKind::Bool(value),
        Plain::Number if plain => TermKind::Number(text.to_owned()),
        _ => TermKind::Text(text.as_bytes().to_vec()),
    }
}

/// Returns the whole place of what begins at an offset: a key, a scalar, the bracket of a list or flow map.
fn place_at(node: &Node, at: usize) -> Place {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match &node.kind {
            Kind::Scalar { .. } if node.place.start == at => return node.place,
            Kind::Map(entries) => {
                if let Some(entry) = entries.iter().find(|entry| entry.key_place.start == at) {
                    return entry.key_place;
                }
                open.extend(entries.iter().map(|entry| &entry.value));
            }
            Kind::List(items) => open.extend(items),
            _ => {}
        }
    }
    Place { start: at, end: at }
}
