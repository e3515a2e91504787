//! Checks a tree against the table of keys, collecting every problem.
//!
//! What has been understood comes back as [`Checked`] values, what has not as [`Value::Bad`], so that one mistake hides
//! no other: whoever reads on skips what is bad and judges the rest.

use std::collections::HashMap;

use super::keys;
use super::problem::{Report, quoted};
use super::scalar::Plain;
use super::shape::{Key, ListShape, MapShape, Only, PairsShape, Rule, Shape, TextShape, listed};
use super::text::{Doc, Place};
use super::tree::{Entry, Kind, Node};

mod checked;
mod events;
mod filter;
mod inside;
mod scalar;
mod texts;

pub(super) use checked::{Checked, JobFilter, Value, sinks};
pub(super) use inside::Inside;
pub(super) use texts::{BAD_PREDICATE, NOT_ALLOWED};

use checked::Field;

/// The keys that say where events go, of which a pipeline has one.
const WAYS: [&str; 3] = ["sink", "outputs", "jobs"];

/// Looks up a variable of the environment; `None` replaces nothing.
type Env<'a> = Option<&'a dyn Fn(&str) -> Option<String>>;

/// Checks the tree of a file; what is wrong is reported.
pub(super) fn walk(
    root: &Node,
    doc: &Doc,
    env: &dyn Fn(&str) -> Option<String>,
    report: &mut Report<'_>,
) -> Checked {
    if let Kind::Map(entries) = &root.kind
        && let [only] = entries.as_slice()
        && only.key == "tests"
    {
        let help = "name the pipeline file: `logweir test errors.yaml` reads `errors.test.yaml` as well";
        report.add_with_help(only.key_place, "this file has tests and no pipeline", help);
        return Checked::bad(root.place);
    }
    of_shape(&keys::PIPELINE, root, doc, Some(env), report)
}

/// Checks the tree of a file that holds one Logpush job and nothing else. It comes from the API or is meant for it, so
/// nothing is replaced in it.
pub(super) fn walk_job(root: &Node, doc: &Doc, report: &mut Report<'_>) -> Checked {
    of_shape(&keys::JOB, root, doc, None, report)
}

/// Checks the tree of a file that holds tests and nothing else; nothing is replaced in it.
pub(super) fn walk_tests(root: &Node, doc: &Doc, report: &mut Report<'_>) -> Checked {
    of_shape(&keys::TEST_FILE, root, doc, None, report)
}

fn of_shape(
    shape: &'static MapShape,
    root: &Node,
    doc: &Doc,
    env: Env<'_>,
    report: &mut Report<'_>,
) -> Checked {
    let owner = match &root.kind {
        Kind::Map(entries) => entries.first().map_or(root.place, |entry| entry.key_place),
        kind if is_nothing(kind) => {
            report.add_with_help(root.place, "this file says nothing", shape.help());
            return Checked::bad(root.place);
        }
        _ => root.place,
    };
    Walk { doc, env, report }.map(shape, root, owner)
}

struct Walk<'w, 'd> {
    doc: &'w Doc,
    env: Env<'w>,
    report: &'w mut Report<'d>,
}

impl Walk<'_, '_> {
    /// Checks a value; `owner` is the key it belongs to.
    fn value(&mut self, shape: &Shape, node: &Node, owner: Place) -> Checked {
        match shape {
            Shape::Map(map) => self.map(map, node, owner),
            Shape::List(list) => self.list(shape, list, node),
            Shape::Pairs(pairs) => self.pairs(shape, pairs, node),
            Shape::Text(TextShape::Secret) if !matches!(node.kind, Kind::Scalar { .. }) => {
                self.report.hide(node.place);
                self.unexpected(shape, node, None)
            }
            Shape::Filter | Shape::Condition => self.filter(shape, node),
            Shape::JobFilter => self.job_filter(shape, node),
            Shape::Template => self.record_template(shape, node),
            Shape::Events => self.events(shape, node),
            Shape::Tests(list) => self.tests(shape, list, node),
            _ => self.scalar(shape, node),
        }
    }

