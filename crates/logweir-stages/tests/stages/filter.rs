//! What a filter keeps, and which filters are refused.

use logweir_stages::FilterConfig;
use logweir_testkit::oracle::Stage;

use crate::run_whole;

const EVENT: &str = r#"{"Outcome":"ok","Status":200,"Big":9007199254740993,"Ratio":0.5,"Up":true,"Tags":["a","b\u00e9"],"Esc":"a\/b\ud83d\ude00","Null":null,"Event":{"Request":{"Method":"GET"}},"x.y":1,"x":{"y":2}}"#;

fn check(key: &str, operator: &str, value: &str, expected: bool) {
    let filter = format!(r#"{{"where":{{"key":"{key}","operator":"{operator}","value":{value}}}}}"#);
    let kept = run_whole(&[Stage::Filter(filter)], EVENT.as_bytes()).written == 1;
    assert_eq!(kept, expected, "{key} {operator} {value}");
}

/// Checks an operator and its negation.
fn check_both(key: &str, operator: &str, value: &str, expected: bool) {
    check(key, operator, value, expected);
    check(key, &format!("!{operator}"), value, !expected);
}

#[test]
fn values_equal_by_the_type_of_the_field() {
    check_both("Outcome", "eq", r#""ok""#, true);
    check_both("Outcome", "eq", r#""OK""#, false);
    for value in ["200", r#""200""#, "200.0", "2e2", r#""2E2""#] {
        check_both("Status", "eq", value, true);
    }
    check_both("Status", "eq", r#""0200""#, false);
    check_both("Big", "eq", "9007199254740992.0", false);
    check_both("Big", "eq", "9007199254740993", true);
    check_both("Up", "eq", "true", true);
    check_both("Up", "eq", r#""true""#, true);
    check_both("Up", "eq", "1", false);
    check_both("Tags", "eq", r#""a""#, false);
    check_both("Esc", "eq", r#""a/b😀""#, true);
}

#[test]
fn in_is_one_of_several() {
    check_both("Status", "in", r#"["404", 200]"#, true);
    check_both("Outcome", "in", r#"["exception", "canceled"]"#, false);
}

#[test]
fn numbers_are_ordered_mathematically() {
    check("Big", "gt", "9007199254740992.0", true);
    check("Big", "leq", r#""9007199254740993""#, true);
    check("Ratio", "lt", "1e400", true);
    check("Ratio", "geq", "0.50", true);
    check("Outcome", "lt", "1", false);
    check("Missing", "lt", "1", false);
}

#[test]
fn texts_are_compared_decoded() {
    check_both("Esc", "startsWith", r#""a/b""#, true);
    check_both("Esc", "endsWith", r#""\ud83d\ude00""#, true);
    check_both("Esc", "contains", r#""/b""#, true);
    check_both("Outcome", "contains", r#""K""#, false);
    check_both("Tags", "contains", r#""bé""#, true);
    check_both("Tags", "contains", r#""b""#, false);
    check_both("Status", "startsWith", r#""2""#, false);
}

#[test]
fn a_missing_or_null_field_passes_nothing_but_negations() {
    for key in ["Missing", "Null", "Event.Request.URL"] {
        check_both(key, "eq", r#""x""#, false);
        check_both(key, "contains", r#""""#, false);
    }
    check_both("Null", "eq", r#""null""#, false);
}

#[test]
fn a_dotted_key_is_a_path_unless_there_is_such_a_field() {
    check("Event.Request.Method", "eq", r#""GET""#, true);
    check("x.y", "eq", "1", true);
}

#[test]
fn lists_nest() {
    let is = |outcome: &str| format!(r#"{{"key":"Outcome","operator":"eq","value":"{outcome}"}}"#);
    let (ok, no) = (is("ok"), is("no"));
    for (condition, expected) in [
        (format!(r#"{{"and":[{ok},{{"or":[{no},{ok}]}}]}}"#), 1),
        (format!(r#"{{"or":[{no},{{"and":[{ok},{no}]}}]}}"#), 0),
    ] {
        let filter = format!(r#"{{"where":{condition}}}"#);
        assert_eq!(run_whole(&[Stage::Filter(filter)], EVENT.as_bytes()).written, expected, "{condition}");
    }
}

fn check_refused(filter: &str, expected: &[&str]) {
    let problems = FilterConfig::from_json(filter).expect_err(filter);
    let places: Vec<_> =
        problems.iter().map(|problem| format!("{} {}", problem.at, problem.message)).collect();
    assert_eq!(places.len(), expected.len(), "{filter}: {places:#?}");
    for (place, expected) in places.iter().zip(expected) {
        assert!(place.starts_with(expected), "{filter}: {place}");
    }
}

#[test]
fn what_no_filter_can_be_is_refused_with_its_place() {
    check_refused("", &["0 the filter is no JSON"]);
    check_refused(r#"{"where":{}"#, &["11 the filter is no JSON"]);
    check_refused("[]", &["0 a filter is `{where: …}`"]);
    check_refused("{}", &["0 a filter needs `where`"]);
    check_refused(
        r#"{"where":{}}"#,
        &["9 a condition needs `key`", "9 a condition needs `operator`", "9 a condition needs `value`"],
    );
    check_refused(r#"{"where":{"not":{}}}"#, &["10 unknown key `not`; what must not hold has a `!`"]);
    check_refused(r#"{"where":{"and":[]}}"#, &["16 `and` needs at least one"]);
    let both = r#"{"where":{"and":[1],"or":[]}}"#;
    check_refused(both, &["9 `and` and `or` stand alone", "17 a condition is", "25 `or` needs at least one"]);
    check_refused(
        r#"{"where":{"or":[1,{"key":1}]}}"#,
        &[
            "16 a condition is",
            "18 a condition needs `operator`",
            "18 a condition needs `value`",
            "25 `key` takes a string",
        ],
    );
    for (operator, value, expected) in [
        ("neq", "1", "unknown operator `neq`; did you mean `!eq`?"),
        ("like", "1", "unknown operator `like`; there are eq"),
        ("gte", "1", "unknown operator `gte`; did you mean `geq`?"),
        ("startswith", "1", "unknown operator `startswith`; did you mean `startsWith`?"),
        ("!lt", "1", "`!lt` is no operator; there is `geq`"),
        (
            "eq",
            "null",
            "expected a string, a number or a boolean; what is missing or null satisfies every `!`",
        ),
        ("eq", "[1]", "expected a string, a number or a boolean; for several values there is `in`"),
        ("!eq", "[1]", "expected a string, a number or a boolean; for several values there is `!in`"),
        ("in", "\"a\"", "`in` takes a list of strings and numbers; write `[…]`"),
        ("in", "[]", "`in` needs at least one value"),
        ("gt", "\"01\"", "expected a number"),
        ("gt", "true", "expected a number"),
        ("contains", "1", "`contains` takes a string"),
        ("!startsWith", "null", "`!startsWith` takes a string"),
    ] {
        let filter = format!(r#"{{"where":{{"key":"k","operator":"{operator}","value":{value}}}}}"#);
        let at = if expected.contains("operator") {
            filter.find(operator).unwrap() - 1
        } else {
            filter.len() - 2 - value.len()
        };
        check_refused(&filter, &[&format!("{at} {expected}")]);
    }
    check_refused(
        r#"{"where":{"key":"k","operator":"in","value":[null,1,true]}}"#,
        &["45 expected a string or a number", "52 expected a string or a number"],
    );
    let deep = format!("{}{}", r#"{"where":{"and":["#.repeat(100_000), "]}}".repeat(100_000));
    check_refused(&deep, &[""]);
}
