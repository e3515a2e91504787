//! The oracle's filter against the rules for filtering.

use logweir_testkit::oracle::filter::{Filter, refuses};
use logweir_testkit::oracle::json::parse;
use logweir_testkit::strategies::{any_event, any_filter, any_refused_filter};
use proptest::prelude::*;

fn keeps(filter: &str, event: &str) -> bool {
    Filter::parse(filter).expect("a filter").keeps(&parse(event.as_bytes()).expect("an event"))
}

fn where_f(operator: &str, value: &str) -> String {
    format!(r#"{{"where":{{"key":"f","operator":"{operator}","value":{value}}}}}"#)
}

/// Checks an operator on a field `f` and that its negation, where it has one, says the opposite.
fn check(field: &str, operator: &str, value: &str, expected: bool) {
    let event = format!(r#"{{"f":{field}}}"#);
    assert_eq!(keeps(&where_f(operator, value), &event), expected, "{field} {operator} {value}");
    if !matches!(operator, "lt" | "leq" | "gt" | "geq") {
        let negated = keeps(&where_f(&format!("!{operator}"), value), &event);
        assert_eq!(negated, !expected, "{field} !{operator} {value}");
    }
}

#[test]
fn a_string_equals_the_text_of_a_value() {
    check(r#""ok""#, "eq", r#""ok""#, true);
    check(r#""\u006fk""#, "eq", r#""o\u006b""#, true);
    check(r#""ok""#, "eq", r#""OK""#, false);
    check(r#""200""#, "eq", "200", true);
    check(r#""200""#, "eq", "200.0", false);
    check(r#""true""#, "eq", "true", true);
    check(r#""\ud83d""#, "eq", r#""\ud83d""#, true);
    check(r#""\ud83d""#, "eq", r#""\ud83d\ude42""#, false);
}

#[test]
fn a_number_equals_a_number_however_it_is_given() {
    for (field, value) in
        [("1", "1.0"), ("1.0", "\"1\""), ("1", "\"1\""), ("1e2", "100"), ("-0", "0"), ("-0.0", "0")]
    {
        check(field, "eq", value, true);
    }
    check("1", "eq", "2", false);
    check("1", "eq", r#"" 1""#, false);
    check("1", "eq", "true", false);
    check("1", "eq", r#""one""#, false);
}

#[test]
fn numbers_up_to_64_bits_are_exact_and_others_doubles() {
    check("9007199254740993", "eq", "9007199254740992.0", false);
    check("9007199254740993", "gt", "9007199254740992.0", true);
    check("9007199254740993", "eq", "9007199254740992", false);
    check("18446744073709551615", "eq", "18446744073709551614", false);
    check("18446744073709551615", "lt", "18446744073709551616", true);
    check("18446744073709551616", "eq", "18446744073709551617", true);
    check("-9223372036854775808", "eq", "-9223372036854775807", false);
    check("1e400", "eq", "1e401", true);
    check("1e400", "gt", "18446744073709551615", true);
    check("-1e400", "lt", "-9223372036854775808", true);
    check("0.1", "eq", "0.10000000000000000001", true);
    check("1e-400", "eq", "0", true);
    check("2", "gt", "1.5", true);
    check("-2", "lt", "-1.5", true);
    check("-1", "gt", "-1.5", true);
}

#[test]
fn order_is_for_numbers_only() {
    for (operator, less, equal, greater) in [
        ("lt", true, false, false),
        ("leq", true, true, false),
        ("gt", false, false, true),
        ("geq", false, true, true),
    ] {
        for value in ["30", "\"30\"", "30.0"] {
            check("29", operator, value, less);
            check("30", operator, value, equal);
            check("31", operator, value, greater);
        }
        for field in ["\"30\"", "true", "[30]", "{}", "null"] {
            check(field, operator, "30", false);
        }
    }
}

#[test]
fn a_boolean_equals_its_name() {
    check("true", "eq", "true", true);
    check("true", "eq", "\"true\"", true);
    check("true", "in", "[1,\"true\"]", true);
    check("false", "eq", "true", false);
    check("true", "eq", "1", false);
}

#[test]
fn arrays_and_objects_equal_nothing() {
    check("[1]", "eq", "1", false);
    check("[]", "eq", "\"[]\"", false);
    check("{}", "in", "[\"{}\"]", false);
}

#[test]
fn in_is_equality_with_any() {
    check("200", "in", "[200,201]", true);
    check("201", "in", "[\"200\",\"201.0\"]", true);
    check("\"200\"", "in", "[200]", true);
    check("\"b\"", "in", "[\"a\",\"c\"]", false);
}

#[test]
fn parts_of_text_are_compared_decoded() {
    check(r#""caf\u00e9/x""#, "startsWith", "\"café\"", true);
    check(r#""abc""#, "startsWith", "\"b\"", false);
    check(r#""abc""#, "endsWith", "\"bc\"", true);
    check(r#""abc""#, "contains", "\"b\"", true);
    check(r#""abc""#, "contains", "\"B\"", false);
    check(r#""abc""#, "contains", "\"\"", true);
    check(r#""a\nb""#, "contains", r#""\\n""#, false);
    check("\"🙂\"", "contains", r#""\ud83d""#, false);
    check(r#""\ud83dx""#, "startsWith", r#""\ud83d""#, true);
    for operator in ["startsWith", "endsWith", "contains"] {
        check("123", operator, "\"1\"", false);
        check("true", operator, "\"t\"", false);
        check("{\"a\":\"a\"}", operator, "\"a\"", false);
    }
}

#[test]
fn an_array_contains_what_one_of_its_strings_equals() {
    check(r#"["a","\u0062c"]"#, "contains", "\"bc\"", true);
    check(r#"["abc"]"#, "contains", "\"b\"", false);
    check("[1,[\"1\"],null]", "contains", "\"1\"", false);
    check("[\"a\"]", "startsWith", "\"a\"", false);
}

#[test]
fn a_missing_or_null_field_satisfies_just_the_negated_operators() {
    for (operator, value) in [
        ("eq", "\"null\""),
        ("in", "[1]"),
        ("startsWith", "\"\""),
        ("endsWith", "\"\""),
        ("contains", "\"\""),
    ] {
        check("null", operator, value, false);
        assert!(!keeps(&where_f(operator, value), "{}"));
        assert!(keeps(&where_f(&format!("!{operator}"), value), r#"{"F":1}"#));
    }
    for operator in ["lt", "leq", "gt", "geq"] {
        check("null", operator, "0", false);
        assert!(!keeps(&where_f(operator, "0"), "{}"));
    }
}

#[test]
fn keys_lead_into_nested_objects() {
    let filter = r#"{"where":{"key":"Event.Request.Method","operator":"eq","value":"GET"}}"#;
    assert!(keeps(filter, r#"{"Event":{"Request":{"Method":"GET"}}}"#));
    assert!(!keeps(filter, r#"{"Event.Request.Method":null,"Event":{"Request":{"Method":"GET"}}}"#));
    assert!(!keeps(filter, r#"{"Event":{"Request":{"Method":"GET"}},"Event":{}}"#));
    assert!(keeps(filter, r#"{"Event.Request.Method":"GET"}"#));
}

#[test]
fn conditions_join_and_nest() {
    let p = |value: u32| format!(r#"{{"key":"f","operator":"eq","value":{value}}}"#);
    let and_or = format!(r#"{{"where":{{"or":[{},{{"and":[{},{}]}}]}}}}"#, p(1), p(2), p(3));
    assert!(keeps(&and_or, r#"{"f":1}"#));
    assert!(!keeps(&and_or, r#"{"f":2}"#));
    let gates = r#"{"where":{"and":[{"key":"f","operator":"geq","value":"2"},{"or":[{"key":"f","operator":"lt","value":4},{"key":"g","operator":"eq","value":"x"}]}]}}"#;
    assert!(keeps(gates, r#"{"f":3}"#));
    assert!(!keeps(gates, r#"{"f":5}"#));
    assert!(keeps(gates, r#"{"f":5,"g":"x"}"#));
    assert!(!keeps(gates, r#"{"f":1,"g":"x"}"#));
    let deep = format!(r#"{{"where":{}{}{}}}"#, r#"{"and":["#.repeat(20_000), p(1), "]}".repeat(20_000));
    assert!(keeps(&deep, r#"{"f":1}"#));
}

#[test]
fn what_is_no_filter_is_refused() {
    for (operator, value) in [
        ("neq", "1"),
        ("!lt", "1"),
        ("Eq", "1"),
        ("", "1"),
        ("eq", "null"),
        ("eq", "[1]"),
        ("eq", "{}"),
        ("in", "1"),
        ("in", "\"200,201\""),
        ("in", "[]"),
        ("in", "[null]"),
        ("in", "[true]"),
        ("in", "[[1]]"),
        ("lt", "\"1x\""),
        ("lt", "\"+1\""),
        ("geq", "\"01\""),
        ("gt", "\" 1\""),
        ("leq", "true"),
        ("lt", "[1]"),
        ("contains", "1"),
        ("startsWith", "true"),
        ("!endsWith", "null"),
        ("contains", "[\"a\"]"),
    ] {
        assert!(refuses(&where_f(operator, value)), "{operator} {value}");
    }
    let p = r#"{"key":"a","operator":"eq","value":1}"#;
    for text in [
        String::new(),
        "{}".to_owned(),
        p.to_owned(),
        format!(r#"{{"where":[{p}]}}"#),
        format!(r#"{{"where":{{"and":[{p}],"or":[{p}]}}}}"#),
        format!(r#"{{"where":{{"and":[{p}],"key":"a","operator":"eq","value":1}}}}"#),
        r#"{"where":{"and":[]}}"#.to_owned(),
        r#"{"where":{"or":[]}}"#.to_owned(),
        format!(r#"{{"where":{{"and":[{p},null]}}}}"#),
        format!(r#"{{"where":{{"not":{p}}}}}"#),
    ] {
        assert!(refuses(&text), "{text}");
    }
    assert!(!refuses(&format!(r#"{{"where":{p}}}"#)));
}

proptest! {
    #[test]
    fn made_up_filters_are_taken_and_faulty_ones_are_not(good in any_filter(), bad in any_refused_filter()) {
        prop_assert!(Filter::parse(&good).is_ok(), "{good}: {:?}", Filter::parse(&good));
        prop_assert!(refuses(&bad), "{bad}");
    }

    #[test]
    fn a_condition_that_says_nothing_changes_nothing(filter in any_filter(), event in any_event()) {
        let event = parse(event.as_bytes()).unwrap();
        let verdict = Filter::parse(&filter).unwrap().keeps(&event);
        let inner = parse(filter.as_bytes()).unwrap().get("where").unwrap();
        let inner = inner.raw();
        let never = r#"{"key":"no such field","operator":"eq","value":1}"#;
        let always = r#"{"key":"no such field","operator":"!eq","value":1}"#;
        let or = format!(r#"{{"where":{{"or":[{inner},{never}]}}}}"#);
        let and = format!(r#"{{"where":{{"and":[{always},{inner}]}}}}"#);
        prop_assert_eq!(Filter::parse(&or).unwrap().keeps(&event), verdict);
        prop_assert_eq!(Filter::parse(&and).unwrap().keeps(&event), verdict);
    }
}
