//! Texts of events as a terminal can take them.

use anstyle::{AnsiColor, Style};

/// What is good, or new.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
/// What is bad, or gone.
pub(crate) const RED: Style = AnsiColor::Red.on_default();
/// What was changed.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// What matters less.
pub(crate) const DIM: Style = Style::new().dimmed();
/// What a paragraph is about.
pub(crate) const BOLD: Style = Style::new().bold();

/// Returns a text in a style.
pub(crate) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Returns a text of an event on one line: characters that a terminal would obey, that turn the direction of what follows, or
/// that nobody sees are written as escapes.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_unseen(character) {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// Returns whether a character cannot be told from a space or from nothing: other spaces, those without a width, and Unicode's
/// bidirectional controls.
fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{a0}' | '\u{ad}' | '\u{61c}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{feff}'
    )
}

/// Returns a text as a shell takes it for one word.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Returns how many bytes two texts have in common at their beginnings, and behind that at their ends.
pub(crate) fn shared(a: &str, b: &str) -> (usize, usize) {
    let same = |(a, b): &(char, char)| a == b;
    let head = a.chars().zip(b.chars()).take_while(same).map(|(a, _)| a.len_utf8()).sum();
    let (a, b) = (&a[head..], &b[head..]);
    let tail = a.chars().rev().zip(b.chars().rev()).take_while(same).map(|(a, _)| a.len_utf8()).sum();
    (head, tail)
}

/// Returns a text of at most about `max` characters: its beginning and its end, with `…` between them.
pub(crate) fn shortened(text: &str, max: usize) -> String {
    let n_characters = text.chars().count();
    if n_characters <= max {
        return text.to_owned();
    }
    let n_tail = max / 3;
    let head: String = text.chars().take(max - n_tail - 1).collect();
    let tail: String = text.chars().skip(n_characters - n_tail).collect();
    format!("{head}…{tail}")
}

/// Returns a text with spaces behind it, up to `width` characters.
pub(crate) fn padded(text: &str, width: usize) -> String {
    let n_missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(n_missing))
}

/// Appends each line of a text behind `before`.
pub(crate) fn push_lines(text: &str, before: &str, out: &mut String) {
    for line in text.lines() {
        out.push_str(before);
        out.push_str(line);
        out.push('\n');
    }
}