    fn map(&mut self, shape: &'static MapShape, node: &Node, owner: Place) -> Checked {
        let fields = match &node.kind {
            Kind::Map(entries) => self.fields(shape, entries, owner),
            kind if shape.may_be_empty() && is_nothing(kind) => Vec::new(),
            kind => {
                let help = match kind {
                    Kind::Scalar { text, .. } if shape.rule == Rule::ExactlyOne => {
                        shape.key(text).map(|key| {
                            let value = if key.shape.takes_nothing() { "{}" } else { "…" };
                            format!("write `{}: {value}`", key.name)
                        })
                    }
                    Kind::List(_) => Some(format!("{} is a map: no `- ` and no `[…]` here", shape.what)),
                    _ => None,
                };
                return self.unexpected(&Shape::Map(shape), node, help);
            }
        };
        Checked { place: node.place, value: Value::Map(fields) }
    }

    fn fields(&mut self, shape: &'static MapShape, entries: &[Entry], owner: Place) -> Vec<Field> {
        let mut fields = Vec::with_capacity(entries.len());
        // The keys that unknown ones are most like: who misspells one has not left it out.
        let mut meant: Vec<&str> = Vec::new();
        let maps = maps_in(shape, entries);
        let mut any_unknown = false;
        for entry in entries {
            if let Some(key) = shape.key(&entry.key) {
                if shape.rule == Rule::NullsLeftOut && is_nothing(&entry.value.kind) {
                    continue;
                }
                let checked = self.value(&key.shape, &entry.value, entry.key_place);
                fields.push(Field { name: key.name, key_place: entry.key_place, checked });
            } else {
                any_unknown = true;
                if shape.has_secrets() {
                    self.report.hide(entry.value.place);
                }
                let near = nearest(shape.keys.iter().map(|key| key.name), &entry.key);
                meant.extend(near.filter(|near| !meant.contains(near)));
                let help =
                    misplaced(&maps, &entry.key).unwrap_or_else(|| unknown_help(shape, &entry.key, near));
                let message = format!("unknown key {}", quoted(&entry.key));
                self.report.add_with_help(entry.key_place, message, help);
            }
        }
        for key in shape.keys.iter().filter(|key| key.required && !meant.contains(&key.name)) {
            if !fields.iter().any(|field| field.name == key.name) {
                let help = match &key.shape {
                    Shape::Choice([only]) => format!("write `{}: {only}`", key.name),
                    _ => format!("`{}`: {}", key.name, key.summary()),
                };
                self.report.add_with_help(owner, format!("{} needs `{}`", shape.what, key.name), help);
            }
        }
        for only in shape.only {
            self.only(only, &fields);
        }
        match shape.rule {
            Rule::Free | Rule::NullsLeftOut => {}
            Rule::ExactlyOne => self.exactly_one(shape, &fields, owner, any_unknown),
            // The unknown key was meant to be one.
            Rule::AtLeastOne if !fields.is_empty() || any_unknown => {}
            Rule::AtLeastOne => {
                self.report.add_with_help(owner, format!("{} is empty", shape.what), one_of(shape));
            }
            Rule::SinkOrOutputs
                if fields.iter().all(|field| !WAYS.contains(&field.name))
                    && WAYS.iter().any(|way| meant.contains(way)) => {}
            Rule::SinkOrOutputs => self.sink_or_outputs(&fields, owner),
            // The unknown key was meant to be one.
            Rule::EachOne(_) if any_unknown => {}
            Rule::EachOne(groups) => self.each_one(shape, groups, &fields, owner),
        }
        fields
    }

    fn exactly_one(&mut self, shape: &MapShape, fields: &[Field], owner: Place, any_unknown: bool) {
        match fields {
            // The unknown key was meant to be the one.
            [] if any_unknown => {}
            [] => self.report.add_with_help(owner, format!("{} is empty", shape.what), one_of(shape)),
            [_] => {}
            [first, others @ ..] => {
                for other in others {
                    let message = format!("`{}` is given beside `{}`", other.name, first.name);
                    let help = match shape.what {
                        "a stage" => String::from("each stage is an item of its own, with its own `- `"),
                        _ => one_of(shape),
                    };
                    self.report.add_with_help(other.key_place, message, help);
                }
            }
        }
    }

