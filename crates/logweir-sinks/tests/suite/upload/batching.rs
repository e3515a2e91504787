//! Batches have what they are to have, no more, and everything once.

use std::time::Duration;

use bytes::Bytes;
use logweir_event::{BatchFrame, Settled};
use logweir_sinks::{Compression, Envelope, Limits, UploadSink};
use logweir_testkit::process::poll_until;
use proptest::prelude::*;

use super::bucket::{Answer, ending};
use super::source::{Cuts, Line, Source};
use super::world::{World, line};
use crate::fake_disk::{Fault, Plan};
use crate::running::DEADLINE;

/// Everything that may differ.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    inputs: Vec<Vec<Line>>,
    cuts: Cuts,
    max_events: u64,
    max_bytes: Option<u64>,
    limits: Limits,
    frame: (&'static str, &'static str),
    compression: Compression,
    max_uploads: usize,
    pub(crate) answers: Vec<Answer>,
    pub(crate) writes: Vec<Fault>,
    spool_bytes: u64,
}

impl Case {
    pub(crate) fn world(&self, disk: crate::fake_disk::FakeDisk) -> World {
        let mut world = World::on(disk, Source::new(self.inputs.clone(), true));
        world.cuts = self.cuts.clone();
        let (prefix, suffix) = self.frame;
        let [prefix, suffix] = [prefix, suffix].map(|text| Bytes::from_static(text.as_bytes()));
        world.frame = BatchFrame { prefix, suffix, is_redacted: false };
        world.config.batch.max_events = self.max_events;
        world.config.batch.max_bytes = self.max_bytes;
        world.config.compression = self.compression;
        world.config.delivery.max_uploads = self.max_uploads;
        world.config.spool.max_bytes = self.spool_bytes;
        world.bucket.limit(self.limits);
        world.bucket.script(self.answers.clone());
        world
    }

    /// Checks that no object exceeds a bound.
    fn check_bounds(&self, world: &World) {
        let max_events = self.max_events.min(self.limits.max_events.unwrap_or(u64::MAX)).max(1);
        let bounds = [self.max_bytes, self.limits.max_bytes];
        let max_bytes = bounds.into_iter().flatten().min().unwrap_or(u64::MAX);
        for (object, events) in world.bucket.objects().values().zip(world.delivered()) {
            assert!(events.len() as u64 <= max_events, "{events:?}");
            assert!(object.len() as u64 <= max_bytes || events.len() == 1, "{events:?}");
        }
    }
}

