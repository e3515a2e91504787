//! What a value of a configuration may look like.
//!
//! A [`Shape`] is read by two: the walk that checks a file, and the JSON Schema. Neither has a rule of its own.

use serde_json::{Value, json};

use super::scalar::{show_duration, show_size};

/// What a value may look like.
pub(super) enum Shape {
    Map(&'static MapShape),
    List(&'static ListShape),
    /// A map with keys of somebody else's choice, and texts as values.
    Pairs(&'static PairsShape),
    /// A text that is not empty.
    Text(TextShape),
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A whole number in a range, both ends included.
    Integer(u64, u64),
    /// A count of bytes in a range, both ends included: a whole number, or a text with a unit.
    Size(u64, u64),
    /// A time in milliseconds in a range, both ends included: a text with a unit.
    Duration(u64, u64),
    /// A number greater than 0 and at most 1.
    Rate,
    /// An IP address and a port, or a port alone.
    Address,
    /// A filter: a map that `logweir-stages` understands, or a text with Logpush's JSON.
    Filter,
    /// What stands in a filter behind `where`; or a text with Logpush's JSON, which is a whole filter.
    Condition,
    /// `true` or `false`.
    Bool,
    /// 0, or a whole number in a range, both ends included.
    ZeroOr(u64, u64),
    /// A text with the template of an event.
    Template,
    /// A text with Logpush's JSON, or an empty one: the filter of a job.
    JobFilter,
    /// A text with a destination as Logpush writes it.
    Destination,
    /// A text with Logpush's options of old, as the query of a URL.
    LogpullOptions,
    /// Events in a test: a text, a map, or a list of these.
    Events,
    /// A list in which no variable is replaced.
    Tests(&'static ListShape),
    /// Nothing: what Logpush has here is not to be had. With the reason.
    Unavailable(&'static str),
}

/// A map with known keys.
pub(super) struct MapShape {
    /// What it configures, with an article, for messages.
    pub(super) what: &'static str,
    pub(super) keys: &'static [Key],
    pub(super) rule: Rule,
    /// Keys that mean something only beside some values of another.
    pub(super) only: &'static [Only],
    /// What to do about keys that are not known but that people may well write.
    pub(super) hints: &'static [(&'static str, &'static str)],
}

/// A key of a map.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) required: bool,
    /// One or two sentences for the readers of the JSON Schema and of the reference: what it does.
    pub(super) doc: &'static str,
    pub(super) shape: Shape,
    /// What holds where it is left out, if that is worth saying.
    pub(super) default: Option<Default>,
}

/// What holds where a key is left out.
///
/// The walk and the reading do not look here: a test sets each value and compares what is read with what is read without.
#[derive(Clone, Copy)]
pub(super) enum Default {
    Word(&'static str),
    Integer(u64),
    /// A count of bytes.
    Size(u64),
    /// A time in milliseconds.
    Millis(u64),
    Bool(bool),
    /// What is no value to write, or depends on other keys; in words that go on after "By default".
    Said(&'static str),
}

impl Default {
    /// Returns what could be written instead of leaving the key out; `None` where it is only said.
    pub(super) fn value(self) -> Option<Value> {
        match self {
            Self::Word(word) => Some(json!(word)),
            Self::Integer(count) => Some(json!(count)),
            Self::Size(bytes) => Some(json!(show_size(bytes))),
            Self::Millis(millis) => Some(json!(show_duration(millis))),
            Self::Bool(value) => Some(json!(value)),
            Self::Said(_) => None,
        }
    }

    /// Returns it as it is said in a sentence.
    pub(super) fn shown(self) -> String {
        match (self, self.value()) {
            (Self::Said(words), _) => words.to_owned(),
            (_, Some(Value::String(text))) => format!("`{text}`"),
            (_, value) => value.map_or_else(String::new, |value| format!("`{value}`")),
        }
    }
}

/// A key that means something only where another key of its map, a choice, has one of some values.
pub(super) struct Only {
    pub(super) key: &'static str,
    pub(super) beside: &'static str,
    pub(super) values: &'static [&'static str],
    /// What the other key stands for where it is left out; `None` where that is for a rule across maps to say.
    pub(super) default: Option<&'static str>,
}

/// What holds between the keys of a map.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Nothing.
    Free,
    /// Nothing; and a key whose value is null counts as left out, as Logpush's API has it.
    NullsLeftOut,
    /// Exactly one of them is given.
    ExactlyOne,
    /// One of them at least is given.
    AtLeastOne,
    /// Either `sink`, with or without `encode`, or `outputs`.
    SinkOrOutputs,
    /// Of each of these groups of keys exactly one is given.
    EachOne(&'static [&'static [&'static str]]),
}

/// A list of values of one shape.
pub(super) struct ListShape {
    pub(super) item: Shape,
    /// Whether it may be empty.
    pub(super) may_be_empty: bool,
    /// The most items it may have.
    pub(super) most: usize,
    /// Whether its items, which are texts, must differ.
    pub(super) distinct: bool,
}

/// A map with keys of somebody else's choice, and texts as values.
pub(super) struct PairsShape {
    /// What it is, for messages.
    pub(super) what: &'static str,
    /// How it is written.
    pub(super) example: &'static str,
    pub(super) value: TextShape,
    /// The most pairs it may have.
    pub(super) most: usize,
}

/// What a text must be; none of them is empty where nothing else is said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TextShape {
    /// Anything.
    Any,
    /// Anything; it may be empty.
    Literal,
    /// The name of a Logpush job, which may be empty.
    JobName,
    /// A dataset of Logpush.
    Dataset,
    /// A token that proves to Logpush who owns a destination.
    Challenge,
    /// Letters of ASCII, digits, `_`, `.` and `-`.
    Name,
    /// A path without the braces that templates have.
    Path,
    /// A path in which tokens in braces stand for the time and for names.
    Template,
    /// A pattern for paths.
    Glob,
    /// The name of a top-level field that a stage writes into events: short, and none of those that `truncate` cuts.
    Member,
    /// Something that nobody may see: no problem shows it.
    Secret,
}

/// The characters that the name of a field has at most that is written into events, so that what a stage adds to a
/// chunk of the smallest events fits beside it.
pub(super) const MAX_MEMBER_CHARS: usize = 64;

impl TextShape {
    /// Returns whether it may be empty.
    pub(super) fn may_be_empty(self) -> bool {
        matches!(self, Self::Literal | Self::JobName | Self::Challenge)
    }

    /// Returns the rule as a pattern for a JSON Schema.
    pub(super) fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Any | Self::Literal | Self::Secret => None,
            Self::JobName => Some(r"^[a-zA-Z0-9.-]{0,512}$"),
            Self::Dataset => Some("^[a-zA-Z0-9_-]{1,256}$"),
            Self::Challenge => Some("^[a-zA-Z0-9/+._-]{0,4096}$"),
            Self::Name => Some("^[A-Za-z0-9_.-]+$"),
            Self::Member => Some(r"^(?!(Exceptions|Logs)$)[\s\S]{1,64}$"),
            Self::Path => Some("^[^{}]+$"),
            Self::Template => Some(concat!(
                r"^([^{}]|\{\{|\}\}|\{(DATE(:[^{}]+)?|HOUR|pipeline|output)\})*",
                r"([^{}/]|\{\{|\}\}|\{(DATE(:[^{}]+)?|HOUR|pipeline|output)\})$",
            )),
            Self::Glob => Some(r"^([^{}]|\[[{}]\])+$"),
        }
    }
}

impl Key {
    /// Returns the key with what holds where it is left out.
    pub(super) const fn or(mut self, default: Default) -> Self {
        self.default = Some(default);
        self
    }

    /// Returns all that is to be said of it: what it does, and what holds where it is left out.
    pub(super) fn description(&self) -> String {
        match self.default {
            Some(default) => format!("{} By default {}.", self.doc, default.shown()),
            None => self.doc.to_owned(),
        }
    }

    /// Returns the doc as part of a line: a small letter at the beginning, no full stop.
    pub(super) fn summary(&self) -> String {
        let description = self.description();
        let doc = description.trim_end_matches('.');
        let mut chars = doc.chars();
        let first = chars.next().map(|first| first.to_ascii_lowercase());
        first.into_iter().chain(chars).collect()
    }
}

impl MapShape {
    /// Returns the key of a name.
    pub(super) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Returns whether some of its keys have values that nobody may see.
    pub(super) fn has_secrets(&self) -> bool {
        let is_secret = |shape: &Shape| match shape {
            Shape::Text(TextShape::Secret) | Shape::Destination => true,
            Shape::Pairs(pairs) => pairs.value == TextShape::Secret,
            _ => false,
        };
        self.keys.iter().any(|key| is_secret(&key.shape))
    }

    /// Returns whether nothing need be given.
    pub(super) fn may_be_empty(&self) -> bool {
        matches!(self.rule, Rule::Free | Rule::NullsLeftOut) && self.keys.iter().all(|key| !key.required)
    }

    /// Returns which keys there are.
    pub(super) fn help(&self) -> String {
        match self.keys {
            [] => format!("{} has no options: write `{{}}`", self.what),
            [only] => format!("{} has the key `{}`", self.what, only.name),
            _ => format!("{} has the keys {}", self.what, self.names()),
        }
    }

    /// Returns the names of the keys, as a sentence lists them.
    pub(super) fn names(&self) -> String {
        listed(self.keys.iter().map(|key| key.name), "and")
    }
}

impl Shape {
    /// Returns whether no value at all (`key:` and no more) stands for an empty one.
    pub(super) fn takes_nothing(&self) -> bool {
        match self {
            Self::Map(map) => map.may_be_empty(),
            Self::List(list) | Self::Tests(list) => list.may_be_empty,
            Self::Pairs(_) => true,
            _ => false,
        }
    }

    /// Returns what is expected, with its article.
    pub(super) fn expected(&self) -> String {
        let expected = match self {
            Self::Choice(words) => return listed(words.iter().copied(), "or"),
            Self::Map(_) | Self::Pairs(_) => "a map",
            Self::List(_) | Self::Tests(_) => "a list",
            Self::Text(TextShape::Any | TextShape::Literal | TextShape::Secret) | Self::LogpullOptions => {
                "a text"
            }
            Self::Text(TextShape::Name | TextShape::JobName) => "a name",
            Self::Text(TextShape::Member) => "the name of a field",
            Self::Text(TextShape::Dataset) => "a dataset",
            Self::Text(TextShape::Challenge) => "a token",
            Self::Text(TextShape::Path | TextShape::Template) => "a path",
            Self::Text(TextShape::Glob) => "a path or a pattern",
            Self::Integer(..) | Self::ZeroOr(..) => "a whole number",
            Self::Size(..) => "a size in bytes",
            Self::Duration(..) => "a duration",
            Self::Rate => "a number",
            Self::Address => "an address",
            Self::Filter => "a filter",
            Self::Condition => "a condition",
            Self::Bool => "`true` or `false`",
            Self::Template => "a template",
            Self::Events => "an event",
            Self::JobFilter => "a filter as a text",
            Self::Destination => "a destination",
            Self::Unavailable(_) => "nothing",
        };
        expected.to_owned()
    }

    /// Returns what would be right.
    pub(super) fn help(&self) -> String {
        match self {
            Self::Map(map) => map.help(),
            Self::Pairs(pairs) => format!("{} as `{}`", pairs.what, pairs.example),
            Self::List(_) | Self::Tests(_) => {
                String::from("write `[…]`, or begin each item on a line of its own with `- `")
            }
            Self::Text(TextShape::Any | TextShape::Literal | TextShape::Secret) => {
                String::from("a text that looks like something else stands in quotes")
            }
            Self::Text(TextShape::JobName) => {
                String::from("the name of a job has letters, digits, `.` and `-`, 512 at most")
            }
            Self::Text(TextShape::Dataset) => {
                String::from("a dataset has letters, digits, `_` and `-`, as `workers_trace_events`")
            }
            Self::Text(TextShape::Member) => {
                format!(
                    "the name of a field that events do not have, as `SampleInterval` for a weight or `Truncation` for a \
                     report, of {MAX_MEMBER_CHARS} characters at most"
                )
            }
            Self::Text(TextShape::Challenge) => {
                String::from("a token has letters, digits, `/`, `+`, `.`, `-` and `_`, 4096 at most")
            }
            Self::Text(TextShape::Name) => String::from("a name has letters, digits, `_`, `.` and `-`"),
            Self::Text(TextShape::Path) => String::from("a path, as `out/events.ndjson`"),
            Self::Text(TextShape::Template) => {
                String::from("a path, as `out/events.ndjson` or `out/{DATE}/{HOUR}.ndjson`")
            }
            Self::Text(TextShape::Glob) => {
                String::from("a path or a pattern, as `/var/log/workers/*.ndjson`")
            }
            Self::Choice([only]) => format!("write `{only}`"),
            Self::Choice(words) => format!("one of {}", listed(words.iter().copied(), "and")),
            Self::Integer(least, u64::MAX) => {
                format!("a whole number without a unit, from {least} on, as 16384")
            }
            Self::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Self::Size(least, most) => {
                let least = show_size(*least);
                let range = match *most {
                    u64::MAX => format!("from {least} on"),
                    most => format!("from {least} to {}", show_size(most)),
                };
                format!("a whole number of bytes or a size as `512 KiB`, {range}")
            }
            Self::Duration(least, most) => {
                let (least, most) = (show_duration(*least), show_duration(*most));
                format!(
                    "a whole number and a unit (`ms`, `s`, `m`, `h`, `d`) as `30s`, from {least} to {most}"
                )
            }
            Self::Rate => {
                String::from("a share and no percentage: a number greater than 0 and at most 1, as 0.1")
            }
            Self::Address => {
                String::from("an IP address and a port, as `127.0.0.1:9598` or `[::1]:9598`, or a port alone")
            }
            Self::Bool => String::from("`true` or `false`, without quotes"),
            Self::ZeroOr(least, most) => {
                format!("a whole number from {least} to {most}, or 0 to set no limit")
            }
            Self::Template => String::from("a template, as `'\"script\":{{.ScriptName}}'`"),
            Self::JobFilter => String::from(
                r#"the JSON of a filter as a text, as "{\"where\":{\"key\":\"Outcome\",\"operator\":\"eq\",\"value\":\"ok\"}}""#,
            ),
            Self::Destination => String::from("a destination, as `s3://bucket/{DATE}?region=eu-west-1`"),
            Self::LogpullOptions => String::from("the query of a URL, as `fields=Event,Outcome&sample=0.1`"),
            Self::Events => {
                String::from("a text with the line of an event, a map that is the event, or a list of these")
            }
            Self::Unavailable(reason) => String::from(*reason),
            Self::Filter => String::from(
                "`{ where: { key: Outcome, operator: eq, value: ok } }`, or the same as JSON in quotes",
            ),
            Self::Condition => String::from(
                "`{ key: Outcome, operator: eq, value: ok }`, or a whole filter as JSON in quotes",
            ),
        }
    }
}

/// Returns names as a sentence lists them, the last behind a word: `a`, `b` and `c`, each in backquotes.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>, before_last: &str) -> String {
    let shown = |name: &str| if name.is_empty() { String::from("nothing") } else { format!("`{name}`") };
    let names: Vec<String> = names.map(shown).collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} {before_last} {last}", others.join(", ")),
    }
}
