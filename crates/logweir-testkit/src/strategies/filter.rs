//! Filters, legal and not.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::event::TEXTS;
use super::json::{any_number, any_string, array, object, spelled};

/// Top-level names and dotted paths: present, missing, both at once, with empty steps.
const KEYS: &[&str] = &[
    "Outcome",
    "CPUTimeMs",
    "ScriptName",
    "ScriptTags",
    "Logs",
    "Event",
    "Event.RayID",
    "Event.Request.Method",
    "Event.Request.Nope",
    "Event.",
    "Event..x",
    "Nope",
    "Nope.RayID",
    ".",
    "",
];

/// Gives the JSON text of a legal filter: every operator with every type of value it takes, on fields that events of
/// [`any_event`](super::any_event) have and on others, alone or joined.
pub fn any_filter() -> BoxedStrategy<String> {
    let condition = predicate().prop_recursive(3, 12, 4, |inner| {
        (select(vec!["and", "or"]), vec(inner, 1..4))
            .prop_flat_map(|(join, conditions)| (spelled(join), array(conditions)))
            .prop_flat_map(|member| object(vec![member]))
    });
    condition.prop_flat_map(|condition| object(vec![("\"where\"".to_owned(), condition)])).boxed()
}

/// Gives text that must be refused as a filter.
pub fn any_refused_filter() -> BoxedStrategy<String> {
    let predicate = |operator: &str, value: &str| {
        format!("{{\"where\":{{\"key\":\"Outcome\",\"operator\":\"{operator}\",\"value\":{value}}}}}")
    };
    let unknown = select(vec!["neq", "EQ", "", "!lt", "!geq", "=", "matches", "eq ", "!!eq", "startswith"])
        .prop_map(move |operator| predicate(operator, "\"a\""));
    let wrong = prop_oneof![
        (equality(), select(vec!["null", "[]", "{}", "[1]", "{\"a\":1}"])),
        (
            membership(),
            select(vec!["null", "[]", "{}", "\"a\"", "1", "true", "[null]", "[1,null]", "[[]]", "[{}]"])
        ),
        (
            order(),
            select(vec![
                "null", "[]", "true", "\"\"", "\"a\"", "\"+1\"", "\" 1\"", "\"01\"", "\"1.\"", "\"NaN\""
            ])
        ),
        (matching(), select(vec!["null", "[]", "{}", "1", "true", "[\"a\"]"])),
    ]
    .prop_map(move |(operator, value)| predicate(operator, value));
    let shape = select(vec![
        "",
        "{}",
        "null",
        "[]",
        "\"where\"",
        "{\"where\":null}",
        "{\"where\":{}}",
        "{\"where\":[]}",
        "{\"where\":{\"and\":[]}}",
        "{\"where\":{\"or\":[]}}",
        "{\"where\":{\"and\":null}}",
        "{\"where\":{\"and\":{}}}",
        "{\"where\":{\"and\":[null]}}",
        "{\"where\":{\"and\":[{\"key\":\"a\",\"operator\":\"eq\",\"value\":1}],\"or\":[{\"key\":\"a\",\"operator\":\"eq\",\"value\":1}]}}",
        "{\"where\":{\"and\":[{\"or\":[]}]}}",
        "{\"where\":{\"operator\":\"eq\",\"value\":1}}",
        "{\"where\":{\"key\":\"a\",\"value\":1}}",
        "{\"where\":{\"key\":\"a\",\"operator\":\"eq\"}}",
        "{\"where\":{\"key\":1,\"operator\":\"eq\",\"value\":1}}",
        "{\"key\":\"a\",\"operator\":\"eq\",\"value\":1}",
        "{\"where\":{\"key\":\"a\",\"operator\":\"eq\",\"value\":1}",
    ])
    .prop_map(str::to_owned);
    prop_oneof![unknown, wrong, shape].boxed()
}

fn predicate() -> BoxedStrategy<String> {
    let text = || prop_oneof![4 => select(TEXTS).prop_flat_map(spelled), 1 => any_string()];
    let number =
        || prop_oneof![2 => any_number(), 1 => any_number().prop_map(|number| format!("\"{number}\""))];
    let truth = select(vec!["true", "false", "\"true\"", "\"false\""]).prop_map(str::to_owned);
    let element = prop_oneof![text(), number()];
    let operator_and_value = prop_oneof![
        (equality(), prop_oneof![text(), number(), truth]),
        (membership(), vec(element, 1..4).prop_flat_map(array)),
        (order(), number()),
        (matching(), text()),
    ];
    (select(KEYS).prop_flat_map(spelled), operator_and_value)
        .prop_flat_map(|(key, (operator, value))| {
            let members = vec![
                ("\"key\"".to_owned(), key),
                ("\"operator\"".to_owned(), format!("\"{operator}\"")),
                ("\"value\"".to_owned(), value),
            ];
            Just(members).prop_shuffle().prop_flat_map(object)
        })
        .boxed()
}

fn equality() -> BoxedStrategy<&'static str> {
    select(vec!["eq", "!eq"]).boxed()
}

fn membership() -> BoxedStrategy<&'static str> {
    select(vec!["in", "!in"]).boxed()
}

fn order() -> BoxedStrategy<&'static str> {
    select(vec!["lt", "leq", "gt", "geq"]).boxed()
}

fn matching() -> BoxedStrategy<&'static str> {
    select(vec!["startsWith", "!startsWith", "endsWith", "!endsWith", "contains", "!contains"]).boxed()
}
