//! What is said of filters before there is an event, held to trying them on all small events.

use logweir_stages::{FilterConfig, Verdict};
use logweir_testkit::oracle::filter::Filter as NaiveFilter;
use logweir_testkit::oracle::json::{Node, parse};
use proptest::prelude::*;
use proptest::sample::select;

/// All that a field may be here; `None` is missing.
const VALUES: [Option<&str>; 28] = [
    None,
    Some("null"),
    Some("true"),
    Some("false"),
    Some("-1"),
    Some("0"),
    Some("0.5"),
    Some("1"),
    Some("1.0"),
    Some("1.5"),
    Some("2"),
    Some("9007199254740993"),
    Some(r#""""#),
    Some(r#""a""#),
    Some(r#""\u0061b""#),
    Some(r#""b""#),
    Some(r#""ba""#),
    Some(r#""aba""#),
    Some(r#""bab""#),
    Some(r#""1""#),
    Some(r#""true""#),
    Some("[]"),
    Some(r#"["a"]"#),
    Some(r#"["b", "a"]"#),
    Some(r#"["ab", 1]"#),
    Some(r#"["a", "b", "ab"]"#),
    Some("[1]"),
    Some(r#"{"a":1}"#),
];

/// Returns each event that has the fields `a` and `b`, or not.
fn events() -> Vec<Node> {
    let mut events = Vec::new();
    for a in VALUES {
        for b in VALUES {
            let member = |name: &str, value: Option<&str>| value.map(|value| format!("\"{name}\":{value}"));
            let members: Vec<_> = [member("a", a), member("b", b)].into_iter().flatten().collect();
            events.push(parse(format!("{{{}}}", members.join(",")).as_bytes()).unwrap());
        }
    }
    events
}

fn predicate() -> impl Strategy<Value = String> {
    let scalar = select(vec![
        "true",
        "1",
        "1.0",
        "0",
        "2",
        "9007199254740993",
        r#""a""#,
        r#""ab""#,
        r#""1""#,
        r#""""#,
    ]);
    let part = select(vec![r#""""#, r#""a""#, r#""b""#, r#""ab""#, r#""ba""#]);
    let number = select(vec!["0", "1", "1.5", r#""1""#, "2"]);
    let list = select(vec![r#"["a","b"]"#, r#"[1,"ab"]"#, r#"["a"]"#, "[0,2]"]);
    let test = prop_oneof![
        (select(vec!["eq", "!eq"]), scalar),
        (select(vec!["lt", "leq", "gt", "geq"]), number),
        (select(vec!["startsWith", "endsWith", "contains", "!startsWith", "!endsWith", "!contains"]), part),
        (select(vec!["in", "!in"]), list),
    ];
    (select(vec!["a", "a", "b"]), test).prop_map(|(key, (operator, value))| {
        format!(r#"{{"key":"{key}","operator":"{operator}","value":{value}}}"#)
    })
}

fn filter() -> impl Strategy<Value = String> {
    let condition = predicate().prop_recursive(3, 12, 4, |inner| {
        (select(vec!["and", "and", "or"]), prop::collection::vec(inner, 1..4))
            .prop_map(|(join, list)| format!(r#"{{"{join}":[{}]}}"#, list.join(",")))
    });
    condition.prop_map(|condition| format!(r#"{{"where":{condition}}}"#))
}

/// Checks that a verdict is true of each event that the earlier filters let through.
fn check_on_all(text: &str, earlier: &[String]) -> Result<Verdict, TestCaseError> {
    let config = |text: &str| FilterConfig::from_json(text).unwrap();
    let naive = |text: &str| NaiveFilter::parse(text).unwrap();
    let before: Vec<_> = earlier.iter().map(|text| config(text)).collect();
    let verdict = config(text).verdict_after(&before.iter().collect::<Vec<_>>());
    let (filter, before) = (naive(text), earlier.iter().map(|text| naive(text)).collect::<Vec<_>>());
    for event in events().iter().filter(|event| before.iter().all(|filter| filter.keeps(event))) {
        let said = match verdict {
            Verdict::Depends => break,
            Verdict::Always => true,
            Verdict::Never => false,
        };
        prop_assert_eq!(filter.keeps(event), said, "{} after {:?} of {:?}", text, earlier, event);
    }
    Ok(verdict)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_verdict_is_wrong(text in filter()) {
        check_on_all(&text, &[])?;
    }

    #[test]
    fn no_verdict_is_wrong_behind_other_filters(text in filter(), earlier in prop::collection::vec(filter(), 1..3)) {
        check_on_all(&text, &earlier)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_cannot_hold_beside_others_holds_for_no_event(text in filter(), given in filter(), missed in filter()) {
        let [config, yes, no] = [&text, &given, &missed].map(|text| FilterConfig::from_json(text).unwrap());
        let [filter, given, missed] = [&text, &given, &missed].map(|text| NaiveFilter::parse(text).unwrap());
        if !config.can_hold(&[&yes], &[&no]) {
            let is_one = |event: &Node| given.keeps(event) && !missed.keeps(event) && filter.keeps(event);
            prop_assert!(!events().iter().any(is_one), "{}", text);
        }
    }
}

/// Returns the verdict on predicates on the field `a`, joined.
fn joined(join: &str, predicates: &[(&str, &str)]) -> Verdict {
    let predicate = |(operator, value): &(&str, &str)| {
        format!(r#"{{"key":"a","operator":"{operator}","value":{value}}}"#)
    };
    let list: Vec<_> = predicates.iter().map(predicate).collect();
    let text = format!(r#"{{"where":{{"{join}":[{}]}}}}"#, list.join(","));
    let verdict = check_on_all(&text, &[]).unwrap();
    assert_eq!(verdict, FilterConfig::from_json(&text).unwrap().verdict(), "{text}");
    verdict
}

#[test]
fn what_contradicts_itself_never_holds() {
    for predicates in [
        [("eq", r#""x""#), ("eq", r#""y""#)],
        [("eq", r#""x""#), ("!eq", r#""x""#)],
        [("in", r#"["x","y"]"#), ("in", r#"["z",1]"#)],
        [("eq", r#""x""#), ("!in", r#"["x","y"]"#)],
        [("gt", "5"), ("lt", "3")],
        [("gt", "5"), ("leq", "5")],
        [("geq", "5"), ("eq", "4")],
        [("startsWith", r#""a""#), ("eq", r#""b""#)],
        [("startsWith", r#""a""#), ("startsWith", r#""b""#)],
        [("endsWith", r#""a""#), ("!endsWith", r#""a""#)],
        [("startsWith", r#""ab""#), ("!contains", r#""b""#)],
        [("contains", r#""a""#), ("!contains", r#""a""#)],
        [("contains", r#""a""#), ("gt", "1")],
        [("startsWith", r#""1""#), ("geq", "1")],
        [("eq", "true"), ("eq", "false")],
    ] {
        assert_eq!(joined("and", &predicates), Verdict::Never, "{predicates:?}");
    }
}

#[test]
fn what_leaves_nothing_out_always_holds() {
    for predicates in [
        [("!eq", r#""x""#), ("!eq", r#""y""#)],
        [("!eq", r#""x""#), ("eq", r#""x""#)],
        [("!in", r#"["x","y"]"#), ("startsWith", r#""""#)],
        [("!startsWith", r#""a""#), ("!contains", r#""b""#)],
    ] {
        let expected = if predicates[1].0 == "!contains" { Verdict::Depends } else { Verdict::Always };
        assert_eq!(joined("or", &predicates), expected, "{predicates:?}");
    }
}

#[test]
fn what_some_event_satisfies_is_not_called_impossible() {
    for predicates in [
        // Both may be elements of a list.
        [("contains", r#""a""#), ("contains", r#""b""#)],
        // A missing field satisfies both.
        [("!eq", r#""x""#), ("!startsWith", r#""""#)],
        [("eq", "1"), ("eq", r#""1.0""#)],
        [("geq", "1"), ("leq", "1")],
        [("startsWith", r#""ab""#), ("endsWith", r#""ba""#)],
        [("contains", r#""a""#), ("!startsWith", r#""a""#)],
    ] {
        assert_eq!(joined("and", &predicates), Verdict::Depends, "{predicates:?}");
    }
}

#[test]
fn a_filter_is_judged_by_those_before_it() {
    let filter = |operator: &str, value: &str| {
        format!(r#"{{"where":{{"key":"Outcome","operator":"{operator}","value":{value}}}}}"#)
    };
    let after = |text: String, earlier: String| {
        let earlier = FilterConfig::from_json(&earlier).unwrap();
        FilterConfig::from_json(&text).unwrap().verdict_after(&[&earlier])
    };
    assert_eq!(after(filter("eq", r#""ok""#), filter("!eq", r#""ok""#)), Verdict::Never);
    assert_eq!(after(filter("!eq", r#""ok""#), filter("eq", r#""exception""#)), Verdict::Always);
    assert_eq!(after(filter("!eq", r#""ok""#), filter("!eq", r#""canceled""#)), Verdict::Depends);
    let [ok, not_ok] =
        ["eq", "!eq"].map(|operator| FilterConfig::from_json(&filter(operator, r#""ok""#)).unwrap());
    assert!(!ok.can_hold(&[], &[&ok]) && not_ok.can_hold(&[], &[&ok]) && !ok.can_hold(&[], &[&ok, &not_ok]));
}

#[test]
fn a_filter_that_would_take_forever_is_given_up() {
    // Sixty alternatives of two, and of the last no branch can be: all would have to be tried together.
    let is = |key: &str, value: usize| format!(r#"{{"key":"{key}","operator":"eq","value":{value}}}"#);
    let either = |n: usize| format!(r#"{{"or":[{},{}]}}"#, is(&format!("k{n}"), 1), is(&format!("l{n}"), 1));
    let never = format!(r#"{{"or":[{0},{0}]}}"#, format!(r#"{{"and":[{},{}]}}"#, is("z", 1), is("z", 2)));
    for (first, last) in [(Some(&never), None), (None, Some(&never))] {
        let between: Vec<_> = (0..60).map(either).collect();
        let list: Vec<_> = first.into_iter().chain(&between).chain(last).cloned().collect();
        let filter =
            FilterConfig::from_json(&format!(r#"{{"where":{{"and":[{}]}}}}"#, list.join(","))).unwrap();
        assert_ne!(filter.verdict(), Verdict::Always);
    }
}

#[test]
fn a_filter_is_shown_on_one_line() {
    let text = r#"{"where":{"and":[{"key":"a","operator":"!eq","value":"x"},{"or":[{"key":"b","operator":"gt","value":5},{"key":"c","operator":"in","value":["y",1]}]}]}}"#;
    let shown = FilterConfig::from_json(text).unwrap().to_string();
    assert_eq!(shown, r#"a !eq "x" and (b gt 5 or c in ["y",1])"#);
}
