//! Which templates are understood, and where those that are not go wrong.

use logweir_stages::RecordTemplate;
use logweir_testkit::oracle as naive;
use logweir_testkit::oracle::encode::Options;
use proptest::prelude::*;
use proptest::sample::select;

use crate::{MAX_EVENT_BYTES, run, whole};

/// Checks what a template makes of an event with the field `a`.
fn check(template: &str, expected: &[u8]) {
    let options = Options {
        record_template: Some(template.to_owned()),
        record_prefix: Some("<".to_owned()),
        record_suffix: Some(">".to_owned()),
        ..Options::of_fields(&["a"])
    };
    let output = run(&[], &options, &whole(b"{\"a\":1}")).output;
    assert_eq!(output, [b"<", expected, b">"].concat(), "{template}");
    assert_eq!(naive::run_as(&[], &options, b"{\"a\":1}", MAX_EVENT_BYTES).output, output);
}

/// Checks that a template is refused at the part of it between `«` and `»`, and that the message or the help says so.
fn check_refused(marked: &str, says: &str) {
    let (before, behind) = marked.split_once('«').unwrap();
    let (at_fault, behind) = behind.split_once('»').unwrap();
    let template = [before, at_fault, behind].concat();
    let problem = RecordTemplate::parse(&template).unwrap_err();
    assert_eq!((problem.offset, problem.n_bytes), (before.len(), at_fault.len()), "{template}: {problem:?}");
    let said = format!("{}; {}", problem.message, problem.help.unwrap_or_default());
    assert!(said.contains(says), "{template}: {said}");
}

#[test]
fn the_three_kinds_of_token() {
    check("text } }} { é", "text } }} { é".as_bytes());
    check("{{.a}}{{ .a }}{{\t.a\r\n}}", b"111");
    check("{{\"b\"}}{{ \"}}\" }}{{`{{`}}", b"b}}{{");
    check("x{{/**/}}y{{/* }} \n \" ` */}}z", b"xyz");
}

#[test]
fn constants_are_strings_of_go() {
    check(r#"{{"\a\b\f\n\r\t\v\\\""}}"#, b"\x07\x08\x0c\n\r\t\x0b\\\"");
    check(r#"{{"\x41\xfe\101\377\u65e5\U0001f642é"}}"#, b"A\xfeA\xff\xe6\x97\xa5\xf0\x9f\x99\x82\xc3\xa9");
    check("{{`a\\n\"\r\n`}}", b"a\\n\"\n");
    check("{{\"\"}}{{``}}", b"");
}

#[test]
fn everything_else_is_refused_with_its_place() {
    check_refused("é{{«if .a»}}x{{end}}", "neither a field nor a constant");
    check_refused("{{«$x»}}", "neither");
    check_refused("{{«printf \"%d\" .a»}}", "neither");
    check_refused("{{«12»}}", "neither");
    check_refused("{{«'a'»}}", "neither");
    check_refused("{{.a «| html»}}", "nothing more");
    check_refused("{{.a «.b»}}", "nothing more");
    check_refused("{{\"a\"«\"b\"»}}", "nothing more");
    check_refused("{{.a«-»}}", "nothing more");
    check_refused("{{«.»}}", "name of a field");
    check_refused("{{«.5»}}", "name of a field");
    check_refused("{{«.\"a\"»}}", "name of a field");
    check_refused("{{ «.a.b» }}", "{{ .a }}");
    check_refused("{{«}}»", "empty");
    check_refused("{{«{»", "{{`{`}}");
    check_refused("{{«{.a»}}}", "{{`{`}}");
}

#[test]
fn trim_markers_are_refused() {
    check_refused("a {{«-» .a}}", "trim markers");
    check_refused("a {{.a «-»}} b", "trim markers");
    check_refused("a {{«-» /* b */ -}}", "trim markers");
}

#[test]
fn a_comment_touches_its_braces() {
    check_refused("{{ «/*» a */}}", "right before it");
    check_refused("{{/* a «*/» }}", "at once");
    check_refused("{{/* a «*/» -}}", "at once");
    check_refused("x«{{/*» a", "no end");
    check_refused("«{{/*»/}}", "no end");
}

#[test]
fn what_is_not_closed_is_refused_where_it_begins() {
    check_refused("a«{{»", "no end");
    check_refused("a«{{» \n", "no end");
    check_refused("a«{{» .a", "no end");
    check_refused("a«{{».a ", "no end");
    check_refused("a{{.a«}»", "nothing more");
    check_refused("{{«\"»a}}", "no end");
    check_refused("{{«\"»a\n\"}}", "no end");
    check_refused("{{«\"»a\\", "no end");
    check_refused("{{«`»a\"}}", "no end");
}

#[test]
fn escapes_that_go_does_not_know_are_refused() {
    for escape in [r"\q", r"\'", r"\x", r"\u", r"\U", r"\4", r"\8", r"\é", "\\\n"] {
        check_refused(&format!("{{{{\"a«{escape}»\"}}}}"), "escape");
    }
    for (escape, rest) in
        [(r"\x", "4g"), (r"\u", "d83d"), (r"\U", "00110000"), (r"\4", "00"), (r"\u", "12é4"), (r"\x", "+1")]
    {
        check_refused(&format!("{{{{\"a«{escape}»{rest}\"}}}}"), "escape");
    }
}

proptest! {
    #[test]
    fn any_text_is_understood_or_refused_at_a_place_in_it(
        pieces in prop::collection::vec(
            prop_oneof![
                4 => select(vec!["{{", "}}", "/*", "*/", ".", "a", "\"", "`", "\\", "\\u00e9", " ", "\n", "-", "é", "x41"]),
                1 => "\\PC{0,3}".prop_map(|text| &*text.leak()),
            ],
            0..12,
        ),
    ) {
        let template = pieces.concat();
        match RecordTemplate::parse(&template) {
            Ok(_) => {
                let options = Options { record_template: Some(template.clone()), ..Options::of_fields(&["a"]) };
                let output = run(&[], &options, &whole(b"{\"a\":1}")).output;
                prop_assert_eq!(output, naive::run_as(&[], &options, b"{\"a\":1}", MAX_EVENT_BYTES).output);
            }
            Err(problem) => {
                prop_assert!(template.get(problem.offset..problem.offset + problem.n_bytes).is_some(), "{:?}", problem);
                prop_assert!(!problem.message.is_empty());
            }
        }
    }
}
