//! Checks scalars: what is written, with `${…}` replaced, against one shape.

use logweir_sinks::PathTemplate;

use super::{Checked, Value, Walk, found, nearest};
use crate::config::scalar::{self, Plain};
use crate::config::shape::{Shape, TextShape};
use crate::config::text::Place;
use crate::config::tree::{Kind, Node};
use crate::config::variables;

/// A scalar after replacement.
struct Written<'a> {
    /// What it means, which may be secret: no problem may show it where `replaced`.
    text: &'a str,
    plain: Plain,
    /// Whether something was put in for a `${…}`.
    replaced: bool,
}

impl Walk<'_, '_> {
    /// Checks a scalar, replacing what is to be replaced in it.
    pub(super) fn scalar(&mut self, shape: &Shape, node: &Node) -> Checked {
        let Kind::Scalar { text, plain } = &node.kind else {
            return self.unexpected(shape, node, None);
        };
        let replaced = match variables::replace(text, self.env) {
            Ok(replaced) => replaced,
            Err(faults) => {
                let first = self.text_start(node);
                for fault in faults {
                    let place = first.map_or(node.place, |first| Place {
                        start: first + fault.at.start,
                        end: first + fault.at.end,
                    });
                    match fault.help {
                        Some(help) => self.report.add_with_help(place, fault.message, help),
                        None => self.report.add(place, fault.message),
                    }
                }
                return Checked::bad(node.place);
            }
        };
        let meant = replaced.as_deref().unwrap_or(text);
        let written = Written {
            text: meant,
            plain: if *plain { Plain::of(meant) } else { Plain::Text },
            replaced: replaced.is_some(),
        };
        match understand(shape, &written, &|| found(&node.kind)) {
            Ok(Value::Text(text)) if matches!(shape, Shape::Text(TextShape::Template)) => {
                self.template(shape, node, text, written.replaced)
            }
            Ok(value) => Checked { place: node.place, value },
            Err(Some(message)) => {
                self.report.add_with_help(node.place, message, shape.help());
                Checked::bad(node.place)
            }
            Err(None) => {
                let help = scalar_help(shape, &written, text);
                self.unexpected(shape, node, help)
            }
        }
    }

    /// Checks the path of a template.
    fn template(&mut self, shape: &Shape, node: &Node, text: String, replaced: bool) -> Checked {
        let Err(error) = PathTemplate::parse(&text) else {
            return Checked { place: node.place, value: Value::Text(text) };
        };
        if replaced {
            // What is wrong would show what was put in.
            let message = format!("{} is no path", found(&node.kind));
            self.report.add_with_help(node.place, message, shape.help());
            return Checked::bad(node.place);
        }
        let place = self.text_start(node).map_or(node.place, |first| {
            let start = first + error.offset;
            Place { start, end: (start + error.n_bytes).max(start) }
        });
        self.report.add_with_help(place, error.message, error.help);
        Checked::bad(node.place)
    }

    /// Returns where the text of a scalar begins, if it stands in the file as it is: no escapes, no folded lines.
    pub(super) fn text_start(&self, node: &Node) -> Option<usize> {
        let Kind::Scalar { text, .. } = &node.kind else { return None };
        let Place { start, end } = node.place;
        let as_it_is =
            |(start, end): &(usize, usize)| self.doc.slice(Place { start: *start, end: *end }) == text;
        // Without quotes, or between them.
        [(start, end), (start + 1, end.saturating_sub(1))].into_iter().find(as_it_is).map(|(start, _)| start)
    }
}

