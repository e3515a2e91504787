//! What a JSON value says, in eight bytes.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use logweir_testkit::oracle::json::{Kind, Node, Text, parse};

/// A hash of a value: equal for values that say the same, however they are spelled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct Digest(u64);

impl Digest {
    /// Returns the digest of the value on a line, or of its bytes if it is no JSON.
    ///
    /// Two lines say the same if they differ in white space, in the order of members, in how characters are escaped,
    /// and in how numbers are spelled: integers of 64 bits are compared exactly, all other numbers as doubles. Of
    /// members with equal names the last one counts.
    pub(super) fn of_line(line: &[u8]) -> Self {
        match parse(line) {
            Ok(value) => Self::of_value(&value),
            Err(_) => Self::of(&("no JSON", line)),
        }
    }

    /// Returns the digest of some bytes as they are.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        Self::of(&bytes)
    }

    fn of_value(value: &Node) -> Self {
        match value.kind() {
            Kind::Null | Kind::Bool => Self::of(&value.raw()),
            Kind::Number => Self::of(&("number", Number::read(value.raw()))),
            Kind::String => Self::of(&("string", value.text())),
            Kind::Array => {
                let elements: Vec<_> = value.elements().iter().map(Self::of_value).collect();
                Self::of(&("array", elements))
            }
            Kind::Object => {
                // The last one of equal names stays.
                let members: BTreeMap<Text, Node> = value.members().into_iter().collect();
                let members: Vec<_> =
                    members.iter().map(|(name, value)| (name, Self::of_value(value))).collect();
                Self::of(&("object", members))
            }
        }
    }

    fn of(what: &impl Hash) -> Self {
        // Without a seed, so that digests of different runs can be compared.
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// What a number says.
#[derive(PartialEq, Eq, Hash)]
enum Number {
    /// An integer of 64 bits, with or without sign.
    Integer(i128),
    /// The bits of the double nearest to any other.
    Double(u64),
}

impl Number {
    fn read(raw: &str) -> Self {
        if let Some(integer) = raw.parse().ok().filter(|integer| is_of_64_bits(*integer)) {
            return Self::Integer(integer);
        }
        let double: f64 = raw.parse().expect("a legal number is one for Rust, too");
        let integer = double as i128;
        if double.fract() == 0.0 && is_of_64_bits(integer) {
            return Self::Integer(integer);
        }
        Self::Double(double.to_bits())
    }
}

fn is_of_64_bits(integer: i128) -> bool {
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&integer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &str, b: &str) -> bool {
        Digest::of_line(a.as_bytes()) == Digest::of_line(b.as_bytes())
    }

    #[test]
    fn spelling_does_not_count() {
        for (a, b) in [
            (r#"{"a":1,"b":[]}"#, " { \"b\" : [ ] , \"a\" : 1 }\r\n"),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#""\u0041\/é😀""#, r#""A/\u00e9\ud83d\ude00""#),
            ("[1,-0,1e2,2.50]", "[1.0,0.0,100,25e-1]"),
            ("0.1", "0.10000000000000001"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn what_is_said_counts() {
        for (a, b) in [
            (r#"{"a":1}"#, r#"{"a":"1"}"#),
            (r#"{"a":null}"#, "{}"),
            ("[1,2]", "[2,1]"),
            ("[[1],2]", "[[1,2]]"),
            ("[]", "{}"),
            ("null", r#""null""#),
            ("9007199254740993", "9007199254740992"),
            ("18446744073709551615", "18446744073709551615.0"),
            ("0.1", "0.1000000000000001"),
            (r#""\ud83d""#, r#""\ufffd""#),
            (r#"{"a":1}"#, r#"{"a":1}}"#),
            ("no", "JSON"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }
}
