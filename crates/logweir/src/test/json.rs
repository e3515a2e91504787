//! What JSON means, to compare two texts that are written differently.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The levels that are looked into; what is nested deeper counts as it is written.
const MAX_DEPTH: usize = 100;

/// A value, in the one way in which all that mean the same are the same: numbers by their digits, keys in order, of a key that
/// comes twice the last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Json {
    /// A word, a number, a text, or what is nested too deep: as it is to be written.
    Scalar(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

impl Json {
    /// Returns what a text means; `None` if it is not JSON, or has a key with half a character in it.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let value: &RawValue = serde_json::from_slice(text).ok()?;
        Some(Self::of(value, MAX_DEPTH))
    }

    /// Returns what a value means whose members are looked into for so many levels.
    fn of(value: &RawValue, depth: usize) -> Self {
        let text = value.get();
        let inside = match text.as_bytes().first() {
            Some(b'{') if depth > 0 => Self::map(text, depth),
            Some(b'[') if depth > 0 => Self::list(text, depth),
            // A text with half a character in it, which is no text to others, counts as it is written.
            Some(b'"') => serde_json::from_str(text).ok().map(|text: String| Self::text(&text)),
            Some(b'-' | b'0'..=b'9') => Some(Self::Scalar(number(text))),
            _ => None,
        };
        inside.unwrap_or_else(|| Self::Scalar(text.to_owned()))
    }

    fn map(text: &str, depth: usize) -> Option<Self> {
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
        Some(Self::Map(members.into_iter().map(|(key, value)| (key, Self::of(value, depth - 1))).collect()))
    }

    fn list(text: &str, depth: usize) -> Option<Self> {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        Some(Self::List(items.into_iter().map(|value| Self::of(value, depth - 1)).collect()))
    }

    fn text(text: &str) -> Self {
        Self::Scalar(serde_json::Value::from(text).to_string())
    }

    /// Returns it over as many lines as it has members, each with the indentation of its level.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![String::new()];
        self.write(0, &mut lines);
        lines
    }

    /// Adds it to the last line. It calls itself as deep as it is nested, which is bounded.
    fn write(&self, level: usize, lines: &mut Vec<String>) {
        let members: Vec<(Option<&String>, &Self)> = match self {
            Self::Scalar(text) => {
                add(text, lines);
                return;
            }
            Self::List(items) => items.iter().map(|item| (None, item)).collect(),
            Self::Map(members) => members.iter().map(|(key, value)| (Some(key), value)).collect(),
        };
        let [open, close] = if matches!(self, Self::List(_)) { ["[", "]"] } else { ["{", "}"] };
        add(open, lines);
        for (n, (key, value)) in members.iter().enumerate() {
            lines.push("  ".repeat(level + 1));
            if let Some(key) = key {
                add(&format!("{}: ", serde_json::Value::from(key.as_str())), lines);
            }
            value.write(level + 1, lines);
            if n + 1 < members.len() {
                add(",", lines);
            }
        }
        if !members.is_empty() {
            lines.push("  ".repeat(level));
        }
        add(close, lines);
    }
}

fn add(text: &str, lines: &mut [String]) {
    if let Some(last) = lines.last_mut() {
        last.push_str(text);
    }
}

/// Returns a number by its digits: `1.50`, `15e-1` and `1.5` are one, whatever their size.
fn number(text: &str) -> String {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text),
    };
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let digits = significant.trim_end_matches('0');
    if digits.is_empty() {
        return String::from("0");
    }
    let n_trimmed = significant.len() - digits.len();
    // An exponent beyond this counts as it is written: nothing else comes near it.
    let Ok(exponent) = exponent.parse::<i64>() else { return text.to_owned() };
    let scale = i64::try_from(n_trimmed).ok().and_then(|n_trimmed| {
        exponent.checked_add(n_trimmed)?.checked_sub_unsigned(u64::try_from(fraction.len()).ok()?)
    });
    let Some(scale) = scale else { return text.to_owned() };
    match usize::try_from(scale) {
        Ok(scale) if scale <= 20 => format!("{sign}{digits}{}", "0".repeat(scale)),
        _ if (-20..0).contains(&scale) => {
            let n_behind = scale.unsigned_abs() as usize;
            let padded = format!("{digits:0>width$}", width = n_behind + 1);
            let (before, behind) = padded.split_at(padded.len() - n_behind);
            format!("{sign}{before}.{behind}")
        }
        _ => format!("{sign}{digits}e{scale}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Values that are often the same: few keys, few texts, few numbers.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-2i64..2).prop_map(Value::from),
            "[aé\"]{0,1}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::hash_map("[ab]", inner, 0..3).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn values_are_the_same_where_serde_says_so(a in value(), b in value()) {
            let [tight, loose] = [a.to_string(), format!("{b:#}")];
            prop_assert_eq!(is_same(&tight, &loose), a == b);
            let loose = format!("{a:#}");
            prop_assert!(is_same(&tight, &loose));
            let lines = Json::parse(tight.as_bytes()).expect("JSON").lines().concat();
            prop_assert_eq!(serde_json::from_str::<Value>(&lines).expect("JSON"), a);
        }
    }

    fn is_same(a: &str, b: &str) -> bool {
        let [a, b] = [a, b].map(|text| Json::parse(text.as_bytes()).expect("JSON"));
        a == b
    }

    #[test]
    fn numbers_are_the_same_by_their_value_whatever_their_size() {
        for (a, b) in [
            ("1", "1.0"),
            ("-0", "0.00e7"),
            ("100", "1E+2"),
            ("0.0015", "1.5e-3"),
            ("-12.50", "-125e-1"),
            ("1e400", "10e399"),
            ("123456789012345678901234567890", "12345678901234567890123456789e1"),
        ] {
            assert!(is_same(a, b), "{a} is {b}");
        }
        for (a, b) in [
            ("1", "-1"),
            ("9007199254740993", "9007199254740992"),
            ("1e400", "1e401"),
            ("0.1", "0.10000000000000000001"),
            ("1", "\"1\""),
            ("1e99999999999999999999", "1e99999999999999999998"),
        ] {
            assert!(!is_same(a, b), "{a} is not {b}");
        }
    }

    #[test]
    fn maps_and_texts_are_the_same_by_what_they_mean() {
        assert!(is_same(r#"{"a":1,"b":[true,null]}"#, r#" { "b" : [ true , null ], "a" : 1.0 }"#));
        assert!(is_same(r#"{"a":1,"a":2}"#, r#"{"a":2}"#));
        assert!(is_same(r#""\u00e9\/""#, "\"é/\""));
        assert!(!is_same("[1,2]", "[2,1]"));
        // Half a character is no text that could be compared otherwise.
        assert!(is_same(r#"{"a":"\ud800"}"#, r#"{ "a":"\ud800"}"#));
        assert!(!is_same(r#"{"a":"\ud800"}"#, r#"{"a":"\uD800"}"#));
        for text in ["", "{", "{}x", "nul", "\u{feff}{}"] {
            assert_eq!(Json::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn what_is_nested_deep_costs_no_stack() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(is_same(&deep(100_000), &deep(100_000)));
        assert!(!is_same(&deep(100_000), &deep(99_999)));
    }

    #[test]
    fn it_is_shown_a_member_a_line() {
        let value = Json::parse(br#"{"b":{},"a":[1,"x"]}"#).expect("JSON");
        assert_eq!(value.lines(), ["{", "  \"a\": [", "    1,", "    \"x\"", "  ],", "  \"b\": {}", "}"]);
    }
}
