//! The oracle's JSON against RFC 8259.

use logweir_testkit::oracle::json::{Kind, Text, is_number, parse};
use logweir_testkit::oracle::{same_lines, same_tokens};
use logweir_testkit::samples;

#[test]
fn takes_all_that_the_grammar_has() {
    let legal = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.0",
        "1e400",
        "-1.5E-3",
        "12345678901234567890123456789012345678901234",
        "\"\"",
        "[]",
        "{}",
        " [ ] ",
        "\t{\r}\n",
        "[1 , 2]",
        "{ \"a\" : { } , \"a\" : [ [ ] ] }",
        r#""\"\\\/\b\f\n\r\t\u0041""#,
        r#""\ud83d""#,
        r#""\ude42\ud83d""#,
        "\"\u{7f}\u{2028}\u{feff}🙂\"",
    ];
    for text in legal {
        assert!(parse(text.as_bytes()).is_ok(), "{text}");
    }
}

#[test]
fn refuses_what_the_grammar_has_not() {
    let illegal = [
        "",
        " ",
        "nul",
        "True",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "-01",
        ".5",
        "1.",
        "1e",
        "1e+",
        "0x1",
        "1_0",
        "1 2",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{\"a\":1]",
        "{a:1}",
        "{1:1}",
        "{,}",
        "{\"a\":1}{}",
        "{} x",
        "// x\n1",
        "/**/1",
        "\"",
        "\"a",
        "'a'",
        "\"\t\"",
        "\"\n\"",
        "\"\u{0}\"",
        r#""\x41""#,
        r#""\u123""#,
        r#""\u12g4""#,
        r#""\U0041""#,
        r#""\""#,
        r#""\ud83d\u12""#,
        "\u{feff}1",
        "1\u{a0}",
        "\u{b}1",
    ];
    for text in illegal {
        assert!(parse(text.as_bytes()).is_err(), "{text:?}");
    }
    for bytes in [&b"\"\xff\""[..], b"\"\xed\xa0\xbd\"", b"\"\xc0\x80\"", b"\"\xe2\x82\"", b"[\xff]"] {
        assert!(parse(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn decodes_strings_to_code_points_and_keeps_their_spelling() {
    let node = parse(r#" "a\u00e9é\n\ud83d\ude42🙂\ud83d\u0041\ude42" "#.as_bytes()).unwrap();
    let codes: Vec<u32> = vec![0x61, 0xe9, 0xe9, 0x0a, 0x1f642, 0x1f642, 0xd83d, 0x41, 0xde42];
    assert_eq!(node.text(), Some(Text(codes)));
    let spelled: Vec<usize> = node.characters().unwrap().iter().map(|c| c.spelled.len()).collect();
    assert_eq!(spelled, [1, 6, 2, 2, 12, 4, 6, 6, 6]);
    assert_eq!(node.characters().unwrap()[0].spelled.start, 2);
    assert_eq!(parse(br#""\ud83d\ud83d\ude42""#).unwrap().text().unwrap().0, [0xd83d, 0x1f642]);
    assert_eq!(Text(vec![0x41, 0xe9, 0xd83d, 0x1f642]).to_wtf8(), b"A\xc3\xa9\xed\xa0\xbd\xf0\x9f\x99\x82");
}

#[test]
fn finds_the_last_of_duplicates_by_its_decoded_name() {
    let node = parse(br#"{"a":1,"\u0061":2,"A":3,"b":null}"#).unwrap();
    assert_eq!(node.get("a").unwrap().raw(), "2");
    assert_eq!(node.members().len(), 4);
    assert_eq!(node.get("b").unwrap().kind(), Kind::Null);
    assert!(node.get("c").is_none());
    assert!(parse(b"[1]").unwrap().get("0").is_none());
}

#[test]
fn a_field_of_that_very_name_comes_before_a_dotted_path() {
    let node = parse(br#"{"a":{"b":{"c":1},"":{"":2}},"a.b":{"c":3},"x.y":null,"x":{"y":4},"l":[{"a":1}]}"#)
        .unwrap();
    let path = |key: &str| node.path(key).map(|node| node.raw().to_owned());
    assert_eq!(path("a.b").as_deref(), Some(r#"{"c":3}"#));
    assert_eq!(path("a.b.c").as_deref(), Some("1"), "every dot is a step");
    assert_eq!(path("a..").as_deref(), Some("2"));
    assert_eq!(path("x.y").as_deref(), Some("null"));
    assert_eq!(path("l.0"), None);
    assert_eq!(path("l.a"), None);
    assert_eq!(path("a.b.c.d"), None);
}

#[test]
fn depth_costs_no_stack() {
    for line in samples::DEEP.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        parse(line).unwrap();
    }
    let deep = [vec![b'['; 500_000], vec![b']'; 500_000]].concat();
    let work = move || drop(parse(&deep).unwrap());
    std::thread::Builder::new().stack_size(64 * 1024).spawn(work).unwrap().join().unwrap();
    assert!(parse(&vec![b'['; 500_000]).is_err());
}

#[test]
fn numeric_strings_follow_the_same_grammar() {
    for text in ["0", "-0", "1.0", "1e3", "-1.5E+3"] {
        assert!(is_number(text), "{text}");
    }
    for text in ["", " 1", "1 ", "+1", "01", "1.", ".1", "1e", "0x1", "NaN", "inf", "1,0", "٣"] {
        assert!(!is_number(text), "{text}");
    }
}

#[test]
fn tokens_are_compared_by_meaning_for_strings_and_by_spelling_for_numbers() {
    let same = |a: &str, b: &str| same_tokens(a.as_bytes(), b.as_bytes()).is_ok();
    assert!(same(r#"{"a":[1,"é\/"]}"#, "{ \"\\u0061\" :\t[ 1 , \"\\u00e9/\" ] }"));
    assert!(same(r#"["\ud83d\ude42","\\\"",""]"#, "[\"🙂\",\"\\u005c\\u0022\",\"\"]"));
    assert!(!same("[1.0]", "[1]"));
    assert!(!same("[1]", "[\"1\"]"));
    assert!(!same(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#));
    assert!(!same("[1]", "[1,2]"));
    assert!(!same("[1,2]", "[12]"));
    assert!(!same("[[]]", "[]"));
    assert!(!same(r#"["\ud83d"]"#, r#"["\ud83c"]"#));
    assert!(!same("[1", "[1"));
    assert!(same_lines(b"[1]\n{}\n", b"[ 1]\n{ }").is_ok());
    assert!(same_lines(b"[1]\n{}\n", b"[1]\n").is_err());
    assert!(same_lines(b"[1]\n", b"[2]\n").unwrap_err().contains("line 1"));
}