/// Understands a scalar, or says what is wrong; `None` if it is just something else than expected.
///
/// `shown` is what stands there, as it is written.
fn understand(
    shape: &Shape,
    written: &Written<'_>,
    shown: &dyn Fn() -> String,
) -> Result<Value, Option<String>> {
    let text = written.text;
    let whole = || if written.plain == Plain::Number { scalar::whole(text) } else { None };
    match shape {
        Shape::Text(kind) => {
            if text.is_empty() || !(written.plain == Plain::Text || written.replaced) {
                return Err(None);
            }
            check_text(*kind, text).map_err(Some)?;
            Ok(Value::Text(text.to_owned()))
        }
        Shape::Choice(words) => {
            if words.contains(&text) {
                Ok(Value::Text(text.to_owned()))
            } else {
                Err(None)
            }
        }
        Shape::Integer(least, most) => in_range(whole().ok_or(None)?, *least, *most, shown),
        Shape::Size(least, most) => {
            let with_unit = || if written.plain == Plain::Text { scalar::size(text) } else { None };
            in_range(whole().or_else(with_unit).ok_or(None)?, *least, *most, shown)
        }
        Shape::Duration(least, most) => {
            let with_unit = if written.plain == Plain::Text { scalar::duration(text) } else { None };
            in_range(with_unit.ok_or(None)?, *least, *most, shown)
        }
        Shape::Rate => {
            let number = if written.plain == Plain::Number { text.parse::<f64>().ok() } else { None };
            let rate = number.ok_or(None)?;
            if rate > 0.0 && rate <= 1.0 {
                return Ok(Value::Rate(rate));
            }
            Err(Some(format!("{} is out of range", shown())))
        }
        Shape::Address => text.parse().map(Value::Address).map_err(|_| None),
        Shape::Map(_) | Shape::List(_) | Shape::Filter => Err(None),
    }
}

fn in_range(number: u64, least: u64, most: u64, shown: &dyn Fn() -> String) -> Result<Value, Option<String>> {
    if number < least {
        return Err(Some(format!("{} is too small", shown())));
    }
    if number > most {
        return Err(Some(format!("{} is too large", shown())));
    }
    Ok(Value::Integer(number))
}

/// Checks what the shape of a text asks for besides; the message shows nothing of the text.
fn check_text(shape: TextShape, text: &str) -> Result<(), String> {
    match shape {
        TextShape::Name => {
            let bad = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
            if text.contains(bad) {
                return Err(String::from("this name has a character that is not allowed"));
            }
            Ok(())
        }
        TextShape::Path | TextShape::Template if text.contains('\0') => {
            Err(String::from("this path has a zero byte"))
        }
        TextShape::Path if text.contains(['{', '}']) => {
            Err(String::from("only the path of a file sink may have `{` and `}`"))
        }
        TextShape::Any | TextShape::Path | TextShape::Template => Ok(()),
        TextShape::Glob => {
            if has_bare_brace(text) {
                return Err(String::from(
                    "a pattern knows no `{…}`: write several patterns, or `[{]` for the character itself",
                ));
            }
            glob::Pattern::new(text)
                .map(|_| ())
                .map_err(|error| format!("this pattern is wrong: {}", error.msg))
        }
    }
}

/// Returns whether a pattern has a brace that is not the one character of a class, `[{]`.
fn has_bare_brace(pattern: &str) -> bool {
    pattern.replace("[{]", "").replace("[}]", "").contains(['{', '}'])
}

/// Returns advice for a scalar that is not what was expected, where there is better advice than the shape's.
fn scalar_help(shape: &Shape, written: &Written<'_>, as_written: &str) -> Option<String> {
    match shape {
        Shape::Integer(..) | Shape::Size(..) | Shape::Rate
            if written.plain == Plain::Text && Plain::of(written.text) == Plain::Number =>
        {
            if written.replaced {
                let help =
                    "a number stands without quotes; with `${…}` on a line of its own, outside of `{…}`";
                return Some(String::from(help));
            }
            Some(format!("a number stands without quotes: `{as_written}`"))
        }
        Shape::Duration(..) if written.plain == Plain::Number && !written.replaced => {
            Some(format!("write the unit as well: `{as_written}s`, or `{as_written}ms`"))
        }
        Shape::Choice(words) if !written.replaced => {
            nearest(words.iter().copied(), written.text).map(|word| format!("did you mean `{word}`?"))
        }
        Shape::Text(_) if matches!(written.plain, Plain::Number | Plain::Bool(_)) => {
            Some(format!("a text that looks like something else stands in quotes: `\"{as_written}\"`"))
        }
        _ => None,
    }
}
