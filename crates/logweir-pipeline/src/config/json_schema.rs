//! The JSON Schema of a pipeline file, made from the table of keys.

use serde_json::{Map, Value, json};

use super::keys;
use super::scalar::{DURATION_PATTERN, SIZE_PATTERN};
use super::shape::{Default, ListShape, MapShape, Only, PairsShape, Rule, Shape, TextShape};

/// Returns the JSON Schema (2020-12) of a pipeline file, for editors and for `logweir schema`.
///
/// It describes the structure: keys, kinds, ranges, what excludes what. What it cannot say (unique names, the range of
/// a size with a unit, a pattern for paths that cannot be read) only [`load`](super::load()) knows. Where a `${…}` may
/// stand, it takes any text that has one.
pub fn schema() -> Value {
    let mut schema = map(&keys::PIPELINE);
    let root = [
        ("allOf", state_dir()),
        ("$schema", json!("https://json-schema.org/draft/2020-12/schema")),
        ("title", json!("A pipeline of logweir")),
        ("$defs", definitions()),
    ];
    schema.extend(root.map(|(key, value)| (key.to_owned(), value)));
    Value::Object(schema)
}

/// Returns where positions and batches are kept and where there are none: `state_dir` goes with followed files and with
/// uploads, and with them alone.
fn state_dir() -> Value {
    let source = |kind: &str, source: Value| {
        json!({
            "required": ["source"],
            "properties": {
                "source": { "type": "object", "required": [kind], "properties": { kind: source } },
            },
        })
    };
    let once =
        json!({ "type": "object", "required": ["read"], "properties": { "read": { "const": "once" } } });
    let follow = json!({ "type": "object", "properties": { "read": { "const": "follow" } } });
    let without_jobs = |source: Value| json!({ "allOf": [source, { "not": { "required": ["jobs"] } }] });
    let none = json!({ "properties": { "state_dir": false } });
    json!([
        { "if": source("file", follow), "then": { "required": ["state_dir"] } },
        { "if": without_jobs(source("file", once)), "then": none },
        { "if": without_jobs(source("stdin", json!({}))), "then": none },
        { "if": { "required": ["jobs"] }, "then": { "required": ["state_dir"] } },
    ])
}

/// Returns what the schema refers to by name.
fn definitions() -> Value {
    json!({
        "replaced": {
            "description": "A text in which `${VAR}`, `${VAR:-default}` or `${file:/path}` is replaced.",
            "type": "string",
            "pattern": r"\$\{",
        },
        "filter": {
            "anyOf": [
                {
                    "type": "object",
                    "required": ["where"],
                    "properties": { "where": { "$ref": "#/$defs/condition" } },
                    "additionalProperties": false,
                },
                filter_as_text(),
            ],
        },
        "condition": {
            "oneOf": [
                all_or_any("and", "All of these hold."),
                all_or_any("or", "At least one of these holds."),
                predicate(&["eq", "!eq"], &json!({ "type": ["string", "number", "boolean"] })),
                predicate(
                    &["lt", "leq", "gt", "geq"],
                    &json!({
                        "type": ["string", "number"],
                        // RFC 8259 section 6.
                        "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$",
                    }),
                ),
                predicate(
                    &["startsWith", "!startsWith", "endsWith", "!endsWith", "contains", "!contains"],
                    &json!({ "type": "string" }),
                ),
                predicate(
                    &["in", "!in"],
                    &json!({ "type": "array", "items": { "type": ["string", "number"] }, "minItems": 1 }),
                ),
            ],
        },
    })
}

fn filter_as_text() -> Value {
    json!({ "description": "A filter as JSON, as Logpush takes it.", "type": "string", "minLength": 1 })
}

fn all_or_any(name: &str, doc: &str) -> Value {
    let list = json!({
        "description": doc, "type": "array", "items": { "$ref": "#/$defs/condition" }, "minItems": 1,
    });
    json!({ "type": "object", "required": [name], "properties": { name: list }, "additionalProperties": false })
}

