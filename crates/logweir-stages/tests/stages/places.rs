//! Where the events of a payload lie: the output cut there, and the input cut there, are the events.

use logweir_event::Payload;
use logweir_testkit::oracle as naive;
use logweir_testkit::oracle::Passed;
use logweir_testkit::oracle::encode::{Options, render_event};
use logweir_testkit::oracle::json::Kind;
use logweir_testkit::strategies::{any_options, any_stream};
use proptest::prelude::*;

use crate::oracle::{any_stage, real_lines};
use crate::{Encoded, Input, MAX_EVENT_BYTES, WithPlaces, encoded, run, truncate_to, whole};

/// Returns the time that an event says it happened at.
fn time_ms(passed: &Passed) -> Option<i64> {
    let time = passed.event.object().get("EventTimestampMs")?;
    (time.kind() == Kind::Number).then(|| time.raw().parse().ok())?
}

/// Checks the places of a payload's events, of which the chunk has been read.
fn check(chunk: &[u8], payload: &Payload, passed: &[Passed], options: &Options) {
    let places = payload.places().unwrap();
    let delimiter = options.record_delimiter.clone().unwrap_or_default();
    assert_eq!(places.n_delimiter_bytes() as usize, delimiter.len());
    assert_eq!(places.events().len(), passed.len());
    let bytes = payload.parts().concat();
    let (mut rendered, mut read) = (0, 0);
    for (place, passed) in places.events().iter().zip(passed) {
        let event = &bytes[rendered..place.rendered_end as usize];
        let expected = [delimiter.as_bytes(), &render_event(&passed.event, options)].concat();
        assert_eq!(event.len(), expected.len());
        assert!(options.is_redacted || event == expected);
        let before = &chunk[read..place.read_end as usize];
        assert!(
            before.ends_with(&passed.line_as_read),
            "{before:?} does not end in {:?}",
            passed.line_as_read
        );
        assert_eq!(place.time_ms, time_ms(passed));
        (rendered, read) = (place.rendered_end as usize, place.read_end as usize);
    }
    assert_eq!(rendered, bytes.len());
}

fn check_all(encoded: &Encoded, passed: &[Passed], options: &Options) {
    let mut passed = passed;
    for (chunk, payload) in &encoded.payloads {
        let (of_payload, rest) = passed.split_at(payload.n_events() as usize);
        check(chunk, payload, of_payload, options);
        passed = rest;
    }
    assert!(passed.is_empty());
}

#[test]
fn an_edited_event_ends_where_its_line_was_read() {
    let input =
        "{\"Logs\":[{\"Message\":\"abcdef\"}],\"EventTimestampMs\":17} \r\n[]\n{\"EventTimestampMs\":\"17\"}";
    let stages = [truncate_to(3)];
    let (_, passed) = naive::run_stages(&stages, input.as_bytes(), MAX_EVENT_BYTES);
    for options in [Options::default(), Options::of_fields(&["Logs"])] {
        let encoded = encoded(&stages, &options, WithPlaces::Yes, &whole(input.as_bytes()));
        check_all(&encoded, &passed, &options);
        let places = encoded.payloads[0].1.places().unwrap().events();
        let ends: Vec<_> = places.iter().map(|place| (place.read_end as usize, place.time_ms)).collect();
        assert_eq!(ends, [(input.find("[]").unwrap(), Some(17)), (input.len(), None)]);
    }
}

#[test]
fn only_an_integer_of_64_bits_is_a_time() {
    let times = [
        ("0", Some(0)),
        ("-0", Some(0)),
        ("1714878560011", Some(1_714_878_560_011)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("1.0", None),
        ("1e3", None),
        ("\"1\"", None),
        ("null", None),
        ("[1]", None),
    ];
    for (time, expected) in times {
        let input = format!("{{\"a\":{{\"EventTimestampMs\":5}},\"EventTimestampMs\":{time}}}");
        let encoded = encoded(&[], &Options::default(), WithPlaces::Yes, &whole(input.as_bytes()));
        let places = encoded.payloads[0].1.places().unwrap().events();
        assert_eq!(places[0].time_ms, expected, "{time}");
    }
}

#[test]
fn a_payload_is_cut_by_events_not_by_line_feeds() {
    let options = Options {
        is_csv: true,
        record_suffix: Some(";".to_owned()),
        record_delimiter: Some("\n".to_owned()),
        ..Options::of_fields(&["a"])
    };
    let input = whole(b"{\"a\":\"1\\n2\"}\n{\"a\":3}\n");
    let encoded = encoded(&[], &options, WithPlaces::Yes, &input);
    let payload = &encoded.payloads[0].1;
    assert_eq!(payload.parts().concat(), b"\n\"1\n2\";\n3;");
    let within: Vec<_> = [6, 7, 9, 10].iter().map(|&n_bytes| payload.whole_events_within(n_bytes)).collect();
    assert_eq!(within, [(0, 0), (1, 7), (1, 7), (2, 10)]);
}

#[test]
fn payloads_of_much_rendered_text_each_have_their_own_places() {
    let names: Vec<String> = (0..50).map(|i| format!("a field that no event has {i}")).collect();
    let options = Options { field_names: Some(names), ..Options::default() };
    let input = b"{}\n".repeat(2_000);
    let encoded = encoded(&[], &options, WithPlaces::Yes, &whole(&input));
    assert!(encoded.payloads.len() > 6);
    let (_, passed) = naive::run_stages(&[], &input, MAX_EVENT_BYTES);
    check_all(&encoded, &passed, &options);
    let reached: Vec<_> = encoded.payloads.iter().map(|(_, payload)| payload.reached().unwrap()).collect();
    assert!(reached.is_sorted_by_key(|reached| reached.position.offset));
    assert_eq!(reached.last().unwrap().position.offset, (1 << 40) + input.len() as u64);
}

proptest! {
    #[test]
    fn cut_at_its_places_the_output_is_the_events(
        stages in prop::collection::vec(any_stage(), 0..3),
        options in any_options(),
        input in prop_oneof![any_stream(), real_lines()],
        lines_a_chunk in 1..20usize,
    ) {
        let bytes = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&input);
        let input = Input { bytes, max_event_bytes: MAX_EVENT_BYTES, lines_a_chunk };
        let encoded = encoded(&stages, &options, WithPlaces::Yes, &input);
        let (_, passed) = naive::run_stages(&stages, bytes, MAX_EVENT_BYTES);
        check_all(&encoded, &passed, &options);
        if let Some((_, last)) = encoded.payloads.last() {
            prop_assert_eq!(last.reached().unwrap().position.offset, (1 << 40) + bytes.len() as u64);
        }
        let output = encoded.batch(options.record_delimiter.as_ref().map_or(0, String::len));
        prop_assert_eq!(output, run(&stages, &options, &input).output, "the same as without places");
    }
}
