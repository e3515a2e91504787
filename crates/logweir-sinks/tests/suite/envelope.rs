//! The forms in which destinations want the events of a batch.

use std::collections::BTreeMap;

use logweir_sinks::{Envelope, EnvelopedEvent};
use proptest::prelude::*;

/// Returns a batch of these events in its envelope.
pub(crate) fn enveloped(envelope: &Envelope, events: &[(&str, i64)]) -> String {
    let mut out = Vec::new();
    envelope.begin(&mut out);
    for (index, &(event, time_ms)) in (0..).zip(events) {
        envelope
            .event(&mut out, &EnvelopedEvent { bytes: event.as_bytes(), time_ms, batch_id: 0xabc, index });
    }
    envelope.end(&mut out);
    String::from_utf8(out).unwrap()
}

fn labels() -> BTreeMap<String, String> {
    [("job", "workers"), ("quoted", "a\"b\\c")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

#[test]
fn plain_events_stay_as_they_are() {
    assert!(Envelope::Plain.is_plain() && !Envelope::bulk("i").is_plain());
    assert_eq!(enveloped(&Envelope::Plain, &[("{}\n", 0), ("x", 1)]), "{}\nx");
}

#[test]
fn a_bulk_request_says_before_each_event_what_to_do() {
    let found = enveloped(&Envelope::bulk("logs-\"x"), &[("{\"n\":1}\n", 5), ("{\"n\":2}", 6)]);
    let expected = r#"{"create":{"_index":"logs-\"x","_id":"0000000000000abc-0"}}
{"n":1}
{"create":{"_index":"logs-\"x","_id":"0000000000000abc-1"}}
{"n":2}
"#;
    assert_eq!(found, expected);
}

#[test]
fn a_push_has_one_stream_of_times_and_strings() {
    let events = [("{\"a\":\"\\u0000\"}\n", 1_700_000_000_123), ("tab\there", -5)];
    let found = enveloped(&Envelope::push(&labels()), &events);
    let expected = concat!(
        r#"{"streams":[{"stream":{"job":"workers","quoted":"a\"b\\c"},"values":["#,
        r#"["1700000000123000000","{\"a\":\"\\u0000\"}"],["0000000","tab\u0009here"]]}]}"#
    );
    assert_eq!(found, expected);
}

proptest! {
    #[test]
    fn whatever_an_event_is_loki_reads_it_as_it_was(texts in prop::collection::vec(r"(\PC|[\x00-\x1f\x7f\\\x22]){0,20}", 1..4)) {
        let events: Vec<_> = texts.iter().map(|text| (text.as_str(), 7)).collect();
        let found: serde_json::Value = serde_json::from_str(&enveloped(&Envelope::push(&labels()), &events)).unwrap();
        let values = found["streams"][0]["values"].as_array().unwrap();
        for (value, text) in values.iter().zip(&texts) {
            prop_assert_eq!(value[1].as_str().unwrap(), text.strip_suffix('\n').unwrap_or(text));
        }
        prop_assert_eq!(values.len(), texts.len());
        prop_assert_eq!(&found["streams"][0]["stream"]["quoted"], "a\"b\\c");
    }
}
