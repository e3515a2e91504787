//! What it costs that events count as delivered only once they are on the disk.

mod cost;
mod delay;
mod speed;

use super::Measured;
use crate::lab::Lab;

/// Measures the rate, the CPU at a steady rate, and how long events are on their way to the disk.
///
/// # Errors
///
/// If something cannot be run, or does not write all.
pub(super) fn measure(lab: &Lab) -> anyhow::Result<Measured> {
    let mut all = Measured::default();
    for part in [speed::measure(lab)?, cost::measure(lab)?, delay::measure(lab)?] {
        all.figures.extend(part.figures);
        all.note = if all.note.is_empty() { part.note } else { format!("{}. {}", all.note, part.note) };
        all.wrong = all.wrong.or(part.wrong);
    }
    Ok(all)
}
