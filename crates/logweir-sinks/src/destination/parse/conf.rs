//! A `destination_conf` cut into its parts.

use percent_encoding::percent_decode_str;

use super::{DestinationProblem, FOREIGN, MAX_CHARACTERS, SCHEMES, nearest};

/// The longest name of a parameter that is shown. What is longer was hardly meant to be a name.
const MAX_NAME: usize = 40;

/// A `destination_conf` cut into its parts, and what has been found wrong with it.
pub(super) struct Conf<'a> {
    text: &'a str,
    /// In lower case.
    scheme: String,
    /// What stands behind `://`, up to the query.
    address: Part<'a>,
    /// Those of the query that nobody has taken yet, in their order.
    parameters: Vec<Parameter<'a>>,
    problems: Vec<DestinationProblem>,
}

/// A part of the text.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    /// Where it begins, in bytes.
    pub(super) offset: usize,
}

/// A parameter of the query.
pub(super) struct Parameter<'a> {
    /// Decoded.
    pub(super) name: String,
    /// Decoded; empty if it has none.
    pub(super) value: String,
    /// The parameter as it is written.
    pub(super) whole: Part<'a>,
    has_value: bool,
}

impl<'a> Conf<'a> {
    /// Returns the parts of a text.
    ///
    /// # Errors
    ///
    /// If it is too long, or has no scheme, a control character, or what is no UTF-8 once it is decoded.
    pub(super) fn split(text: &'a str) -> Result<Self, Vec<DestinationProblem>> {
        let n_characters = text.chars().count();
        if n_characters > MAX_CHARACTERS {
            let offset = text.char_indices().nth(MAX_CHARACTERS).map_or(text.len(), |(at, _)| at);
            let message =
                format!("this destination has {n_characters} characters, more than {MAX_CHARACTERS}");
            return Err(vec![problem(offset, text.len() - offset, message, "shorten it")]);
        }
        if let Some((offset, character)) = text.char_indices().find(|(_, character)| character.is_control()) {
            let help = "leave it out, or write it as `%` and two digits";
            let n_bytes = character.len_utf8();
            return Err(vec![problem(offset, n_bytes, "a destination has no control characters", help)]);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            let message = "this is no destination: it does not begin with a scheme and `://`";
            return Err(vec![problem(0, text.len(), message, &known_schemes())]);
        };
        let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
        let address = Part { text: address, offset: scheme.len() + "://".len() };
        let query = Part { text: query, offset: address.end() + 1 };
        let mut conf = Self {
            text,
            scheme: scheme.to_ascii_lowercase(),
            address,
            parameters: Vec::new(),
            problems: Vec::new(),
        };
        conf.cut_query(query);
        Ok(conf)
    }

    pub(super) fn scheme(&self) -> &str {
        &self.scheme
    }

