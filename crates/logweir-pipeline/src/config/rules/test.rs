//! What holds for the tests of a pipeline, besides their form.

use std::collections::HashMap;

use crate::config::problem::Report;
use crate::config::read::{self, job_names};
use crate::config::shape::listed;
use crate::config::text::{Doc, Place};
use crate::config::walk::{Checked, nearest};

/// What a test looks at, by its indices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::config) struct TestTarget {
    pub(in crate::config) pipeline: usize,
    pub(in crate::config) output: usize,
}

/// Why a test looks at nothing.
enum NoTarget {
    /// For a reason that has been reported.
    Known,
    /// For this reason, with its place, and what would be right.
    Wrong(Place, String, String),
}

/// Checks the tests in a file (`tests`), which are of a pipeline in the same file or another (`root`).
pub(in crate::config) fn check_tests(
    tests: &Checked,
    doc: &Doc,
    root: &Checked,
    root_doc: &Doc,
    report: &mut Report<'_>,
) {
    let mut names: HashMap<&str, Place> = HashMap::new();
    for test in tests.get("tests").map_or(&[][..], Checked::items) {
        for target in [job(test, root, root_doc), output(test, root)] {
            if let Err(NoTarget::Wrong(place, message, help)) = target {
                report.add_with_help(place, message, help);
            }
        }
        let Some((name, text)) = test.get("name").and_then(|name| Some((name, name.text()?))) else {
            continue;
        };
        if let Some(first) = names.get(text) {
            let (line, column) = doc.line_and_column(first.start);
            let help = format!("say how they differ; the other is at line {line}, column {column}");
            report.add_with_help(name.place, "two tests have this name", help);
        } else {
            names.insert(text, name.place);
        }
    }
}

/// Returns what a test of a pipeline file looks at; `None` if that is wrong, which has been reported.
pub(in crate::config) fn test_target(test: &Checked, root: &Checked, doc: &Doc) -> Option<TestTarget> {
    Some(TestTarget { pipeline: job(test, root, doc).ok()?, output: output(test, root).ok()? })
}

fn job(test: &Checked, root: &Checked, doc: &Doc) -> Result<usize, NoTarget> {
    if root.get("jobs").is_none() {
        return one_of("job", &[], test);
    }
    let prefix = format!("{}.", read::name(root, doc).ok_or(NoTarget::Known)?);
    let names = job_names(root, doc).ok_or(NoTarget::Known)?.into_iter().map(|job| job.name);
    // A job may be called as its pipeline is, or as it is called itself.
    let names = names.map(|name| [String::from(name.strip_prefix(&prefix).unwrap_or(&name)), name]);
    one_of("job", &names.collect::<Vec<_>>(), test)
}

fn output(test: &Checked, root: &Checked) -> Result<usize, NoTarget> {
    let outputs = root.get("outputs").map_or(&[][..], Checked::items);
    let name = |output: &Checked| {
        let name = output.get("name")?.text()?;
        Some([name.to_owned(), name.to_owned()])
    };
    let names: Option<Vec<_>> = outputs.iter().map(name).collect();
    one_of("output", &names.ok_or(NoTarget::Known)?, test)
}

/// Returns which of the known ones the key of a test names; without the key the only one there is.
fn one_of(key: &str, known: &[[String; 2]], test: &Checked) -> Result<usize, NoTarget> {
    let names = || known.iter().map(|[name, _]| name.as_str());
    let Some(given) = test.get(key) else {
        if known.len() <= 1 {
            return Ok(0);
        }
        let help = format!("write `{key}: {}`, or another one of {}", known[0][0], listed(names(), "and"));
        let message = format!("there are several `{key}s`: say which one is tested");
        return Err(NoTarget::Wrong(test.place, message, help));
    };
    let name = given.text().ok_or(NoTarget::Known)?;
    if known.is_empty() {
        let message = format!("this pipeline has no `{key}s`");
        return Err(NoTarget::Wrong(given.place, message, format!("leave `{key}` out")));
    }
    known.iter().position(|names| names.iter().any(|known| known == name)).ok_or_else(|| {
        let help = match nearest(names(), name) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there is {}", listed(names(), "and")),
        };
        NoTarget::Wrong(given.place, format!("no {key} has this name"), help)
    })
}
