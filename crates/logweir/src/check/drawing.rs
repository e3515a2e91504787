//! How a pipeline is drawn.

use logweir_pipeline::{Branch, Cost, MemoryBound, Part, Picture};

/// The columns that a drawing takes.
const WIDTH: usize = 100;

/// What stands before what belongs to a part.
const INSIDE: &str = "│     ";

/// Draws a pipeline from top to bottom, as events pass it; no line feed at the end.
pub(super) fn draw(picture: &Picture) -> String {
    let mut lines = vec![picture.pipeline.clone()];
    part(&picture.source, "├─ ", &mut lines, "");
    part(&picture.decode, "├─ ", &mut lines, "");
    for stage in &picture.stages {
        part(stage, "├─ ", &mut lines, "");
    }
    if let Some(dead_letter) = &picture.dead_letter {
        part(dead_letter, "├▶ ", &mut lines, "");
    }
    if let [only @ Branch { name: None, .. }] = &picture.outputs[..] {
        branch(only, &mut lines, "");
    } else {
        for output in &picture.outputs {
            lines.push(format!("├─ output {}", output.name.as_deref().unwrap_or_default()));
            branch(output, &mut lines, "│  ");
        }
    }
    // What nothing follows has no line leading on.
    close(&mut lines);
    memory(&picture.memory, &mut lines);
    lines.join("\n")
}

fn branch(branch: &Branch, lines: &mut Vec<String>, margin: &str) {
    for stage in &branch.stages {
        part(stage, "├─ ", lines, margin);
    }
    part(&branch.encode, "├─ ", lines, margin);
    let from = lines.len();
    part(&branch.sink, "└▶ ", lines, margin);
    if !margin.is_empty() {
        for line in &mut lines[from + 1..] {
            *line = line.replacen(&format!("{margin}│"), &format!("{margin} "), 1);
        }
    }
}

/// Draws one part: its title, what it does, and what it costs.
fn part(part: &Part, arrow: &str, lines: &mut Vec<String>, margin: &str) {
    lines.push(format!("{margin}{arrow}{}", part.title));
    let cost = part.cost.map(|cost| costs(&cost));
    for phrase in part.phrases.iter().chain(&cost) {
        for piece in wrapped(phrase, WIDTH - margin.chars().count() - INSIDE.chars().count()) {
            lines.push(format!("{margin}{INSIDE}{piece}"));
        }
    }
}

/// Takes away the line at the left from the last part on.
fn close(lines: &mut [String]) {
    let Some(last) = lines.iter().rposition(|line| !line.starts_with('│')) else { return };
    let (title, inside) = lines[last..].split_first_mut().expect("there is the line that was found");
    *title = title.replacen('├', "└", 1);
    for line in inside {
        *line = line.replacen('│', " ", 1);
    }
}

fn costs(cost: &Cost) -> String {
    let Cost { share_in, share_out, seconds, bytes_per_second } = cost;
    let speed = format!("costs {:.3} µs an event, {:.0} MB/s", seconds * 1e6, bytes_per_second / 1e6);
    if *share_in == 0.0 {
        return String::from("no event of those that it was measured on comes here");
    }
    if share_in > share_out {
        return format!("{speed}; {:.0} % of what comes here goes on", 100.0 * share_out / share_in);
    }
    speed
}

fn memory(memory: &MemoryBound, lines: &mut Vec<String>) {
    let MemoryBound { held_bytes, decoders, lane_bytes, queue_bytes } = memory;
    let all = mebibytes(memory.max_bytes());
    let text = format!(
        "memory: at most {all}: {} read and not yet written, and for each of {decoders} decoders {} to work with and {} that \
         wait to be written",
        mebibytes(*held_bytes),
        mebibytes(*lane_bytes),
        mebibytes(*queue_bytes),
    );
    lines.extend(wrapped(&text, WIDTH));
}

fn mebibytes(n_bytes: usize) -> String {
    format!("{:.1} MiB", n_bytes as f64 / f64::from(1 << 20))
}

/// Returns a text on lines of at most `width` characters, broken between words where there are some.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut n_chars = 0;
    for word in text.split(' ') {
        let mut rest = word;
        if n_chars > 0 && n_chars + 1 + rest.chars().count() > width {
            lines.push(String::new());
            n_chars = 0;
        } else if n_chars > 0 {
            push(&mut lines, " ");
            n_chars += 1;
        }
        while let Some((at, _)) = rest.char_indices().nth(width) {
            push(&mut lines, &rest[..at]);
            lines.push(String::new());
            rest = &rest[at..];
        }
        push(&mut lines, rest);
        n_chars += rest.chars().count();
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    lines.last_mut().expect("there is a line at any time").push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_broken_between_words_where_there_are_some() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("1234567890", 4), ["1234", "5678", "90"]);
        assert_eq!(wrapped("äöü ßßßßß", 4), ["äöü", "ßßßß", "ß"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