    /// Checks that exactly one key of each group is given.
    fn each_one(
        &mut self,
        shape: &MapShape,
        groups: &[&'static [&'static str]],
        fields: &[Field],
        owner: Place,
    ) {
        for group in groups {
            let mut given = fields.iter().filter(|field| group.contains(&field.name));
            let Some(first) = given.next() else {
                let message = format!("{} needs {}", shape.what, listed(group.iter().copied(), "or"));
                let first = shape.keys.iter().find(|key| group.contains(&key.name));
                let help = first.map(|key| format!("`{}`: {}", key.name, key.summary()));
                self.report.add_with_help(owner, message, help.unwrap_or_else(|| shape.help()));
                continue;
            };
            for other in given {
                let message = format!("`{}` is given beside `{}`", other.name, first.name);
                let help = format!("one of {}", listed(group.iter().copied(), "and"));
                self.report.add_with_help(other.key_place, message, help);
            }
        }
    }

    /// Refuses a key that means nothing beside the value that another one has.
    fn only(&mut self, only: &Only, fields: &[Field]) {
        let find = |name: &str| fields.iter().find(|field| field.name == name);
        let Some(given) = find(only.key) else { return };
        // What is bad has been reported, and could have been anything.
        let value = find(only.beside).map_or(only.default, |field| field.checked.text());
        if value.is_some_and(|value| !only.values.contains(&value)) {
            let right = listed(only.values.iter().copied(), "or");
            let message = format!("`{}` goes only with `{}`: {right}", only.key, only.beside);
            let help = format!("leave it out, or write `{}: {}`", only.beside, only.values[0]);
            self.report.add_with_help(given.key_place, message, help);
        }
    }

    fn sink_or_outputs(&mut self, fields: &[Field], owner: Place) {
        let find = |name: &str| fields.iter().find(|field| field.name == name);
        let ways: Vec<&Field> = WAYS.into_iter().filter_map(find).collect();
        let Some(first) = ways.iter().min_by_key(|field| field.key_place.start) else {
            let help = "write where the events go: `sink: { stdout: {} }`, or several `outputs`, or `jobs`";
            self.report.add_with_help(owner, "a pipeline needs `sink` or `outputs`", help);
            return;
        };
        for other in ways.iter().filter(|field| field.name != first.name) {
            let help = "a single `sink`, or `outputs` that have one each, or `jobs`";
            let message = match (first.name, other.name) {
                ("jobs", name) | (name, "jobs") => format!("`{name}` and `jobs` exclude each other"),
                _ => String::from("`sink` and `outputs` exclude each other"),
            };
            self.report.add_with_help(other.key_place, message, help);
        }
        let beside: &[(&str, &str)] = if find("jobs").is_some() {
            &[
                (
                    "stages",
                    "each job has its `filter` and its `sample_rate`, and is truncated as Logpush does it",
                ),
                ("encode", "each job has its `output_options`"),
                (
                    "dead_letter",
                    "each job reads the source for itself, and would write all of them: have another file with a sink do it",
                ),
            ]
        } else if find("outputs").is_some() {
            &[("encode", "write `encode` in each of the `outputs`")]
        } else {
            &[]
        };
        let way = if find("jobs").is_some() { "jobs" } else { "outputs" };
        for (name, help) in beside {
            if let Some(field) = find(name) {
                let message = format!("`{name}` and `{way}` exclude each other");
                self.report.add_with_help(field.key_place, message, *help);
            }
        }
    }

    fn list(&mut self, shape: &Shape, list: &ListShape, node: &Node) -> Checked {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            kind if list.may_be_empty && is_nothing(kind) => &[],
            kind => {
                let help = match (kind, &list.item) {
                    (Kind::Scalar { .. }, Shape::Text(_)) if !is_nothing(kind) => {
                        let written = self.doc.slice(node.place);
                        (written.len() < 60 && !written.contains('\n'))
                            .then(|| format!("write `[{written}]`"))
                    }
                    (Kind::Map(entries), Shape::Map(item)) => {
                        let first = entries.iter().find(|entry| item.key(&entry.key).is_some());
                        first.map(|first| format!("begin each item with `- `, as `- {}: …`", first.key))
                    }
                    _ => None,
                };
                return self.unexpected(shape, node, help);
            }
        };
        if items.is_empty() && !list.may_be_empty && !is_nothing(&node.kind) {
            let help = "write an item, or take the key out";
            self.report.add_with_help(node.place, "this list may not be empty", help);
            return Checked::bad(node.place);
        }
        if let Some(item) = items.get(list.most) {
            let help = format!("at most {}", list.most);
            self.report.add_with_help(item.place, format!("this is item {} of a list", list.most + 1), help);
        }
        let checked: Vec<Checked> =
            items.iter().map(|item| self.value(&list.item, item, item.place)).collect();
        if list.distinct {
            self.distinct(&checked);
        }
        Checked { place: node.place, value: Value::List(checked) }
    }

    fn pairs(&mut self, shape: &Shape, pairs: &PairsShape, node: &Node) -> Checked {
        let entries = match &node.kind {
            Kind::Map(entries) => entries.as_slice(),
            kind if is_nothing(kind) => &[],
            _ => return self.unexpected(shape, node, None),
        };
        if let Some(entry) = entries.get(pairs.most) {
            let message = format!("this is pair {} of a map", pairs.most + 1);
            self.report.add_with_help(entry.key_place, message, format!("at most {}", pairs.most));
        }
        let value = Shape::Text(pairs.value);
        let mut checked = Vec::with_capacity(entries.len());
        for entry in entries {
            let text = self.value(&value, &entry.value, entry.key_place);
            checked.push((entry.key_place, entry.key.clone(), text));
        }
        Checked { place: node.place, value: Value::Pairs(checked) }
    }

    fn distinct(&mut self, items: &[Checked]) {
        let mut seen: HashMap<&str, Place> = HashMap::new();
        for item in items {
            let Some(text) = item.text() else { continue };
            if let Some(first) = seen.get(text) {
                let (line, column) = self.doc.line_and_column(first.start);
                let help = format!("it stands already at line {line}, column {column}");
                self.report.add_with_help(item.place, "this name is given twice", help);
            } else {
                seen.insert(text, item.place);
            }
        }
    }

    /// Reports that something else was expected than what stands here, unless what stands here was refused already.
    fn unexpected(&mut self, shape: &Shape, node: &Node, help: Option<String>) -> Checked {
        if !matches!(node.kind, Kind::Refused) {
            let found = match shape {
                Shape::Text(TextShape::Secret) if matches!(node.kind, Kind::Scalar { .. }) => {
                    String::from("something else")
                }
                _ => found(&node.kind),
            };
            let message = format!("expected {}, found {found}", shape.expected());
            self.report.add_with_help(node.place, message, help.unwrap_or_else(|| shape.help()));
        }
        Checked::bad(node.place)
    }
}

