//! Why a condition holds for an event, or does not.

use std::sync::Arc;

use logweir_event::{Batch, ColumnId};
use logweir_json::{Projection, Value};

use super::FilterConfig;
use super::predicate::{Condition, Operand, Predicate, Test};
use crate::Excerpt;

/// A predicate as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrittenPredicate {
    /// Its key.
    pub key: String,
    /// Its operator, with the `!` before it if it has one.
    pub operator: String,
    /// Its value, as JSON writes it.
    pub value: Excerpt,
}

/// What a condition comes to for one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// Whether it holds.
    pub holds: bool,
    /// What it is, and what its parts come to.
    pub condition: Judged,
}

/// A condition, its parts judged. All of them are: also those that a filter need not look at any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judged {
    /// Holds if all of these do.
    All(Vec<Judgement>),
    /// Holds if one of these does.
    Any(Vec<Judgement>),
    /// A predicate.
    Is(Comparison),
}

/// What a predicate was compared with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparison {
    /// The predicate.
    pub written: Arc<WrittenPredicate>,
    /// The field's value in the event, as it is written there; `None` if the event lacks the field.
    pub value: Option<Excerpt>,
    /// What may surprise about the outcome: one line.
    pub remark: Option<String>,
}

impl Judgement {
    /// Returns the predicates that decided: those that would have to come out otherwise, some or all of them, for the
    /// condition to come out otherwise. There is at least one.
    pub fn reasons(&self) -> Vec<&Comparison> {
        let mut reasons = Vec::new();
        self.add_reasons(&mut reasons);
        reasons
    }

    fn add_reasons<'j>(&'j self, reasons: &mut Vec<&'j Comparison>) {
        match &self.condition {
            Judged::All(parts) | Judged::Any(parts) => {
                for part in parts.iter().filter(|part| part.holds == self.holds) {
                    part.add_reasons(reasons);
                }
            }
            Judged::Is(comparison) => reasons.push(comparison),
        }
    }
}

impl Comparison {
    /// Returns what the event has in the field: its value, or that it is missing.
    pub fn found(&self) -> String {
        let key = &self.written.key;
        match &self.value {
            None => format!("{key} is missing"),
            Some(value) => format!("{key} is {value}"),
        }
    }
}

/// Says what a filter makes of an event, and why.
#[derive(Debug)]
pub struct FilterExplainer {
    condition: Condition<Asked>,
    /// Decoded text of a field with escapes.
    scratch: Vec<u8>,
}

/// The field of a predicate.
#[derive(Clone, PartialEq, Debug)]
struct Asked {
    column: ColumnId,
    written: Arc<WrittenPredicate>,
}

impl FilterExplainer {
    /// Returns an explainer of the filter, having asked `projection` for the fields it needs.
    pub fn new(config: &FilterConfig, projection: &mut Projection) -> Self {
        let mut written = config.written.iter();
        Self { condition: with_written(&config.condition, &mut written, projection), scratch: Vec::new() }
    }

    /// Returns what the filter's condition comes to for an event.
    pub fn explain(&mut self, batch: &Batch, event: usize) -> Judgement {
        judge(&self.condition, batch, event, &mut self.scratch)
    }
}

/// Returns a condition with what is written of each of its predicates, in whose order `written` gives it. Recursion
/// goes as deep as the condition, which its reader bounds.
fn with_written<'w>(
    condition: &Condition<String>,
    written: &mut impl Iterator<Item = &'w Arc<WrittenPredicate>>,
    projection: &mut Projection,
) -> Condition<Asked> {
    let mut all = |conditions: &[Condition<String>]| {
        conditions.iter().map(|one| with_written(one, &mut *written, projection)).collect()
    };
    match condition {
        Condition::All(conditions) => Condition::All(all(conditions)),
        Condition::Any(conditions) => Condition::Any(all(conditions)),
        Condition::Is(Predicate { key, negated, test }) => {
            let written = written.next().expect("what is written of each predicate was kept").clone();
            let key = Asked { column: projection.ask(key), written };
            Condition::Is(Predicate { key, negated: *negated, test: test.clone() })
        }
    }
}