fn predicate(operators: &[&str], value: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["key", "operator", "value"],
        "properties": {
            "key": { "description": "A field, or a path into it with dots.", "type": "string" },
            "operator": { "enum": operators },
            "value": value,
        },
        "additionalProperties": false,
    })
}

fn shape(shape: &Shape) -> Map<String, Value> {
    match shape {
        Shape::Map(shape) => map(shape),
        Shape::List(shape) => list(shape),
        Shape::Pairs(shape) => pairs(shape),
        Shape::Events => events(),
        Shape::Tests(shape) => object(verbatim(Value::Object(list(shape)))),
        Shape::Filter => object(json!({ "$ref": "#/$defs/filter" })),
        Shape::Condition => object(json!({ "anyOf": [{ "$ref": "#/$defs/condition" }, filter_as_text()] })),
        Shape::Text(kind) => text(*kind),
        Shape::Choice(words) => or_replaced(&json!({ "enum": words })),
        Shape::Integer(least, most) => or_replaced(&whole(*least, *most)),
        Shape::Size(least, most) => {
            let with_unit = json!({ "type": "string", "pattern": SIZE_PATTERN });
            or_replaced(&json!({ "anyOf": [whole(*least, *most), with_unit] }))
        }
        Shape::Duration(..) => or_replaced(&json!({ "type": "string", "pattern": DURATION_PATTERN })),
        Shape::Bool => or_replaced(&json!({ "type": "boolean" })),
        Shape::ZeroOr(least, most) => {
            or_replaced(&json!({ "anyOf": [{ "const": 0 }, whole(*least, *most)] }))
        }
        Shape::Template | Shape::JobFilter | Shape::LogpullOptions => object(json!({ "type": "string" })),
        Shape::Destination => {
            or_replaced(&json!({ "type": "string", "pattern": "^[a-z0-9]+://.", "maxLength": 4096 }))
        }
        Shape::Unavailable(_) => object(json!({ "not": {} })),
        Shape::Rate => or_replaced(&json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 })),
        Shape::Address => {
            let text = json!({ "type": "string", "pattern": "^([0-9]+|.+:[0-9]+)$" });
            or_replaced(&json!({ "anyOf": [whole(0, 65_535), text] }))
        }
    }
}

fn map(shape: &MapShape) -> Map<String, Value> {
    let properties: Map<String, Value> =
        shape.keys.iter().map(|key| (key.name.to_owned(), property(key, shape.rule))).collect();
    let required: Vec<&str> = shape.keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    let mut schema = object(json!({
        "type": kind("object", shape.may_be_empty()),
        "properties": properties,
        "additionalProperties": false,
    }));
    if !required.is_empty() {
        schema.insert(String::from("required"), json!(required));
    }
    let only: Vec<Value> = shape.only.iter().flat_map(|only| unless(shape, only)).collect();
    if !only.is_empty() {
        schema.insert(String::from("allOf"), json!(only));
    }
    match shape.rule {
        Rule::Free | Rule::NullsLeftOut => {}
        Rule::ExactlyOne => {
            schema.insert(String::from("minProperties"), json!(1));
            schema.insert(String::from("maxProperties"), json!(1));
        }
        Rule::AtLeastOne => {
            schema.insert(String::from("minProperties"), json!(1));
        }
        Rule::SinkOrOutputs => {
            let branches = json!([
                { "required": ["sink"], "properties": { "outputs": false, "jobs": false } },
                { "required": ["outputs"], "properties": { "sink": false, "encode": false, "jobs": false } },
                {
                    "required": ["jobs"],
                    "properties": {
                        "sink": false, "outputs": false, "stages": false, "encode": false, "dead_letter": false,
                    },
                },
            ]);
            schema.insert(String::from("oneOf"), branches);
        }
        Rule::EachOne(groups) => {
            let one = |group: &&[&str]| {
                let ways: Vec<Value> = group.iter().map(|key| json!({ "required": [key] })).collect();
                json!({ "oneOf": ways })
            };
            schema.insert(String::from("allOf"), groups.iter().map(one).collect());
        }
    }
    schema
}