/// Returns what stands there, as it is written.
fn found(kind: &Kind) -> String {
    match kind {
        Kind::Refused => String::from("nothing"),
        Kind::List(_) => String::from("a list"),
        Kind::Map(_) => String::from("a map"),
        Kind::Scalar { text, plain } => match Plain::of(text) {
            Plain::Null if *plain => String::from("nothing"),
            Plain::Bool(_) if *plain => quoted(text),
            Plain::Number if *plain => format!("the number {}", quoted(text)),
            _ if text.is_empty() => String::from("an empty text"),
            _ if text.contains("${") => format!("what {} stands for", quoted(text)),
            _ => format!("the text {}", quoted(text)),
        },
    }
}

fn is_nothing(kind: &Kind) -> bool {
    matches!(kind, Kind::Scalar { text, plain: true } if Plain::of(text) == Plain::Null)
}

fn one_of(shape: &MapShape) -> String {
    match shape.keys {
        [only] => format!("write `{}: …`", only.name),
        _ => format!("one of {}", shape.names()),
    }
}

/// Returns the maps that stand behind some keys; there are no more than the shape has.
fn maps_in(shape: &MapShape, entries: &[Entry]) -> Vec<(&'static str, &'static MapShape)> {
    let map = |entry: &Entry| match shape.key(&entry.key) {
        Some(Key { name, shape: Shape::Map(map), .. }) => Some((*name, *map)),
        _ => None,
    };
    entries.iter().filter_map(map).collect()
}

/// Returns what to do about a key that belongs to one of the maps beside it.
fn misplaced(maps: &[(&'static str, &'static MapShape)], key: &str) -> Option<String> {
    let (owner, _) = maps.iter().find(|(_, map)| map.key(key).is_some())?;
    Some(format!("it belongs to `{owner}`: indent it further than that, or write `{owner}: {{ {key}: … }}`"))
}

/// Returns what to do about a key that is not known, and perhaps is near one that is.
fn unknown_help(shape: &MapShape, key: &str, near: Option<&str>) -> String {
    if let Some((_, hint)) = shape.hints.iter().find(|(name, _)| *name == key) {
        return String::from(*hint);
    }
    match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => shape.help(),
    }
}

/// Returns the known word that a wrong one is most like, if it is like one at all: a third of it may be wrong.
pub(super) fn nearest<'a>(known: impl Iterator<Item = &'a str>, wrong: &str) -> Option<&'a str> {
    // Comparing costs the product of the lengths, and no word that is known is near one this long.
    const LONGEST: usize = 40;
    if wrong.len() > LONGEST {
        return None;
    }
    known
        .map(|word| (strsim::damerau_levenshtein(word, &wrong.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}
