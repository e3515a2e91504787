//! Paths with tokens in them, which stand for the time and for names.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// What `{DATE}` stands for: the day, as 20261122.
const DATE_FORMAT: &str = "%Y%m%d";

/// What `{HOUR}` stands for: the hour, as 07.
const HOUR_FORMAT: &str = "%H";

/// What is right wherever a token is wrong.
const TOKENS: &str = "`{DATE}`, `{HOUR}`, `{DATE:FORMAT}` with a format of strftime, `{pipeline}` and `{output}` are known; \
                      `{{` and `}}` stand for braces";

/// The path of a file, in which tokens stand for the time of writing, in UTC, and for names.
///
/// `{DATE}` is the day (`%Y%m%d`), `{HOUR}` the hour (`%H`), `{DATE:FORMAT}` whatever strftime makes of `FORMAT`;
/// `{pipeline}` and `{output}` are the names of who writes; `{{` and `}}` are braces.
#[derive(Clone, PartialEq, Eq)]
pub struct PathTemplate {
    /// No two texts follow each other.
    parts: Vec<Part>,
}

/// What `{pipeline}` and `{output}` stand for.
#[derive(Clone, Copy, Debug)]
pub struct SinkNames<'a> {
    /// The pipeline that the sink belongs to.
    pub pipeline: &'a str,
    /// The output that it is the sink of; `None` in a pipeline whose only output has no name.
    pub output: Option<&'a str>,
}

/// A text that is no path template.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
#[error("{message}")]
pub struct TemplateError {
    /// Where in the text it is wrong, in bytes.
    pub offset: usize,
    /// How many bytes from there on are at fault.
    pub n_bytes: usize,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

/// A part of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    Text(OsString),
    /// A format of strftime.
    Time(String),
    Pipeline,
    Output,
}

impl PathTemplate {
    /// Returns the template that a text says.
    ///
    /// # Errors
    ///
    /// What is wrong, where, and what would be right: an unknown token, a brace alone, a format that strftime does not
    /// know, `..` behind a token, or no file name.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Parts::default();
        let mut at = 0;
        while at < text.len() {
            let rest = &text[at..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                parts.add_text(&rest[..1]);
                at += 2;
            } else if rest.starts_with('}') {
                return Err(error(at, 1, "this brace closes nothing", TOKENS));
            } else if let Some(inside) = rest.strip_prefix('{') {
                let n_inside = inside.find(['{', '}']).filter(|&end| inside[end..].starts_with('}'));
                let Some(n_inside) = n_inside else {
                    return Err(error(at, 1, "this brace is not closed", TOKENS));
                };
                parts.0.push(token(&inside[..n_inside], at)?);
                at += n_inside + 2;
            } else {
                let n_text = rest.find(['{', '}']).unwrap_or(rest.len());
                parts.add_text(&rest[..n_text]);
                at += n_text;
            }
        }
        let template = Self { parts: parts.0 };
        template.check_shape(text)?;
        Ok(template)
    }

    /// Returns the template of just this path, braces and all.
    pub fn fixed(path: impl Into<PathBuf>) -> Self {
        Self { parts: vec![Part::Text(path.into().into_os_string())] }
    }

    /// Returns the path it always is, if it has no tokens.
    pub fn as_fixed(&self) -> Option<&Path> {
        match &self.parts[..] {
            [] => Some(Path::new("")),
            [Part::Text(text)] => Some(Path::new(text)),
            _ => None,
        }
    }

    /// Returns whether it has a token that stands for the time, so that the path changes while the sink runs.
    pub fn has_time(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Time(_)))
    }

    /// Returns whether it has the token `{output}`.
    pub fn has_output(&self) -> bool {
        self.parts.contains(&Part::Output)
    }

    /// Returns the directory that all files of the template are in, or below: the one before the first token. It is
    /// empty where that is the working directory.
    pub fn base(&self) -> &Path {
        let Some(Part::Text(first)) = self.parts.first() else { return Path::new("") };
        if let Some(path) = self.as_fixed() {
            return path.parent().unwrap_or(Path::new(""));
        }
        let n_base = first.as_bytes().iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
        Path::new(OsStr::from_bytes(&first.as_bytes()[..n_base]))
    }

    /// Returns the template with the names in it; `{output}` without a name stays.
    pub(crate) fn with_names(&self, names: &SinkNames<'_>) -> Self {
        let mut parts = Parts::default();
        for part in &self.parts {
            match (part, names.output) {
                (Part::Text(text), _) => parts.add_text(text),
                (Part::Pipeline, _) => parts.add_text(names.pipeline),
                (Part::Output, Some(output)) => parts.add_text(output),
                _ => parts.0.push(part.clone()),
            }
        }
        Self { parts: parts.0 }
    }

    /// Returns its parts.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Returns the path at a time. Names must have been put in.
    pub(crate) fn render(&self, now: Timestamp) -> PathBuf {
        let mut path = OsString::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => path.push(text),
                Part::Time(format) => {
                    path.push(formatted(format, now).expect("the format was tried when it was read"));
                }
                Part::Pipeline => path.push("pipeline"),
                Part::Output => path.push("output"),
            }
        }
        path.into()
    }

    /// Refuses what cannot name a file, or could lead out of the base directory.
    fn check_shape(&self, text: &str) -> Result<(), TemplateError> {
        let path = self.render(Timestamp::UNIX_EPOCH);
        if text.is_empty() || text.ends_with('/') {
            let help = "name a file, as `out/{DATE}/events.ndjson`";
            return Err(error(text.len(), 0, "this path does not end in the name of a file", help));
        }
        if self.as_fixed().is_none() && !is_confined(&path, self.base()) {
            let at = text.find('{').unwrap_or(0);
            let help = "let what stands behind the first token lead down only";
            return Err(error(
                at,
                text.len() - at,
                "behind its first token, this path leads up or anew from `/`",
                help,
            ));
        }
        Ok(())
    }
}

