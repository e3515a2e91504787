//! Truncate against worked cases; `oracle.rs` compares it with the naive one.

use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{self as naive, same_lines, same_tokens};
use logweir_testkit::samples;

use crate::{run, run_whole, truncate_to, whole};

#[test]
fn worked_cases() {
    let cases = samples::truncate_cases();
    assert_eq!(cases.len(), 158);
    for case in cases {
        let outcome = run_whole(&[truncate_to(case.limit)], case.input.as_bytes());
        let expected = format!("{}\n", case.output);
        same_tokens(&outcome.output, expected.as_bytes())
            .unwrap_or_else(|why| panic!("{}: {why}", case.name));
    }
}

#[test]
fn the_documented_example() {
    let outcome = run_whole(&[truncate_to(50)], samples::EXAMPLE_IN);
    same_lines(&outcome.output, samples::EXAMPLE_OUT).unwrap();
    assert_eq!(outcome.truncated, 1);
    // 42 of the second message's 52 characters, "Hello " and "World!".
    assert_eq!(outcome.truncated_characters, [0, 42, 12]);
}

#[test]
fn the_rest_of_the_line_stays_byte_for_byte() {
    let line = b" {\"n\" : 1.0e3,\"Logs\": [ {\"Message\":[ \"\\u00e9bc\" , 7 , {} ] , \"Level\":\"l\\/og\"} , 5 ],\"x\":\"\\ud83d\"}\t\r\n";
    let cut = b" {\"n\" : 1.0e3,\"Logs\": [ {\"Message\":[ \"\\u00e9b<<<Logpush: messages truncated>>>\"  ] , \"Level\":\"l\\/og\"}  ],\"x\":\"\\ud83d\"}\t\r\n";
    let outcome = run_whole(&[truncate_to(2)], line);
    assert_eq!(String::from_utf8_lossy(&outcome.output), String::from_utf8_lossy(cut));
}

#[test]
fn what_is_not_over_the_limit_passes_untouched() {
    let outcome = run_whole(&[truncate_to(usize::MAX)], samples::EVENTS);
    assert_eq!(outcome.output, samples::EVENTS);
    assert_eq!(outcome.truncated, 0);
}

