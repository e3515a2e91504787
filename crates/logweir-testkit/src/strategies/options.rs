//! Output options.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::oracle::encode::Options;

/// Gives output options that go together. Texts are such that a lookup spelled with escapes lies within one event;
/// one spelled `${` may go from one event into the next, or into what stands around the batch.
pub fn any_options() -> BoxedStrategy<Options> {
    prop_oneof![1 => as_they_are(), 4 => of_fields()].boxed()
}

fn as_they_are() -> BoxedStrategy<Options> {
    (option::of(text()), option::of(text()), any::<bool>())
        .prop_map(|(batch_prefix, batch_suffix, is_redacted)| Options {
            batch_prefix,
            batch_suffix,
            is_redacted,
            ..Options::default()
        })
        .boxed()
}

fn of_fields() -> BoxedStrategy<Options> {
    let texts = (option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    (as_they_are(), vec(name(), 1..4), any::<bool>(), texts, option::of(template()))
        .prop_map(|(around, names, is_csv, texts, record_template)| {
            let (record_prefix, record_suffix, record_delimiter, field_delimiter) = texts;
            Options {
                field_names: Some(names.into_iter().map(str::to_owned).collect()),
                is_csv,
                record_prefix,
                record_suffix,
                record_delimiter,
                field_delimiter,
                record_template,
                ..around
            }
        })
        .boxed()
}

fn name() -> BoxedStrategy<&'static str> {
    select(vec![
        "Logs",
        "Outcome",
        "Exceptions",
        "Event",
        "Event.RayID",
        "CPUTimeMs",
        "EventTimestampMs",
        "say \"${\"\n",
        "Missing",
    ])
    .boxed()
}

fn text() -> BoxedStrategy<String> {
    let piece =
        select(vec!["$", "{", "}", "\n", ",", "\t", "\"", "a", "日", "${b}", r"a\u0024{", r"a\\u0024{"]);
    vec(piece, 0..3).prop_map(|pieces| pieces.concat()).boxed()
}

/// Gives a template, now and then an empty one.
fn template() -> BoxedStrategy<String> {
    let other = select(vec![
        "{{/* } \" */}}",
        "{{`double{{curly}}braces`}}",
        "{{ `\\n\r` }}",
        r#"{{"}} \a\b\f\n\r\t\v\\\" \x24\173 \u65e5\U0001f642"}}"#,
        r#"{{"\\u0024"}}{{.Event}}."#,
        "{{\n.Outcome\t}}",
        "}}",
    ]);
    let part = prop_oneof![
        3 => select(vec!["Logs", "Outcome", "Event", "CPUTimeMs", "Nobody"]).prop_map(|name| format!("{{{{ .{name} }}}}")),
        2 => other.prop_map(str::to_owned),
        // Two braces would begin an action, and one would be taken with those of the action behind it.
        2 => text().prop_map(|text| text.replace("{{", "{ {") + "|"),
    ];
    vec(part, 0..6).prop_map(|parts| parts.concat()).boxed()
}
