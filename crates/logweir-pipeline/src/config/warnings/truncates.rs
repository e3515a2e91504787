//! Truncate stages that cut nothing, and stages that look at what has been cut.

use logweir_stages::Unit;

use super::place_of;
use crate::config::problem::Report;
use crate::config::read;
use crate::config::scalar::show_size;
use crate::config::text::{Doc, Place};
use crate::config::walk::Checked;

/// The fields that truncate changes.
pub(super) const FIELDS: [&str; 2] = ["Exceptions", "Logs"];

/// The truncate stages that an event has passed.
#[derive(Clone, Default)]
pub(super) struct Cuts(Vec<Cut>);

#[derive(Clone, Copy)]
struct Cut {
    limit: u64,
    unit: Unit,
    place: Place,
}

impl Cuts {
    /// Looks at a truncate stage that comes next.
    pub(super) fn add(
        &mut self,
        truncate: &Checked,
        place: Place,
        max_event_bytes: u64,
        doc: &Doc,
        report: &mut Report<'_>,
    ) {
        let Some((limit, unit)) = read::budget(truncate) else { return };
        let cut = Cut { limit, unit, place };
        let place = truncate.get("limit").map_or(place, |limit| limit.place);
        if limit == 0 {
            let help = "raise it; to write no texts at all, leave `Exceptions` and `Logs` out of `encode.field_names`";
            report.warn(place, "of every text nothing is left but a mark that it was cut", help);
        } else if limit >= max_event_bytes {
            // Whatever is counted takes a byte at least.
            let size = show_size(max_event_bytes);
            let help = format!(
                "`limits.max_event_bytes` is {size}, so no event has that much text: lower the limit"
            );
            report.warn(place, "this limit is never reached: nothing is cut", help);
        } else if let Some(before) = self.0.iter().find(|before| before.leaves_nothing_for(cut)) {
            let help = format!(
                "an event comes here with {} at most, which the `truncate` at {} leaves: leave one of them out",
                before.shown(),
                doc.cite(before.place)
            );
            report.warn(place, "there is nothing left to cut but marks of what has been cut", help);
        }
        self.0.push(cut);
    }

    /// Warns of keys that look at texts which may have been cut by then.
    pub(super) fn judge_keys<'k>(
        &self,
        mut keys: impl Iterator<Item = &'k str>,
        within: Place,
        doc: &Doc,
        report: &mut Report<'_>,
    ) {
        let Some(last) = self.0.last() else { return };
        if let Some(key) = keys.find(|key| FIELDS.iter().any(|field| key == field)) {
            let help = format!("put this stage before the `truncate` at {}", doc.cite(last.place));
            report.warn(place_of(key, within, doc), format!("`{key}` may have been cut by then"), help);
        }
    }
}

impl Cut {
    /// Returns whether what this one leaves is within the limit of a later one. A text has no more characters than UTF-16
    /// units, and no more of these than bytes.
    fn leaves_nothing_for(self, later: Self) -> bool {
        rank(self.unit) >= rank(later.unit) && later.limit >= self.limit
    }

    fn shown(self) -> String {
        let unit = match self.unit {
            Unit::Chars => "characters",
            Unit::Utf16 => "UTF-16 units",
            Unit::Bytes => "bytes",
        };
        format!("{} {unit} of text", self.limit)
    }
}

fn rank(unit: Unit) -> u8 {
    match unit {
        Unit::Chars => 0,
        Unit::Utf16 => 1,
        Unit::Bytes => 2,
    }
}