fn judge(condition: &Condition<Asked>, batch: &Batch, event: usize, scratch: &mut Vec<u8>) -> Judgement {
    let mut all = |conditions: &[Condition<Asked>]| -> Vec<_> {
        conditions.iter().map(|one| judge(one, batch, event, scratch)).collect()
    };
    match condition {
        Condition::All(conditions) => {
            let parts = all(conditions);
            Judgement { holds: parts.iter().all(|part| part.holds), condition: Judged::All(parts) }
        }
        Condition::Any(conditions) => {
            let parts = all(conditions);
            Judgement { holds: parts.iter().any(|part| part.holds), condition: Judged::Any(parts) }
        }
        Condition::Is(predicate) => compare(predicate, batch.field(event, predicate.key.column), scratch),
    }
}

fn compare(predicate: &Predicate<Asked>, raw: Option<&[u8]>, scratch: &mut Vec<u8>) -> Judgement {
    let passes = raw.is_some_and(|raw| predicate.test.passes(raw, scratch));
    let written = predicate.key.written.clone();
    let remark = if passes { None } else { remark(predicate, raw) };
    let comparison = Comparison { written, value: raw.map(Excerpt::new), remark };
    Judgement { holds: passes != predicate.negated, condition: Judged::Is(comparison) }
}

/// Returns what may surprise about a test that was not passed.
fn remark(predicate: &Predicate<Asked>, raw: Option<&[u8]>) -> Option<String> {
    let WrittenPredicate { operator, value, .. } = &*predicate.key.written;
    let plain = operator.trim_start_matches('!');
    let value_of_field = raw.map(Value::of);
    let why = match (&predicate.test, value_of_field) {
        (_, None | Some(Value::Null)) if predicate.negated => {
            return Some(format!("`{operator}` holds where there is no value"));
        }
        (_, None | Some(Value::Null)) => return None,
        (Test::OneOf(_), Some(Value::Array(_))) => {
            String::from("the field is an array, which equals nothing; `contains` looks at its strings")
        }
        (Test::OneOf(_), Some(Value::Object(_))) => {
            String::from("the field is an object, which equals nothing")
        }
        (Test::OneOf(operands), Some(Value::Number(_))) if !operands.iter().any(Operand::is_number) => {
            format!("the field is a number, and {} is none", value.text())
        }
        (Test::OneOf(operands), Some(Value::Bool(_))) if !operands.iter().any(Operand::is_boolean) => {
            format!("the field is a boolean, and {} is none", value.text())
        }
        (Test::OneOf(operands), Some(Value::String(text))) => {
            let mut decoded = Vec::new();
            text.decode_into(&mut decoded);
            operands.iter().find(|one| one.differs_in_case(&decoded))?;
            String::from("they differ in upper and lower case")
        }
        (Test::Compare(..), Some(other)) if !matches!(other, Value::Number(_)) => {
            format!("the field is {}; `{plain}` compares numbers alone", kind(&other))
        }
        (Test::StartsWith(_) | Test::EndsWith(_), Some(other)) if !matches!(other, Value::String(_)) => {
            format!("the field is {}; `{plain}` looks at strings alone", kind(&other))
        }
        (Test::Contains(_), Some(other)) if !matches!(other, Value::String(_) | Value::Array(_)) => {
            format!(
                "the field is {}; `{plain}` looks at strings, and at the strings of an array",
                kind(&other)
            )
        }
        (Test::Contains(_), Some(Value::Array(_))) => {
            String::from("of an array, a whole string must be equal, not a part of it")
        }
        _ => return None,
    };
    Some(if predicate.negated { format!("`{operator}` holds: {why}") } else { why })
}

/// Returns what kind of value something is, in words.
fn kind(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
