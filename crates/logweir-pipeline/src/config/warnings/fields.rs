//! Fields that Workers trace events do not have, or not so.

use logweir_stages::{Asked, FilterConfig, ValueKind};

use super::place_of;
use crate::config::dataset::{FIELDS, FieldType, PATHS};
use crate::config::problem::{Report, quoted};
use crate::config::text::{Doc, Place};
use crate::config::walk::Checked;

/// The fields that are lists of objects, in which no path finds anything.
const LISTS: [&str; 2] = ["Exceptions", "Logs"];

/// Looks at the fields that a filter asks for, and at what it asks.
pub(super) fn of_filter(filter: &FilterConfig, place: Place, doc: &Doc, report: &mut Report<'_>) {
    for asked in filter.asked() {
        if let Some(field) = FieldType::of(asked.key) {
            of_test(&asked, field, place, doc, report);
        } else {
            of_key(asked.key, place, doc, report);
        }
    }
}

/// Looks at a key, which is the name of a field or a path; it is written in `within`.
pub(super) fn of_key(key: &str, within: Place, doc: &Doc, report: &mut Report<'_>) {
    let top = key.split('.').next().unwrap_or(key);
    let place = || place_of(key, within, doc);
    match FieldType::of(top) {
        None => of_unknown(top, place(), report),
        Some(_) if top == key => {}
        Some(FieldType::Object) if !LISTS.contains(&top) => of_path(key, place(), report),
        Some(field) => {
            let message = format!("{} is always missing: {}", quoted(key), inside(top, field));
            let help = match field {
                FieldType::Object => String::from(
                    "conditions cannot look into the objects of a list; ask for a field of the event, or of `Event`",
                ),
                _ => format!("ask for {} itself", quoted(top)),
            };
            report.warn(place(), message, help);
        }
    }
}

/// Warns of a path that is one that is known, or leads further, but for upper and lower case.
fn of_path(path: &str, place: Place, report: &mut Report<'_>) {
    let meant = |known: &&str| {
        let (head, rest) = path.split_at_checked(known.len())?;
        let is_near =
            head != *known && head.eq_ignore_ascii_case(known) && (rest.is_empty() || rest.starts_with('.'));
        is_near.then(|| format!("{known}{rest}"))
    };
    // The longest says the most.
    let meant = PATHS.iter().filter_map(|known| Some((known.len(), meant(known)?))).max();
    if let Some((_, meant)) = meant {
        let message = format!("{} leads nowhere in Workers trace events", quoted(path));
        report.warn(place, message, format!("did you mean `{meant}`? Names are compared letter by letter"));
    }
}

/// Looks at a path of what is to be hidden, which leads into lists too.
pub(super) fn of_hidden(path: &str, place: Place, report: &mut Report<'_>) {
    let top = path.split('.').next().unwrap_or(path);
    of_name(top, place, report);
    if FieldType::of(top).is_some() {
        of_path(path, place, report);
    }
}

/// Looks at the name of a field that is to be written.
pub(super) fn of_name(name: &str, place: Place, report: &mut Report<'_>) {
    if FieldType::of(name).is_none() {
        of_unknown(name, place, report);
    }
}

/// Looks at the name of a field that a stage writes into events.
pub(super) fn of_written(field: Option<&Checked>, report: &mut Report<'_>) {
    let Some((place, name)) = field.and_then(|field| Some((field.place, field.text()?))) else { return };
    let help = "give it a name that events do not have, without dots";
    if FieldType::of(name).is_some() {
        report.warn(place, format!("`{name}` is a field of Workers trace events: its value is lost"), help);
    } else if name.contains('.') {
        let message = format!("{} is written as one name, dots and all, not into an object", quoted(name));
        report.warn(place, message, help);
    }
}

/// Warns of a name that is nearly one that is known. Events may have others, so that it is another proves nothing.
fn of_unknown(name: &str, place: Place, report: &mut Report<'_>) {
    if let Some(near) = nearest(name) {
        let message = format!("{} is no field of Workers trace events", quoted(name));
        report.warn(
            place,
            message,
            format!("did you mean `{near}`? Names of fields are compared letter by letter"),
        );
    }
}

fn of_test(asked: &Asked<'_>, field: FieldType, place: Place, doc: &Doc, report: &mut Report<'_>) {
    let kind = match field {
        FieldType::Int => ValueKind::Number,
        FieldType::String => ValueKind::Text,
        FieldType::Array => ValueKind::Texts,
        FieldType::Object => ValueKind::Objects,
    };
    if asked.can_take(kind) {
        return;
    }
    let Asked { key, .. } = asked;
    let operator = asked.operator();
    let message = format!("`{operator}` is false of every `{key}`, which is {}", what(key, field));
    let help = match field {
        FieldType::Int => "compare it with a number: `eq`, `in`, `lt`, `leq`, `gt` or `geq`",
        FieldType::String => "texts are for `eq`, `in`, `startsWith`, `endsWith` and `contains`",
        FieldType::Array => "`contains` is true where one of its texts is the one asked for",
        FieldType::Object if LISTS.contains(key) => {
            "no test looks into the objects of a list; ask for another field, as `Outcome`"
        }
        FieldType::Object => "ask for something in it by a path, as `Event.Response.Status`",
    };
    report.warn(place_of(key, place, doc), message, help);
}

/// Returns what a field holds, with an article.
fn what(name: &str, field: FieldType) -> &'static str {
    match field {
        FieldType::Int => "a number",
        FieldType::String => "a text",
        FieldType::Array => "a list of texts",
        FieldType::Object if LISTS.contains(&name) => "a list of objects",
        FieldType::Object => "an object",
    }
}

fn inside(name: &str, field: FieldType) -> String {
    format!("`{name}` is {}, and no path leads into one", what(name, field))
}

/// Returns the field whose name is nearest, if one is near.
fn nearest(name: &str) -> Option<&'static str> {
    // Comparing costs the product of the lengths; no name that is known is near one this long.
    const LONGEST: usize = 40;
    if name.len() > LONGEST {
        return None;
    }
    let distance = |known: &str| strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase());
    FIELDS
        .iter()
        .map(|(known, _)| (distance(known), *known))
        .filter(|(distance, known)| *distance <= (known.len() / 4).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
