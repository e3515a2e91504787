//! Edits made.

use logweir_event::{Edits, Span};
use logweir_json::splice;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn without_edits_a_line_stays_as_it_is() {
    let mut out = b"before ".to_vec();
    splice(b"{\"a\":1}\n", 400, &Edits::default(), &mut out);
    assert_eq!(out, b"before {\"a\":1}\n");
}

#[test]
fn an_edit_may_only_remove_or_only_add() {
    let mut edits = Edits::default();
    edits.push(Span::new(105, 107), |_| {});
    edits.push(Span::new(100, 100), |text| text.extend_from_slice(b"<"));
    edits.push(Span::new(108, 108), |text| text.extend_from_slice(b">"));
    edits.sort();
    let mut out = Vec::new();
    splice(b"abcdefgh", 100, &edits, &mut out);
    assert_eq!(out, b"<abcdeh>");
}

proptest! {
    #[test]
    fn edits_are_made_as_one_by_one_from_the_end(
        line in vec(any::<u8>(), 0..80),
        origin in 0..1000_usize,
        parts in vec((0..12_usize, 0..12_usize, vec(any::<u8>(), 0..6)), 0..8),
    ) {
        let (mut edits, mut expected, mut at) = (Edits::default(), line.clone(), 0);
        let mut changes = Vec::new();
        for (gap, len, text) in parts {
            let start = (at + gap).min(line.len());
            let end = (start + len).min(line.len());
            edits.push(Span::new(origin + start, origin + end), |out| out.extend_from_slice(&text));
            changes.push((start..end, text));
            at = end;
        }
        for (removed, text) in changes.into_iter().rev() {
            expected.splice(removed, text);
        }
        let mut out = Vec::new();
        splice(&line, origin, &edits, &mut out);
        prop_assert_eq!(out, expected);
    }
}
