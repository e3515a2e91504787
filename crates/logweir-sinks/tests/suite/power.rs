//! Nothing is acked that a loss of power would take, and nothing is written twice or torn, whatever a disk does.

use std::collections::VecDeque;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use logweir_event::{Ack, Payload, Verdict};
use logweir_sinks::{
    AckLevel, Compression, FileSink, FileSinkConfig, PathTemplate, Rotation, SinkError, Tail,
};
use proptest::prelude::*;

use crate::books::NAMES;
use crate::fake_disk::{FakeDisk, Fault, Plan};
use crate::running::Running;

/// Event `n`, of a length that depends on it.
fn event(n: usize) -> String {
    format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat(n * 7 % 50))
}

/// The acks that came back, in order, and what was wrong with one when it came.
#[derive(Clone, Default)]
struct Acks(Arc<Mutex<Came>>);

#[derive(Default)]
struct Came {
    verdicts: Vec<(usize, Verdict)>,
    wrong: Vec<String>,
}

impl Acks {
    /// Returns the payload of these events, whose delivery is only right if all are on the disk for good.
    fn payload(&self, events: std::ops::Range<usize>, disk: &FakeDisk) -> Payload {
        let text: Vec<String> = events.clone().map(event).collect();
        let (acks, disk) = (self.0.clone(), disk.clone());
        let (first, n_events) = (events.start, events.len() as u64);
        let ack = Ack::new(move |verdict| {
            let mut acks = acks.lock().unwrap();
            acks.verdicts.push((first, verdict));
            if verdict == Verdict::Delivered {
                let durable = found(disk.durable_files());
                let missing = events.into_iter().filter(|&n| !durable.contains(&event(n)));
                acks.wrong.extend(missing.map(|n| format!("event {n} was acked and is not on the disk")));
            }
        });
        Payload::new(text.into_iter().map(Bytes::from).collect(), n_events).bound_to(None, ack)
    }

    fn delivered(&self) -> Vec<usize> {
        let acks = self.0.lock().unwrap();
        acks.verdicts
            .iter()
            .filter(|(_, verdict)| *verdict == Verdict::Delivered)
            .map(|(first, _)| *first)
            .collect()
    }

    fn wrong(&self) -> Vec<String> {
        self.0.lock().unwrap().wrong.clone()
    }
}

/// Returns the lines that are in files, what was set aside left out; each compressed file as far as it can be read.
fn found(files: Vec<(PathBuf, Vec<u8>)>) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, bytes) in files.into_iter().filter(|(path, _)| path.extension() != Some("torn".as_ref())) {
        let mut text = Vec::new();
        if bytes.starts_with(b"\x1f\x8b") {
            flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).ok();
        } else if bytes.starts_with(b"\x28\xb5\x2f\xfd") {
            zstd::Decoder::new(&bytes[..]).unwrap().read_to_end(&mut text).ok();
        } else {
            text = bytes;
        }
        let text = String::from_utf8(text).unwrap_or_else(|_| panic!("{} is no text", path.display()));
        lines.extend(text.split_inclusive('\n').map(str::to_owned));
    }
    lines
}

