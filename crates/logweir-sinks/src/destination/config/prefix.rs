//! The directory of a bucket that objects are put into.

use std::fmt;

/// What stands for the day of a batch.
const DATE: &str = "{DATE}";

/// What stands before the name of each object: a path without a slash at its beginning or end, in which `{DATE}` is the
/// day of the batch. It may be empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ObjectPrefix(String);

/// A text that is no prefix of objects.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[error("{message}")]
pub struct PrefixProblem {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl ObjectPrefix {
    /// Returns the prefix that a text says, slashes at its ends left out.
    ///
    /// # Errors
    ///
    /// If it has an empty part, `.` or `..`, a control character, or a token other than `{DATE}`.
    pub fn parse(text: &str) -> Result<Self, PrefixProblem> {
        let text = text.strip_prefix('/').unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.split('/').any(|part| ["", ".", ".."].contains(&part)) {
            return Err(problem("this path has an empty part, or `.` or `..`", "name each directory"));
        }
        if text.contains(char::is_control) {
            return Err(problem("this path has a control character", "leave it out"));
        }
        if text.replace(DATE, "").contains(['{', '}']) {
            return Err(problem(
                "a brace in this path is not part of `{DATE}`",
                "`{DATE}` is the only token",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the prefix as it is configured.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path of an object with this name on this day.
    pub fn key(&self, date: &str, name: &str) -> String {
        if self.0.is_empty() {
            return name.to_owned();
        }
        format!("{}/{name}", self.0.replace(DATE, date))
    }
}

impl fmt::Display for ObjectPrefix {
    /// Writes it with a slash before it, or nothing if it is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "/{}", self.0)
    }
}

fn problem(message: &str, help: &str) -> PrefixProblem {
    PrefixProblem { message: message.to_owned(), help: help.to_owned() }
}
