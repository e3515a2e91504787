//! Any JSON, oddly spelled.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Gives any JSON value as text that has no line feed: white space wherever it is legal, every escape, surrogates
/// paired and alone, numbers of all forms and lengths, duplicate and escaped names, nesting.
pub fn any_json() -> BoxedStrategy<String> {
    let scalar = prop_oneof![
        4 => any_string(),
        3 => any_number(),
        2 => select(vec!["true", "false", "null"]).prop_map(str::to_owned),
        1 => select(vec!["[]", "{}", "[ ]", "{\t}"]).prop_map(str::to_owned),
    ];
    let nested = scalar.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_flat_map(array),
            vec((name(), inner), 0..6).prop_flat_map(object),
        ]
    });
    // Deep nesting on top of what a recursive strategy can hold.
    let deep = (nested.clone(), 0..400usize).prop_map(|(inner, depth)| {
        let (open, close) = if depth % 2 == 0 { ("[", "]") } else { ("{\"n\":", "}") };
        format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
    });
    prop_oneof![12 => nested, 1 => deep].boxed()
}

/// Gives a JSON string, quotes included.
pub fn any_string() -> BoxedStrategy<String> {
    vec(character(), 0..12).prop_map(|characters| format!("\"{}\"", characters.concat())).boxed()
}

/// Gives a JSON number of any form: integers up to 60 digits, fractions, exponents beyond what a double holds.
pub fn any_number() -> BoxedStrategy<String> {
    let edge = select(vec![
        "0",
        "-0",
        "1",
        "1.0",
        "1e0",
        "-0.0",
        "9007199254740993",
        "9007199254740992.0",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "18446744073709551616",
        "1e400",
        "-1E+400",
        "1e-400",
        "5e-324",
        "1e+21",
        "0.1",
    ]);
    let digits = |n| vec(0..10u8, n).prop_map(|digits| digits.iter().map(u8::to_string).collect::<String>());
    let whole =
        prop_oneof![Just("0".to_owned()), (1..10u8, digits(0..60)).prop_map(|(a, b)| format!("{a}{b}"))];
    let fraction = prop_oneof![2 => Just(String::new()), 1 => digits(1..30).prop_map(|d| format!(".{d}"))];
    let exponent = prop_oneof![
        3 => Just(String::new()),
        1 => (select(vec!["e", "E", "e+", "E-"]), digits(1..4)).prop_map(|(e, d)| format!("{e}{d}")),
    ];
    let built = (any::<bool>(), whole, fraction, exponent).prop_map(|(minus, whole, fraction, exponent)| {
        format!("{}{whole}{fraction}{exponent}", if minus { "-" } else { "" })
    });
    prop_oneof![
        2 => edge.prop_map(str::to_owned),
        2 => any::<i64>().prop_map(|n| n.to_string()),
        2 => (-300..600i32).prop_map(|n| n.to_string()),
        2 => built,
    ]
    .boxed()
}

/// Gives a text as a JSON string in which some characters are escaped that need not be.
pub(super) fn spelled(text: &str) -> BoxedStrategy<String> {
    let characters: Vec<char> = text.chars().collect();
    let n = characters.len();
    let escaped = prop_oneof![4 => Just(vec![false; n]), 1 => vec(any::<bool>(), n)];
    escaped
        .prop_map(move |escaped| {
            let mut string = String::from("\"");
            for (&character, escaped) in characters.iter().zip(escaped) {
                if escaped || matches!(character, '\0'..' ' | '"' | '\\') {
                    string.extend(character.encode_utf16(&mut [0; 2]).iter().map(|&unit| escape(unit)));
                } else {
                    string.push(character);
                }
            }
            string + "\""
        })
        .boxed()
}

fn escape(unit: u16) -> String {
    format!("\\u{unit:04x}")
}

/// Gives an array of these elements, with white space anywhere.
pub(super) fn array(elements: Vec<String>) -> BoxedStrategy<String> {
    let n = elements.len();
    vec(white_space(), 2 * n + 1)
        .prop_map(move |spaces| {
            let spaced = elements
                .iter()
                .enumerate()
                .map(|(i, e)| format!("{}{e}{}", spaces[2 * i], spaces[2 * i + 1]));
            let inside: Vec<String> = spaced.collect();
            format!("[{}{}]", inside.join(","), if n == 0 { spaces[0].as_str() } else { "" })
        })
        .boxed()
}

/// Gives an object of these members, names in their spelling with quotes, with white space anywhere.
pub(super) fn object(members: Vec<(String, String)>) -> BoxedStrategy<String> {
    let n = members.len();
    vec(white_space(), 4 * n + 1)
        .prop_map(move |spaces| {
            let spaced = members.iter().enumerate().map(|(i, (name, value))| {
                let spaces = &spaces[4 * i..];
                format!("{}{name}{}:{}{value}{}", spaces[0], spaces[1], spaces[2], spaces[3])
            });
            let inside: Vec<String> = spaced.collect();
            format!("{{{}{}}}", inside.join(","), if n == 0 { spaces[0].as_str() } else { "" })
        })
        .boxed()
}

/// Gives mostly nothing, now and then white space that is legal within a line.
pub(super) fn white_space() -> BoxedStrategy<String> {
    let some = vec(select(vec![" ", "\t", "\r"]), 1..4).prop_map(|spaces| spaces.concat());
    prop_oneof![12 => Just(String::new()), 1 => some].boxed()
}

fn name() -> BoxedStrategy<String> {
    prop_oneof![3 => select(vec!["a", "b", "Logs", "a.b", ""]).prop_flat_map(spelled), 1 => any_string()]
        .boxed()
}

/// Gives one character of a string, or what looks like one, as it stands between the quotes.
fn character() -> BoxedStrategy<String> {
    let raw = any::<char>().prop_filter("must be escaped", |c| !matches!(c, '\0'..' ' | '"' | '\\'));
    let odd = select(vec![
        '\u{7f}', '\u{85}', 'é', '日', '\u{301}', '\u{2028}', '\u{feff}', '\u{ffff}', '🙂', '/', '{', '$',
    ]);
    let short = select(vec!["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"]);
    let pair =
        (0xd800..0xdc00u16, 0xdc00..0xe000u16).prop_map(|(high, low)| format!("\\u{high:04x}\\u{low:04X}"));
    prop_oneof![
        8 => (b'a'..=b'z').prop_map(|c| char::from(c).to_string()),
        2 => odd.prop_map(|c| c.to_string()),
        1 => raw.prop_map(|c| c.to_string()),
        2 => short.prop_map(str::to_owned),
        1 => any::<u16>().prop_map(|unit| format!("\\u{unit:04x}")),
        1 => (0..0x80u16).prop_map(|unit| format!("\\u{unit:04X}")),
        1 => (0xd800..0xe000u16).prop_map(|unit| format!("\\u{unit:04x}")),
        1 => pair,
    ]
    .boxed()
}
