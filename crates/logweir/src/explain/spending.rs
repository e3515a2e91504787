//! Where the characters of a budget went, as a table.

use std::fmt::Write as _;

use indicatif::HumanCount;
use logweir_pipeline::{Counted, Row, Spending, TextFate, Unit};

use crate::shown::{DIM, RED, YELLOW, padded, shortened, shown, styled};

/// Characters of a text that are shown in its row.
const TEXT_CHARACTERS: usize = 36;

/// What is counted, in the order in which it is paid for.
pub(super) const LISTS: [&str; 3] = ["exception names", "exception messages", "log messages"];

/// Returns what a unit is called.
pub(super) fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Chars => "characters",
        Unit::Utf16 => "UTF-16 units",
        Unit::Bytes => "bytes",
    }
}

/// Returns one line for each text, and what they come to.
pub(super) fn table(spending: &Spending) -> String {
    let unit = unit_name(spending.unit);
    let limit = HumanCount(spending.limit);
    let (rows, total, kept) = match &spending.counted {
        Counted::Short { n_bytes: 0 } => return nothing_counts(spending),
        Counted::Short { n_bytes } => {
            let n_bytes = HumanCount(*n_bytes);
            return format!(
                "not counted: its lists of texts have {n_bytes} bytes, which cannot be over the limit of {limit} {unit}\n"
            );
        }
        Counted::Texts { rows, .. } if rows.is_empty() => return nothing_counts(spending),
        Counted::Texts { rows, total, kept } => (rows, total, kept),
    };
    let [all, all_kept] = [total, kept].map(|units| units.iter().sum::<u64>());
    let rows = if spending.counted.is_over(spending.limit) { text_rows(rows, unit) } else { String::new() };
    let [shown_kept, shown_all] = [all_kept, all].map(HumanCount);
    let report =
        spending.report.as_ref().map(|field| format!("what was cut is written into {}\n", shown(field)));
    let report = report.unwrap_or_default();
    format!("{rows}kept {shown_kept} of {shown_all} {unit}, limit {limit}: {}\n{report}", sums(total, kept))
}

fn nothing_counts(spending: &Spending) -> String {
    let (limit, unit) = (HumanCount(spending.limit), unit_name(spending.unit));
    format!("there is no text that counts; the limit is {limit} {unit}\n")
}

/// Returns how much is kept of each list that has any text.
fn sums(total: &[u64; 3], kept: &[u64; 3]) -> String {
    let mut sums = Vec::new();
    for (name, (&total, &kept)) in
        LISTS.iter().zip(total.iter().zip(kept)).filter(|(_, (total, _))| **total > 0)
    {
        let of = if kept == total { String::new() } else { format!(" of {}", HumanCount(total)) };
        sums.push(format!("{name} {}{of}", HumanCount(kept)));
    }
    sums.join(", ")
}

/// Returns the rows of an event that is over its limit.
fn text_rows(rows: &[Row], unit: &str) -> String {
    let width = |cell: fn(&Row) -> usize| rows.iter().map(cell).max().unwrap_or(0);
    let path_width = width(|row| path(row).chars().count());
    let text_width = width(|row| text(row).chars().count());
    let unit_width = unit.len().max(10);
    let mut out = String::new();
    let head =
        format!("{}  {unit:>unit_width$}  {:>10}", padded("text", path_width + 2 + text_width), "spent");
    let _ = writeln!(out, "{}", styled(DIM, &head));
    for row in rows {
        let (units, spent, fate) = match row {
            Row::Text(row) => (row.units, HumanCount(row.spent).to_string(), row.fate),
            Row::More { units, fate, .. } => (*units, String::new(), *fate),
        };
        let _ = writeln!(
            out,
            "{}  {}  {:>unit_width$}  {spent:>10}  {}",
            padded(&path(row), path_width),
            padded(&text(row), text_width),
            HumanCount(units).to_string(),
            fate_name(fate)
        );
    }
    out
}

fn path(row: &Row) -> String {
    match row {
        Row::Text(row) => row.path.clone(),
        Row::More { n_texts, .. } => format!("… {} more", HumanCount(*n_texts)),
    }
}

fn text(row: &Row) -> String {
    match row {
        Row::Text(row) => shortened(&shown(row.text.text()), TEXT_CHARACTERS),
        Row::More { .. } => String::new(),
    }
}

fn fate_name(fate: TextFate) -> String {
    match fate {
        TextFate::Whole => String::from("whole"),
        TextFate::Cut(0) | TextFate::Marker => styled(YELLOW, "only a marker"),
        TextFate::Cut(kept) => styled(YELLOW, &format!("first {} and a marker", HumanCount(kept))),
        TextFate::Dropped => styled(RED, "dropped"),
    }
}
