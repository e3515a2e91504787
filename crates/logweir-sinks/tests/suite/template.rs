//! What a path template says, and what is no template.

use std::path::Path;

use logweir_sinks::PathTemplate;

#[test]
fn what_has_no_tokens_is_a_path() {
    for (text, path) in
        [("out/events.ndjson", "out/events.ndjson"), ("a{{b}}c", "a{b}c"), ("/x/{{{{", "/x/{{")]
    {
        let template = PathTemplate::parse(text).unwrap();
        assert_eq!(template.as_fixed(), Some(Path::new(path)), "{text}");
        assert_eq!(template, PathTemplate::fixed(path));
        assert_eq!(template.to_string(), text, "it is shown as it is written");
        assert!(!template.has_time() && !template.has_output());
    }
}

#[test]
fn the_base_is_the_directory_before_the_first_token() {
    let cases = [
        ("out/{DATE}/{HOUR}.ndjson", "out/", true, false),
        ("/var/log/of-{pipeline}/{output}.ndjson", "/var/log/", false, true),
        ("{DATE:%Y/%m}.ndjson", "", true, false),
        ("/{pipeline}", "/", false, false),
    ];
    for (text, base, has_time, has_output) in cases {
        let template = PathTemplate::parse(text).unwrap();
        assert_eq!(template.base().to_str(), Some(base), "{text}");
        assert_eq!((template.has_time(), template.has_output()), (has_time, has_output), "{text}");
        assert_eq!(template.as_fixed(), None);
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let cases = [
        ("out/{date}.ndjson", 4, "`{date}` is no token"),
        ("out/{}.ndjson", 4, "`{}` is no token"),
        ("out/{DATE", 4, "not closed"),
        ("out/{DA{TE}", 4, "not closed"),
        ("out}/x", 3, "closes nothing"),
        ("out/{DATE:%Y-%!}", 10, "strftime"),
        ("out/{DATE:%}", 10, "strftime"),
        ("out/{DATE:}", 10, "nothing of the time"),
        ("out/{DATE:year}", 10, "nothing of the time"),
        ("", 0, "the name of a file"),
        ("out/{DATE}/", 11, "the name of a file"),
        ("out/{DATE}/../../x", 4, "leads up"),
        ("out/x{DATE:/../%Y}", 5, "leads up"),
        ("{DATE:/%Y}", 0, "leads up or anew"),
    ];
    for (text, offset, message) in cases {
        let error = PathTemplate::parse(text).unwrap_err();
        assert_eq!(error.offset, offset, "{text}: {error}");
        assert!(error.message.contains(message) && !error.help.is_empty(), "{text}: {error}");
        assert!(offset + error.n_bytes <= text.len(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd(text in "([{}%/.YHa:é]|\\{DATE:|\\{DATE\\}|\\{pipeline\\}){0,12}") {
        match PathTemplate::parse(&text) {
            Ok(template) => {
                let again = PathTemplate::parse(&template.to_string());
                proptest::prop_assert_eq!(again, Ok(template));
            }
            Err(error) => {
                proptest::prop_assert!(text.is_char_boundary(error.offset));
                proptest::prop_assert!(text.is_char_boundary(error.offset + error.n_bytes));
            }
        }
    }
}
