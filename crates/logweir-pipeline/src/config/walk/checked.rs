//! Values that have been understood.

use std::net::SocketAddr;

use logweir_sinks::DestinationConfig;
use logweir_stages::{FilterConfig, RecordTemplate, Term};

use crate::config::logpull::LogpullOptions;
use crate::config::pipeline_test::TestEvent;
use crate::config::text::Place;

/// A value of a file after the walk, and where it is written.
pub(in crate::config) struct Checked {
    pub(in crate::config) place: Place,
    pub(in crate::config) value: Value,
}

/// What a value is.
pub(in crate::config) enum Value {
    /// Something that a problem has been reported about.
    Bad,
    Map(Vec<Field>),
    List(Vec<Checked>),
    Text(String),
    Integer(u64),
    Rate(f64),
    Address(SocketAddr),
    Filter(FilterConfig),
    Bool(bool),
    /// Each with the place of its key.
    Pairs(Vec<(Place, String, Checked)>),
    Template(RecordTemplate),
    JobFilter(Box<JobFilter>),
    Destination(Box<DestinationConfig>),
    LogpullOptions(Box<LogpullOptions>),
    Events(Vec<TestEvent>),
}

/// The filter of a job: the text that it is, and what that says.
pub(in crate::config) struct JobFilter {
    pub(in crate::config) text: String,
    /// What the text holds; places are byte offsets in it. Whether it is a filter is for the rules to say, since that
    /// takes the job's dataset.
    pub(in crate::config) term: Term,
}

/// A key that is known, and its value.
pub(in crate::config) struct Field {
    pub(super) name: &'static str,
    pub(super) key_place: Place,
    pub(super) checked: Checked,
}

impl Checked {
    pub(super) fn bad(place: Place) -> Self {
        Self { place, value: Value::Bad }
    }

    /// Returns the value of a key, if this is a map that has it.
    pub(in crate::config) fn get(&self, name: &str) -> Option<&Self> {
        self.field(name).map(|field| &field.checked)
    }

    /// Returns where a key of this map is written.
    pub(in crate::config) fn key_place(&self, name: &str) -> Option<Place> {
        self.field(name).map(|field| field.key_place)
    }

    /// Returns the items of a list; none if this is no list.
    pub(in crate::config) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Returns the text, if this is one.
    pub(in crate::config) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the number, if this is a whole one.
    pub(in crate::config) fn integer(&self) -> Option<u64> {
        match self.value {
            Value::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// Returns whether this is `true` or `false`, if it is one.
    pub(in crate::config) fn bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the pairs of a map with keys of somebody else's choice, each with the place of its key.
    pub(in crate::config) fn pairs(&self) -> &[(Place, String, Self)] {
        match &self.value {
            Value::Pairs(pairs) => pairs,
            _ => &[],
        }
    }

    fn field(&self, name: &str) -> Option<&Field> {
        match &self.value {
            Value::Map(fields) => fields.iter().find(|field| field.name == name),
            _ => None,
        }
    }
}

/// Returns the sinks of a pipeline.
pub(in crate::config) fn sinks(root: &Checked) -> impl Iterator<Item = &Checked> {
    let outputs = root.get("outputs").map_or(&[][..], Checked::items);
    root.get("sink").into_iter().chain(outputs.iter().filter_map(|output| output.get("sink")))
}
