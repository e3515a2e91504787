//! Numbers, compared with long hand.

use std::cmp::Ordering;

use logweir_json::{Number, write_number};
use logweir_testkit::oracle::json::is_number;
use proptest::prelude::*;

use crate::strategy;

fn number(text: &str) -> Number {
    Number::parse(text.as_bytes()).unwrap()
}

#[test]
fn spellings_of_one_number_are_equal() {
    for (a, b) in
        [("1", "1.0"), ("1", "10e-1"), ("-0", "0"), ("-0.0", "0"), ("1e400", "1e400"), ("1e3", "1000")]
    {
        assert_eq!(number(a), number(b));
    }
}

#[test]
fn an_integer_is_not_rounded_to_be_compared() {
    assert!(number("9007199254740993") > number("9007199254740992.0"));
    assert!(number("18446744073709551615") < number("18446744073709551616"));
    assert!(number("-9223372036854775807") > number("-9223372036854775808.0"));
    assert_eq!(number("-9223372036854775808"), number("-9223372036854775808.0"));
    assert_ne!(number("9007199254740993"), number("9007199254740992"));
}

#[test]
fn fractions_stand_between_integers() {
    assert!(number("-1") < number("-0.5") && number("-0.5") < number("0"));
    assert!(number("1") < number("1.5") && number("1.5") < number("2"));
    assert!(number("0") < number("1e-300"));
}

#[test]
fn infinity_is_beyond_all() {
    for finite in ["0", "18446744073709551615", "-9223372036854775808", "1.7e308", "-1.7e308"] {
        assert!(number("1e400") > number(finite) && number("-1e400") < number(finite));
    }
}

#[test]
fn what_is_no_number_is_none() {
    for text in
        ["", "-", "+1", "01", "1.", ".5", "1e", " 1", "1 ", "NaN", "Infinity", "0x1", "1_0", "1e5.", "--1"]
    {
        assert!(Number::parse(text.as_bytes()).is_none(), "{text}");
    }
}

/// Returns the sign and the digits before and behind the point of what a number means, `None` if it is infinite.
fn digits(text: &str) -> (bool, Option<(String, String)>) {
    let is_integer = text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok();
    let double: f64 = text.parse().unwrap();
    // A double has at most 1,074 digits behind its point, so this is its value to the last one.
    let all = if is_integer { text.to_owned() } else { format!("{double:.1074}") };
    let (whole, fraction) = all.split_once('.').unwrap_or((&all, ""));
    let whole = whole.trim_start_matches('-');
    (
        text.starts_with('-'),
        double.is_finite().then(|| (format!("{whole:0>400}"), format!("{fraction:0<1074}"))),
    )
}

fn compare_by_hand(a: &str, b: &str) -> Ordering {
    let ((a_negative, a), (b_negative, b)) = (digits(a), digits(b));
    let is_zero = |digits: &Option<(String, String)>| {
        digits.as_ref().is_some_and(|(whole, fraction)| !format!("{whole}{fraction}").contains(|c| c != '0'))
    };
    if is_zero(&a) && is_zero(&b) {
        return Ordering::Equal;
    }
    // `None`, infinite, is the largest of absolute values.
    let by_size = match (&a, &b) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Greater,
        (_, None) => Ordering::Less,
        (Some(a), Some(b)) => a.cmp(b),
    };
    match (a_negative, b_negative) {
        (false, false) => by_size,
        (true, true) => by_size.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

/// A number, and one that is near to it.
fn neighbours() -> impl Strategy<Value = (String, String)> {
    let near = any::<i64>().prop_flat_map(|number| {
        let double = number as f64;
        let integer = (-2..3_i64).prop_map(move |step| number.saturating_add(step).to_string());
        let spelled = prop_oneof![
            Just(format!("{double:.1}")),
            Just(format!("{double:e}")),
            Just(format!("{number}.5"))
        ];
        (integer, spelled)
    });
    prop_oneof![near, (strategy::number(), strategy::number())]
}

proptest! {
    #[test]
    fn comparison_is_as_by_hand((a, b) in neighbours()) {
        let expected = compare_by_hand(&a, &b);
        prop_assert_eq!(number(&a).partial_cmp(&number(&b)), Some(expected), "{} and {}", a, b);
        prop_assert_eq!(number(&b).partial_cmp(&number(&a)), Some(expected.reverse()), "{} and {}", b, a);
        prop_assert_eq!(number(&a) == number(&b), expected.is_eq());
    }

    #[test]
    fn only_json_grammar_makes_a_number(text in "[-+0-9.eE ]{0,8}") {
        prop_assert_eq!(Number::parse(text.as_bytes()).is_some(), is_number(&text));
    }
}

#[test]
fn numbers_are_written_as_javascript_has_them() {
    for (number, expected) in [
        (0.0, "0"),
        (1.0, "1"),
        (-10.0, "-10"),
        (1.0 / 0.3, "3.3333333333333335"),
        (1e20, "100000000000000000000"),
        (1e21, "1e21"),
        (1e-6, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (18_446_744_073_709_551_616.0, "18446744073709552000"),
        (f64::MAX, "1.7976931348623157e308"),
        (-5e-324, "-5e-324"),
        (0.000_001_234_567_890_123_456_7, "0.0000012345678901234567"),
    ] {
        assert_eq!(written(number), expected);
    }
}

fn written(number: f64) -> String {
    let mut out = Vec::new();
    write_number(number, &mut out);
    String::from_utf8(out).unwrap()
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same_double(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let text = written(number);
        prop_assert!(text.len() <= 25, "{}", text);
        let read = Number::parse(text.as_bytes()).unwrap().to_double();
        // Zero is one number, with a sign or without.
        prop_assert_eq!((read + 0.0).to_bits(), (number + 0.0).to_bits(), "{} is {}", text, read);
    }
}