/// Checks under which name an event is counted whose script is this JSON.
#[track_caller]
fn check_script(json: &str, shown: &str) {
    let event = format!(r#"{{"Logs":[{{"Message":"long"}}],"ScriptName":{json}}}"#);
    let outcome = run_whole(&[truncate_to(1)], event.as_bytes());
    let by_script: Vec<_> = outcome.truncated_by_script.into_iter().collect();
    assert_eq!(by_script, [(shown.to_owned(), (1, [0, 0, 3]))], "{json}");
}

#[test]
fn cuts_are_counted_by_what_the_scripts_name_means() {
    check_script(r#""shop""#, "shop");
    check_script(r#""\u0073h\u006fp""#, "shop");
    check_script(r#""a\"b\\c\nd\ud83d\ude00e\ud83d""#, "a\"b\\c\nd\u{1f600}e\u{fffd}");
    check_script(r#""(other)""#, "(other)");
    for none in ["\"\"", "null", "7", "[\"shop\"]", "\"shop\",\"ScriptName\":{}"] {
        check_script(none, "(none)");
    }
}

#[test]
fn a_long_name_of_a_script_is_counted_by_its_beginning() {
    let quoted = |name: &str| format!("\"{name}\"");
    let fits = "x".repeat(128);
    check_script(&quoted(&fits), &fits);
    check_script(&quoted(&"x".repeat(1 << 20)), &format!("{}…", "x".repeat(125)));
    // 41 times three bytes; the next character would begin at the 124th and not fit.
    check_script(&quoted(&"中".repeat(43)), &format!("{}…", "中".repeat(41)));
    check_script(&quoted(r"\ud83d".repeat(50).as_str()), &format!("{}…", "\u{fffd}".repeat(41)));
}

#[test]
fn an_event_without_a_script_is_counted_too() {
    let outcome = run_whole(&[truncate_to(1)], br#"{"Logs":[{"Message":"long"}]}"#);
    assert_eq!(outcome.truncated_by_script["(none)"], (1, [0, 0, 3]));
}

#[test]
fn a_second_truncate_reads_what_the_first_wrote() {
    let once = run_whole(&[truncate_to(40)], samples::EVENTS);
    let twice = run_whole(&[truncate_to(20)], &once.output);
    let both = run_whole(&[truncate_to(40), truncate_to(20)], samples::EVENTS);
    assert_eq!(both.output, twice.output);
    assert_eq!(both.truncated, once.truncated + twice.truncated);
}

/// Returns the truncate stage of a limit in characters that reports.
fn reporting(limit: usize, report: &str) -> naive::Stage {
    naive::Stage::TruncateAndReport { limit, unit: Unit::Chars, report: report.to_owned() }
}

/// Returns the number at a path of an event's report.
fn in_report(event: &naive::decode::Event, path: &[&str]) -> u64 {
    let report = event.object().get("Truncation").unwrap();
    let value = path.iter().try_fold(report, |value, name| value.get(*name));
    value.map_or(0, |value| value.raw().parse().unwrap())
}

#[test]
fn the_documented_example_with_its_report() {
    let outcome = run_whole(&[reporting(50, "Truncation")], samples::EXAMPLE_IN);
    let report = concat!(
        r#","Truncation":{"Limit":50,"Unit":"chars","ExceptionMessages":{"Characters":42,"Elements":0},"#,
        r#""LogMessages":{"Characters":12,"Elements":1,"MessageElements":0}}"#,
    );
    let output = String::from_utf8(outcome.output).unwrap();
    same_lines(output.replace(report, "").as_bytes(), samples::EXAMPLE_OUT).unwrap();
    assert!(output.ends_with(&format!("{report}}}\n")), "{output}");
    assert_eq!(outcome.truncated_characters, [0, 42, 12]);
}

#[test]
fn the_report_says_what_is_missing_and_changes_nothing_else() {
    for case in samples::truncate_cases() {
        let plain = run_whole(&[truncate_to(case.limit)], case.input.as_bytes());
        let reported = run_whole(&[reporting(case.limit, "Truncation")], case.input.as_bytes());
        if plain.truncated == 0 {
            assert_eq!(reported.output, plain.output, "{}", case.name);
            continue;
        }
        let event = naive::decode::Event::read(&reported.output).unwrap();
        let member = event.object().get("Truncation").unwrap();
        let text = String::from_utf8(reported.output.clone()).unwrap();
        let without = text.replace(&format!(",\"Truncation\":{}", member.raw()), "");
        assert_eq!(without.as_bytes(), plain.output, "{}", case.name);
        let lists = ["ExceptionNames", "ExceptionMessages", "LogMessages"];
        let characters = lists.map(|list| in_report(&event, &[list, "Characters"]));
        assert_eq!(characters, plain.truncated_characters, "{}", case.name);
        // What is there and what is missing is what was there.
        let read = naive::decode::Event::read(case.input.as_bytes()).unwrap();
        for (array, list) in [("Exceptions", "ExceptionNames"), ("Logs", "LogMessages")] {
            let n_of = |event: &naive::decode::Event| {
                event.object().get(array).map_or(0, |array| array.elements().len() as u64)
            };
            let n_missing = in_report(&event, &[list, "Elements"]);
            assert_eq!(n_of(&event) + n_missing, n_of(&read), "{} {array}", case.name);
        }
    }
}

/// Checks what an event becomes at a limit, with `<m>` for the marker of logs.
#[track_caller]
fn check_reported(stages: &[naive::Stage], event: &str, expected: &str) {
    let outcome = run_whole(stages, event.as_bytes());
    let expected = expected.replace("<m>", "<<<Logpush: messages truncated>>>");
    assert_eq!(String::from_utf8_lossy(&outcome.output), format!("{expected}\n"));
}

#[test]
fn elements_of_a_message_are_counted_by_themselves() {
    check_reported(
        &[reporting(1, "R")],
        r#"{"Logs":[{"Message":["ab","c",{"d":[1,2]}]},{"Message":["e"]},7]}"#,
        r#"{"Logs":[{"Message":["a<m>"]}],"R":{"Limit":1,"Unit":"chars","LogMessages":{"Characters":14,"Elements":2,"MessageElements":2}}}"#,
    );
    // Reached after the cut: the marker stands for the first element, if there is one.
    let exceptions = r#""Exceptions":[{"Name":"ab"},{},3]"#;
    let cut = r#""Exceptions":[{"Name":"a<<<Logpush: exception names truncated>>>"}]"#;
    let names =
        r#""ExceptionNames":{"Characters":1,"Elements":2},"ExceptionMessages":{"Characters":0,"Elements":2}"#;
    for (message, n) in [(r#"["x","yz",1]"#, 2), (r#"["wxyz"]"#, 0), ("[]", 0)] {
        let n_characters = if n == 0 && message == "[]" { 0 } else { 4 };
        check_reported(
            &[reporting(1, "R")],
            &format!(r#"{{{exceptions},"Logs":[{{"Message":{message}}}]}}"#),
            &format!(
                r#"{{{cut},"Logs":[{{"Message":["<m>"]}}],"R":{{"Limit":1,"Unit":"chars",{names},"LogMessages":{{"Characters":{n_characters},"Elements":0,"MessageElements":{n}}}}}}}"#
            ),
        );
    }
}

#[test]
fn what_stood_in_the_reports_place_is_kept_in_it() {
    check_reported(
        &[reporting(2, "R"), reporting(1, "R")],
        r#"{"R": [ 1.0e2 ] ,"Logs":[{"Message":"abc"}]}"#,
        concat!(
            r#"{"R": {"Limit":1,"Unit":"chars","LogMessages":{"Characters":34,"Elements":0,"MessageElements":0},"#,
            r#""Before":{"Limit":2,"Unit":"chars","LogMessages":{"Characters":1,"Elements":0,"MessageElements":0},"#,
            r#""Before":[ 1.0e2 ]}} ,"Logs":[{"Message":"a<m>"}]}"#,
        ),
    );
}

#[test]
fn later_stages_see_the_report() {
    let cut = r#"{"Logs":[{"Message":"abc"}],"Truncation.Unit":7}"#;
    let events = [cut, r#"{"Logs":[{"Message":"a"}]}"#, r#"{"Logs":[{"Message":"abcd"}]}"#].join("\n");
    let filter =
        r#"{"where":{"key":"Truncation.LogMessages.Characters","operator":"eq","value":2}}"#.to_owned();
    let outcome = run_whole(&[reporting(1, "Truncation"), naive::Stage::Filter(filter)], events.as_bytes());
    assert_eq!((outcome.written, outcome.filtered, outcome.truncated), (1, 2, 2));
    let options = naive::encode::Options {
        field_names: Some(vec!["Truncation".to_owned()]),
        ..naive::encode::Options::default()
    };
    let outcome = run(&[reporting(1, "Truncation")], &options, &whole(cut.as_bytes()));
    let report =
        r#"{"Limit":1,"Unit":"chars","LogMessages":{"Characters":2,"Elements":0,"MessageElements":0}}"#;
    assert_eq!(String::from_utf8(outcome.output).unwrap(), format!("{{\"Truncation\":{report}}}\n"));
}
