//! All stages, in any order and number, against the naive implementation: the same bytes and the same counts.

use logweir_stages::FilterConfig;
use logweir_testkit::oracle as naive;
use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::samples;
use logweir_testkit::strategies::{any_filter, any_options, any_refused_filter, any_stream, mutated};
use proptest::prelude::*;
use proptest::sample::select;

use crate::{Input, run};

pub(crate) fn any_stage() -> impl Strategy<Value = naive::Stage> {
    let rate = prop_oneof![Just(1.0), 0.01..1.0f64];
    let key =
        prop::option::of(prop_oneof![Just("Outcome"), Just("Event.RayID"), Just("Logs"), Just("ScriptName")]);
    let unit = prop_oneof![Just(Unit::Chars), Just(Unit::Utf16), Just(Unit::Bytes)];
    let limit = prop_oneof![0..20usize, 0..400usize];
    // Some events have some of these already.
    let report = prop_oneof![2 => Just("Truncation"), 1 => Just("ScriptName"), 1 => Just("Event"), 1 => Just("a.\"\\")];
    prop_oneof![
        any_filter().prop_map(naive::Stage::Filter),
        any_strata(),
        (rate, key, any::<u64>(), prop::option::of(any_filter())).prop_map(
            |(rate, key, seed, always_keep)| {
                naive::Stage::Sample { rate, key: key.map(str::to_owned), seed, always_keep }
            }
        ),
        (limit.clone(), unit.clone()).prop_map(|(limit, unit)| naive::Stage::Truncate { limit, unit }),
        (limit, unit, report).prop_map(|(limit, unit, report)| {
            naive::Stage::TruncateAndReport { limit, unit, report: report.to_owned() }
        }),
    ]
}

/// A sample with strata, that writes weights: where nothing is, or over a field that filters and encodings ask for, or that
/// other fields are found in.
fn any_strata() -> impl Strategy<Value = naive::Stage> {
    let rate = || prop_oneof![Just(1.0), 0.3..1.0f64, Just(0.5)];
    let key = prop::option::of(prop_oneof![Just("Outcome"), Just("Event.RayID")]);
    let field = select(vec!["SampleInterval", "CPUTimeMs", "Event", "Event.RayID", "Outcome", "a \"\n"]);
    let rates = prop::collection::vec((any_filter(), rate()), 0..4);
    (rate(), rates, key, any::<u64>(), prop::option::of(any_filter()), prop::option::of(field)).prop_map(
        |(rate, rates, key, seed, always_keep, field)| naive::Stage::SampleStrata {
            rate,
            rates,
            key: key.map(str::to_owned),
            seed,
            always_keep,
            weight_field: field.map(str::to_owned),
        },
    )
}

/// Lines of real events, some damaged.
pub(crate) fn real_lines() -> impl Strategy<Value = Vec<u8>> {
    let lines: Vec<&[u8]> =
        samples::EVENTS.split_inclusive(|&byte| byte == b'\n').filter(|line| line.len() < 8_000).collect();
    prop::sample::subsequence(lines, 1..12)
        .prop_map(|lines| lines.concat())
        .prop_flat_map(|bytes| prop_oneof![Just(bytes.clone()), mutated(bytes)])
}

proptest! {
    #[test]
    fn the_naive_implementation_comes_to_the_same(
        stages in prop::collection::vec(any_stage(), 0..4),
        options in any_options(),
        input in prop_oneof![any_stream(), real_lines()],
        max_event_bytes in prop_oneof![3 => Just(4usize << 20), 1 => 10..400usize],
        lines_a_chunk in 1..20usize,
    ) {
        let expected = naive::run_as(&stages, &options, &input, max_event_bytes);
        // A byte-order mark is the source's to take away.
        let chunks = input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&input);
        let outcome = run(&stages, &options, &Input { bytes: chunks, max_event_bytes, lines_a_chunk });
        prop_assert_eq!(String::from_utf8_lossy(&outcome.output), String::from_utf8_lossy(&expected.output));
        prop_assert_eq!(&outcome, &expected);
        let dropped = outcome.filtered + outcome.sampled_out + outcome.malformed.iter().sum::<u64>() + outcome.oversized;
        prop_assert_eq!(outcome.read, outcome.written + dropped);
    }

    #[test]
    fn both_refuse_the_same_filters(text in prop_oneof![any_refused_filter(), any_filter()]) {
        let refused = FilterConfig::from_json(&text);
        prop_assert_eq!(refused.is_err(), naive::filter::refuses(&text), "{}: {:?}", text, refused);
    }
}
