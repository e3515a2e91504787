//! Takes out of a file what tests and explanations of its stages, or those who look for its admin endpoint, do not depend
//! on.

use super::problem::Report;
use super::text::Place;
use super::tree::{Entry, Kind, Node};
use super::variables;

/// Which jobs of a file are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jobs {
    /// Those that are enabled.
    Enabled,
    /// All of them, as if they were enabled.
    All,
}

/// Puts stand-ins for all that stages do not depend on, the tests of the file included.
pub(super) fn reduce_to_stages(root: &mut Node, jobs: Jobs, report: &mut Report<'_>) {
    if let Kind::Map(entries) = &mut root.kind {
        remove(entries, &["tests"], report);
    }
    reduce(root, jobs, report);
}

/// Puts stand-ins for all that tests do not depend on. Jobs that are not enabled are tested like the others.
pub(super) fn reduce_to_tests(root: &mut Node, report: &mut Report<'_>) {
    reduce(root, Jobs::All, report);
}

/// Puts stand-ins for the source, the sinks and all else that stages do not depend on, so that what is wrong there, or not
/// to be had on this machine, stands in the way of nobody who asks what the stages do.
fn reduce(root: &mut Node, jobs: Jobs, report: &mut Report<'_>) {
    let Kind::Map(entries) = &mut root.kind else { return };
    let has_jobs = entries.iter().any(|entry| entry.key == "jobs");
    remove(entries, &["admin", "shutdown"], report);
    if !has_jobs {
        // What is read once has none.
        remove(entries, &["state_dir"], report);
    }
    for entry in entries {
        match entry.key.as_str() {
            "source" => replace(entry, source, report),
            "sink" => replace(entry, sink, report),
            "dead_letter" => replace(entry, dead_letter, report),
            "state_dir" => replace(entry, |place| text(place, "unused"), report),
            "outputs" => for_each_map(&mut entry.value, |output| {
                for entry in output.iter_mut().filter(|entry| entry.key == "sink") {
                    replace(entry, sink, report);
                }
            }),
            "jobs" => for_each_map(&mut entry.value, |job| {
                remove(job, &["ownership_challenge"], report);
                if jobs == Jobs::All {
                    remove(job, &["enabled"], report);
                }
                for entry in job.iter_mut().filter(|entry| entry.key == "destination_conf") {
                    replace(entry, |place| text(place, "file:///unused"), report);
                }
            }),
            _ => {}
        }
    }
}

/// Leaves of a file what tells where its admin endpoint is, with a source and a sink that stand in for its own. A token that
/// cannot be had here is left out, as it may be given otherwise.
pub(super) fn reduce_to_admin(
    root: &mut Node,
    env: &dyn Fn(&str) -> Option<String>,
    report: &mut Report<'_>,
) {
    let Kind::Map(entries) = &mut root.kind else { return };
    let others: Vec<String> =
        entries.iter().map(|entry| entry.key.clone()).filter(|key| key != "admin").collect();
    remove(entries, &others.iter().map(String::as_str).collect::<Vec<_>>(), report);
    if let Some(Entry { value: Node { kind: Kind::Map(admin), .. }, .. }) = entries.first_mut() {
        let is_token_here =
            admin.iter().filter(|entry| entry.key == "token").all(|entry| match &entry.value.kind {
                Kind::Scalar { text, .. } => variables::replace(text, env).is_ok(),
                _ => true,
            });
        remove(admin, if is_token_here { &["tap"] } else { &["tap", "token"] }, report);
    }
    let entry = |key, value| Entry { key: String::from(key), key_place: root.place, value };
    entries.push(entry("source", source(root.place)));
    entries.push(entry("sink", sink(root.place)));
}

fn for_each_map(list: &mut Node, mut each: impl FnMut(&mut Vec<Entry>)) {
    let Kind::List(items) = &mut list.kind else { return };
    for item in items {
        if let Kind::Map(entries) = &mut item.kind {
            each(entries);
        }
    }
}

/// Takes keys out, and has nothing of their values shown: nobody has said yet which of them are secret.
fn remove(entries: &mut Vec<Entry>, keys: &[&str], report: &mut Report<'_>) {
    entries.retain(|entry| {
        let is_unused = keys.contains(&entry.key.as_str());
        if is_unused {
            report.hide(entry.value.place);
        }
        !is_unused
    });
}

/// Puts something else for a value, of which nothing is shown either.
fn replace(entry: &mut Entry, stand_in: impl Fn(Place) -> Node, report: &mut Report<'_>) {
    report.hide(entry.value.place);
    entry.value = stand_in(entry.value.place);
}

/// Returns a source that any number of jobs may have; nobody reads it.
fn source(place: Place) -> Node {
    let include = Node { place, kind: Kind::List(vec![text(place, "unused")]) };
    let file = map(place, vec![("include", include), ("read", text(place, "once"))]);
    map(place, vec![("file", file)])
}

/// Returns a sink that takes whatever is written.
fn sink(place: Place) -> Node {
    map(place, vec![("null", map(place, Vec::new()))])
}

/// Returns where nothing is ever written.
fn dead_letter(place: Place) -> Node {
    let file = map(place, vec![("path", text(place, "unused.dead")), ("max_bytes", text(place, "1 MB"))]);
    map(place, vec![("file", file)])
}

fn map(place: Place, members: Vec<(&str, Node)>) -> Node {
    let entry = |(key, value)| Entry { key: String::from(key), key_place: place, value };
    Node { place, kind: Kind::Map(members.into_iter().map(entry).collect()) }
}

fn text(place: Place, text: &str) -> Node {
    Node { place, kind: Kind::Scalar { text: text.to_owned(), plain: false } }
}
