//! When two outputs are the same.

use super::json::{Text, parse};

/// A token of a JSON text.
#[derive(PartialEq, Eq, Debug)]
enum Token<'t> {
    /// A string, by what it means.
    String(Text),
    /// Anything else, by how it is spelled.
    Other(&'t str),
}

/// Compares two JSON texts token by token: strings by their decoded text, numbers as they are spelled, members in
/// order; white space does not count.
///
/// # Errors
///
/// Where the two differ, or which of them is no JSON.
pub fn same_tokens(a: &[u8], b: &[u8]) -> Result<(), String> {
    let (tokens_a, tokens_b) = (tokens("first", a)?, tokens("second", b)?);
    for (i, (a, b)) in tokens_a.iter().zip(&tokens_b).enumerate() {
        if a != b {
            return Err(format!("token {i} is {} in the first and {} in the second", shown(a), shown(b)));
        }
    }
    if tokens_a.len() == tokens_b.len() {
        return Ok(());
    }
    Err(format!("the first has {} tokens, the second {}", tokens_a.len(), tokens_b.len()))
}

/// Compares two outputs line by line, as [`same_tokens`] compares events.
///
/// # Errors
///
/// Which line differs and how.
pub fn same_lines(a: &[u8], b: &[u8]) -> Result<(), String> {
    let split = |bytes| <[u8]>::split_inclusive(bytes, |&byte| byte == b'\n').collect::<Vec<_>>();
    let (lines_a, lines_b) = (split(a), split(b));
    for (i, (a, b)) in lines_a.iter().zip(&lines_b).enumerate() {
        same_tokens(a, b).map_err(|difference| format!("line {}: {difference}", i + 1))?;
    }
    if lines_a.len() == lines_b.len() {
        return Ok(());
    }
    Err(format!("the first has {} lines, the second {}", lines_a.len(), lines_b.len()))
}

/// Returns the tokens of a JSON text. That it is legal is known, so only their ends have to be found.
fn tokens<'t>(which: &str, text: &'t [u8]) -> Result<Vec<Token<'t>>, String> {
    parse(text).map_err(|illegal| format!("the {which} is no JSON: {illegal}"))?;
    let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
    let mut tokens = Vec::new();
    let mut rest = text.trim_start_matches(WHITE_SPACE);
    while !rest.is_empty() {
        let (token, behind) = rest.split_at(length(rest));
        tokens.push(match parse(token.as_bytes()).ok().and_then(|value| value.text()) {
            Some(text) => Token::String(text),
            None => Token::Other(token),
        });
        rest = behind.trim_start_matches(WHITE_SPACE);
    }
    Ok(tokens)
}

const WHITE_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];
const STRUCTURE: [char; 6] = ['{', '}', '[', ']', ':', ','];

/// Returns the length of the token that a legal text begins with.
fn length(text: &str) -> usize {
    if text.starts_with('"') {
        let mut escaped = false;
        let end = text.bytes().skip(1).position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        return end.map_or(text.len(), |end| end + 2);
    }
    if text.starts_with(STRUCTURE) {
        return 1;
    }
    let ends = |character: char| STRUCTURE.contains(&character) || WHITE_SPACE.contains(&character);
    text.find(ends).unwrap_or(text.len())
}

fn shown(token: &Token<'_>) -> String {
    let text = match token {
        Token::String(text) => format!("{:?}", String::from_utf8_lossy(&text.to_wtf8())),
        Token::Other(text) => (*text).to_owned(),
    };
    let mut short: String = text.chars().take(120).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
