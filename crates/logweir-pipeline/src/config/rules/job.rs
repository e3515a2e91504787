//! What holds for a Logpush job, as its API has it.

use super::{Reading, encode, job_filter, reading};
use crate::config::Limits;
use crate::config::dataset::{FIELDS, FieldType, WORKERS};
use crate::config::problem::Report;
use crate::config::read::{self, job_encode, job_names};
use crate::config::text::{Doc, Place};
use crate::config::walk::{Checked, Inside, Value, nearest};

/// The dataset of a job that names none.
const DEFAULT_DATASET: &str = "http_requests";

/// Checks the jobs of a file, each by itself and with the others.
pub(super) fn check(root: &Checked, doc: &Doc, report: &mut Report<'_>) {
    let Some(jobs) = root.get("jobs") else { return };
    let limits = read::limits(root.get("limits")).unwrap_or_default();
    for job in jobs.items() {
        check_job(job, &limits, doc, report);
    }
    names(root, doc, report);
    let mut enabled = jobs.items().iter().filter(|job| is_enabled(job));
    let is_stdin = root.get("source").is_some_and(|source| source.get("stdin").is_some());
    if is_stdin
        && reading(root) == Some(Reading::Once)
        && let Some(second) = enabled.nth(1)
    {
        let help = "read files, which each job reads for itself, or run each job in a process of its own";
        report.add_with_help(
            second.place,
            "the standard input feeds one job only, and this is a second",
            help,
        );
    }
}

/// Returns whether a job is to run. Here it is unless it says no, so that a job that is pasted runs.
pub(in crate::config) fn is_enabled(job: &Checked) -> bool {
    job.get("enabled").and_then(Checked::bool) != Some(false)
}

/// Says of jobs that cannot have their name what they are called.
fn names(root: &Checked, doc: &Doc, report: &mut Report<'_>) {
    for name in job_names(root, doc).unwrap_or_default() {
        if name.is_numbered {
            report.note(
                name.place,
                format!("another job has this name, so this one is called `{}`", name.name),
            );
        }
    }
}

/// Checks one job.
pub(in crate::config) fn check_job(job: &Checked, limits: &Limits, doc: &Doc, report: &mut Report<'_>) {
    if !matches!(job.value, Value::Map(_)) {
        return;
    }
    notes(job, report);
    let dataset = job.get("dataset").map_or(Some(DEFAULT_DATASET), Checked::text);
    if let Some(Value::JobFilter(filter)) = job.get("filter").map(|filter| &filter.value) {
        let place = job.get("filter").map_or(job.place, |filter| filter.place);
        job_filter::check(filter, place, dataset == Some(WORKERS), doc, report);
    }
    if let Some(options) = job.get("output_options") {
        output_options(options, dataset, report);
        if let Some(config) = job_encode(job) {
            encode::problems(&config, options, limits, report);
        }
    } else if let Some(options) = job.get("logpull_options")
        && dataset == Some(WORKERS)
    {
        logpull_fields(options, doc, report);
    }
}

/// Says what of a job is good and has another effect than may be thought.
fn notes(job: &Checked, report: &mut Report<'_>) {
    let given = |name: &str| job.get(name).and_then(|_| job.key_place(name));
    if !is_enabled(job)
        && let Some(place) = given("enabled")
    {
        report.note(place, "this job is not enabled, so it does not run");
    }
    if let (Some(_), Some(place)) = (given("output_options"), given("logpull_options")) {
        report.note(place, "`logpull_options` are ignored beside `output_options`");
    }
    if given("dataset").is_none() {
        let message = format!(
            "no `dataset`, so it is `{DEFAULT_DATASET}` as at the API, of which neither fields nor filter are checked"
        );
        report.note(job.place, message);
    }
    if job.get("frequency").and_then(Checked::text) == Some("low")
        && let Some(place) = given("frequency")
    {
        report.note(place, "`frequency` has no effect; `max_upload_*` say how large batches are");
    }
}

fn output_options(options: &Checked, dataset: Option<&str>, report: &mut Report<'_>) {
    if dataset == Some(WORKERS) {
        for name in options.get("field_names").map_or(&[][..], Checked::items) {
            if let Some(text) = name.text() {
                field(text, name.place, report);
            }
        }
    }
    if options.get("CVE-2021-44228").is_some()
        && let Some(place) =
            options.key_place("CVE-2021-4428").filter(|_| options.get("CVE-2021-4428").is_some())
    {
        report.add_with_help(place, "this is given twice", "leave `CVE-2021-44228`, and this one out");
    }
    if options.get("merge_subrequests").and_then(Checked::bool) == Some(true)
        && let Some(place) = options.key_place("merge_subrequests")
    {
        if dataset.is_none_or(|dataset| dataset == DEFAULT_DATASET) {
            report.note(place, "`merge_subrequests` has no effect: what is read is delivered as it is");
        } else {
            let message = format!("`merge_subrequests` goes only with the dataset `{DEFAULT_DATASET}`");
            report.add_with_help(place, message, "leave it out");
        }
    }
}

/// Checks the fields of options of old.
fn logpull_fields(options: &Checked, doc: &Doc, report: &mut Report<'_>) {
    let Value::LogpullOptions(read) = &options.value else { return };
    let inside = Inside::of(doc, options.place, read.text());
    for (name, at) in read.fields.iter().flatten() {
        let place = inside.as_ref().map_or(options.place, |inside| inside.place(at.clone()));
        field(name, place, report);
    }
}

/// Checks that a field is one of the dataset's.
fn field(name: &str, place: Place, report: &mut Report<'_>) {
    if FieldType::of(name).is_some() {
        return;
    }
    let message = format!("`{WORKERS}` has no such field");
    let help = match nearest(FIELDS.iter().map(|(field, _)| *field), name) {
        Some(near) => format!("did you mean `{near}`?"),
        None => known_fields(),
    };
    report.add_with_help(place, message, help);
}

/// Returns what fields there are, as a sentence lists them.
pub(super) fn known_fields() -> String {
    let names: Vec<_> = FIELDS.iter().map(|(field, _)| *field).collect();
    format!("it has {}", names.join(", "))
}
