//! How two texts differ, for a person to read.

use std::hash::Hash;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff};

use crate::shown::{shared, shown};

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
    let mut parts = [Vec::new(), Vec::new()];
    for op in compare(&tokens[0], &tokens[1]) {
        let texts = [tokens[0][op.old_range()].concat(), tokens[1][op.new_range()].concat()];
        let common = common_ends(&texts, op.tag());
        for (parts, text) in parts.iter_mut().zip(&texts) {
            push_parts(parts, text, common);
        }
    }
    let [expected, actual] = parts;
    [DiffLine { sign: Sign::Expected, parts: expected }, DiffLine { sign: Sign::Actual, parts: actual }]
}

/// Returns how many bytes at both ends of two texts are to be shown as the same: all of what is the same; and of what differs,
/// where that would be shown without its middle, what both begin and end with, so that it is not the difference that goes.
fn common_ends([old, new]: &[String; 2], tag: DiffTag) -> (usize, usize) {
    let is_long = |text: &String| text.chars().nth(SHOWN_CHARS).is_some();
    match tag {
        DiffTag::Equal => (old.len(), 0),
        _ if is_long(old) || is_long(new) => shared(old, new),
        _ => (0, 0),
    }
}

/// Adds the parts of a text whose ends, so many bytes of them, the other text has as well.
fn push_parts(parts: &mut Vec<Part>, text: &str, (head, tail): (usize, usize)) {
    let behind = text.len() - tail;
    for (text, differs) in [(&text[..head], false), (&text[head..behind], true), (&text[behind..], false)] {
        if !text.is_empty() {
            parts.push(Part { text: shortened(text), differs });
        }
    }
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
        return shown(text);
    }
    let head = shown(&text.chars().take(SHOWN_AT_ENDS).collect::<String>());
    let tail = shown(&text.chars().skip(n_chars - SHOWN_AT_ENDS).collect::<String>());
    format!("{head}…{} more characters…{tail}", n_chars - 2 * SHOWN_AT_ENDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a diff with brackets around what differs.
    fn bracketed(lines: &[DiffLine]) -> Vec<String> {
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
        assert_eq!(bracketed(&diff), [r#"-{"Outcome":"[exception]"}"#, r#"+{"Outcome":"[ok]"}"#]);
        assert_eq!(bracketed(&diff_line("", "a\r")), ["-", "+[a\\r]"]);
    }

    #[test]
    fn long_parts_are_shown_by_their_ends() {
        let long = "é".repeat(1000);
        let [expected, actual] = diff_line(&format!("{long} a"), &format!("{long} b"));
        let ends = "é".repeat(60);
        assert_eq!(
            bracketed(&[expected, actual]),
            [
                format!("-{ends}…881 more characters…{} [a]", "é".repeat(59)),
                format!("+{ends}…881 more characters…{} [b]", "é".repeat(59))
            ]
        );
    }

    #[test]
    fn what_differs_inside_a_long_word_is_shown() {
        let long = |inside: &str| format!("{}{inside}{}", "x".repeat(3000), "y".repeat(3000));
        let line = |sign, inside| {
            let ends = |c: &str| format!("{0}…2880 more characters…{0}", c.repeat(60));
            format!("{sign}{}{inside}{}", ends("x"), ends("y"))
        };
        assert_eq!(bracketed(&diff_line(&long("a"), &long("b"))), [line('-', "[a]"), line('+', "[b]")]);
        assert_eq!(bracketed(&diff_line(&long("a"), &long(""))), [line('-', "[a]"), line('+', "")]);
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_or_nobody_sees_is_shown_as_it_is() {
        assert_eq!(shortened("a\u{202e}b\u{200b}\u{1b}\t"), "a\\u{202e}b\\u{200b}\\u{1b}\\t");
    }

    #[test]
    fn lines_far_from_a_difference_are_left_out() {
        let lines = |last: &str| -> Vec<String> {
            (0..10).map(|n| n.to_string()).chain([last.to_owned(), String::from("end")]).collect()
        };
        let diff = diff_lines(&lines("a"), &lines("b"));
        assert_eq!(bracketed(&diff), [".…", " 7", " 8", " 9", "-[a]", "+[b]", " end"]);
    }
}
