//! Edits made together give what they give one by one, from the end.

#![no_main]

use libfuzzer_sys::fuzz_target;
use logweir_event::{Edits, Span};
use logweir_json::splice;

/// A line, where it starts, and changes: bytes to pass over, bytes to remove, text to put there.
type Input = (Vec<u8>, u16, Vec<(u8, u8, Vec<u8>)>);

fuzz_target!(|input: Input| {
    let (line, origin, parts) = input;
    let origin = usize::from(origin);
    let (mut edits, mut changes, mut at) = (Edits::default(), Vec::new(), 0);
    for (gap, len, text) in parts {
        let start = (at + usize::from(gap)).min(line.len());
        let end = (start + usize::from(len)).min(line.len());
        edits.push(Span::new(origin + start, origin + end), |out| out.extend_from_slice(&text));
        changes.push((start..end, text));
        at = end;
    }
    let mut expected = line.clone();
    for (removed, text) in changes.into_iter().rev() {
        expected.splice(removed, text);
    }
    let mut out = Vec::new();
    splice(&line, origin, &edits, &mut out);
    assert_eq!(out, expected);
});