/// Returns the numbers of the events that lines are, sorted: files are listed by name, which beyond ten is not the order
/// in which they were written.
fn numbers(lines: &[String]) -> Vec<usize> {
    let number = |line: &String| {
        let n = line.split(&[':', ',']).nth(1).and_then(|n| n.parse().ok());
        n.filter(|&n| *line == event(n)).unwrap_or_else(|| panic!("{line:?} is no event"))
    };
    let mut numbers: Vec<_> = lines.iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

#[derive(Clone, Debug)]
struct Case {
    /// How many events each payload has.
    payloads: Vec<usize>,
    compression: Compression,
    max_bytes: Option<u64>,
    has_time: bool,
    plan: Plan,
    n_lucky: usize,
}

impl Case {
    fn open(&self, disk: &FakeDisk) -> FileSink {
        let path = if self.has_time { "out/{DATE:%Y-%A}.ndjson" } else { "out/events.ndjson" };
        let config = FileSinkConfig {
            ack: AckLevel::Synced,
            sync_every: Duration::from_micros(200),
            rotate: Rotation { max_bytes: self.max_bytes, every: None },
            compression: self.compression,
            tail: Tail::SetAside,
            ..FileSinkConfig::new(PathTemplate::parse(path).unwrap())
        };
        FileSink::open_on(Arc::new(disk.clone()), config, &NAMES).unwrap()
    }

    /// Runs a sink on the payloads from one on, to its end.
    fn run(&self, disk: &FakeDisk, acks: &Acks, from: usize) -> Result<(), SinkError> {
        let running = Running::start(Box::new(self.open(disk)));
        for payload in self.ranges().into_iter().filter(|range| range.start >= from) {
            running.give(acks.payload(payload, disk));
        }
        running.end()
    }

    fn ranges(&self) -> Vec<std::ops::Range<usize>> {
        let mut first = 0;
        let range = |&n: &usize| {
            first += n;
            first - n..first
        };
        self.payloads.iter().map(range).collect()
    }

    fn numbers(&self) -> Vec<usize> {
        (0..self.payloads.iter().sum()).collect()
    }

    fn events(&self) -> Vec<String> {
        (0..self.payloads.iter().sum()).map(event).collect()
    }
}

fn faults() -> impl Strategy<Value = VecDeque<Fault>> {
    let fault = prop_oneof![
        3 => Just(Fault::None),
        2 => (1..200usize).prop_map(Fault::Short),
        2 => (0..200usize, prop_oneof![Just(28), Just(5), Just(122), Just(27)]).prop_map(|(n, e)| Fault::Fails(n, e)),
    ];
    proptest::collection::vec(fault, 0..8).prop_map(VecDeque::from)
}

fn some_fail(weight: f64) -> impl Strategy<Value = VecDeque<bool>> {
    proptest::collection::vec(proptest::bool::weighted(weight), 0..6).prop_map(VecDeque::from)
}

fn cases() -> impl Strategy<Value = Case> {
    let compression = prop_oneof![
        3 => Just(Compression::None),
        1 => Just(Compression::Gzip { level: 1 }),
        1 => Just(Compression::Zstd { level: 1 }),
    ];
    let payloads = proptest::collection::vec(1..12usize, 1..12);
    let max_bytes = proptest::option::of(40..1500u64);
    (payloads, compression, max_bytes, any::<bool>(), faults(), some_fail(0.3), some_fail(0.2), 0..100usize)
        .prop_map(|(payloads, compression, max_bytes, has_time, writes, syncs, cuts, n_lucky)| {
            let plan = Plan { writes, syncs, cuts, ..Plan::default() };
            Case { payloads, compression, max_bytes, has_time, plan, n_lucky }
        })
}

/// Runs the sink with what goes wrong, takes the power away, and runs it again from the first event that was not
/// acked.
fn crash_and_go_on(case: &Case) {
    let (disk, acks) = (FakeDisk::new(case.plan.clone()), Acks::default());
    let result = case.run(&disk, &acks, 0);
    assert_eq!(acks.wrong(), Vec::<String>::new());
    match &result {
        Ok(()) => assert_eq!(acks.delivered().len(), case.payloads.len()),
        Err(error) => assert!(error.is_recoverable(), "{error:?}"),
    }
    let n_payloads = acks.delivered().len();
    let firsts: Vec<usize> = case.ranges().iter().map(|range| range.start).collect();
    assert_eq!(acks.delivered(), firsts[..n_payloads], "in order, with nothing between");

    disk.lose_power(case.n_lucky);
    disk.mend();
    let from = firsts.get(n_payloads).copied().unwrap_or(usize::MAX);
    case.run(&disk, &acks, from).unwrap();
    let lines = found(disk.files());
    let events = case.events();
    for event in &events {
        assert!(lines.contains(event), "{event} is lost");
    }
    assert!(lines.iter().all(|line| events.contains(line)), "nothing torn: {lines:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acked_outlives_a_loss_of_power(case in cases()) {
        // What could not be cut back stays where it was torn; nothing is claimed of such a disk but that it loses
        // nothing.
        let case = Case { plan: Plan { cuts: VecDeque::new(), ..case.plan }, ..case };
        crash_and_go_on(&case);
    }

    #[test]
    fn a_sink_that_a_failed_sync_ended_is_opened_again_and_nothing_is_lost_or_doubled(case in cases()) {
        // A payload that no file has room for is in several, and the first may be complete when a sync fails; so each
        // payload fits into a file here.
        let max_bytes = case.max_bytes.map(|max_bytes| max_bytes.max(1000));
        let case = Case { max_bytes, plan: Plan { cuts: VecDeque::new(), ..case.plan }, ..case };
        let disk = FakeDisk::new(case.plan.clone());
        let mut from = 0;
        loop {
            let acks = Acks::default();
            let result = case.run(&disk, &acks, from);
            prop_assert_eq!(acks.wrong(), Vec::<String>::new());
            let Err(error) = result else { break };
            prop_assert!(error.is_recoverable(), "{:?}", error);
            let last = acks.delivered().last().copied();
            from = case.ranges().into_iter().find(|range| Some(range.start) == last).map_or(from, |range| range.end);
        }
        // What stays without power is what is there with it: nothing lost by a failed sync is left in a file.
        for files in [disk.files(), disk.durable_files()] {
            prop_assert_eq!(numbers(&found(files)), case.numbers());
        }
    }

    #[test]
    fn whatever_fails_for_a_while_nothing_is_lost_twice_or_torn(case in cases()) {
        let plan = Plan { syncs: VecDeque::new(), cuts: VecDeque::new(), ..case.plan.clone() };
        let (disk, acks) = (FakeDisk::new(plan), Acks::default());
        case.run(&disk, &acks, 0).unwrap();
        prop_assert_eq!(acks.wrong(), Vec::<String>::new());
        prop_assert_eq!(acks.delivered().len(), case.payloads.len());
        prop_assert_eq!(numbers(&found(disk.files())), case.numbers());
    }

    #[test]
    fn what_cannot_be_taken_back_is_gone_on_with(
        payloads in proptest::collection::vec(1..12usize, 1..12),
        writes in faults(),
        cuts in some_fail(0.7),
    ) {
        let plan = Plan { writes, cuts, ..Plan::default() };
        let case = Case {
            payloads, compression: Compression::None, max_bytes: None, has_time: false, plan: plan.clone(), n_lucky: 0,
        };
        let (disk, acks) = (FakeDisk::new(plan), Acks::default());
        case.run(&disk, &acks, 0).unwrap();
        let lines = found(disk.files());
        prop_assert_eq!(numbers(&lines), case.numbers());
        prop_assert_eq!(lines, case.events(), "in order");
    }
}
