//! What the reports of truncate mean beside each other, and beside what is written of an event.

use crate::config::keys::MAX_REPORTS;
use crate::config::problem::Report;
use crate::config::walk::Checked;

/// Says where a pipeline writes more reports into events than there is room for, or writes them for nobody.
pub(super) fn check(root: &Checked, report: &mut Report<'_>) {
    let shared = reporting(root);
    too_many(0, &shared, report);
    is_no_weight(&[], root, report);
    is_written(root, &shared, &[], report);
    for output in root.get("outputs").map_or(&[][..], Checked::items) {
        let own = reporting(output);
        too_many(shared.len(), &own, report);
        is_no_weight(stages(root), output, report);
        is_written(output, &shared, &own, report);
    }
}

fn stages(part: &Checked) -> &[Checked] {
    part.get("stages").map_or(&[][..], Checked::items)
}

/// Returns the truncate stages of a pipeline or output that report.
fn reporting(part: &Checked) -> Vec<&Checked> {
    let truncates = stages(part).iter().filter_map(|stage| stage.get("truncate"));
    truncates.filter(|truncate| truncate.key_place("report").is_some()).collect()
}

/// Reports the first of these stages, which come after `before` others, that is too many on the way to an output.
fn too_many(before: usize, stages: &[&Checked], report: &mut Report<'_>) {
    // Where the shared stages alone are too many, that has been said.
    let first = MAX_REPORTS.checked_sub(before).and_then(|room| stages.get(room));
    if let Some(place) = first.and_then(|truncate| truncate.key_place("report")) {
        let message = format!("this is report {} on the way to an output", MAX_REPORTS + 1);
        let help =
            format!("at most {MAX_REPORTS}: what they add to the events of a chunk has to fit beside it");
        report.add_with_help(place, message, help);
    }
}

/// Reports each report or weight of a pipeline or output that takes the field of a weight or report ahead of it, in
/// `before` or in the part itself.
fn is_no_weight(before: &[Checked], part: &Checked, report: &mut Report<'_>) {
    let mut ahead: Vec<(&str, &str)> =
        before.iter().filter_map(written).map(|(by, name, _)| (by, name)).collect();
    for (by, name, field) in stages(part).iter().filter_map(written) {
        if ahead.iter().any(|&(other, taken)| taken == name && other != by) {
            let message = format!(
                "another stage writes `{name}` already: a `report` and a weight take each other's place"
            );
            report.add_with_help(field.place, message, "give one of them another name");
        }
        ahead.push((by, name));
    }
}

/// Returns what a stage writes into an event: by which of its keys, the name of the field, and where that is given.
fn written(stage: &Checked) -> Option<(&'static str, &str, &Checked)> {
    let report = || Some(("report", stage.get("truncate")?.get("report")?));
    let weight = || Some(("weight_field", stage.get("sample")?.get("weight_field")?));
    let (by, field) = report().or_else(weight)?;
    Some((by, field.text()?, field))
}

/// Warns where an encoding leaves out a report that was written.
fn is_written(part: &Checked, shared: &[&Checked], own: &[&Checked], report: &mut Report<'_>) {
    let Some(encode) = part.get("encode") else { return };
    let (Some(names), Some(place)) = (encode.get("field_names"), encode.key_place("field_names")) else {
        return;
    };
    let is_named = |name: &str| names.items().iter().any(|item| item.text() == Some(name));
    let mut fields = shared.iter().chain(own).filter_map(|truncate| truncate.get("report")?.text());
    if let Some(field) = fields.find(|field| !is_named(field)) {
        report.warn(
            place,
            format!(
                "`field_names` leaves out `{field}`, the `report` of `truncate`: nobody can tell what was cut"
            ),
            "add it to the names",
        );
    }
}
