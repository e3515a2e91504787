//! The template of an event, in the small part of Go's text/template that Logpush knows.
//!
//! Of the language there are text, `{{ .Field }}`, `{{ "constant" }}` and `{{/* comment */}}`. A comment touches both of
//! its delimiters; in the other actions there may be white space; constants are Go's strings. Everything else (trim
//! markers, functions, pipelines, variables, paths) is refused with its place.

use super::constant::constant_at;

/// White space within an action, as Go has it.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A template that has been understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordTemplate {
    pub(super) tokens: Vec<Token>,
    /// Whether there was any text to understand: an empty one is Logpush's way to say that there is no template.
    pub(super) is_empty: bool,
}

/// What a template writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// These bytes. A constant need not be UTF-8.
    Text(Vec<u8>),
    /// The value of a field.
    Field(String),
}

/// What is wrong with a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TemplateProblem {
    /// Where it is, in bytes from the start of the template.
    pub offset: usize,
    /// How many bytes are at fault; they begin and end between characters.
    pub n_bytes: usize,
    /// What is wrong: one line, no full stop.
    pub message: String,
    /// What would be right, where that can be said: one line.
    pub help: Option<String>,
}

impl TemplateProblem {
    pub(super) fn new(offset: usize, n_bytes: usize, message: &str, help: &str) -> Self {
        let help = (!help.is_empty()).then(|| help.to_owned());
        Self { offset, n_bytes, message: message.to_owned(), help }
    }
}

impl RecordTemplate {
    /// Understands the text of a template. An empty text is understood as [no template](crate::EncodeConfig).
    ///
    /// # Errors
    ///
    /// The first thing that is none of what a template can hold.
    pub fn parse(text: &str) -> Result<Self, TemplateProblem> {
        let mut parser = Parser { text, at: 0, tokens: Vec::new() };
        while let Some(n_bytes) = parser.rest().find("{{") {
            parser.push_text(parser.at + n_bytes);
            parser.action()?;
        }
        parser.push_text(text.len());
        Ok(Self { tokens: parser.tokens, is_empty: text.is_empty() })
    }
}

struct Parser<'a> {
    text: &'a str,
    /// How far it has been understood: always between two characters.
    at: usize,
    tokens: Vec<Token>,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Takes the text up to `end` as it stands.
    fn push_text(&mut self, end: usize) {
        if end > self.at {
            self.tokens.push(Token::Text(self.text.as_bytes()[self.at..end].to_vec()));
        }
        self.at = end;
    }

    /// Takes the action, or comment, whose `{{` is next.
    fn action(&mut self) -> Result<(), TemplateProblem> {
        let start = self.at;
        self.at += 2;
        if self.rest().starts_with("/*") {
            return self.comment(start);
        }
        if self.rest().strip_prefix('-').is_some_and(|rest| rest.starts_with(SPACE)) {
            return Err(trim_marker(self.at));
        }
        self.skip_space();
        let token = match self.rest().as_bytes() {
            [] => return Err(unclosed(start)),
            [b'"' | b'`', ..] => {
                let (constant, end) = constant_at(self.text, self.at)?;
                self.at = end;
                Token::Text(constant)
            }
            [b'.', ..] => Token::Field(self.field()?),
            _ => return Err(self.no_operand()),
        };
        self.skip_space();
        match self.rest() {
            "" => return Err(unclosed(start)),
            rest if rest.starts_with("}}") => self.at += 2,
            rest if rest.starts_with("-}}") && self.text[..self.at].ends_with(SPACE) => {
                return Err(trim_marker(self.at));
            }
            _ => return Err(self.refused("an action is one field or one constant, and nothing more")),
        }
        self.tokens.push(token);
        Ok(())
    }

    /// Drops the comment of the action that starts at `start`; its `/*` is next.
    fn comment(&mut self, start: usize) -> Result<(), TemplateProblem> {
        let Some(n_bytes) = self.rest()[2..].find("*/") else {
            return Err(TemplateProblem::new(start, 4, "this comment has no end", "end it with `*/}}`"));
        };
        self.at += 2 + n_bytes + 2;
        if !self.rest().starts_with("}}") {
            let message = "a comment ends its action: `}}` has to follow at once";
            return Err(TemplateProblem::new(self.at - 2, 2, message, "write `*/}}`"));
        }
        self.at += 2;
        Ok(())
    }

    /// Takes the field whose dot is next; returns its name.
    fn field(&mut self) -> Result<String, TemplateProblem> {
        let name = &self.rest()[1..];
        let n_bytes = name.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(name.len());
        let (name, behind) = name.split_at(n_bytes);
        // In Go a digit behind the dot begins a number.
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.refused("the name of a field has to follow the dot"));
        }
        if behind.starts_with('.') {
            let mut problem = self.refused("only a top-level field can be written, not a part of one");
            problem.help = Some(format!("write `{{{{ .{name} }}}}`"));
            return Err(problem);
        }
        self.at += 1 + n_bytes;
        Ok(name.to_owned())
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(SPACE).len();
    }

    /// Returns the problem with an action that begins with neither a field nor a constant.
    fn no_operand(&self) -> TemplateProblem {
        let rest = self.rest();
        if rest.starts_with("}}") {
            return TemplateProblem::new(self.at, 2, "this action is empty", "write `{{ .Field }}`");
        }
        if rest.starts_with("/*") {
            let message = "a comment begins its action: `{{` has to stand right before it";
            return TemplateProblem::new(self.at, 2, message, "write `{{/*`");
        }
        if rest.starts_with('{') {
            let mut problem = self.refused("a brace is no field and no constant");
            problem.help = Some("a brace before an action is written `{{`{`}}`".to_owned());
            return problem;
        }
        self.refused("neither a field nor a constant")
    }

    /// Returns the problem with what is next, up to the end of its action.
    fn refused(&self, message: &str) -> TemplateProblem {
        let rest = self.rest();
        let action = rest.find("}}").map_or(rest, |end| &rest[..end]);
        let word = action.lines().next().unwrap_or_default().trim_end_matches(SPACE);
        let help = "a template holds text, `{{ .Field }}`, `{{ \"constant\" }}` and `{{/* comment */}}`";
        TemplateProblem::new(self.at, word.len(), message, help)
    }
}

fn unclosed(start: usize) -> TemplateProblem {
    let help = "end it with `}}`; where braces are meant, write them as a constant: `{{`{{`}}`";
    TemplateProblem::new(start, 2, "this action has no end", help)
}

fn trim_marker(at: usize) -> TemplateProblem {
    TemplateProblem::new(at, 1, "Logpush's templates have no trim markers", "leave out the `-`")
}