/// Returns where a key may not stand: beside each value of the other that it does not go with.
fn unless(shape: &MapShape, only: &Only) -> Vec<Value> {
    let Some(Shape::Choice(words)) = shape.key(only.beside).map(|key| &key.shape) else { return Vec::new() };
    let others: Vec<&str> = words.iter().copied().filter(|word| !only.values.contains(word)).collect();
    let then = json!({ "properties": { only.key: false } });
    let given = json!({ "required": [only.beside], "properties": { only.beside: { "enum": others } } });
    let mut unless = vec![json!({ "if": given, "then": then })];
    if only.default.is_some_and(|default| others.contains(&default)) {
        unless.push(json!({ "if": { "not": { "required": [only.beside] } }, "then": then }));
    }
    unless
}

fn property(key: &super::shape::Key, rule: Rule) -> Value {
    let mut schema = shape(&key.shape);
    if rule == Rule::NullsLeftOut && !key.required {
        schema = object(json!({ "anyOf": [schema, { "type": "null" }] }));
    }
    schema.insert(String::from("description"), json!(key.description()));
    if let Some(default) = key.default.and_then(Default::value) {
        schema.insert(String::from("default"), default);
    }
    Value::Object(schema)
}

fn pairs(shape_of: &PairsShape) -> Map<String, Value> {
    object(json!({
        "type": kind("object", true),
        "additionalProperties": text(shape_of.value),
        "maxProperties": shape_of.most,
    }))
}

fn list(shape_of: &ListShape) -> Map<String, Value> {
    let mut schema = object(json!({
        "type": kind("array", shape_of.may_be_empty),
        "items": shape(&shape_of.item),
        "maxItems": shape_of.most,
    }));
    if !shape_of.may_be_empty {
        schema.insert(String::from("minItems"), json!(1));
    }
    if shape_of.distinct {
        schema.insert(String::from("uniqueItems"), json!(true));
    }
    schema
}

/// Returns the events of a test: one, or a list of some.
fn events() -> Map<String, Value> {
    let event = json!({ "type": ["string", "object"] });
    let list = json!({ "type": "array", "items": event, "minItems": 1, "maxItems": keys::MAX_TEST_EVENTS });
    object(json!({ "anyOf": [event, list] }))
}

/// Returns a schema without the texts that would be replaced, where nothing is.
fn verbatim(schema: Value) -> Value {
    match schema {
        Value::Object(mut members) => {
            if let Some(Value::Array(ways)) = members.get_mut("anyOf") {
                ways.retain(|way| *way != json!({ "$ref": "#/$defs/replaced" }));
            }
            members.into_iter().map(|(key, member)| (key, verbatim(member))).collect()
        }
        Value::Array(items) => items.into_iter().map(verbatim).collect(),
        other => other,
    }
}

fn text(kind: TextShape) -> Map<String, Value> {
    match kind.pattern() {
        None if kind.may_be_empty() => object(json!({ "type": "string" })),
        None => object(json!({ "type": "string", "minLength": 1 })),
        Some(pattern) => or_replaced(&json!({ "type": "string", "pattern": pattern })),
    }
}

/// Returns a type, together with nothing where nothing stands for an empty one.
fn kind(name: &str, may_be_nothing: bool) -> Value {
    if may_be_nothing { json!([name, "null"]) } else { json!(name) }
}

fn whole(least: u64, most: u64) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most })
}

fn or_replaced(schema: &Value) -> Map<String, Value> {
    object(json!({ "anyOf": [schema, { "$ref": "#/$defs/replaced" }] }))
}

/// Returns the members of a value that is written as an object.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        other => Map::from_iter([(String::from("const"), other)]),
    }
}
