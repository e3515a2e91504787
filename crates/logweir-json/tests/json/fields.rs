//! Which value a key names.

use logweir_event::Span;
use logweir_json::Projection;

use crate::readers::Readers;

/// Asserts that the event `event` has `expected` where `key` is asked for.
#[track_caller]
fn check(event: &str, key: &str, expected: Option<&str>) {
    let (body, row) = Readers::new(&[key]).read(event.as_bytes(), (0..event.len()).into());
    assert_eq!(body, Ok((0..event.len()).into()));
    assert_eq!((!row[0].is_missing()).then(|| &event[row[0].range()]), expected, "{key} in {event}");
}

#[test]
fn a_value_is_found_without_the_white_space_around_it() {
    check(r#"{ "a" : [ 1 , 2 ] , "b" : {} }"#, "a", Some("[ 1 , 2 ]"));
    check("{\"b\":0,\"a\"\t:\r-1e5\t}", "a", Some("-1e5"));
    check(r#"{"a":"x,} "  }"#, "a", Some(r#""x,} ""#));
}

#[test]
fn the_top_level_field_wins_wherever_it_stands() {
    check(r#"{"a.b":1,"a":{"b":2}}"#, "a.b", Some("1"));
    check(r#"{"a":{"b":2},"a.b":1}"#, "a.b", Some("1"));
    check(r#"{"a":{"b":2},"a.b":null}"#, "a.b", Some("null"));
    check(r#"{"a":{"b":2}}"#, "a.b", Some("2"));
}

#[test]
fn every_dot_is_a_step() {
    check(r#"{"a":{"b":{"c":3}}}"#, "a.b.c", Some("3"));
    check(r#"{"a":{"b.c":3}}"#, "a.b.c", None);
    check(r#"{"a.b":{"c":3}}"#, "a.b.c", None);
    check(r#"{"a":{"":{"b":3}}}"#, "a..b", Some("3"));
    check(r#"{"":{"":4}}"#, ".", Some("4"));
    check(r#"{"a":[{"b":2}]}"#, "a.b", None);
    check(r#"{"a":"b"}"#, "a.b", None);
}

#[test]
fn the_last_of_duplicates_counts_at_every_level() {
    check(r#"{"a":1,"a":2}"#, "a", Some("2"));
    check(r#"{"a":{"b":1,"b":2}}"#, "a.b", Some("2"));
    check(r#"{"a":{"b":1},"a":{"c":2}}"#, "a.b", None);
    check(r#"{"a":{"b":1},"a":2}"#, "a.b", None);
    check(r#"{"a":2,"a":{"b":1}}"#, "a.b", Some("1"));
    check(r#"{"a.b":1,"a.b":2,"a":{"b":3}}"#, "a.b", Some("2"));
}

#[test]
fn names_are_compared_unescaped_and_case_sensitively() {
    check(r#"{"\u004cogs":1}"#, "Logs", Some("1"));
    check(r#"{"\u004cogs\"":1}"#, "Logs\"", Some("1"));
    check(r#"{"\"":1}"#, "\"", Some("1"));
    check(r#"{"\ud83d\ude00":1}"#, "\u{1f600}", Some("1"));
    check(r#"{"a\u002eb":1,"a":{"b":2}}"#, "a.b", Some("1"));
    check(r#"{"\u0061":{"\u0062" :2}}"#, "a.b", Some("2"));
    check(r#"{"logs":1}"#, "Logs", None);
    // Unescaped, the name is so much shorter that it would seem to end at the colon within it.
    check(r#"{"\n\n:":1}"#, "\n\n:", Some("1"));
}

#[test]
fn a_name_with_a_lone_surrogate_is_no_name_that_can_be_asked_for() {
    check(r#"{"\ud83d":1}"#, "\u{fffd}", None);
    check(r#"{"\ud83d":1,"a":2}"#, "a", Some("2"));
    check(r#"{"\ud83d":1}"#, "\\ud83d", None);
}

#[test]
fn the_same_ask_gives_the_same_column() {
    let mut projection = Projection::default();
    let path = projection.ask("a.b");
    let top = projection.ask_top_level("a.b");
    let plain = projection.ask("a");
    assert_eq!(projection.width(), 3);
    assert_eq!((projection.ask("a.b"), projection.ask_top_level("a.b")), (path, top));
    assert_eq!((projection.ask("a"), projection.ask_top_level("a")), (plain, plain));
    assert_eq!(projection.width(), 3);

    let event = br#"{"a":{"b":2}}"#;
    let (_, row) = Readers::of(&projection).read(event, (0..event.len()).into());
    assert_eq!(row[path.index()], Span::new(10, 11));
    assert_eq!(row[top.index()], Span::MISSING);
    assert_eq!(row[plain.index()], Span::new(5, 12));
}
