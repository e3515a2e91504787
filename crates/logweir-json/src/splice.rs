//! An event with its edits made.

use logweir_event::Edits;

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
