//! JSON for people to read: a member, an element a line.

use crate::lines::skip_space;
use crate::walk::behind_string;

/// Arrays and objects nested deeper than this stay on one line: nobody reads further, and the spaces before what is
/// nested a thousand levels deep would outgrow it a thousandfold.
const MAX_LEVELS: usize = 24;

/// Spaces a level.
const INDENT: usize = 2;

/// Returns legal JSON with each member and each element on a line of its own, without a line feed at the end. White
/// space between values is chosen anew; each value keeps its spelling. Empty arrays and objects, and all that is nested
/// very deep, stay on one line.
pub fn indented(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() + json.len() / 2);
    let mut level = 0;
    let mut at = 0;
    loop {
        at = skip_space(json, at);
        let Some(&byte) = json.get(at) else { return out };
        let start = at;
        at = if byte == b'"' { behind_string(json, at) } else { at + 1 };
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                let next = skip_space(json, at);
                if matches!(json.get(next), Some(b'}' | b']')) {
                    out.push(json[next]);
                    at = next + 1;
                    continue;
                }
                level += 1;
                new_line(level, &mut out);
            }
            b'}' | b']' => {
                level = usize::saturating_sub(level, 1);
                if level < MAX_LEVELS {
                    new_line(level, &mut out);
                }
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(level, &mut out);
            }
            b':' => out.extend_from_slice(b": "),
            _ => out.extend_from_slice(&json[start..at]),
        }
    }
}

fn new_line(level: usize, out: &mut Vec<u8>) {
    if level <= MAX_LEVELS {
        out.push(b'\n');
        out.resize(out.len() + INDENT * level, b' ');
    }
}