    pub(super) fn address(&self) -> Part<'a> {
        self.address
    }

    /// Returns the end of the text, where something is missing.
    pub(super) fn end(&self) -> Part<'static> {
        Part { text: "", offset: self.text.len() }
    }

    /// Returns what `read` makes of it, if nothing is wrong with it.
    pub(super) fn read<T>(mut self, read: fn(&mut Self) -> Option<T>) -> Result<T, Vec<DestinationProblem>> {
        let config = read(&mut self);
        self.problems.sort_by_key(|problem| problem.offset);
        match config {
            Some(config) if self.problems.is_empty() => Ok(config),
            _ => Err(self.problems),
        }
    }

    /// Notes that a part of the text is wrong.
    pub(super) fn wrong(&mut self, part: Part<'_>, message: impl Into<String>, help: &str) {
        self.problems.push(problem(part.offset, part.text.len(), message, help));
    }

    /// Returns the parameter of this name. Of several, all but the first are wrong.
    pub(super) fn take(&mut self, name: &str) -> Option<Parameter<'a>> {
        let mut taken = None;
        let mut rest = Vec::with_capacity(self.parameters.len());
        for parameter in std::mem::take(&mut self.parameters) {
            if parameter.name != name {
                rest.push(parameter);
            } else if taken.is_none() {
                taken = Some(parameter);
            } else {
                self.wrong(parameter.whole, format!("`{name}` stands here twice"), "leave one of them");
            }
        }
        self.parameters = rest;
        taken
    }

    /// Returns the parameter of this name, which must be there and not empty.
    pub(super) fn require(&mut self, name: &str, help: &str) -> Option<Parameter<'a>> {
        let parameter = self.take(name);
        self.filled(parameter, name, help)
    }

    /// Returns the parameter of this name if it is there; then it must not be empty.
    pub(super) fn optional(&mut self, name: &str, help: &str) -> Option<Parameter<'a>> {
        let parameter = self.take(name)?;
        self.filled(Some(parameter), name, help)
    }

    /// Returns what was taken under this name, which must be there and not empty.
    pub(super) fn filled(
        &mut self,
        parameter: Option<Parameter<'a>>,
        name: &str,
        help: &str,
    ) -> Option<Parameter<'a>> {
        match parameter {
            None => {
                self.wrong(self.end(), format!("`{name}` is missing"), help);
                None
            }
            Some(parameter) if parameter.value.is_empty() => {
                self.wrong(parameter.whole, format!("`{name}` is empty"), help);
                None
            }
            Some(parameter) => Some(parameter),
        }
    }

    /// Returns all parameters that nobody has taken.
    pub(super) fn take_rest(&mut self) -> Vec<Parameter<'a>> {
        std::mem::take(&mut self.parameters)
    }

    /// Puts parameters back that are for others to take.
    pub(super) fn put_back(&mut self, parameters: Vec<Parameter<'a>>) {
        self.parameters.extend(parameters);
    }

    /// Refuses all parameters that nobody has taken. `known` are those that somebody may have meant.
    pub(super) fn refuse_rest(&mut self, known: &[&str]) {
        for parameter in self.take_rest() {
            self.refuse(&parameter, known);
        }
    }

    /// Refuses a parameter that the scheme does not have.
    pub(super) fn refuse(&mut self, parameter: &Parameter<'_>, known: &[&str]) {
        let message = match parameter.shown_name() {
            Some(name) => format!("`{name}` is no parameter of `{}`", self.scheme),
            None => format!("`{}` has no such parameter", self.scheme),
        };
        let help = match nearest(&parameter.name, known) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if known.is_empty() => "it has none".to_owned(),
            None => format!("its parameters are {}", listed(known)),
        };
        self.wrong(parameter.whole, message, &help);
    }

    /// Returns a part of the address, decoded.
    pub(super) fn decoded(&mut self, part: Part<'_>) -> Option<String> {
        if let Ok(text) = percent_decode_str(part.text).decode_utf8() {
            return Some(text.into_owned());
        }
        self.wrong(part, "this is no UTF-8 once it is decoded", "encode UTF-8");
        None
    }

    /// Returns what is wrong with a scheme that nobody knows.
    pub(super) fn unknown_scheme(&self) -> DestinationProblem {
        let n_bytes = self.scheme.len();
        if let Some((_, name)) = FOREIGN.iter().find(|(scheme, _)| *scheme == self.scheme) {
            let message = format!("{name} is a destination that logweir does not have");
            return problem(0, n_bytes, message, &known_schemes());
        }
        if self.scheme == "http" {
            let help = "write `https`; for a server of your own without TLS, use the sink `http`";
            return problem(0, n_bytes, "a destination is reached by TLS", help);
        }
        if ["elasticsearch", "loki"].contains(&self.scheme.as_str()) {
            let help = format!("use the sink `{}`", self.scheme);
            return problem(0, n_bytes, format!("`{}` has no URL of this kind", self.scheme), &help);
        }
        let help = match nearest(&self.scheme, &SCHEMES) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => known_schemes(),
        };
        problem(0, n_bytes, "this scheme is not known", &help)
    }

    fn cut_query(&mut self, query: Part<'a>) {
        let mut offset = query.offset;
        for text in query.text.split('&') {
            let whole = Part { text, offset };
            offset += text.len() + 1;
            if text.is_empty() {
                continue;
            }
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            let decode = |text| percent_decode_str(text).decode_utf8();
            match (decode(name), decode(value)) {
                (Ok(name), Ok(value)) => self.parameters.push(Parameter {
                    name: name.into_owned(),
                    value: value.into_owned(),
                    whole,
                    has_value: text.contains('='),
                }),
                _ => self.wrong(whole, "this is no UTF-8 once it is decoded", "encode UTF-8"),
            }
        }
    }
}

impl<'a> Part<'a> {
    /// Returns the offset behind it.
    pub(super) fn end(&self) -> usize {
        self.offset + self.text.len()
    }

    /// Returns what is before and behind the first slash; the second has it still, or is empty.
    pub(super) fn split_at_slash(self) -> (Part<'a>, Part<'a>) {
        let n_first = self.text.find('/').unwrap_or(self.text.len());
        let (first, rest) = self.text.split_at(n_first);
        (Part { text: first, offset: self.offset }, Part { text: rest, offset: self.offset + n_first })
    }
}

impl Parameter<'_> {
    /// Returns its name, unless it may be a piece of a secret that was not encoded.
    fn shown_name(&self) -> Option<&str> {
        let is_name = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        let is_shown = self.has_value && self.name.len() <= MAX_NAME && self.name.chars().all(is_name);
        (is_shown && !self.name.is_empty()).then_some(&self.name)
    }
}

pub(super) fn problem(
    offset: usize,
    n_bytes: usize,
    message: impl Into<String>,
    help: &str,
) -> DestinationProblem {
    DestinationProblem { offset, n_bytes, message: message.into(), help: help.to_owned() }
}

fn known_schemes() -> String {
    format!("known are {}", listed(&SCHEMES.map(|scheme| format!("{scheme}://"))))
}

fn listed(words: &[impl AsRef<str>]) -> String {
    words.iter().map(|word| format!("`{}`", word.as_ref())).collect::<Vec<_>>().join(", ")
}
