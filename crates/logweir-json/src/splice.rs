//! An event with its edits made.

use logweir_event::{Batch, Edits};

/// Appends `line` to `out` with the edits made.
///
/// `origin` is where the line starts in what the edits' spans count through. The edits are in order of place
/// ([`Edits::sort`]).
///
/// # Panics
///
/// If an edit lies outside of the line or the edits are not in order, which is an error of the stage that made them.
pub fn splice(line: &[u8], origin: usize, edits: &Edits, out: &mut Vec<u8>) {
    let mut at = 0;
    for (removed, text) in edits.iter() {
        out.extend_from_slice(&line[at..removed.start() - origin]);
        out.extend_from_slice(text);
        at = removed.end() - origin;
    }
    out.extend_from_slice(&line[at..]);
}

/// Makes edits, in whatever order they are, in the line of an event, and forgets them. `line` is memory for the new
/// line.
///
/// # Panics
///
/// If edits overlap, or one lies outside of the line.
pub fn make_edits(batch: &mut Batch, event: usize, edits: &mut Edits, line: &mut Vec<u8>) {
    edits.sort();
    let old = batch.line(event);
    line.clear();
    splice(batch.bytes(old), old.start(), edits, line);
    batch.replace_line(event, line, edits);
    edits.clear();
}
