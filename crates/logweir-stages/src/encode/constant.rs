//! Go's strings, as they are written in a template.

use super::template::TemplateProblem;

/// Reads the string that starts at `start` of `text`, with `"` or a backquote; returns what it means, and where it
/// ends. What it means need not be UTF-8, since `\x` and octal escapes stand for single bytes.
pub(super) fn constant_at(text: &str, start: usize) -> Result<(Vec<u8>, usize), TemplateProblem> {
    if text.as_bytes()[start] == b'`' { raw_at(text, start) } else { interpreted_at(text, start) }
}

/// Reads a raw string: all up to the next backquote, in which Go drops carriage returns.
fn raw_at(text: &str, start: usize) -> Result<(Vec<u8>, usize), TemplateProblem> {
    let inside = &text[start + 1..];
    let n_bytes = inside.find('`').ok_or_else(|| unclosed(start))?;
    let mut constant = inside.as_bytes()[..n_bytes].to_vec();
    constant.retain(|&byte| byte != b'\r');
    Ok((constant, start + 1 + n_bytes + 1))
}

fn interpreted_at(text: &str, start: usize) -> Result<(Vec<u8>, usize), TemplateProblem> {
    let mut constant = Vec::new();
    let mut at = start + 1;
    loop {
        let rest = &text[at..];
        let n_bytes = rest.find(['"', '\\', '\n']).ok_or_else(|| unclosed(start))?;
        constant.extend_from_slice(&rest.as_bytes()[..n_bytes]);
        at += n_bytes;
        match text.as_bytes()[at] {
            b'"' => return Ok((constant, at + 1)),
            b'\\' if at + 1 < text.len() => at = escape_at(text, at, &mut constant)?,
            _ => return Err(unclosed(start)),
        }
    }
}

/// Reads the escape that starts at `start`, before the end of the text; appends what it means, and returns where it
/// ends.
fn escape_at(text: &str, start: usize, constant: &mut Vec<u8>) -> Result<usize, TemplateProblem> {
    let rest = &text[start + 1..];
    let (n_digits, radix) = match rest.as_bytes()[0] {
        b'x' => (2, 16),
        b'u' => (4, 16),
        b'U' => (8, 16),
        // The first digit stands where other escapes have their letter.
        b'0'..=b'7' => (3, 8),
        letter => {
            constant.push(simple(letter).ok_or_else(|| unknown(text, start))?);
            return Ok(start + 2);
        }
    };
    let from = usize::from(radix == 16);
    let digits = rest.get(from..from + n_digits).filter(|digits| digits.chars().all(|c| c.is_digit(radix)));
    let code = digits.and_then(|digits| u32::from_str_radix(digits, radix).ok());
    let code = code.ok_or_else(|| unknown(text, start))?;
    if n_digits > 3 {
        let character = char::from_u32(code).ok_or_else(|| unknown(text, start))?;
        constant.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        constant.push(u8::try_from(code).map_err(|_| unknown(text, start))?);
    }
    Ok(start + 1 + from + n_digits)
}

/// Returns what the escape of one letter means.
fn simple(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0B,
        b'f' => 0x0C,
        b'r' => b'\r',
        b'"' | b'\\' => letter,
        _ => return None,
    })
}

fn unclosed(start: usize) -> TemplateProblem {
    TemplateProblem::new(start, 1, "this constant has no end", "end it with the quote that it begins with")
}

fn unknown(text: &str, start: usize) -> TemplateProblem {
    let n_bytes = 1 + text[start + 1..].chars().next().map_or(0, char::len_utf8);
    let help = "Go's strings know \\a \\b \\f \\n \\r \\t \\v \\\\ \\\", three octal digits, \\x41, \\u0041 and \\U00000041";
    TemplateProblem::new(start, n_bytes, "no escape of Go's strings", help)
}
