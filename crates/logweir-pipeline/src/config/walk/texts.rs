//! Texts that hold a small language of their own, in which no variable is replaced: a `$` may be part of what they say.

use logweir_stages::{FilterProblem, RecordTemplate, Term};

use super::{Checked, Value, Walk};
use crate::config::problem::Found;
use crate::config::scalar::Plain;
use crate::config::shape::Shape;
use crate::config::tree::{Kind, Node};
use crate::config::walk::checked::JobFilter;

/// What the API answers to a filter that it does not take: what it refuses to do, and why.
pub(in crate::config) const BAD_PREDICATE: &str = "creating a new job is not allowed: bad predicate";

/// The code of that answer.
pub(in crate::config) const NOT_ALLOWED: u16 = 1004;

impl Walk<'_, '_> {
    /// Checks the template of an event; an empty one is none.
    pub(super) fn record_template(&mut self, shape: &Shape, node: &Node) -> Checked {
        let Some(text) = plain_text(node) else { return self.unexpected(shape, node, None) };
        match RecordTemplate::parse(text) {
            Ok(template) => Checked { place: node.place, value: Value::Template(template) },
            Err(problem) => {
                let inside = self.inside(node);
                let nth = text[..problem.offset].chars().count() + 1;
                let message = match inside {
                    Some(_) => problem.message,
                    None => format!("{}, at character {nth} of the template", problem.message),
                };
                let part = problem.offset..problem.offset + problem.n_bytes;
                let place = inside.map_or(node.place, |inside| inside.place(part));
                self.report.push(Found { place, message, code: None, help: problem.help });
                Checked::bad(node.place)
            }
        }
    }

    /// Checks that the filter of a job is JSON; an empty one is none.
    pub(super) fn job_filter(&mut self, shape: &Shape, node: &Node) -> Checked {
        let Some(text) = plain_text(node) else {
            let help = match node.kind {
                Kind::Map(_) => Some(format!("a job has it as a text: write {}", shape.help())),
                _ => None,
            };
            return self.unexpected(shape, node, help);
        };
        if text.is_empty() {
            return Checked { place: node.place, value: Value::Text(String::new()) };
        }
        match Term::from_json(text) {
            Ok(term) => {
                let value = Value::JobFilter(Box::new(JobFilter { text: text.to_owned(), term }));
                Checked { place: node.place, value }
            }
            Err(problem) => {
                let message = format!("{BAD_PREDICATE}: {}", problem.message);
                self.refuse_filter(shape, node, &[FilterProblem { message, ..problem }], Some(NOT_ALLOWED));
                Checked::bad(node.place)
            }
        }
    }
}

/// Returns the text of a scalar that is one.
fn plain_text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar { text, plain } if !plain || Plain::of(text) == Plain::Text => Some(text),
        _ => None,
    }
}
