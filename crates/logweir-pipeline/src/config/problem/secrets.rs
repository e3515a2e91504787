//! Where a file may hold secrets, so that problems do not show them.
//!
//! A destination carries its keys in its URL. So of every URL in a file, whatever key it stands at and whether the file is
//! any good, a problem shows the scheme, the host, the names of parameters, the values of a few, and of object stores the
//! path.

use super::Place;

/// The schemes whose paths are names of buckets, containers and directories.
const STORES: [&str; 5] = ["s3", "r2", "gs", "azure", "file"];

/// Parameters of destinations, and of the options of old, whose values are worth seeing and never secret.
const HARMLESS: [&str; 9] = [
    "region",
    "sse",
    "endpoint",
    "profile",
    "fields",
    "sample",
    "timestamps",
    "CVE-2021-44228",
    "CVE-2021-4428",
];

/// The stretches of a text that are not to be shown.
pub(super) struct Secrets {
    /// In order and apart from each other.
    places: Vec<Place>,
}

impl Secrets {
    /// Returns what is not to be shown of a text: what `known` has, and what stands in URLs.
    pub(super) fn of(text: &str, known: &[Place]) -> Self {
        let mut found = known.to_vec();
        for mark in ["://", ":\\/\\/"] {
            // What looks like a URL within another belongs to that one.
            let mut end = 0;
            for (at, _) in text.match_indices(mark) {
                if at >= end {
                    end = url(text, at, at + mark.len(), &mut found);
                }
            }
        }
        found.sort_by_key(|place| place.start);
        let mut places: Vec<Place> = Vec::with_capacity(found.len());
        for place in found {
            match places.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => places.push(place),
            }
        }
        Self { places }
    }

    /// Returns a piece of the text, which begins at `start`, with `*` for each character that is not to be shown.
    pub(super) fn mask(&self, start: usize, piece: &str) -> String {
        let hides = |at: usize| {
            let next = self.places.partition_point(|place| place.start <= at);
            next.checked_sub(1).is_some_and(|last| at < self.places[last].end)
        };
        piece.char_indices().map(|(at, c)| if hides(start + at) { '*' } else { c }).collect()
    }
}

/// Finds what is not to be shown of a URL whose scheme ends at `scheme_end` and whose host begins at `start`; returns where
/// the URL ends.
fn url(text: &str, scheme_end: usize, start: usize, found: &mut Vec<Place>) -> usize {
    let is_end = |c: char| matches!(c, '"' | '\'' | '`') || c.is_whitespace();
    let end = text[start..].find(is_end).map_or(text.len(), |len| start + len);
    let host_end = text[start..end].find(['/', '?', '#', '\\', '&']).map_or(end, |len| start + len);
    if let Some(len) = text[start..host_end].rfind('@') {
        found.push(Place { start, end: start + len });
    }
    let query = text[host_end..end].find('?').map_or(end, |len| host_end + len);
    let is_store = STORES.iter().any(|scheme| text[..scheme_end].ends_with(scheme));
    if !is_store || text[host_end..query].contains("://") {
        found.push(Place { start: host_end, end: query });
    }
    let mut at = query;
    while at < end {
        // What stands before the parameter: `?` or `&`.
        at += 1;
        let next = text[at..end].find('&').map_or(end, |len| at + len);
        let parameter = &text[at..next];
        let name = parameter.split_once('=').map_or("", |(name, _)| name);
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        let value = if is_name && !name.is_empty() { at + name.len() + 1 } else { at };
        if !HARMLESS.contains(&name) && !is_variable(&text[value..next]) {
            found.push(Place { start: value, end: next });
        }
        at = next;
    }
    end
}

/// Returns what of a secret stands in the file itself: all but each `${NAME}` and `${file:…}`. A default is such a secret.
pub(super) fn written_out(text: &str, secret: Place) -> Vec<Place> {
    let mut found = Vec::new();
    let mut hide = |start: usize, end: usize| {
        if !text[start..end].trim_matches(['"', '\'', ' ']).is_empty() {
            found.push(Place { start, end });
        }
    };
    let (mut hidden_from, mut at) = (secret.start, secret.start);
    while let Some(start) = text[at..secret.end].find("${").map(|len| at + len) {
        let Some(end) = text[start..secret.end].find('}').map(|len| start + len + 1) else { break };
        let reference = &text[start..end];
        // `$${` is no reference but these two characters.
        let is_reference = is_variable(reference) || reference.starts_with("${file:");
        if is_reference && !text[..start].ends_with('$') {
            hide(hidden_from, start);
            hidden_from = end;
        }
        at = end;
    }
    hide(hidden_from, secret.end);
    found
}

/// Words that the names of keys with secrets have in them.
const LIKELY: [&str; 8] = ["secret", "token", "password", "key", "sas", "auth", "credential", "header"];

/// Returns what may be secret in a text that is not understood: in each line, all behind the first key that sounds like it.
pub(super) fn likely(text: &str) -> Vec<Place> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        let behind_key = |word: &&str| {
            let at = lower.find(*word)?;
            lower[at..].find(':').map(|colon| at + colon + 1)
        };
        if let Some(at) = LIKELY.iter().filter_map(behind_key).min() {
            found.push(Place { start: start + at, end: start + line.trim_end().len().max(at) });
        }
        start += line.len();
    }
    found
}

/// Returns whether a value is one `${NAME}`, which says nothing of what it stands for.
fn is_variable(value: &str) -> bool {
    let name = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}
