//! What is legal and surely unwanted.
//!
//! A warning stands in the way of nothing, so it must never be wrong: what is said to hold for no event does hold for
//! none, by the rules of filters and the fields that Workers trace events are documented to have.

use logweir_stages::FilterConfig;

use super::problem::Report;
use super::rules::is_enabled;
use super::text::{Doc, Place};
use super::walk::{Checked, Value};

mod fields;
mod filters;
mod truncates;

use filters::Passed;
use truncates::Cuts;

/// Looks for what is surely unwanted in one file.
pub(super) fn check(root: &Checked, doc: &Doc, report: &mut Report<'_>) {
    let max_event_bytes = super::read::limits(root.get("limits")).unwrap_or_default().max_event_bytes;
    let mut checker = Checker { doc, report, max_event_bytes: max_event_bytes as u64 };
    let shared = checker.stages(root.get("stages"), Way::default());
    checker.fields_written(root.get("encode"));
    for output in root.get("outputs").map_or(&[][..], Checked::items) {
        // Who samples for all outputs has no other place for a filter of one of them.
        checker.stages(output.get("stages"), Way { sample: None, ..shared.clone() });
        checker.fields_written(output.get("encode"));
    }
    for job in root.get("jobs").map_or(&[][..], Checked::items).iter().filter(|job| is_enabled(job)) {
        check_job(job, doc, report);
    }
    admin(root, report);
}

/// Looks for what is surely unwanted in a Logpush job.
pub(super) fn check_job(job: &Checked, doc: &Doc, report: &mut Report<'_>) {
    let Some(filter) = job.get("filter") else { return };
    if let Value::JobFilter(written) = &filter.value
        && let Ok(config) = FilterConfig::from_term(&written.term)
    {
        let mut passed = Passed::default();
        passed.filter(&config, filter.place, doc, report);
    }
}

/// What lies between the source and a stage.
#[derive(Clone, Default)]
struct Way<'c> {
    passed: Passed<'c>,
    cuts: Cuts,
    /// Where events are sampled, if nothing has been cut since.
    sample: Option<Place>,
    /// The field that the last sample writes into events.
    weight: Option<&'c str>,
}

struct Checker<'r, 'd> {
    doc: &'r Doc,
    report: &'r mut Report<'d>,
    max_event_bytes: u64,
}

impl Checker<'_, '_> {
    /// Looks at the stages of a list, which come after `way`; returns the way behind them.
    fn stages<'c>(&mut self, list: Option<&'c Checked>, mut way: Way<'c>) -> Way<'c> {
        for stage in list.map_or(&[][..], Checked::items) {
            if let (Some(filter), Some(place)) = (stage.get("filter"), stage.key_place("filter")) {
                self.filter(filter, place, &mut way);
            } else if let (Some(sample), Some(place)) = (stage.get("sample"), stage.key_place("sample")) {
                self.sample(sample, place, &mut way);
            } else if let (Some(truncate), Some(place)) = (stage.get("truncate"), stage.key_place("truncate"))
            {
                way.cuts.add(truncate, place, self.max_event_bytes, self.doc, self.report);
                way.passed.forget(&truncates::FIELDS);
                way.passed.forget_written(truncate.get("report"));
                fields::of_written(truncate.get("report"), self.report);
                way.sample = None;
            }
        }
        way
    }