pub(crate) fn cases() -> impl Strategy<Value = Case> {
    let line = (0..60usize, any::<bool>(), 0..8u8);
    let inputs = proptest::collection::vec(proptest::collection::vec(line, 0..25), 1..4);
    let inputs = inputs.prop_map(|inputs| {
        let mut n = 0;
        let mut next = |(n_pad, has_time, drop): (usize, bool, u8)| {
            n += 1;
            let text = format!("e{n}:{}", "y".repeat(n_pad));
            Line { text, time_ms: has_time.then_some(n * 1000), is_dropped: drop == 0 }
        };
        inputs.into_iter().map(|lines| lines.into_iter().map(&mut next).collect()).collect()
    });
    let delimiter = prop_oneof![Just("\n"), Just(","), Just("--")];
    let cuts = (proptest::collection::vec(1..6usize, 1..4), 1..5usize, 1..40usize, delimiter)
        .prop_map(|(chunks, payload, run, delimiter)| Cuts { chunks, payload, run, delimiter });
    let bytes = || proptest::option::of(20..300u64);
    let limits = (bytes(), proptest::option::of(1..20u64), proptest::option::of(20..70u64)).prop_map(
        |(max_bytes, max_events, max_event_bytes)| Limits { max_bytes, max_events, max_event_bytes },
    );
    let frame = prop_oneof![Just(("", "")), Just(("[", "]\n")), Just(("a long prefix: ", "."))];
    let compression = prop_oneof![
        Just(Compression::None),
        Just(Compression::Gzip { level: 1 }),
        Just(Compression::Zstd { level: 1 }),
    ];
    let answer = prop_oneof![
        3 => Just(Answer::Taken),
        1 => Just(Answer::TakenUnheard),
        2 => Just(Answer::Fails(503)),
        1 => Just(Answer::Refused),
        1 => Just(Answer::FailsFor(Duration::from_millis(1))),
    ];
    let fault = prop_oneof![
        3 => Just(Fault::None),
        2 => (1..50usize).prop_map(Fault::Short),
        2 => (0..50usize, prop_oneof![Just(28), Just(5)]).prop_map(|(n, error)| Fault::Fails(n, error)),
    ];
    let faults = (proptest::collection::vec(answer, 0..12), proptest::collection::vec(fault, 0..12));
    let spool_bytes = prop_oneof![Just(1 << 30), Just(0), Just(70_000u64)];
    ((inputs, cuts, 1..12u64, bytes(), limits), (frame, compression, 1..5usize, faults, spool_bytes))
        .prop_map(
            |(
                (inputs, cuts, max_events, max_bytes, limits),
                (frame, compression, max_uploads, faults, spool_bytes),
            )| Case {
                inputs,
                cuts,
                max_events,
                max_bytes,
                limits,
                frame,
                compression,
                max_uploads,
                answers: faults.0,
                writes: faults.1,
                spool_bytes,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_fails_for_a_while_the_bucket_has_each_event_once_and_no_bound_is_exceeded(case in cases()) {
        let plan = Plan { writes: case.writes.clone().into(), ..Plan::default() };
        let world = case.world(crate::fake_disk::FakeDisk::new(plan));
        world.start().end().unwrap();
        world.check_each_once();
        case.check_bounds(&world);
        prop_assert!(world.source.is_all_delivered());
        let n_events = world.source.events().len() as u64;
        let settled = world.source.settled();
        prop_assert_eq!((settled.written, settled.undelivered, settled.kept), (n_events, 0, 0));
        prop_assert_eq!(world.source.n_open(), 0);
        let stats = world.stats.snapshot();
        prop_assert_eq!((stats.events_uploaded, stats.spool_batches, stats.spool_bytes), (n_events, 0, 0));
        prop_assert_eq!(stats.batches_uploaded, world.bucket.objects().len() as u64);
        prop_assert!(world.bucket.most_at_once() <= case.max_uploads);
        prop_assert!(world.spooled().len() <= 1, "{:?}", world.spooled());
    }
}

#[test]
fn events_keep_their_order_and_batches_are_filled() {
    let world = World::of_events(95);
    world.start().end().unwrap();
    let objects = world.delivered();
    assert_eq!(objects.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 10, 10, 10, 10, 10, 10, 10, 5]);
    assert_eq!(objects.concat(), world.source.events());
}

#[test]
fn a_batch_is_as_large_as_it_may_be_with_all_that_stands_around_its_events() {
    let mut world = World::of_events(40);
    world.config.batch.max_events = 1000;
    world.config.batch.max_bytes = Some(200);
    world.frame.prefix = Bytes::from_static(b"{\"all\":[");
    world.frame.suffix = Bytes::from_static(b"]}");
    (world.cuts.delimiter, world.cuts.chunks) = (",\n", vec![40]);
    world.start().end().unwrap();
    world.check_each_once();
    let objects: Vec<_> = world.bucket.objects().into_values().collect();
    let events = world.delivered();
    for (i, object) in objects.iter().enumerate().take(objects.len() - 1) {
        assert!(object.len() <= 200 && object.len() + 2 + events[i + 1][0].len() > 200, "{i}");
    }
}

#[test]
fn a_batch_does_not_wait_longer_than_its_interval() {
    let mut world = World::of_events(3);
    world.config.batch.max_interval = Duration::from_millis(20);
    world.source.begin(None);
    let running = world.start_sink();
    let mut payloads = world.source.payloads(&world.cuts);
    running.give(payloads.remove(0));
    poll_until("the first object", DEADLINE, || (world.bucket.objects().len() == 1).then_some(()));
    running.give_all(payloads);
    running.end().unwrap();
    world.check_each_once();
}

#[test]
fn keys_say_the_day_and_the_times_and_a_hash() {
    for compression in [Compression::None, Compression::Gzip { level: 6 }, Compression::Zstd { level: 3 }] {
        let mut world = World::of_events(20);
        world.config.compression = compression;
        world.start().end().unwrap();
        let keys: Vec<_> = world.bucket.objects().into_keys().collect();
        let starts = [
            "logs/20251122/20251122T082640Z_20251122T082642Z_",
            "logs/20251122/20251122T082642Z_20251122T082644Z_",
        ];
        assert_eq!(keys.len(), 2);
        for (key, start) in keys.iter().zip(starts) {
            let hash = key.strip_prefix(start).and_then(|rest| rest.strip_suffix(ending(compression)));
            let is_hash = |hash: &str| hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(hash.is_some_and(is_hash), "{key}");
        }
    }
}

#[test]
fn events_without_a_believable_time_have_that_of_reading() {
    let times = [None, Some(i64::MAX), Some(-5), Some(i64::MIN)];
    let lines = times.into_iter().enumerate().map(|(n, time_ms)| Line { time_ms, ..line(n) }).collect();
    let world = World::new(Source::new(vec![lines], true));
    let before = now();
    world.start().end().unwrap();
    world.check_each_once();
    let key = world.bucket.objects().into_keys().next().unwrap();
    let times: Vec<&str> = key.rsplit('/').next().unwrap().split('_').take(2).collect();
    assert!(times[0] >= before.as_str() && times[1] <= now().as_str() && times[0] <= times[1], "{key}");
}

/// Returns the time as in a key.
fn now() -> String {
    let output = std::process::Command::new("date").args(["-u", "+%Y%m%dT%H%M%SZ"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn no_dollar_meets_a_brace_where_pieces_meet() {
    let texts = ["{a}$", "{b}$", "$", "${c".replace("${", "x{").leak(), "d$"];
    let lines = texts.iter().map(|text| Line { text: (*text).to_owned(), ..line(0) }).collect();
    let mut world = World::new(Source::new(vec![lines], true));
    // Within a payload it is the encoder's business.
    (world.cuts.delimiter, world.cuts.payload) = ("", 1);
    world.frame =
        BatchFrame { prefix: Bytes::from_static(b"$"), suffix: Bytes::from_static(b"{$"), is_redacted: true };
    world.start().end().unwrap();
    let objects: Vec<_> = world.bucket.objects().into_values().collect();
    assert_eq!(objects, [b"x{a}x{b}$$x{cdx{$"]);
}

#[test]
fn payloads_without_events_are_delivered_with_the_batch_at_hand_or_at_once() {
    let lines = (0..30).map(|n| Line { is_dropped: !(10..=20).contains(&n), ..line(n) }).collect();
    let mut world = World::new(Source::new(vec![lines], true));
    world.cuts.chunks = vec![1];
    world.config.batch.max_events = 100;
    world.source.begin(None);
    let running = world.start_sink();
    let payloads = world.source.payloads(&world.cuts);
    let mut payloads = payloads.into_iter();
    running.give_all(payloads.by_ref().take(10));
    poll_until("the first ten", DEADLINE, || (world.source.n_open() == 20).then_some(()));
    running.give_all(payloads);
    running.end().unwrap();
    world.check_each_once();
    assert!(world.source.is_all_delivered());
    world.source.commit();
    // What the last entry covers is all there is.
    world.source.begin(world.covered());
    assert!(world.source.payloads(&world.cuts).is_empty());
}

#[test]
fn without_events_nothing_is_uploaded() {
    let lines = (0..30).map(|n| Line { is_dropped: true, ..line(n) }).collect();
    let world = World::new(Source::new(vec![lines], true));
    world.start().end().unwrap();
    assert!(world.source.is_all_delivered() && world.bucket.attempts().is_empty());
    assert_eq!(world.source.settled(), Settled::default());
    assert_eq!(world.spooled(), Vec::<String>::new());
}

#[test]
fn two_runs_of_the_same_input_make_the_same_keys_and_another_output_makes_others() {
    let run = |change: &dyn Fn(&mut World)| {
        let mut world = World::of_events(25);
        change(&mut world);
        world.start().end().unwrap();
        world.bucket.raw_objects()
    };
    let first = run(&|_| ());
    assert_eq!(first, run(&|_| ()), "byte by byte");
    let other = run(&|world| world.frame.suffix = Bytes::from_static(b"\n"));
    assert!(other.keys().all(|key| !first.contains_key(key)));
}

#[test]
fn events_in_envelopes_keep_within_the_bounds_of_the_destination_too() {
    let mut world = World::of_events(60);
    // What only separates events is not theirs, and where a payload is in pieces an event may be too.
    (world.cuts.delimiter, world.cuts.run, world.cuts.chunks) = (",\n", 7, vec![13]);
    world.bucket.wrap(Envelope::bulk("workers"));
    world.bucket.limit(Limits { max_bytes: Some(600), max_events: Some(9), max_event_bytes: Some(60) });
    world.start().end().unwrap();
    let (mut events, mut ids) = (Vec::new(), std::collections::BTreeSet::new());
    for object in world.bucket.objects().into_values() {
        let text = String::from_utf8(object).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.len() <= 18 && (text.len() <= 600 || lines.len() == 2), "{text}");
        for pair in lines.chunks(2) {
            assert!(
                pair[0].starts_with("{\"create\":{\"_index\":\"workers\",\"_id\":\"") && pair[1].len() < 80
            );
            assert!(pair[1].len() <= 60 || lines.len() == 2, "a long one goes alone: {text}");
            ids.insert(pair[0].to_owned());
            events.push(pair[1].to_owned());
        }
    }
    let mut expected = world.source.events();
    events.sort_unstable();
    expected.sort_unstable();
    assert_eq!((events, ids.len()), (expected, 60));
}

#[test]
fn nothing_may_stand_around_events_in_envelopes() {
    let mut world = World::of_events(1);
    world.bucket.wrap(Envelope::bulk("workers"));
    world.frame.prefix = Bytes::from_static(b"[");
    let sink = UploadSink::open_on(
        std::sync::Arc::new(world.disk.clone()),
        std::sync::Arc::new(world.bucket.clone()),
        world.config.clone(),
        world.frame.clone(),
        &crate::books::NAMES,
        "spool".into(),
        world.stats.clone(),
    );
    assert_eq!(sink.err().map(|error| error.kind()), Some("refused"));
}
