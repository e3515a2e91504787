//! Replaces `${VAR}`, `${VAR:-default}`, `${file:/path}` and `$$` in a text.

use std::fs::File;
use std::io::Read;
use std::ops::Range;

use super::problem::quoted;

/// The largest file that `${file:…}` takes in: a secret is a line, a certificate a few pages.
const MAX_SECRET_BYTES: u64 = 64 << 10;

/// Something wrong with a `${…}`.
pub(super) struct Fault {
    /// Where, in the text.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<&'static str>,
}

/// Returns the text with everything replaced, or `None` if there is nothing to replace.
///
/// A default ends at the next `}` and is taken as it is. As in a shell, it also stands in for a variable that is
/// empty. What was put in is not looked at again.
pub(super) fn replace(
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<String>, Vec<Fault>> {
    if !text.contains("$$") && !text.contains("${") {
        return Ok(None);
    }
    let mut out = String::with_capacity(text.len());
    let mut faults = Vec::new();
    let mut at = 0;
    while let Some(dollar) = text[at..].find('$').map(|offset| at + offset) {
        out.push_str(&text[at..dollar]);
        let rest = &text[dollar + 1..];
        if rest.starts_with('$') {
            out.push('$');
            at = dollar + 2;
        } else if let Some(inner) = rest.strip_prefix('{') {
            let Some(len) = inner.find('}') else {
                faults.push(Fault {
                    at: dollar..text.len(),
                    message: String::from("this `${` has no `}`"),
                    help: Some("close it, as `${NAME}`; for the characters themselves write `$${`"),
                });
                return Err(faults);
            };
            at = dollar + 2 + len + 1;
            match look_up(&inner[..len], env) {
                Ok(value) => out.push_str(&value),
                Err((message, help)) => faults.push(Fault { at: dollar..at, message, help }),
            }
        } else {
            out.push('$');
            at = dollar + 1;
        }
    }
    out.push_str(&text[at..]);
    if faults.is_empty() { Ok(Some(out)) } else { Err(faults) }
}

/// Returns what stands for the inside of a `${…}`.
fn look_up(
    inner: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<String, (String, Option<&'static str>)> {
    if let Some(path) = inner.strip_prefix("file:") {
        return read(path).map_err(|message| (message, None));
    }
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    if !is_variable(name) {
        let help =
            "a name has letters, digits and `_`; write `${NAME}`, `${NAME:-default}` or `${file:/path}`";
        // What stands there is not repeated: it may be a piece of a secret.
        return Err((String::from("this names no variable"), Some(help)));
    }
    match (env(name), default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => {
            let help = "set it, or write `${NAME:-default}`; for the characters themselves write `$${`";
            Err((format!("the variable {} is not set", quoted(name)), Some(help)))
        }
    }
}

fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns what a file holds, without the line ending at its end; the error names the file and nothing of its content.
fn read(path: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("the file {} cannot be read: {error}", quoted(path)))?;
    if bytes.len() as u64 > MAX_SECRET_BYTES {
        return Err(format!("the file {} is larger than 64 KiB", quoted(path)));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| format!("the file {} is not UTF-8", quoted(path)))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
