//! What changed in an event, a member a line.

use anstyle::Style;
use indicatif::HumanCount;
use logweir_pipeline::{Edit, indented};
use similar::{Algorithm, DiffOp, capture_diff_slices_by_key, group_diff_ops};

use crate::shown::{DIM, GREEN, RED, shared, shortened, shown, styled};

/// Unchanged lines around what changed.
const CONTEXT: usize = 2;

/// Lines shown of the beginning of a run of lines that all went, or all came.
const RUN_HEAD: usize = 6;

/// Lines shown of its end.
const RUN_TAIL: usize = 2;

/// Characters shown of what two lines share before or behind what differs, and of a line that is shown for context.
const SHARED_CHARACTERS: usize = 60;

/// Characters shown of what differs, half of them at each end: more than a screen is wide.
const DIFFERING_CHARACTERS: usize = 240;

/// Returns what changed from one text of JSON to another: `-` before what went, `+` before what came, each with a line
/// feed. Long texts are shortened, but not where they begin to differ or end to.
pub(super) fn diff(edit: &Edit) -> String {
    let (old, new) = (indented(&edit.before), indented(&edit.after));
    let (old, new) = (String::from_utf8_lossy(&old), String::from_utf8_lossy(&new));
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // Whether a member is the last one is no property of it.
    let key = |line: &&str| line.trim_end_matches(',').to_owned();
    let changes = capture_diff_slices_by_key(Algorithm::Myers, &old, &new, key);
    let mut drawing = Drawing { old, new, out: String::new() };
    for (i, group) in group_diff_ops(changes, CONTEXT).iter().enumerate() {
        if i > 0 {
            drawing.push_dim("…");
        }
        for change in group {
            drawing.push(change);
        }
    }
    drawing.out
}

/// A list of changes while it is drawn.
struct Drawing<'a> {
    old: Vec<&'a str>,
    new: Vec<&'a str>,
    out: String,
}

impl Drawing<'_> {
    fn push(&mut self, change: &DiffOp) {
        let (old, new) = (change.old_range(), change.new_range());
        if let DiffOp::Equal { .. } = change {
            for i in new {
                let line = self.new[i];
                self.push_dim(&format!("  {}", whole(line)));
            }
            return;
        }
        // What has the same name in the same order before and after is likely the same member, changed.
        let (old, new) = (self.old[old].to_vec(), self.new[new].to_vec());
        let mut come = &new[..];
        let mut gone = &old[..];
        while let Some((i, j)) = first_pair(gone, come) {
            self.push_runs(&gone[..i], &come[..j]);
            self.push_pair(gone[i], come[j]);
            (gone, come) = (&gone[i + 1..], &come[j + 1..]);
        }
        self.push_runs(gone, come);
    }

    /// Draws lines that went, and lines that came.
    fn push_runs(&mut self, gone: &[&str], come: &[&str]) {
        self.out.extend([run("-", RED, gone), run("+", GREEN, come)]);
    }

    /// Draws one line that became another, with what differs set off.
    fn push_pair(&mut self, old: &str, new: &str) {
        let (head, tail) = shared(old, new);
        for (sign, style, line) in [("-", RED, old), ("+", GREEN, new)] {
            let differing = &line[head..line.len() - tail];
            let [before, behind] = [&line[..head], &line[line.len() - tail..]];
            let before = shown(&shortened(before, SHARED_CHARACTERS));
            let behind = shown(&shortened(behind, SHARED_CHARACTERS));
            let differing = styled(style.invert(), &shown(&shortened_evenly(differing)));
            self.out.push_str(&styled(style, &format!("{sign} {before}")));
            self.out.push_str(&differing);
            self.out.push_str(&styled(style, &behind));
            self.out.push('\n');
        }
    }

    fn push_dim(&mut self, line: &str) {
        self.out.push_str(&styled(DIM, line));
        self.out.push('\n');
    }
}

/// Returns where two lists of lines first have lines for the same thing.
fn first_pair(old: &[&str], new: &[&str]) -> Option<(usize, usize)> {
    old.iter().enumerate().find_map(|(i, line)| {
        let name = name(line);
        Some((i, new.iter().position(|other| self::name(other) == name)?))
    })
}

/// Returns what a line of indented JSON is known by: how deep it stands and the name of its member, or else what kind of
/// value or bracket it has.
fn name(line: &str) -> &str {
    let start = line.len() - line.trim_start().len();
    let rest = &line[start..];
    let end = if rest.starts_with('"') {
        member(rest).unwrap_or(1)
    } else {
        rest.chars().next().map_or(0, char::len_utf8)
    };
    &line[..start + end]
}

/// Returns where the name of a member ends that a text begins with, the colon included.
fn member(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    let end = text[1..].find(|c| {
        let is_end = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    let behind = 1 + end + 1;
    text[behind..].starts_with(':').then_some(behind + 1)
}

/// Returns lines that all went, or all came: of many, the first and the last.
fn run(sign: &str, style: Style, lines: &[&str]) -> String {
    let is_long = lines.len() > RUN_HEAD + RUN_TAIL + 1;
    let (n_head, n_tail) = if is_long { (RUN_HEAD, RUN_TAIL) } else { (lines.len(), 0) };
    let mut shown: Vec<_> = lines[..n_head].iter().map(|line| whole(line)).collect();
    if is_long {
        shown.push(format!("… {} more lines", HumanCount((lines.len() - n_head - n_tail) as u64)));
    }
    shown.extend(lines[lines.len() - n_tail..].iter().map(|line| whole(line)));
    shown.iter().map(|line| styled(style, &format!("{sign} {line}")) + "\n").collect()
}

/// Returns a line of which nothing has to be seen in particular.
fn whole(line: &str) -> String {
    shown(&shortened(line, 2 * SHARED_CHARACTERS))
}

/// Returns what differs, so that both of its ends can be seen.
fn shortened_evenly(text: &str) -> String {
    let n_characters = text.chars().count();
    if n_characters <= DIFFERING_CHARACTERS {
        return text.to_owned();
    }
    let n_shown = DIFFERING_CHARACTERS / 2;
    let head: String = text.chars().take(n_shown).collect();
    let tail: String = text.chars().skip(n_characters - n_shown).collect();
    format!("{head}…{tail}")
}
