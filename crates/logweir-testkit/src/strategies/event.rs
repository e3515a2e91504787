//! Objects like trace events, right and wrong.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::json::{any_json, any_number, any_string, array, object, spelled};

/// Texts that events and filters share.
pub(super) const TEXTS: &[&str] =
    &["", "ok", "exception", "GET", "200", "1", "1.0", "true", "a", "aa", "日本", "🙂", "${a}"];

/// Gives an object like a trace event, without a line feed, from its `{` to its `}`: fields missing, duplicate, in any
/// order or of another type, names escaped; lists that are none, elements that are no objects, messages of every kind.
pub fn any_event() -> BoxedStrategy<String> {
    vec(field(), 0..10).prop_flat_map(object).boxed()
}

/// Gives a member of an event.
fn field() -> BoxedStrategy<(String, String)> {
    prop_oneof![
        4 => named("Logs", list(log())),
        4 => named("Exceptions", list(exception())),
        2 => named("Outcome", scalar()),
        2 => named("CPUTimeMs", scalar()),
        1 => named("ScriptName", scalar()),
        2 => named("EventTimestampMs", time()),
        1 => named("ScriptTags", vec(scalar(), 0..4).prop_flat_map(array)),
        2 => named("Event", event()),
        1 => named("Event.RayID", scalar()),
        1 => select(vec!["logs", "exceptions", "Name", "Message", ""]).prop_flat_map(|name| named(name, any_json())),
        1 => (any_string(), any_json()),
    ]
    .boxed()
}

/// Gives what an event may say of its time: mostly a number.
fn time() -> BoxedStrategy<String> {
    prop_oneof![4 => any::<i64>().prop_map(|time| time.to_string()), 2 => any_number(), 1 => scalar()].boxed()
}

/// Gives the nested object that dotted paths lead into.
fn event() -> BoxedStrategy<String> {
    let request = prop_oneof![
        4 => vec(named("Method", scalar()), 0..3).prop_flat_map(object),
        1 => any_json(),
    ];
    let member =
        prop_oneof![2 => named("RayID", scalar()), 2 => named("Request", request), 1 => named("", scalar())];
    prop_oneof![6 => vec(member, 0..4).prop_flat_map(object), 1 => scalar()].boxed()
}

fn exception() -> BoxedStrategy<String> {
    let member = prop_oneof![
        4 => named("Name", text()),
        4 => named("Message", text()),
        1 => named("TimestampMs", any_number()),
        1 => named("Stack", any_string()),
        1 => select(vec!["name", "message"]).prop_flat_map(|name| named(name, text())),
    ];
    vec(member, 0..5).prop_flat_map(object).boxed()
}

fn log() -> BoxedStrategy<String> {
    let message = prop_oneof![
        6 => vec(prop_oneof![3 => any_string(), 2 => any_json()], 0..5).prop_flat_map(array),
        2 => any_string(),
        1 => any_json(),
    ];
    let member = prop_oneof![
        5 => named("Message", message),
        1 => named("Level", any_string()),
        1 => named("TimestampMs", any_number()),
        1 => named("message", any_string()),
    ];
    vec(member, 0..4).prop_flat_map(object).boxed()
}

/// Gives an array of mostly these elements, or something in its place.
fn list(element: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let element = prop_oneof![8 => element, 1 => any_json()];
    prop_oneof![10 => vec(element, 0..5).prop_flat_map(array), 1 => any_json()].boxed()
}

/// Gives what an exception's name or message may be: mostly a string.
fn text() -> BoxedStrategy<String> {
    prop_oneof![8 => any_string(), 1 => any_json()].boxed()
}

/// Gives a value that a filter might be about.
fn scalar() -> BoxedStrategy<String> {
    prop_oneof![
        4 => select(TEXTS).prop_flat_map(spelled),
        3 => any_number(),
        2 => select(vec!["true", "false", "null"]).prop_map(str::to_owned),
        1 => any_json(),
    ]
    .boxed()
}

fn named(
    name: &'static str,
    value: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<(String, String)> {
    (spelled(name), value).boxed()
}
