//! A filter's condition, as the tree that it is.

use logweir_pipeline::{Comparison, Judged, Judgement};

use crate::shown::{DIM, GREEN, RED, padded, shown, styled};

/// Spaces a level.
const INDENT: usize = 2;

/// Returns a condition, one line for each of its parts: whether it holds, what is asked, and what the event has.
pub(super) fn tree(judgement: &Judgement) -> String {
    let mut rows = Vec::new();
    collect(judgement, 0, &mut rows);
    let width = rows.iter().map(|row| row.asked.chars().count()).max().unwrap_or(0);
    rows.iter().map(|row| row.line(width)).collect()
}

/// One line of the tree.
struct TreeRow {
    holds: bool,
    asked: String,
    /// What the event has; nothing beside `and` and `or`.
    found: String,
    remark: String,
}

impl TreeRow {
    fn line(&self, width: usize) -> String {
        let holds = if self.holds { styled(GREEN, "true ") } else { styled(RED, "false") };
        if self.found.is_empty() {
            return format!("{holds}  {}\n", self.asked);
        }
        let remark =
            if self.remark.is_empty() { String::new() } else { styled(DIM, &format!(" ({})", self.remark)) };
        format!("{holds}  {}  {}{remark}\n", padded(&self.asked, width), self.found)
    }
}

fn collect(judgement: &Judgement, level: usize, rows: &mut Vec<TreeRow>) {
    let indent = " ".repeat(INDENT * level);
    let (name, parts) = match &judgement.condition {
        Judged::All(parts) => ("and", parts),
        Judged::Any(parts) => ("or", parts),
        Judged::Is(comparison) => {
            rows.push(TreeRow {
                holds: judgement.holds,
                asked: format!("{indent}{}", asked(comparison)),
                found: found(comparison),
                remark: comparison.remark.as_deref().map(shown).unwrap_or_default(),
            });
            return;
        }
    };
    let asked = format!("{indent}{name}");
    rows.push(TreeRow { holds: judgement.holds, asked, found: String::new(), remark: String::new() });
    for part in parts {
        collect(part, level + 1, rows);
    }
}

/// Returns a predicate as it is written, on one line.
fn asked(comparison: &Comparison) -> String {
    let written = &comparison.written;
    shown(&format!("{} {} {}", written.key, written.operator, written.value.text()))
}

/// Returns what the event has in the field of a predicate.
fn found(comparison: &Comparison) -> String {
    match &comparison.value {
        None => String::from("is missing"),
        Some(value) => format!("is {}", shown(&value.to_string())),
    }
}