    fn filter<'c>(&mut self, filter: &'c Checked, place: Place, way: &mut Way<'c>) {
        let Value::Filter(config) = &filter.value else { return };
        fields::of_filter(config, filter.place, self.doc, self.report);
        way.cuts.judge_keys(
            config.asked().iter().map(|asked| asked.key),
            filter.place,
            self.doc,
            self.report,
        );
        way.passed.filter(config, place, self.doc, self.report);
        // A filter that looks at what the sample has written must stand behind it.
        let written = way.weight;
        let looks_at_weight =
            |key: &str| written.is_some_and(|name| key == name || key.split('.').next() == Some(name));
        let is_behind = config.asked().iter().any(|asked| looks_at_weight(asked.key));
        if let Some(sample) = way.sample.take().filter(|_| !is_behind) {
            let help = format!(
                "put this filter before the `sample` at {}: the same events come through, none is hashed in vain, and \
                 what is sampled out is counted of those that are wanted",
                self.doc.cite(sample)
            );
            self.report.warn(place, "events are sampled before this filter has chosen among them", help);
        }
    }

    fn sample<'c>(&mut self, sample: &'c Checked, place: Place, way: &mut Way<'c>) {
        if let Some(key) = sample.get("key")
            && let Some(name) = key.text()
        {
            fields::of_key(name, key.place, self.doc, self.report);
            way.cuts.judge_keys(std::iter::once(name), key.place, self.doc, self.report);
        }
        if let Some(always) = sample.get("always_keep")
            && let Value::Filter(config) = &always.value
        {
            fields::of_filter(config, always.place, self.doc, self.report);
            let place = sample.key_place("always_keep").unwrap_or(always.place);
            way.passed.always_keep(config, place, self.report);
        }
        self.rates(sample, way);
        self.whole_rate(sample);
        way.passed.forget_written(sample.get("weight_field"));
        fields::of_written(sample.get("weight_field"), self.report);
        way.sample = Some(place);
        way.weight = sample.get("weight_field").and_then(Checked::text);
    }

    /// Looks at the strata of a sample, of which the first that holds counts.
    fn rates(&mut self, sample: &Checked, way: &Way<'_>) {
        let mut before: Vec<&FilterConfig> = Vec::new();
        let rates = sample.get("rates").map_or(&[][..], Checked::items);
        for stratum in sample.get("always_keep").into_iter().chain(rates) {
            let condition = stratum.get("where").unwrap_or(stratum);
            let Value::Filter(config) = &condition.value else { continue };
            // What spares events has been looked at.
            if stratum.get("where").is_some() {
                fields::of_filter(config, condition.place, self.doc, self.report);
                let place = stratum.key_place("where").unwrap_or(condition.place);
                way.passed.stratum(config, &before, place, self.report);
            }
            before.push(config);
        }
    }

    /// Warns of sampling that keeps everything, unless a variable says so, which may say another thing elsewhere.
    fn whole_rate(&mut self, sample: &Checked) {
        let Some(rate) = sample.get("rate") else { return };
        let is_all = matches!(rate.value, Value::Rate(share) if share >= 1.0);
        let is_alone = ["rates", "weight_field"].iter().all(|key| sample.key_place(key).is_none());
        if is_all && is_alone && !self.doc.slice(rate.place).contains("${") {
            let help = "write the share to keep, as 0.1; or leave the stage out";
            self.report.warn(rate.place, "a rate of 1 keeps every event: nothing is sampled out", help);
        }
    }

    fn fields_written(&mut self, encode: Option<&Checked>) {
        let names = encode.and_then(|encode| encode.get("field_names")).map_or(&[][..], Checked::items);
        for name in names {
            if let Some(text) = name.text() {
                fields::of_name(text, name.place, self.report);
            }
        }
    }
}

/// Notes that others than this machine can look in; for somebody who scrapes metrics from elsewhere that is as it should
/// be.
fn admin(root: &Checked, report: &mut Report<'_>) {
    let Some(admin) = root.get("admin") else { return };
    let redacted = admin.get("tap").and_then(|tap| tap.get("redact"));
    for field in redacted.map_or(&[][..], Checked::items) {
        if let Some(path) = field.text() {
            fields::of_hidden(path, field.place, report);
        }
    }
    let Some(listen) = admin.get("listen") else { return };
    if let Value::Address(address) = listen.value
        && !address.ip().is_loopback()
    {
        let message =
            "whoever reaches this address can read metrics and health: keep others away by a firewall";
        report.note(listen.place, message);
    }
}

/// Returns where a name is written in a stretch of the file, all of which where it cannot be found.
fn place_of(name: &str, within: Place, doc: &Doc) -> Place {
    let is_part = |c: char| c.is_alphanumeric() || c == '.' || c == '_';
    let text = doc.slice(within);
    let stands_alone =
        |at: &usize| !text[..*at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part);
    let found = text.match_indices(name).map(|(at, _)| at).find(stands_alone);
    match found {
        Some(at) if !name.is_empty() => {
            Place { start: within.start + at, end: within.start + at + name.len() }
        }
        _ => within,
    }
}
