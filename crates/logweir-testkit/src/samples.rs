//! Real events and worked cases that ship with the project.

use crate::oracle::json::{Node, parse};

/// Events of a real Workers runtime, in the dataset's form: a varied choice, with lone surrogates, integers beyond
/// 64 bits, and some over the default limit of 16,384 characters. One event a line, none malformed.
pub const EVENTS: &[u8] = include_bytes!("../data/events.ndjson");

/// The deepest real event, over 3,000 levels, and a made one of 20,000.
pub const DEEP: &[u8] = include_bytes!("../data/deep.ndjson");

/// The worked example of Cloudflare's documentation, to be cut to 50 characters.
pub const EXAMPLE_IN: &[u8] = include_bytes!("../data/seed-example.in.ndjson");

/// What becomes of [`EXAMPLE_IN`], up to white space and the spelling of strings.
pub const EXAMPLE_OUT: &[u8] = include_bytes!("../data/seed-example.out.ndjson");

/// An event before and after it was cut, worked out by an independent reference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TruncateCase {
    /// What the case shows.
    pub name: String,
    /// The budget in characters.
    pub limit: usize,
    /// The event before.
    pub input: String,
    /// The event after, up to white space and the spelling of strings.
    pub output: String,
}

/// Returns all worked cases of cutting.
///
/// # Panics
///
/// If the file that ships with this crate is damaged.
pub fn truncate_cases() -> Vec<TruncateCase> {
    include_str!("../data/truncate-cases.ndjson").lines().map(truncate_case).collect()
}

fn truncate_case(line: &str) -> TruncateCase {
    let case = parse(line.as_bytes()).expect("a case is JSON");
    let field = |name: &str| case.get(name).expect("a case has all fields");
    let text = |field: Node| {
        let text = field.text().expect("a text of a case is a string");
        String::from_utf8(text.to_wtf8()).expect("a text of a case has no lone surrogates")
    };
    TruncateCase {
        name: text(field("name")),
        limit: field("limit").raw().parse().expect("a limit is an integer"),
        input: text(field("input")),
        output: text(field("output")),
    }
}
