//! Tests, in which no variable is replaced, and the events in them.

use super::{Checked, Value, Walk};
use crate::config::keys::MAX_TEST_EVENTS;
use crate::config::pipeline_test::TestEvent;
use crate::config::scalar::Plain;
use crate::config::shape::{ListShape, Shape};
use crate::config::tree::{Kind, Node};

impl Walk<'_, '_> {
    /// Checks tests. An event may hold a `${…}` that is its own, so none is replaced.
    pub(super) fn tests(&mut self, shape: &Shape, list: &ListShape, node: &Node) -> Checked {
        let env = self.env.take();
        let checked = self.list(shape, list, node);
        self.env = env;
        checked
    }

    /// Checks the events of a test: one, or a list of some.
    pub(super) fn events(&mut self, shape: &Shape, node: &Node) -> Checked {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        if items.is_empty() {
            let help = "`input` has at least one event; where none of them is to be written, there is `expect_dropped` \
                        with the reason instead of `expect`";
            self.report.add_with_help(node.place, "this list may not be empty", help);
            return Checked::bad(node.place);
        }
        if let Some(item) = items.get(MAX_TEST_EVENTS) {
            let help =
                format!("at most {MAX_TEST_EVENTS}: put more into a file, `input_file` or `expect_file`");
            let message = format!("this is item {} of a list", MAX_TEST_EVENTS + 1);
            self.report.add_with_help(item.place, message, help);
            return Checked::bad(node.place);
        }
        let mut events = Some(Vec::new());
        for item in items {
            match (self.event(shape, item), &mut events) {
                (Some(more), Some(events)) => events.extend(more),
                _ => events = None,
            }
        }
        events.map_or_else(
            || Checked::bad(node.place),
            |events| Checked { place: node.place, value: Value::Events(events) },
        )
    }

    /// Returns what one item stands for: a text of several lines is as many events. `None` if it was refused.
    fn event(&mut self, shape: &Shape, node: &Node) -> Option<Vec<TestEvent>> {
        match &node.kind {
            Kind::Map(_) => {
                let mut json = String::new();
                // What cannot be written holds something that has been refused.
                write_json(node, &mut json).then(|| vec![TestEvent::Json(json)])
            }
            Kind::Scalar { text, plain } if !plain || Plain::of(text) == Plain::Text => {
                let text = text.strip_suffix('\n').unwrap_or(text);
                Some(text.split('\n').map(|line| TestEvent::Line(line.to_owned())).collect())
            }
            _ => {
                self.unexpected(shape, node, None);
                None
            }
        }
    }
}

/// Writes a value as JSON, keys in their order and numbers as they are written; returns whether all of it could be.
///
/// It calls itself as deep as the tree is, which is bounded.
fn write_json(node: &Node, out: &mut String) -> bool {
    match &node.kind {
        Kind::Refused => return false,
        Kind::Scalar { text, plain } => match Plain::of(text) {
            Plain::Null if *plain => out.push_str("null"),
            Plain::Bool(_) | Plain::Number if *plain => out.push_str(text),
            _ => write_text(text, out),
        },
        Kind::List(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                separate(n, out);
                if !write_json(item, out) {
                    return false;
                }
            }
            out.push(']');
        }
        Kind::Map(entries) => {
            out.push('{');
            for (n, entry) in entries.iter().enumerate() {
                separate(n, out);
                write_text(&entry.key, out);
                out.push(':');
                if !write_json(&entry.value, out) {
                    return false;
                }
            }
            out.push('}');
        }
    }
    true
}

fn separate(n: usize, out: &mut String) {
    if n > 0 {
        out.push(',');
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
