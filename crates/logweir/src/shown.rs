//! Texts of events as a terminal can take them.

use anstyle::{AnsiColor, Style};

/// What is good, or new.
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
/// What is bad, or gone.
pub(super) const RED: Style = AnsiColor::Red.on_default();
/// What was changed.
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default();
/// What matters less.
pub(super) const DIM: Style = Style::new().dimmed();
/// What a paragraph is about.
pub(super) const BOLD: Style = Style::new().bold();

/// Returns a text in a style.
pub(super) fn styled(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Returns a text of an event on one line: characters that a terminal would obey, or that turn the direction of what
/// follows, are written as `\u{…}`.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_directing(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// Returns whether a character only changes the direction of others (Unicode's bidirectional controls).
fn is_directing(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns a text of at most about `max` characters: its beginning and its end, with `…` between them.
pub(super) fn shortened(text: &str, max: usize) -> String {
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
pub(super) fn padded(text: &str, width: usize) -> String {
    let n_missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(n_missing))
}

/// Appends each line of a text behind `before`.
pub(super) fn push_lines(text: &str, before: &str, out: &mut String) {
    for line in text.lines() {
        out.push_str(before);
        out.push_str(line);
        out.push('\n');
    }
}
