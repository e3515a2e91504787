//! Over arrays and objects whose text is known to be legal, many bytes at a time.
//!
//! On legal text brackets are balanced, so those outside of strings only have to be counted: the value ends in the
//! first block in which as many close as are open.

// All of it has to end up in one function that has the instructions of a version.
#![allow(clippy::inline_always)]

use crate::simd::{BLOCK_BYTES, Block, Simd, escaped, pad};

/// Returns the place behind the array or object that starts at `start`; the end of the text if it does not end.
#[inline(always)]
pub(crate) fn skip<S: Simd>(simd: S, text: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0_u32);
    let (mut escaping, mut in_string) = (0, 0);
    while at < text.len() {
        let padded;
        let block: &Block = if let Some(block) = text[at..].first_chunk() {
            block
        } else {
            padded = pad(&text[at..]);
            &padded
        };
        let masks = simd.masks(block);
        let quote = masks.quote & !escaped(masks.backslash, &mut escaping);
        let string = simd.parity(quote) ^ in_string;
        in_string = (string.cast_signed() >> 63).cast_unsigned();
        let (open, close) = (masks.open & !string, masks.close & !string);
        if close.count_ones() >= depth {
            if let Some(end) = end(open, close, &mut depth) {
                return at + end;
            }
        } else {
            depth = depth + open.count_ones() - close.count_ones();
        }
        at += BLOCK_BYTES;
    }
    text.len()
}

/// Returns the place behind the bracket of a block that closes the last one open.
#[inline(always)]
fn end(open: u64, close: u64, depth: &mut u32) -> Option<usize> {
    let mut brackets = open | close;
    while brackets != 0 {
        let bracket = brackets & brackets.wrapping_neg();
        if close & bracket == 0 {
            *depth += 1;
        } else {
            *depth = depth.saturating_sub(1);
            if *depth == 0 {
                return Some(bracket.trailing_zeros() as usize + 1);
            }
        }
        brackets ^= bracket;
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::simd::Instructions;

    #[test]
    fn all_versions_end_where_the_brackets_close() {
        for n_bytes in (0..=130).chain(500..=530) {
            let (text, row) = ("x".repeat(n_bytes), "\\\\".repeat(n_bytes));
            for value in [
                format!("[\"{text}]\",[{{}},\"{row}\"],\"\\\"]{row}\\\"\"]"),
                format!("{{\"{row}\":[[\"{text}}}\\\\\"]],\"}}{text}\\\\\\\"}}\":{{}}}}"),
                format!("{}{text}{}", "[".repeat(n_bytes + 1), "]".repeat(n_bytes + 1)),
            ] {
                for behind in
                    ["", "]", "}", "\"", "\\", ",[[[[{{{{\"]]]]}}}}\\\"", &"]".repeat(80), &"\"".repeat(80)]
                {
                    let chunk = format!("{text}{value}{behind}");
                    for instructions in Instructions::available() {
                        let end = instructions.skip(chunk.as_bytes(), n_bytes);
                        assert_eq!(end, n_bytes + value.len(), "by {instructions} over {chunk}");
                    }
                }
            }
        }
    }
}
