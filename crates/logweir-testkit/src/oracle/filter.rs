//! Which events pass a filter.

mod number;

use super::json::{Kind, Node, Text, is_number, parse};
use number::Number;

/// A filter as Logpush writes it, `{"where": …}`.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The tree of conditions, each node behind those it joins, so that it is evaluated with a stack of verdicts.
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    /// Adds the verdict of one predicate.
    Test(Predicate),
    /// Joins the last so many verdicts: all must hold.
    And(usize),
    /// Joins the last so many verdicts: one must hold.
    Or(usize),
}

#[derive(Clone, Debug)]
struct Predicate {
    key: Text,
    operator: Operator,
    /// Whether the operator was written with a `!`.
    negated: bool,
    value: Node,
}

#[derive(Clone, Copy, Debug)]
enum Operator {
    Eq,
    In,
    Lt,
    Leq,
    Gt,
    Geq,
    StartsWith,
    EndsWith,
    Contains,
}

impl Filter {
    /// Returns the filter that a JSON text describes.
    ///
    /// # Errors
    ///
    /// What is wrong, if the text must be refused.
    pub fn parse(text: &str) -> Result<Self, String> {
        let root = parse(text.as_bytes()).map_err(|illegal| illegal.to_string())?;
        only_members(&root, &["where"])?;
        let condition = root.get("where").ok_or("no `where`")?;
        Ok(Self { steps: compile(condition)? })
    }

    /// Returns whether an event passes.
    pub fn keeps(&self, event: &Node) -> bool {
        let mut verdicts = Vec::new();
        for step in &self.steps {
            let verdict = match step {
                Step::Test(predicate) => predicate.holds(event),
                Step::And(n) => verdicts.split_off(verdicts.len() - n).into_iter().all(|verdict| verdict),
                Step::Or(n) => verdicts.split_off(verdicts.len() - n).into_iter().any(|verdict| verdict),
            };
            verdicts.push(verdict);
        }
        verdicts == [true]
    }
}

/// Returns whether a text must be refused as a filter.
pub fn refuses(text: &str) -> bool {
    Filter::parse(text).is_err()
}

/// Lists a tree of conditions, each behind the ones it joins.
fn compile(root: Node) -> Result<Vec<Step>, String> {
    enum Todo {
        Read(Node),
        Add(Step),
    }
    let mut steps = Vec::new();
    let mut todo = vec![Todo::Read(root)];
    while let Some(next) = todo.pop() {
        let condition = match next {
            Todo::Add(step) => {
                steps.push(step);
                continue;
            }
            Todo::Read(condition) => condition,
        };
        let (list, join): (_, fn(usize) -> Step) = match (condition.get("and"), condition.get("or")) {
            (None, None) => {
                steps.push(Step::Test(Predicate::read(&condition)?));
                continue;
            }
            (Some(list), _) => (list, Step::And),
            (None, Some(list)) => (list, Step::Or),
        };
        // Not both, and neither beside a predicate's members.
        if condition.members().len() != 1 {
            return Err("`and` or `or` beside something else".to_owned());
        }
        let conditions = list.elements();
        if conditions.is_empty() {
            return Err("`and` and `or` need a list of conditions".to_owned());
        }
        todo.push(Todo::Add(join(conditions.len())));
        todo.extend(conditions.into_iter().map(Todo::Read));
    }
    Ok(steps)
}

impl Predicate {
    fn read(condition: &Node) -> Result<Self, String> {
        only_members(condition, &["key", "operator", "value"])?;
        let member = |name: &str| condition.get(name).ok_or(format!("no `{name}`"));
        let key = member("key")?.text().ok_or("`key` is no string")?;
        let (operator, negated) = operator(&member("operator")?)?;
        let value = member("value")?;
        if !operator.takes(&value) {
            return Err(format!("{operator:?} does not take {}", value.raw()));
        }
        Ok(Self { key, operator, negated, value })
    }

    /// A missing or null field satisfies no operator; a negated operator holds just where the positive one does not.
    fn holds(&self, event: &Node) -> bool {
        let field = event.path(self.key.clone()).filter(|field| field.kind() != Kind::Null);
        field.is_some_and(|field| self.operator.holds(&field, &self.value)) != self.negated
    }
}