/// Returns whether `path`, which begins with `base`, names something below it, by its spelling.
pub(crate) fn is_confined(path: &Path, base: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    let below = Path::new(OsStr::from_bytes(&bytes[base.as_os_str().len().min(bytes.len())..]));
    let mut components = below.components().peekable();
    components.peek().is_some() && components.all(|component| matches!(component, Component::Normal(_)))
}

impl fmt::Display for PathTemplate {
    /// Writes it as it is written in a configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => {
                    f.write_str(&text.to_string_lossy().replace('{', "{{").replace('}', "}}"))?;
                }
                Part::Time(format) => write!(f, "{{DATE:{format}}}")?,
                Part::Pipeline => f.write_str("{pipeline}")?,
                Part::Output => f.write_str("{output}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PathTemplate({self})")
    }
}

/// Parts on their way into a template.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn add_text(&mut self, text: impl AsRef<OsStr>) {
        if let Some(Part::Text(before)) = self.0.last_mut() {
            before.push(text.as_ref());
        } else {
            self.0.push(Part::Text(text.as_ref().to_owned()));
        }
    }
}

/// Returns what stands between two braces, the first of which is at `at`.
fn token(inside: &str, at: usize) -> Result<Part, TemplateError> {
    match inside {
        "DATE" => Ok(Part::Time(DATE_FORMAT.to_owned())),
        "HOUR" => Ok(Part::Time(HOUR_FORMAT.to_owned())),
        "pipeline" => Ok(Part::Pipeline),
        "output" => Ok(Part::Output),
        _ => match inside.strip_prefix("DATE:") {
            Some(format) => time(format, at + "{DATE:".len()),
            None => Err(error(at, inside.len() + 2, &format!("`{{{inside}}}` is no token"), TOKENS)),
        },
    }
}

fn time(format: &str, at: usize) -> Result<Part, TemplateError> {
    let help = "as `{DATE:%Y-%m-%d}` or `{DATE:%Y/%m/%d/%H}`";
    if !format.contains('%') {
        return Err(error(at, format.len(), "this format has nothing of the time in it", help));
    }
    match formatted(format, Timestamp::UNIX_EPOCH) {
        Ok(_) => Ok(Part::Time(format.to_owned())),
        Err(source) => {
            Err(error(at, format.len(), &format!("strftime cannot follow this format: {source}"), help))
        }
    }
}

fn formatted(format: &str, now: Timestamp) -> Result<String, jiff::Error> {
    strtime::format(format, &Zoned::new(now, TimeZone::UTC))
}

fn error(offset: usize, n_bytes: usize, message: &str, help: &str) -> TemplateError {
    TemplateError { offset, n_bytes, message: message.to_owned(), help: help.to_owned() }
}
