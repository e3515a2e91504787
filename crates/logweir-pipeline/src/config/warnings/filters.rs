//! Filters that drop everything, or nothing.

use logweir_stages::{FilterConfig, Verdict};

use crate::config::problem::Report;
use crate::config::text::{Doc, Place};
use crate::config::walk::Checked;

/// The filters that an event has passed, each with its place.
#[derive(Clone, Default)]
pub(super) struct Passed<'c> {
    filters: Vec<(&'c FilterConfig, Place)>,
    /// Whether one of them lets nothing through, so that nothing more is to be said.
    is_nothing_left: bool,
}

impl<'c> Passed<'c> {
    /// Looks at a filter that comes next.
    pub(super) fn filter(
        &mut self,
        filter: &'c FilterConfig,
        place: Place,
        doc: &Doc,
        report: &mut Report<'_>,
    ) {
        if self.is_nothing_left {
            return;
        }
        let verdict = match filter.verdict() {
            Verdict::Depends => self.verdict(filter),
            alone => {
                Self::alone(alone, place, report);
                alone
            }
        };
        if filter.verdict() == Verdict::Depends && verdict != Verdict::Depends {
            self.after_others(filter, verdict, place, doc, report);
        }
        self.is_nothing_left |= verdict == Verdict::Never;
        self.filters.push((filter, place));
    }

    /// Looks at a filter that spares events from sampling.
    pub(super) fn always_keep(&self, filter: &FilterConfig, place: Place, report: &mut Report<'_>) {
        if self.is_nothing_left {
            return;
        }
        let (message, help) = match self.verdict(filter) {
            Verdict::Depends => return,
            Verdict::Never => (
                "`always_keep` holds for no event that comes here: it spares none",
                "look for conditions that exclude each other, here and in the filters before; or leave it out",
            ),
            Verdict::Always => (
                "`always_keep` holds for every event that comes here: nothing is sampled out",
                "write a condition that holds for those alone that must not be lost",
            ),
        };
        report.warn(place, message, help);
    }

    /// Looks at a condition that counts only where none of those `before` it holds.
    pub(super) fn stratum(
        &self,
        filter: &FilterConfig,
        before: &[&FilterConfig],
        place: Place,
        report: &mut Report<'_>,
    ) {
        let given: Vec<_> = self.filters.iter().map(|(earlier, _)| *earlier).collect();
        if !self.is_nothing_left && !filter.can_hold(&given, before) {
            let help = "the first condition that holds counts: put this one before those that take in more, or leave it out";
            report.warn(place, "this rate is for no event: none that comes here is left for it", help);
        }
    }

    /// Forgets the filters that ask for one of these fields, which have changed.
    pub(super) fn forget(&mut self, fields: &[&str]) {
        let asks = |filter: &FilterConfig| {
            filter.asked().iter().any(|asked| fields.iter().any(|field| asked.key.starts_with(field)))
        };
        self.filters.retain(|(filter, _)| !asks(filter));
    }

    /// Forgets the filters that ask for the field of this name, which a stage has written.
    pub(super) fn forget_written(&mut self, name: Option<&Checked>) {
        if let Some(name) = name.and_then(Checked::text) {
            self.forget(&[name]);
        }
    }

    fn verdict(&self, filter: &FilterConfig) -> Verdict {
        let earlier: Vec<_> = self.filters.iter().map(|(earlier, _)| *earlier).collect();
        filter.verdict_after(&earlier)
    }

    fn alone(verdict: Verdict, place: Place, report: &mut Report<'_>) {
        if verdict == Verdict::Never {
            let help =
                "its conditions exclude each other; where one of several is to hold, join them with `or`";
            report.warn(place, "this filter holds for no event: nothing comes through", help);
        } else {
            let help =
                "what one condition leaves out another takes in; where all are to hold, join them with `and`";
            report.warn(place, "this filter holds for every event: it drops nothing", help);
        }
    }

    fn after_others(
        &self,
        filter: &FilterConfig,
        verdict: Verdict,
        place: Place,
        doc: &Doc,
        report: &mut Report<'_>,
    ) {
        let culprit = self.filters.iter().find(|(earlier, _)| filter.verdict_after(&[earlier]) == verdict);
        let those = match culprit {
            Some((_, place)) => format!("the filter at {}", doc.cite(*place)),
            None => String::from("the filters before it"),
        };
        if verdict == Verdict::Never {
            let message = format!("nothing comes through: {those} drops all that this one would keep");
            let message = if culprit.is_some() { message } else { message.replace("drops", "drop") };
            report.warn(
                place,
                message,
                "an event has to pass all filters on its way; join conditions with `or` in one",
            );
        } else {
            let message = format!("this filter drops nothing: {those} has dropped all that it would");
            let message =
                if culprit.is_some() { message } else { message.replace("has dropped", "have dropped") };
            report.warn(place, message, "leave it out, or look whether it says what it should");
        }
    }
}
