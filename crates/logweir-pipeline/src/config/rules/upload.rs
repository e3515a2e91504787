//! What holds for sinks that upload batches.

use super::level;
use crate::config::problem::Report;
use crate::config::read;
use crate::config::walk::{Checked, sinks};

/// Checks the sinks that upload batches.
pub(super) fn check(root: &Checked, report: &mut Report<'_>) {
    for sink in sinks(root) {
        let Some((_, keys)) = read::kind(sink) else { continue };
        let mut wrong = Vec::new();
        read::destination(sink, &mut wrong);
        for (place, message, help) in wrong {
            report.add_with_help(place, message, help);
        }
        if let Some(upload) = keys.get("upload") {
            level(upload, "gzip", report);
            pauses(upload, report);
        }
    }
}

/// Checks that the longest pause is no shorter than the first.
fn pauses(upload: &Checked, report: &mut Report<'_>) {
    let given = |name: &str| upload.get(name).and_then(Checked::integer);
    if let (Some(first), Some(longest), Some(place)) =
        (given("first_pause"), given("longest_pause"), upload.key_place("longest_pause"))
        && longest < first
    {
        let help = "each pause may be twice as long as the one before, up to this one";
        report.add_with_help(place, "`longest_pause` is shorter than `first_pause`", help);
    }
}
