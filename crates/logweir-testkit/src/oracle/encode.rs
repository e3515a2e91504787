//! Writing chosen fields.

use super::json::Node;

/// Returns an object of just the fields of these top-level names, in this order, compactly; what is missing is
/// `null`. No dotted paths: a name with a dot names the field that has the dot in its name.
pub fn encode(object: &Node, field_names: &[String]) -> Vec<u8> {
    let field = |name: &String| {
        let value = object.get(name.as_str());
        format!("{}:{}", quoted(name), value.as_ref().map_or("null", Node::raw))
    };
    let fields: Vec<String> = field_names.iter().map(field).collect();
    format!("{{{}}}", fields.join(",")).into_bytes()
}

/// Returns a text as a JSON string that escapes only what must be escaped (RFC 8259 section 7), in the short form
/// where there is one.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..' ' => out.extend(['\\', 'u', '0', '0', hex(character, 4), hex(character, 0)]),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

/// Returns the hex digit of the four bits from `shift` on.
fn hex(character: char, shift: u32) -> char {
    char::from_digit(u32::from(character) >> shift & 0xf, 16).unwrap_or('0')
}
