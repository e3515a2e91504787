//! Which output options do not go together, and what follows from those that do.

use logweir_stages::{EncodeConfig, OutputType, RecordTemplate};
use logweir_testkit::oracle::encode::Options;

use crate::{MAX_EVENT_BYTES, config};

fn options_at_fault(config: &EncodeConfig) -> Vec<&'static str> {
    config.problems(MAX_EVENT_BYTES).into_iter().map(|problem| problem.option).collect()
}

fn fields(names: &[&str]) -> EncodeConfig {
    config(&Options::of_fields(names))
}

#[test]
fn what_concerns_fields_needs_field_names() {
    let text = Some(String::new());
    let all = EncodeConfig {
        output_type: OutputType::Csv,
        batch_prefix: text.clone(),
        batch_suffix: text.clone(),
        record_prefix: text.clone(),
        record_suffix: text.clone(),
        record_delimiter: text.clone(),
        field_delimiter: text,
        record_template: Some(RecordTemplate::parse("x").unwrap()),
        redact_cve_2021_44228: true,
        field_names: None,
    };
    let at_fault = options_at_fault(&all);
    let expected = [
        "output_type",
        "record_template",
        "record_prefix",
        "record_suffix",
        "record_delimiter",
        "field_delimiter",
    ];
    assert_eq!(at_fault, expected);
    let named = EncodeConfig { field_names: Some(vec!["a".to_owned()]), ..all };
    assert_eq!(options_at_fault(&named), [""; 0]);
}

#[test]
fn what_concerns_batches_needs_no_field_names() {
    let text = Some("x".to_owned());
    let config = EncodeConfig {
        batch_prefix: text.clone(),
        batch_suffix: text,
        redact_cve_2021_44228: true,
        record_template: Some(RecordTemplate::parse("").unwrap()),
        ..EncodeConfig::default()
    };
    assert_eq!(options_at_fault(&config), [""; 0]);
    assert_eq!(options_at_fault(&EncodeConfig::default()), [""; 0]);
}

#[test]
fn no_fields_are_refused() {
    assert_eq!(options_at_fault(&fields(&[])), ["field_names"]);
}

#[test]
fn no_event_may_become_longer_than_a_payload_can_be() {
    let template = |n| Some(RecordTemplate::parse(&"{{.a}}".repeat(n)).unwrap());
    let repeated = |n| EncodeConfig { record_template: template(n), ..fields(&["a", "b"]) };
    assert_eq!(options_at_fault(&repeated(500)), [""; 0]);
    assert_eq!(options_at_fault(&repeated(520)), ["record_template"]);
    assert_eq!(repeated(520).problems(100), []);
    let csv = EncodeConfig { output_type: OutputType::Csv, ..repeated(260) };
    assert_eq!(options_at_fault(&csv), ["record_template"]);
    assert_eq!(options_at_fault(&fields(&["a"; 1024])), ["field_names"]);
    let names: Vec<_> = (0..1024).map(|i| i.to_string()).collect();
    assert_eq!(
        options_at_fault(&EncodeConfig { field_names: Some(names), ..EncodeConfig::default() }),
        [""; 0]
    );
    assert!(EncodeConfig::default().max_rendered_bytes(usize::MAX) > u64::from(u32::MAX), "does not wrap");
    assert_eq!(options_at_fault(&EncodeConfig::default()), [""; 0]);
}

#[test]
fn which_events_are_lines() {
    let text = |text: &str| Some(text.to_owned());
    let template = |text: &str| Some(RecordTemplate::parse(text).unwrap());
    let a = || fields(&["a"]);
    let csv = || EncodeConfig { output_type: OutputType::Csv, ..a() };
    for config in [
        EncodeConfig { batch_prefix: text("\n"), ..EncodeConfig::default() },
        fields(&["a\nb"]),
        EncodeConfig { record_suffix: text(" }\n"), record_prefix: text("{\t"), ..a() },
        EncodeConfig { record_suffix: text(""), record_template: template("{{.a}}{{\"\\n\"}}"), ..a() },
        EncodeConfig { record_template: template("constant"), ..csv() },
    ] {
        assert!(config.is_one_line_an_event(), "{config:?}");
    }
    for config in [
        EncodeConfig { record_suffix: text("}"), ..a() },
        EncodeConfig { record_suffix: text("}\n\n"), ..a() },
        EncodeConfig { record_suffix: text("\n}"), ..a() },
        EncodeConfig { record_prefix: text("{\n"), ..a() },
        EncodeConfig { field_delimiter: text(",\n"), ..fields(&["a", "b"]) },
        EncodeConfig { record_delimiter: text(","), ..a() },
        EncodeConfig { record_template: template("\n{{.a}}"), ..a() },
        csv(),
    ] {
        assert!(!config.is_one_line_an_event(), "{config:?}");
    }
}
