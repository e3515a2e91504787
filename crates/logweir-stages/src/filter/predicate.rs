//! Whether a condition holds for an event.

use std::cmp::Ordering;
use std::fmt;

use logweir_event::ColumnId;
use logweir_json::{Number, Projection, Text, Value, elements};
use memchr::memmem::Finder;

/// A tree of predicates; `K` is how a field is named: by its key, or by its column once that is known.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Condition<K> {
    /// All of them hold.
    All(Vec<Condition<K>>),
    /// At least one of them holds.
    Any(Vec<Condition<K>>),
    /// This one holds.
    Is(Predicate<K>),
}

/// A test of one field.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Predicate<K> {
    pub(super) key: K,
    /// Whether it holds where the test does not, a missing field included.
    pub(super) negated: bool,
    pub(super) test: Test,
}

/// What a field is tested for. A missing or null field passes no test.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Test {
    /// Is it one of these? (`eq` has one.)
    OneOf(Vec<Operand>),
    /// Is it a number that stands so to this one?
    Compare(Relation, Number),
    /// Does its text start so?
    StartsWith(Vec<u8>),
    /// Does its text end so?
    EndsWith(Vec<u8>),
    /// Does its text hold this, or is this one of its string elements?
    Contains(Needle),
}

/// The four orders a number can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Relation {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value to equal, read as each type that a field may have.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Operand {
    /// Its decoded text: what a string field must be.
    pub(super) text: Vec<u8>,
    /// What a number field must be, if the text is a number.
    pub(super) number: Option<Number>,
    /// What a boolean field must be, if the text is `true` or `false`.
    pub(super) boolean: Option<bool>,
}

impl Operand {
    pub(super) fn new(text: Vec<u8>) -> Self {
        let boolean = match &text[..] {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        };
        Self { number: Number::parse(&text), boolean, text }
    }

    /// Returns whether a number field may equal it.
    pub(super) fn is_number(&self) -> bool {
        self.number.is_some()
    }

    /// Returns whether a boolean field may equal it.
    pub(super) fn is_boolean(&self) -> bool {
        self.boolean.is_some()
    }

    /// Returns whether a decoded text would be equal, were it not for upper and lower case.
    pub(super) fn differs_in_case(&self, text: &[u8]) -> bool {
        self.text != text && self.text.eq_ignore_ascii_case(text)
    }

    fn equals(&self, value: &Value<'_>) -> bool {
        match *value {
            Value::String(text) => text.decodes_to(&self.text),
            Value::Number(raw) => self.number.is_some() && Number::parse(raw) == self.number,
            Value::Bool(value) => self.boolean == Some(value),
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        }
    }
}

/// A text to search for, made ready once; boxed because it is ten times the size of any other test.
#[derive(Clone)]
pub(super) struct Needle(Box<Finder<'static>>);

impl Needle {
    pub(super) fn new(text: &[u8]) -> Self {
        Self(Box::new(Finder::new(text).into_owned()))
    }

    /// Returns the text.
    pub(super) fn text(&self) -> &[u8] {
        self.0.needle()
    }

    pub(super) fn is_in(&self, text: &[u8]) -> bool {
        self.0.find(text).is_some()
    }

    /// Returns whether a value is a string that is all of this text.
    fn equals(&self, value: &Value<'_>) -> bool {
        matches!(value, Value::String(text) if text.decodes_to(self.0.needle()))
    }
}

impl PartialEq for Needle {
    fn eq(&self, other: &Self) -> bool {
        self.0.needle() == other.0.needle()
    }
}

impl fmt::Debug for Needle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Needle").field(&String::from_utf8_lossy(self.0.needle())).finish()
    }
}

impl Condition<String> {
    /// Returns the same condition with the keys' columns, which it asks `projection` for.
    pub(super) fn with_columns(&self, projection: &mut Projection) -> Condition<ColumnId> {
        let mut all =
            |conditions: &[Self]| conditions.iter().map(|one| one.with_columns(projection)).collect();
        match self {
            Self::All(conditions) => Condition::All(all(conditions)),
            Self::Any(conditions) => Condition::Any(all(conditions)),
            Self::Is(Predicate { key, negated, test }) => {
                Condition::Is(Predicate { key: projection.ask(key), negated: *negated, test: test.clone() })
            }
        }
    }
}

impl Condition<ColumnId> {
    /// Returns whether it holds for the event whose fields `field` finds. Recursion goes as deep as the condition,
    /// which its reader bounds.
    pub(super) fn holds<'a>(
        &self,
        field: &impl Fn(ColumnId) -> Option<&'a [u8]>,
        scratch: &mut Vec<u8>,
    ) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|one| one.holds(field, scratch)),
            Self::Any(conditions) => conditions.iter().any(|one| one.holds(field, scratch)),
            Self::Is(predicate) => {
                let passes = field(predicate.key).is_some_and(|raw| predicate.test.passes(raw, scratch));
                passes != predicate.negated
            }
        }
    }
}

impl Test {
    /// Returns whether a field's value passes, negation aside.
    pub(super) fn passes(&self, raw: &[u8], scratch: &mut Vec<u8>) -> bool {
        match (self, Value::of(raw)) {
            (Self::OneOf(operands), value) => operands.iter().any(|operand| operand.equals(&value)),
            (Self::Compare(relation, number), Value::Number(raw)) => {
                let order = Number::parse(raw).and_then(|value| value.partial_cmp(number));
                order.is_some_and(|order| relation.allows(order))
            }
            (Self::StartsWith(start), Value::String(text)) => decoded(text, scratch).starts_with(start),
            (Self::EndsWith(end), Value::String(text)) => decoded(text, scratch).ends_with(end),
            (Self::Contains(needle), Value::String(text)) => needle.is_in(decoded(text, scratch)),
            (Self::Contains(needle), Value::Array(array)) => {
                elements(array).any(|element| needle.equals(&Value::of(&array[element])))
            }
            _ => false,
        }
    }
}

impl Relation {
    pub(super) fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// Returns a string's text with its escapes resolved, in `scratch` if it has any.
fn decoded<'a>(text: Text<'a>, scratch: &'a mut Vec<u8>) -> &'a [u8] {
    if text.is_plain() {
        return text.raw();
    }
    scratch.clear();
    text.decode_into(scratch);
    scratch
}
