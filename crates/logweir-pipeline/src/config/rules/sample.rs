//! What weights mean beside other samples, and beside what is written of an event.

use crate::config::problem::Report;
use crate::config::walk::Checked;

/// Says where the weights that a pipeline writes come out wrong, or do not come out.
pub(super) fn check(root: &Checked, report: &mut Report<'_>) {
    let shared = stages(root);
    correlated(&[], shared, report);
    weight_is_written(root, shared, &[], report);
    for output in root.get("outputs").map_or(&[][..], Checked::items) {
        correlated(shared, stages(output), report);
        weight_is_written(output, shared, stages(output), report);
    }
}

fn stages(part: &Checked) -> &[Checked] {
    part.get("stages").map_or(&[][..], Checked::items)
}

/// Warns of each of `stages`, which come after those in `before`, that draws by the same hashes as one ahead of it. Of the
/// events that come to it all have low hashes, so it keeps more of them than its rate says.
fn correlated(before: &[Checked], stages: &[Checked], report: &mut Report<'_>) {
    let samples = |stages| <[Checked]>::iter(stages).filter_map(|stage| stage.get("sample"));
    let mut ahead: Vec<&Checked> = samples(before).collect();
    for sample in samples(stages) {
        let place = ["seed", "weight_field", "rate"].iter().find_map(|key| sample.key_place(key));
        if let Some(place) = place
            && ahead.iter().any(|other| draws_alike(other, sample))
        {
            report.warn(
                place,
                "same `key` and `seed` as a `sample` before: this one decides on the same hashes, so it keeps another share than its \
                 rate says",
                "give it another `seed`",
            );
        }
        ahead.push(sample);
    }
}

/// Returns the samples that write weights.
fn weighing(stages: &[Checked]) -> impl Iterator<Item = &Checked> {
    let samples = stages.iter().filter_map(|stage| stage.get("sample"));
    samples.filter(|sample| sample.get("weight_field").is_some())
}

fn draws_alike(one: &Checked, other: &Checked) -> bool {
    let key = |sample: &Checked| sample.get("key").map(|key| key.text().map(str::to_owned));
    let seed = |sample: &Checked| sample.get("seed").map_or(Some(0), Checked::integer);
    key(one) == key(other) && seed(one) == seed(other)
}

/// Warns where an encoding leaves out a weight that was written.
fn weight_is_written(part: &Checked, shared: &[Checked], own: &[Checked], report: &mut Report<'_>) {
    let Some(encode) = part.get("encode") else { return };
    let (Some(names), Some(place)) = (encode.get("field_names"), encode.key_place("field_names")) else {
        return;
    };
    let is_named = |name: &str| names.items().iter().any(|item| item.text() == Some(name));
    let mut fields =
        weighing(shared).chain(weighing(own)).filter_map(|sample| sample.get("weight_field")?.text());
    if fields.any(|field| !is_named(field)) {
        report.warn(
            place,
            "`field_names` leaves out the `weight_field` of `sample`: nobody can tell how many events each stands for",
            "add it to the names",
        );
    }
}