fn operator(name: &Node) -> Result<(Operator, bool), String> {
    // No operator has a character that needs an escape, so that only this comparison needs the decoded text.
    let name = name.text().ok_or("`operator` is no string")?.to_wtf8();
    Ok(match name.as_slice() {
        b"eq" => (Operator::Eq, false),
        b"!eq" => (Operator::Eq, true),
        b"in" => (Operator::In, false),
        b"!in" => (Operator::In, true),
        b"lt" => (Operator::Lt, false),
        b"leq" => (Operator::Leq, false),
        b"gt" => (Operator::Gt, false),
        b"geq" => (Operator::Geq, false),
        b"startsWith" => (Operator::StartsWith, false),
        b"!startsWith" => (Operator::StartsWith, true),
        b"endsWith" => (Operator::EndsWith, false),
        b"!endsWith" => (Operator::EndsWith, true),
        b"contains" => (Operator::Contains, false),
        b"!contains" => (Operator::Contains, true),
        _ => return Err("an unknown operator".to_owned()),
    })
}

impl Operator {
    /// Returns whether the operator may have this value.
    fn takes(self, value: &Node) -> bool {
        match self {
            Self::Eq => matches!(value.kind(), Kind::String | Kind::Number | Kind::Bool),
            Self::In => {
                let elements = value.elements();
                !elements.is_empty()
                    && elements.iter().all(|e| matches!(e.kind(), Kind::String | Kind::Number))
            }
            Self::Lt | Self::Leq | Self::Gt | Self::Geq => number_in(value).is_some(),
            Self::StartsWith | Self::EndsWith | Self::Contains => value.kind() == Kind::String,
        }
    }

    /// Returns whether the operator holds for a field that is there and not null.
    fn holds(self, field: &Node, value: &Node) -> bool {
        match self {
            Self::Eq => equals(field, value),
            Self::In => value.elements().iter().any(|element| equals(field, element)),
            Self::Lt => compares(field, value, std::cmp::Ordering::is_lt),
            Self::Leq => compares(field, value, std::cmp::Ordering::is_le),
            Self::Gt => compares(field, value, std::cmp::Ordering::is_gt),
            Self::Geq => compares(field, value, std::cmp::Ordering::is_ge),
            Self::StartsWith => both_texts(field, value, |text, part| text.0.starts_with(&part.0)),
            Self::EndsWith => both_texts(field, value, |text, part| text.0.ends_with(&part.0)),
            Self::Contains => {
                both_texts(field, value, Text::contains)
                    || field.elements().iter().any(|element| both_texts(element, value, Text::eq))
            }
        }
    }
}

/// What equality means is decided by the field's type.
fn equals(field: &Node, value: &Node) -> bool {
    match field.kind() {
        Kind::String => field.text() == Some(text_of(value)),
        Kind::Number => compares(field, value, std::cmp::Ordering::is_eq),
        Kind::Bool => value.kind() != Kind::Number && text_of(value) == Text::from(field.raw()),
        Kind::Null | Kind::Array | Kind::Object => false,
    }
}

fn compares(field: &Node, value: &Node, wanted: fn(std::cmp::Ordering) -> bool) -> bool {
    if field.kind() != Kind::Number {
        return false;
    }
    number_in(value).is_some_and(|value| wanted(Number::read(field.raw()).compare(value)))
}

fn both_texts(field: &Node, value: &Node, test: fn(&Text, &Text) -> bool) -> bool {
    field.text().zip(value.text()).is_some_and(|(field, value)| test(&field, &value))
}

/// Returns a value's text: a string's decoded, any other's as it is written.
fn text_of(value: &Node) -> Text {
    value.text().unwrap_or_else(|| Text::from(value.raw()))
}

/// Returns the number that a value is, or spells as a string by JSON's own grammar.
fn number_in(value: &Node) -> Option<Number> {
    let text = match value.kind() {
        Kind::Number => value.raw().to_owned(),
        Kind::String => String::from_utf8(text_of(value).to_wtf8()).ok()?,
        _ => return None,
    };
    is_number(&text).then(|| Number::read(&text))
}

/// Refuses what is no object, and an object with other members than these.
fn only_members(node: &Node, allowed: &[&str]) -> Result<(), String> {
    if node.kind() != Kind::Object {
        return Err("no object where one must be".to_owned());
    }
    let known = |name: &Text| allowed.iter().any(|allowed| *name == Text::from(*allowed));
    if node.members().iter().all(|(name, _)| known(name)) {
        return Ok(());
    }
    Err("a member that means nothing".to_owned())
}
