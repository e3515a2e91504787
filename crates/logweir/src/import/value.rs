//! Jobs as they were read, before they are written.

/// A job.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Job {
    /// Its keys and values, in the order in which they were found.
    pub(super) members: Vec<(String, Value)>,
}

/// A value, in which not everything need be known.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(Vec<Piece>),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// A part of a text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    Known(String),
    /// The variable of this name, and what is meant where it is not set.
    Variable {
        name: String,
        default: Option<String>,
    },
}

impl Job {
    /// Returns the value of a key.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }
}

impl Value {
    /// Returns a text that is known.
    pub(super) fn known(text: impl Into<String>) -> Self {
        Self::Text(vec![Piece::Known(text.into())])
    }

    /// Returns the text, if this is one and all of it is known.
    pub(super) fn as_known(&self) -> Option<String> {
        let Self::Text(pieces) = self else { return None };
        pieces
            .iter()
            .map(|piece| match piece {
                Piece::Known(text) => Some(text.as_str()),
                Piece::Variable { .. } => None,
            })
            .collect()
    }
}

impl Value {
    /// Returns whether this is a text with a variable in it.
    pub(super) fn has_variable(&self) -> bool {
        matches!(self, Self::Text(pieces) if pieces.iter().any(|piece| matches!(piece, Piece::Variable { .. })))
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => Self::Number(number.to_string()),
            serde_json::Value::String(text) => Self::known(text),
            serde_json::Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(members) => {
                Self::Map(members.into_iter().map(|(key, value)| (key, Self::from(value))).collect())
            }
        }
    }
}
