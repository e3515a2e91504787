//! What became of an event, in words.

use std::fmt::Write as _;

use anstyle::Style;
use indicatif::HumanCount;
use logweir_pipeline::{Explanation, Fate, OutputPassage, Step, indented};

use super::{Explained, condition, diff, draw, sentence, spending};
use crate::shown::{BOLD, DIM, GREEN, RED, YELLOW, push_lines, shortened, shown, styled};

/// Characters shown of each line of what is written, where it is not what was read.
const LINE_CHARACTERS: usize = 120;

/// Lines shown of it.
const MAX_LINES: usize = 40;

/// Bytes shown before and behind the place where a line is no event.
const AROUND_BYTES: usize = 30;

/// Returns a paragraph: what the event is known by, what each stage did and why, and what came of it.
pub(super) fn paragraph(explained: &Explained<'_>) -> String {
    let mut out = heading(explained);
    push_steps(&explained.passage.steps, &mut out);
    let outputs = &explained.config.outputs;
    let passages = &explained.passage.outputs;
    if passages.is_empty() {
        push_fate(None, &dropped(explained, 0), RED, &mut out);
        push_defect(explained, &mut out);
    }
    for (i, (config, passage)) in outputs.iter().zip(passages).enumerate() {
        let name = config.name.as_deref();
        push_steps(&passage.steps, &mut out);
        match &passage.rendered {
            None => push_fate(name, &dropped(explained, i), RED, &mut out),
            Some(rendered) => push_written(name, rendered, explained, passage, &mut out),
        }
    }
    out.push('\n');
    out
}

fn heading(explained: &Explained<'_>) -> String {
    let Explained { config, event, line, passage, .. } = explained;
    let mut out = styled(BOLD, &format!("event {event}"));
    let _ = write!(out, ", line {line}");
    if explained.is_one_of_several {
        let _ = write!(out, ", pipeline {}", shown(&config.name));
    }
    let handles: Vec<_> =
        passage.handles.iter().map(|(name, value)| format!("{name} {}", shown(&value.to_string()))).collect();
    if !handles.is_empty() {
        let _ = write!(out, ": {}", handles.join(", "));
    }
    out.push('\n');
    out
}

fn push_steps(steps: &[Step], out: &mut String) {
    for step in steps {
        let outcome = match (step.is_kept, &step.edit) {
            (false, _) => styled(RED, "dropped"),
            (true, Some(_)) => styled(YELLOW, "changed"),
            (true, None) => styled(GREEN, "kept"),
        };
        let _ = writeln!(out, "  {} {}: {outcome}", shown(&step.place), styled(BOLD, step.verb.name()));
        let why = match &step.explanation {
            Explanation::Filter(judgement) => condition::tree(judgement),
            Explanation::Sample(draw) => draw::rows(draw),
            Explanation::Truncate(spending) => spending::table(spending),
        };
        push_lines(&why, "    ", out);
        if let Some(edit) = &step.edit {
            push_lines(&diff::diff(edit), "    ", out);
        }
    }
}

/// Adds what came of the event, behind the output that it is about.
fn push_fate(output: Option<&str>, fate: &str, style: Style, out: &mut String) {
    let output = output.map(|name| format!("{}: ", shown(name))).unwrap_or_default();
    let (word, rest) = fate.split_at(fate.find([' ', ':']).unwrap_or(fate.len()));
    let _ = writeln!(out, "  {output}{}{rest}", styled(style, word));
}

/// Returns the sentence for an event that an output does not get.
fn dropped(explained: &Explained<'_>, output: usize) -> String {
    let fate = explained.passage.fate_in(output);
    let why = sentence::why(explained, output).unwrap_or_default();
    let is_malformed = matches!(fate, Fate::NotUtf8 | Fate::NotJson | Fate::NotObject);
    let dead_letter = match &explained.config.dead_letter {
        Some(_) if is_malformed => "; it goes to the dead-letter file",
        _ => "",
    };
    format!("dropped ({}): {why}{dead_letter}", fate.name())
}

/// Adds what stands where a line is no event.
fn push_defect(explained: &Explained<'_>, out: &mut String) {
    let (Some(illegal), Some(line)) = (sentence::defect(explained), explained.bytes) else { return };
    let line = line.trim_ascii_end();
    let at = illegal.at.min(line.len());
    let start = at.saturating_sub(AROUND_BYTES);
    let end = line.len().min(at + AROUND_BYTES);
    let text = |bytes: &[u8]| shown(&String::from_utf8_lossy(bytes));
    let (before, behind) = (text(&line[start..at]), text(&line[at..end]));
    let [cut_before, cut_behind] = [start > 0, end < line.len()].map(|is_cut| if is_cut { "…" } else { "" });
    let here = styled(RED, "▶");
    let _ = writeln!(out, "    {}{before}{here}{behind}{}", styled(DIM, cut_before), styled(DIM, cut_behind));
}

/// Adds what is written of an event.
fn push_written(
    output: Option<&str>,
    rendered: &[u8],
    explained: &Explained<'_>,
    passage: &OutputPassage,
    out: &mut String,
) {
    let n_bytes = HumanCount(rendered.len() as u64);
    let steps = explained.passage.steps.iter().chain(&passage.steps);
    let last_edit = steps.filter_map(|step| step.edit.as_ref()).next_back();
    let is_same = |bytes: &[u8]| rendered.trim_ascii() == bytes.trim_ascii();
    if explained.bytes.is_some_and(is_same) {
        return push_fate(output, &format!("written as it was read, {n_bytes} bytes"), GREEN, out);
    }
    if last_edit.is_some_and(|edit| is_same(&edit.after)) {
        return push_fate(output, &format!("written as the stages left it, {n_bytes} bytes"), GREEN, out);
    }
    push_fate(output, &format!("written as `encode` says, {n_bytes} bytes:"), GREEN, out);
    let body = rendered.trim_ascii();
    let is_object = body.starts_with(b"{") && logweir_pipeline::check_json(body).is_ok();
    let text = if is_object { indented(body) } else { rendered.to_vec() };
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    for line in lines.iter().take(MAX_LINES) {
        let _ = writeln!(out, "    {}", shown(&shortened(line, LINE_CHARACTERS)));
    }
    if lines.len() > MAX_LINES {
        let _ = writeln!(out, "    … {} more lines", HumanCount((lines.len() - MAX_LINES) as u64));
    }
}
