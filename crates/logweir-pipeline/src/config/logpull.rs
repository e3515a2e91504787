//! `logpull_options`: the output options of Logpush as they were written of old, as the query of a URL.

use std::borrow::Cow;
use std::ops::Range;

use super::walk::nearest;

/// The most characters that Logpush's API takes.
const MAX_CHARACTERS: usize = 4096;

/// The options there are.
const KNOWN: [&str; 5] = ["fields", "timestamps", "sample", "CVE-2021-44228", "CVE-2021-4428"];

/// What a URL of the Logpull API has besides, which means nothing to a job.
const OF_LOGPULL: [&str; 3] = ["start", "end", "count"];

/// The formats of time that could be asked for.
const TIMESTAMPS: [&str; 3] = ["unixnano", "unix", "rfc3339"];

/// Options of old that have been understood.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct LogpullOptions {
    /// As they were written.
    text: String,
    /// The fields to write, each with where it stands in the text.
    pub(super) fields: Option<Vec<(String, Range<usize>)>>,
    pub(super) sample_rate: Option<f64>,
    pub(super) redact_cve_2021_44228: bool,
}

/// Something wrong with options of old.
pub(super) struct LogpullProblem {
    /// Where, in bytes of the text.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

impl LogpullOptions {
    /// Understands a query, or the URL of a request to the Logpull API that has one.
    ///
    /// # Errors
    ///
    /// All that is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, Vec<LogpullProblem>> {
        let options = Self { text: text.to_owned(), ..Self::default() };
        let mut reader = Reader { options, given: Vec::new(), problems: Vec::new() };
        if text.chars().count() > MAX_CHARACTERS {
            let message = format!("these options have more than {MAX_CHARACTERS} characters");
            reader.problem(0..text.len(), message, "write them as `output_options`");
        }
        let mut at = query_start(text);
        while at < text.len() {
            let end = text[at..].find('&').map_or(text.len(), |len| at + len);
            if at < end {
                reader.parameter(text, at..end);
            }
            at = end + 1;
        }
        if reader.problems.is_empty() { Ok(reader.options) } else { Err(reader.problems) }
    }

    /// Returns the text that they were understood from.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// Returns where the query of a URL begins; what is no URL is a query.
fn query_start(text: &str) -> usize {
    match text.find('?') {
        Some(mark) if text[..mark].contains("://") || mark == 0 => mark + 1,
        _ => 0,
    }
}

/// Collects what the parameters say.
struct Reader {
    options: LogpullOptions,
    /// The names of the parameters so far.
    given: Vec<String>,
    problems: Vec<LogpullProblem>,
}

impl Reader {
    fn problem(&mut self, at: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(LogpullProblem { at, message: message.into(), help: help.into() });
    }

    fn parameter(&mut self, text: &str, at: Range<usize>) {
        let name_end = text[at.clone()].find('=').map_or(at.end, |len| at.start + len);
        let name_at = at.start..name_end;
        let value_at = (name_end + 1).min(at.end)..at.end;
        let (Some(name), Some(value)) = (decoded(&text[name_at.clone()]), decoded(&text[value_at.clone()]))
        else {
            return self.problem(
                at,
                "this is not UTF-8 once it is decoded",
                "write it with `%` and two digits a byte",
            );
        };
        if self.given.contains(&name.to_string()) {
            return self.problem(name_at, format!("`{name}` is given twice"), "write it once");
        }
        match &*name {
            "fields" => self.fields(text, value_at),
            "timestamps" => {
                if !TIMESTAMPS.contains(&&*value) {
                    self.problem(
                        value_at,
                        "this is no format of time",
                        "one of `unixnano`, `unix` and `rfc3339`",
                    );
                }
            }
            "sample" => match value.parse::<f64>().ok().filter(|rate| *rate > 0.0 && *rate <= 1.0) {
                Some(rate) => self.options.sample_rate = Some(rate),
                None => self.problem(
                    value_at,
                    "this is no share of events",
                    "a number greater than 0 and at most 1, as 0.1",
                ),
            },
            "CVE-2021-44228" | "CVE-2021-4428" => match &*value {
                "true" => self.options.redact_cve_2021_44228 = true,
                "false" => {}
                _ => self.problem(value_at, "expected `true` or `false`", "write `CVE-2021-44228=true`"),
            },
            name if OF_LOGPULL.contains(&name) => {}
            name => {
                let help = match nearest(KNOWN.into_iter(), name) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => String::from("there are `fields`, `timestamps`, `sample` and `CVE-2021-44228`"),
                };
                self.problem(name_at, "unknown option", help);
            }
        }
        self.given.push(name.into_owned());
    }

    fn fields(&mut self, text: &str, at: Range<usize>) {
        let mut fields: Vec<(String, Range<usize>)> = Vec::new();
        // A comma may be written as what it is or with its code.
        let mut start = at.start;
        while start <= at.end {
            let rest = &text[start..at.end];
            let commas =
                [",", "%2C", "%2c"].into_iter().filter_map(|comma| Some((rest.find(comma)?, comma.len())));
            let (len, n_comma) = commas.min().unwrap_or((rest.len(), 1));
            let name_at = start..start + len;
            // It was decoded as a whole, and no comma divides a character.
            let name = decoded(&text[name_at.clone()]).unwrap_or_default().into_owned();
            if name.is_empty() {
                self.problem(name_at, "a field has no name", "write the fields with one comma between them");
            } else if fields.iter().any(|(other, _)| *other == name) {
                self.problem(name_at, "this name is given twice", "write it once");
            } else {
                fields.push((name, name_at));
            }
            start += len + n_comma;
        }
        self.options.fields = Some(fields);
    }
}

/// Returns a part of a query as it is meant.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok()
}
