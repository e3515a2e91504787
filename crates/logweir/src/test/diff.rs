//! How two texts differ, for a person to read.

use std::fmt::Write as _;
use std::hash::Hash;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff};

/// How much is compared, behind what both begin and before what both end with. The time grows with the square of it, so what
/// is longer differs as a whole.
const MAX_COMPARED: usize = 4000;

/// The lines that are shown around what differs.
const CONTEXT_LINES: usize = 3;

/// The characters of a part that are shown whole, and how many are shown at each end of a longer one.
const SHOWN_CHARS: usize = 160;
const SHOWN_AT_ENDS: usize = 60;

/// A line of a diff.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DiffLine {
    pub(super) sign: Sign,
    /// What it says, in parts.
    pub(super) parts: Vec<Part>,
}

/// Whose line it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sign {
    Both,
    Expected,
    Actual,
    /// Neither: it says what is left out.
    Left,
}

/// A part of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Part {
    pub(super) text: String,
    /// Whether the other line has something else here.
    pub(super) differs: bool,
}

impl DiffLine {
    /// Returns a line of which nothing is like anything.
    pub(super) fn whole(sign: Sign, text: &str) -> Self {
        Self { sign, parts: vec![Part { text: shortened(text), differs: false }] }
    }

    /// Returns a line that says what is left out.
    pub(super) fn left(text: impl Into<String>) -> Self {
        Self { sign: Sign::Left, parts: vec![Part { text: text.into(), differs: false }] }
    }
}

/// Returns which stretches of two lists are the same, and which are not.
pub(super) fn compare<T: Hash + Ord>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    let n_before = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let [old_rest, new_rest] = [&old[n_before..], &new[n_before..]];
    let n_behind =
        old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_range, new_range) = (n_before..old.len() - n_behind, n_before..new.len() - n_behind);
    let equal = |old_index, new_index, len| DiffOp::Equal { old_index, new_index, len };
    let mut ops = vec![equal(0, 0, n_before)];
    if old_range.len().max(new_range.len()) <= MAX_COMPARED {
        ops.extend(capture_diff(Algorithm::Myers, old, old_range.clone(), new, new_range.clone()));
    } else {
        ops.push(DiffOp::Replace {
            old_index: n_before,
            old_len: old_range.len(),
            new_index: n_before,
            new_len: new_range.len(),
        });
    }
    ops.push(equal(old_range.end, new_range.end, n_behind));
    ops.retain(|op| !(op.old_range().is_empty() && op.new_range().is_empty()));
    ops
}

/// Returns how two lines differ: one line each, with what differs marked.
pub(super) fn diff_line(expected: &str, actual: &str) -> [DiffLine; 2] {
    let tokens = [tokens(expected), tokens(actual)];
    let ops = compare(&tokens[0], &tokens[1]);
    let part = |tokens: &[&str], op: &DiffOp| Part {
        text: shortened(&tokens.concat()),
        differs: op.tag() != DiffTag::Equal,
    };
    let line = |sign, tokens: &[&str], range: fn(&DiffOp) -> std::ops::Range<usize>| {
        let parts = ops.iter().filter(|op| !range(op).is_empty());
        DiffLine { sign, parts: parts.map(|op| part(&tokens[range(op)], op)).collect() }
    };
    [line(Sign::Expected, &tokens[0], DiffOp::old_range), line(Sign::Actual, &tokens[1], DiffOp::new_range)]
}

/// Returns how two lists of lines differ, with a few lines around each difference.
pub(super) fn diff_lines(expected: &[String], actual: &[String]) -> Vec<DiffLine> {
    let ops = compare(expected, actual);
    let mut lines = Vec::new();
    for (n, group) in similar::group_diff_ops(ops, CONTEXT_LINES).iter().enumerate() {
        let is_first_line = group.first().is_some_and(|op| op.old_range().start == 0);
        if n > 0 || !is_first_line {
            lines.push(DiffLine::left("…"));
        }
        for op in group {
            let (old, new) = (&expected[op.old_range()], &actual[op.new_range()]);
            if op.tag() == DiffTag::Equal {
                lines.extend(old.iter().map(|line| DiffLine::whole(Sign::Both, line)));
            } else {
                lines.extend(replaced(old, new));
            }
        }
    }
    lines
}

/// Returns the lines of one place where two lists differ, those that stand for each other beside each other.
fn replaced(old: &[String], new: &[String]) -> Vec<DiffLine> {
    let n_pairs = old.len().min(new.len());
    let mut lines: Vec<_> =
        old[..n_pairs].iter().zip(new).flat_map(|(old, new)| diff_line(old, new)).collect();
    lines.extend(old[n_pairs..].iter().map(|line| DiffLine::whole(Sign::Expected, line)));
    lines.extend(new[n_pairs..].iter().map(|line| DiffLine::whole(Sign::Actual, line)));
    lines
}

/// Returns a text in the pieces that are compared: words and numbers, and each other character by itself.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let len = if is_word(first) {
            rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, behind) = rest.split_at(len);
        tokens.push(token);
        rest = behind;
    }
    tokens
}

/// Returns a text as it is shown: on one line, with what a terminal would act on spelled out, and a long one without its
/// middle.
pub(super) fn shortened(text: &str) -> String {
    let n_chars = text.chars().count();
    if n_chars <= SHOWN_CHARS {
        return visible(text.chars());
    }
    let head = visible(text.chars().take(SHOWN_AT_ENDS));
    let tail = visible(text.chars().skip(n_chars - SHOWN_AT_ENDS));
    format!("{head}…{} more characters…{tail}", n_chars - 2 * SHOWN_AT_ENDS)
}

/// Returns characters as they are shown.
pub(super) fn visible(text: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    for c in text {
        if c.is_control() {
            // Writing to a text does not fail.
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a diff with brackets around what differs.
    fn shown(lines: &[DiffLine]) -> Vec<String> {
        let line = |line: &DiffLine| {
            let sign = match line.sign {
                Sign::Both => ' ',
                Sign::Expected => '-',
                Sign::Actual => '+',
                Sign::Left => '.',
            };
            let part =
                |part: &Part| if part.differs { format!("[{}]", part.text) } else { part.text.clone() };
            format!("{sign}{}", line.parts.iter().map(part).collect::<String>())
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn what_differs_in_a_line_is_marked() {
        let diff = diff_line(r#"{"Outcome":"exception"}"#, r#"{"Outcome":"ok"}"#);
        assert_eq!(shown(&diff), [r#"-{"Outcome":"[exception]"}"#, r#"+{"Outcome":"[ok]"}"#]);
        assert_eq!(shown(&diff_line("", "a\r")), ["-", "+[a\\r]"]);
    }

    #[test]
    fn long_parts_are_shown_by_their_ends() {
        let long = "é".repeat(1000);
        let [expected, actual] = diff_line(&format!("{long} a"), &format!("{long} b"));
        let ends = "é".repeat(60);
        assert_eq!(
            shown(&[expected, actual]),
            [
                format!("-{ends}…881 more characters…{} [a]", "é".repeat(59)),
                format!("+{ends}…881 more characters…{} [b]", "é".repeat(59))
            ]
        );
    }

    #[test]
    fn lines_far_from_a_difference_are_left_out() {
        let lines = |last: &str| -> Vec<String> {
            (0..10).map(|n| n.to_string()).chain([last.to_owned(), String::from("end")]).collect()
        };
        let diff = diff_lines(&lines("a"), &lines("b"));
        assert_eq!(shown(&diff), [".…", " 7", " 8", " 9", "-[a]", "+[b]", " end"]);
    }
}
