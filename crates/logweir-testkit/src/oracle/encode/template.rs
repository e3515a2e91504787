//! Templates, taken apart in the plainest way.

/// Returns what a template makes of the values that `value` gives for the names of fields.
///
/// # Panics
///
/// If it is no template.
pub(super) fn render(template: &str, value: impl Fn(&str) -> String) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = template;
    while let Some((before, action)) = rest.split_once("{{") {
        out.extend_from_slice(before.as_bytes());
        if action.starts_with("/*") {
            rest = action.split_once("*/}}").expect("a comment has an end").1;
            continue;
        }
        let action = action.trim_start();
        let behind = if let Some(field) = action.strip_prefix('.') {
            let end = field.find([' ', '\t', '\r', '\n', '}']).expect("an action has an end");
            out.extend_from_slice(value(&field[..end]).as_bytes());
            &field[end..]
        } else if let Some(raw) = action.strip_prefix('`') {
            let (constant, behind) = raw.split_once('`').expect("a constant has an end");
            out.extend_from_slice(constant.replace('\r', "").as_bytes());
            behind
        } else {
            unquote(action.strip_prefix('"').expect("a field or a constant"), &mut out)
        };
        rest = behind.trim_start().strip_prefix("}}").expect("an action has an end");
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// Appends what the rest of an interpreted string means; returns what stands behind its closing quote.
fn unquote<'a>(text: &'a str, out: &mut Vec<u8>) -> &'a str {
    let mut chars = text.chars();
    loop {
        let char = chars.next().expect("a constant has an end");
        if char == '"' {
            return chars.as_str();
        }
        if char != '\\' {
            out.extend_from_slice(char.to_string().as_bytes());
            continue;
        }
        let letter = chars.next().expect("an escape has an end");
        let mut code = |n_digits: usize, radix: u32, first: &str| {
            let digits = first.to_owned() + &chars.by_ref().take(n_digits).collect::<String>();
            u32::from_str_radix(&digits, radix).expect("an escape of digits")
        };
        match letter {
            'x' => out.push(code(2, 16, "") as u8),
            '0'..='7' => out.push(code(2, 8, &letter.to_string()) as u8),
            'u' | 'U' => {
                let code = code(if letter == 'u' { 4 } else { 8 }, 16, "");
                out.extend_from_slice(char::from_u32(code).expect("a character").to_string().as_bytes());
            }
            _ => {
                let known = "a\x07b\x08f\x0cn\nr\rt\tv\x0b\\\\\"\"";
                let at = known.find(letter).expect("an escape of Go's strings");
                out.push(known.as_bytes()[at + 1]);
            }
        }
    }
}
