//! Checks scalars: what is written, with `${…}` replaced, against one shape.

use std::net::{Ipv4Addr, SocketAddr};

use logweir_sinks::{DestinationConfig, PathTemplate};

use super::{Checked, Value, Walk, found, nearest};
use crate::config::logpull::LogpullOptions;
use crate::config::problem::Found;
use crate::config::scalar::{self, Plain};
use crate::config::shape::{MAX_MEMBER_CHARS, Shape, TextShape};
use crate::config::tree::{Kind, Node};
use crate::config::variables;

/// The code of Logpush's API for an ownership challenge that it does not take.
const INCORRECT_CHALLENGE: u16 = 1002;

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
        if matches!(shape, Shape::Text(TextShape::Challenge | TextShape::Secret)) {
            self.report.hide_secret(node.place);
        }
        let replaced = self.env.map_or(Ok(None), |env| variables::replace(text, env));
        let replaced = match replaced {
            Ok(replaced) => replaced,
            Err(faults) => {
                let inside = self.inside(node);
                for fault in faults {
                    let place = inside.as_ref().map_or(node.place, |inside| inside.place(fault.at));
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
            Ok(Value::Text(text)) if matches!(shape, Shape::Destination) => {
                self.destination(node, &text, written.replaced)
            }
            Ok(Value::Text(text)) if matches!(shape, Shape::LogpullOptions) => {
                self.logpull_options(node, &text, written.replaced)
            }
            Ok(value) => Checked { place: node.place, value },
            Err(Some(message)) if matches!(shape, Shape::Text(TextShape::Challenge)) => {
                self.report.push(Found {
                    place: node.place,
                    message,
                    code: Some(INCORRECT_CHALLENGE),
                    help: Some(shape.help()),
                });
                Checked::bad(node.place)
            }
            Err(Some(message)) => {
                let better = match shape {
                    Shape::Rate if !written.replaced => share(text),
                    Shape::Text(_) if text.is_empty() => {
                        Some(String::from("write a text, or take the key out"))
                    }
                    _ => None,
                };
                self.report.add_with_help(node.place, message, better.unwrap_or_else(|| shape.help()));
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
        let part = error.offset..error.offset + error.n_bytes;
        let place = self.inside(node).map_or(node.place, |inside| inside.place(part));
        self.report.add_with_help(place, error.message, error.help);
        Checked::bad(node.place)
    }

    /// Checks a destination.
    fn destination(&mut self, node: &Node, text: &str, replaced: bool) -> Checked {
        if !self.doc.slice(node.place).contains("://") {
            // Spelled with escapes it does not look like what it is.
            self.report.hide(node.place);
        }
        match DestinationConfig::parse(text) {
            Ok(config) => Checked { place: node.place, value: Value::Destination(Box::new(config)) },
            Err(problems) => {
                // What is wrong in what was put in has no place in the file.
                let inside = self.inside(node).filter(|_| !replaced);
                for problem in problems {
                    let at = problem.offset..problem.offset + problem.n_bytes;
                    let place = inside.as_ref().map_or(node.place, |inside| inside.place(at));
                    self.report.add_with_help(place, problem.message, problem.help);
                }
                Checked::bad(node.place)
            }
        }
    }

    /// Checks the options of old.
    fn logpull_options(&mut self, node: &Node, text: &str, replaced: bool) -> Checked {
        match LogpullOptions::parse(text) {
            Ok(options) => Checked { place: node.place, value: Value::LogpullOptions(Box::new(options)) },
            Err(problems) => {
                let inside = self.inside(node).filter(|_| !replaced);
                for problem in problems {
                    let place = inside.as_ref().map_or(node.place, |inside| inside.place(problem.at));
                    self.report.add_with_help(place, problem.message, problem.help);
                }
                Checked::bad(node.place)
            }
        }
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
            if !(written.plain == Plain::Text || written.replaced) {
                return Err(None);
            }
            if text.is_empty() && !kind.may_be_empty() {
                return Err(Some(String::from("this text may not be empty")));
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
        Shape::Address => {
            let port = || whole().and_then(|port| u16::try_from(port).ok()).map(own_port);
            address(text).or_else(port).map(Value::Address).ok_or(None)
        }
        Shape::Bool => match written.plain {
            Plain::Bool(value) => Ok(Value::Bool(value)),
            _ => Err(None),
        },
        Shape::ZeroOr(least, most) => match whole().ok_or(None)? {
            0 => Ok(Value::Integer(0)),
            number => in_range(number, *least, *most, shown),
        },
        Shape::Destination | Shape::LogpullOptions => match written.plain {
            Plain::Text => Ok(Value::Text(text.to_owned())),
            _ => Err(None),
        },
        Shape::Unavailable(_)
        | Shape::Map(_)
        | Shape::Pairs(_)
        | Shape::List(_)
        | Shape::Filter
        | Shape::Condition
        | Shape::JobFilter
        | Shape::Template
        | Shape::Events
        | Shape::Tests(_) => Err(None),
    }
}

/// Returns an address; a port alone is one of this machine only.
fn address(text: &str) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| text.parse().ok().map(own_port))
}

/// Returns a port of this machine that nobody else can reach.
fn own_port(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
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
        TextShape::Member if text.chars().count() > MAX_MEMBER_CHARS => {
            Err(format!("this name has more than {MAX_MEMBER_CHARS} characters"))
        }
        TextShape::Member if matches!(text, "Exceptions" | "Logs") => {
            Err(String::from("`Exceptions` and `Logs` hold what events say, which would be lost"))
        }
        TextShape::Path | TextShape::Template if text.contains('\0') => {
            Err(String::from("this path has a zero byte"))
        }
        TextShape::Path if text.contains(['{', '}']) => {
            Err(String::from("only the path of a file sink may have `{` and `}`"))
        }
        TextShape::JobName | TextShape::Dataset | TextShape::Challenge => check_of_api(shape, text),
        TextShape::Any
        | TextShape::Literal
        | TextShape::Secret
        | TextShape::Member
        | TextShape::Path
        | TextShape::Template => Ok(()),
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

/// Checks a text by the alphabet and the length that Logpush's API has for it.
fn check_of_api(shape: TextShape, text: &str) -> Result<(), String> {
    let (what, more, most) = match shape {
        TextShape::JobName => ("this name", ".-", 512),
        TextShape::Dataset => ("this dataset", "_-", 256),
        _ => ("incorrect ownership challenge: it", "/+._-", 4096),
    };
    if text.contains(|c: char| !(c.is_ascii_alphanumeric() || more.contains(c))) {
        return Err(format!("{what} has a character that is not allowed"));
    }
    if text.len() > most {
        return Err(format!("{what} has more than {most} characters"));
    }
    Ok(())
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
        Shape::Size(..) | Shape::Duration(..) | Shape::Rate if !written.replaced => {
            with_unit(shape, as_written)
        }
        Shape::Choice(words) if !written.replaced => {
            nearest(words.iter().copied(), written.text).map(|word| format!("did you mean `{word}`?"))
        }
        Shape::Text(TextShape::Secret) => None,
        Shape::Text(_) if matches!(written.plain, Plain::Number | Plain::Bool(_)) => {
            Some(format!("a text that looks like something else stands in quotes: `\"{as_written}\"`"))
        }
        _ => None,
    }
}

/// Returns what somebody means who writes a number with a unit that is not known.
fn with_unit(shape: &Shape, written: &str) -> Option<String> {
    let digits = written.len() - written.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = written.split_at(digits);
    let unit = unit.trim().to_lowercase();
    if number.is_empty() {
        return None;
    }
    match (shape, unit.as_str()) {
        (Shape::Size(..), "k" | "kb" | "kib" | "m" | "mb" | "mib" | "g" | "gb" | "gib") => {
            let letter = unit[..1].to_uppercase();
            Some(format!(
                "write `{number} {letter}iB` for powers of 1024, or `{number} {letter}B` for powers of 1000"
            ))
        }
        (Shape::Duration(..), "sec" | "secs" | "second" | "seconds") => Some(format!("write `{number}s`")),
        (Shape::Duration(..), "min" | "mins" | "minute" | "minutes") => Some(format!("write `{number}m`")),
        (Shape::Duration(..), "hr" | "hrs" | "hour" | "hours") => Some(format!("write `{number}h`")),
        (Shape::Duration(..), "day" | "days") => Some(format!("write `{number}d`")),
        (Shape::Rate, "%") => share(number),
        _ => None,
    }
}

/// Returns how a percentage is written as a share.
fn share(percents: &str) -> Option<String> {
    let percents: f64 = percents.parse().ok()?;
    (percents > 0.0 && percents <= 100.0)
        .then(|| format!("a share and no percentage: {percents} % is `{}`", percents / 100.0))
}
