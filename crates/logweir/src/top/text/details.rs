//! Everything about one pipeline.

use std::fmt::Write as _;

use super::{Line, per_second, state};
use crate::top::amount;
use crate::top::view::{Channel, Count, Output, PipelineView, Upload};

/// How much of the time senders have to wait for it to be said loudly.
const MUCH: f64 = 0.5;

/// Returns all that is known of a pipeline.
pub(crate) fn details(pipeline: &PipelineView) -> Vec<Line> {
    let mut lines = vec![Line::heading(format!("{}: {}", pipeline.name, state(pipeline)))];
    lines.extend(trouble(pipeline));
    lines.extend(events(pipeline));
    lines.extend(bytes(pipeline));
    lines.extend(channels(&pipeline.channels));
    lines.extend(pipeline.uploads.iter().map(upload));
    if let Some((n_lines, n_bytes, is_holding)) = pipeline.dead_letters {
        let text = format!(
            "dead letters: {} lines, {}",
            amount::grouped(n_lines.total),
            amount::bytes(n_bytes.total)
        );
        lines.push(if is_holding {
            Line::alarm(format!("{text}; THE FILE IS FULL OR FAILING and holds the source"))
        } else {
            Line::plain(text)
        });
    }
    if let Some([followed, open, lost]) = pipeline.files {
        let text = format!("files: {followed} followed, {open} open");
        lines.push(if lost > 0.0 {
            Line::alarm(format!("{text}, {lost} LOST before they were read to their end"))
        } else {
            Line::plain(text)
        });
    }
    lines
}

/// Returns what is wrong.
fn trouble(pipeline: &PipelineView) -> Vec<Line> {
    let held_up = pipeline.waiting.iter().map(|component| {
        Line::alarm(format!("{component} is HELD UP and goes on trying: /readyz and the log say by what"))
    });
    let errors = pipeline.errors.iter().map(|(component, kind, count)| {
        Line::alarm(format!(
            "{component}: {} failures of kind `{kind}`, {} a second now",
            amount::grouped(count.total),
            per_second(*count)
        ))
    });
    let restarts = (!pipeline.restarts.is_zero()).then(|| {
        Line::alarm(format!(
            "opened again {} times after a failure",
            amount::grouped(pipeline.restarts.total)
        ))
    });
    held_up.chain(errors).chain(restarts).collect()
}

fn events(pipeline: &PipelineView) -> Vec<Line> {
    let mut lines =
        vec![Line::heading(format!("{:<24}{:>11}{:>18}", "events", "a second", "since the start"))];
    lines.push(row("read", pipeline.events_read));
    lines.extend(pipeline.dropped.iter().filter(is_shown).map(dropped_row));
    if !pipeline.truncated.is_zero() {
        lines.push(row("truncated", pipeline.truncated));
    }
    for output in &pipeline.outputs {
        lines.extend(output_events(output));
    }
    lines
}

fn output_events(output: &Output) -> Vec<Line> {
    let Some(name) = &output.name else {
        return taken(output);
    };
    let mut lines = vec![Line::heading(format!("output {name}"))];
    lines.extend(output.dropped.iter().filter(is_shown).map(dropped_row));
    if !output.truncated.is_zero() {
        lines.push(row("truncated", output.truncated));
    }
    lines.extend(taken(output));
    lines
}

/// Returns what became of the events that were not dropped.
fn taken(output: &Output) -> Vec<Line> {
    let mut lines = vec![row("written", output.events_written)];
    for (what, count) in [("returned (read again)", output.returned), ("kept (in the spool)", output.kept)] {
        if !count.is_zero() {
            lines.push(row(what, count));
        }
    }
    let in_flight = amount::grouped(output.in_flight);
    lines.push(Line::plain(format!("  {:<22}{:>11}{in_flight:>18}", "in flight now", "")));
    lines
}

/// Tells whether a reason is worth a line: the decisions of stages always are, the rest once it has happened.
fn is_shown((reason, count): &(&String, &Count)) -> bool {
    ["filtered", "sampled_out"].contains(&reason.as_str()) || !count.is_zero()
}

fn dropped_row((reason, count): (&String, &Count)) -> Line {
    let row = row(&format!("dropped: {reason}"), *count);
    if reason == "failed" { Line::alarm(row.text) } else { row }
}

fn row(what: &str, count: Count) -> Line {
    let total = amount::grouped(count.total);
    Line::plain(format!("  {what:<22}{:>11}{total:>18}", per_second(count)))
}

fn bytes(pipeline: &PipelineView) -> Vec<Line> {
    let mut lines = vec![Line::heading("bytes")];
    lines.push(byte_row("read", pipeline.bytes_read));
    for output in &pipeline.outputs {
        let what =
            output.name.as_ref().map_or_else(|| "written".to_owned(), |name| format!("written: {name}"));
        lines.push(byte_row(&what, output.bytes_written));
    }
    if let (Some(lag_bytes), Some(lag_seconds)) = (pipeline.lag_bytes, pipeline.lag_seconds) {
        let oldest = if lag_seconds > 0.0 { format!("for {lag_seconds:.1} s") } else { String::new() };
        let lag_bytes = amount::bytes(lag_bytes);
        lines.push(Line::plain(format!("  {:<22}{oldest:>11}{lag_bytes:>18}", "lag: not delivered yet")));
    }
    if let Some(held) = pipeline.held_bytes {
        let limit =
            pipeline.held_limit.map(|limit| format!("of {}", amount::bytes(limit))).unwrap_or_default();
        let held = amount::bytes(held);
        lines.push(Line::plain(format!("  {:<22}{held:>11}{limit:>18}", "held in memory now")));
    }
    lines
}

fn byte_row(what: &str, count: Count) -> Line {
    let per_second = count.per_second.map_or_else(|| "-".to_owned(), amount::bytes);
    let total = amount::bytes(count.total);
    Line::plain(format!("  {what:<22}{per_second:>11}{total:>18}"))
}

fn channels(channels: &[Channel]) -> Vec<Line> {
    if channels.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::heading(format!("{:<24}{:>11}{:>18}", "channels", "batches", "senders wait"))];
    for Channel { name, output, depth, waited } in channels {
        let what = output.as_ref().map_or_else(|| name.clone(), |output| format!("{name}: {output}"));
        let share = waited.map_or_else(|| "-".to_owned(), |waited| format!("{:.0} %", waited * 100.0));
        let text = format!("  {what:<22}{depth:>11}{share:>18}");
        let is_slow = waited.is_some_and(|waited| waited > MUCH);
        lines.push(match name.as_str() {
            "payloads" if is_slow => Line::plain(format!("{text}  the sink is the slowest part")),
            _ => Line::plain(text),
        });
    }
    lines
}

fn upload(upload: &Upload) -> Line {
    let name = upload.output.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
    let mut text = format!(
        "uploads{name}: {} batches ({}) in the spool",
        upload.spool_batches,
        amount::bytes(upload.spool_bytes)
    );
    for (outcome, count) in &upload.attempts {
        let _ = write!(text, "; {outcome} {}", amount::grouped(count.total));
    }
    if !upload.damaged.is_zero() {
        let _ = write!(text, "; {} batches found DAMAGED", upload.damaged.total);
    }
    if upload.is_circuit_open {
        return Line::alarm(format!("{text}; UPLOADS FAIL: /readyz has the last error"));
    }
    Line::plain(text)
}
