//! What somebody has done to a spool is noticed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use logweir_sinks::{SinkError, Spool, SpoolError, UploadStats};
use logweir_testkit::process::poll_until;

use super::bucket::Answer;
use super::source::Source;
use super::world::{SPOOL, World, line};
use crate::running::DEADLINE;

/// Returns a world whose spool has three batches that wait to be uploaded.
fn with_three(is_replayable: bool) -> World {
    let mut world = World::new(Source::new(vec![(0..30).map(line).collect()], is_replayable));
    world.bucket.always(Answer::Stalls);
    let running = world.start();
    let n_entries = || world.n_spooled(".json");
    poll_until("three batches", DEADLINE, || (n_entries() == 3).then_some(()));
    running.give_up().unwrap();
    world.bucket.always(Answer::Taken);
    world.stats = UploadStats::new();
    world
}

fn path(seq: u64, ending: &str) -> PathBuf {
    Path::new(SPOOL).join(format!("{seq:020}{ending}"))
}

fn covered(world: &World) -> Result<Option<Vec<u8>>, SpoolError> {
    Spool::covered_on(Arc::new(world.disk.clone()), Path::new(SPOOL))
}

/// Does something to the second of three batches; its events and those of the third are then read again.
#[track_caller]
fn check_read_again(damage: impl Fn(&World)) {
    let world = with_three(true);
    let whole = covered(&world).unwrap();
    damage(&world);
    let left = covered(&world).unwrap();
    assert!(left.as_ref().is_some_and(|left| !left.is_empty()) && left != whole, "{left:?}");
    assert_eq!(covered(&world).unwrap(), left, "it stays so once what is broken is put aside");
    world.start().end().unwrap();
    world.check_each_once();
    let stats = world.stats.snapshot();
    assert_eq!((stats.events_recovered, stats.events_uploaded), (10, 30));
    assert_eq!(stats.spool_damaged, 2);
    assert!(world.spooled().contains(&format!("{:020}.json.damaged", 3)), "{:?}", world.spooled());
}

#[test]
fn a_batch_whose_file_is_missing_ends_the_chain_before_it() {
    check_read_again(|world| world.disk.unlink(path(2, ".log.gz").to_str().unwrap()));
}

#[test]
fn a_batch_whose_file_was_changed_ends_the_chain_before_it() {
    check_read_again(|world| world.disk.damage(&path(2, ".log.gz"), |bytes| bytes[20] ^= 1));
    check_read_again(|world| world.disk.damage(&path(2, ".log.gz"), |bytes| bytes.truncate(20)));
    check_read_again(|world| world.disk.damage(&path(2, ".log.gz"), |bytes| bytes.push(0)));
}

#[test]
fn a_batch_whose_entry_is_missing_ends_the_chain_before_it() {
    let world = with_three(true);
    world.disk.unlink(path(2, ".json").to_str().unwrap());
    world.start().end().unwrap();
    world.check_each_once();
    assert_eq!(world.stats.snapshot().spool_damaged, 1);
}

#[test]
fn where_nothing_can_be_read_again_only_the_damaged_batch_is_lost() {
    let world = with_three(false);
    world.disk.damage(&path(2, ".log.gz"), |bytes| bytes[20] ^= 1);
    world.source.begin(None);
    world.start_sink().end().unwrap();
    assert_eq!(world.delivered().concat().len(), 20);
    assert_eq!(world.stats.snapshot().spool_damaged, 1);
    let aside = [".json.damaged", ".log.gz.damaged"].map(|ending| format!("{:020}{ending}", 2));
    assert_eq!(world.spooled(), aside);
}

#[test]
fn what_is_damaged_once_the_source_has_begun_ends_the_sink_and_is_then_read_again() {
    let world = with_three(true);
    world.source.begin(world.covered());
    world.disk.damage(&path(3, ".log.gz"), |bytes| bytes[20] ^= 1);
    let error = world.start_sink().end().unwrap_err();
    assert!(error.is_recoverable() && error.kind() == "broken", "{error:?}");
    assert!(world.bucket.objects().is_empty());
    world.start().end().unwrap();
    world.check_each_once();
}

/// Returns what is said of a spool whose second entry is not right.
#[track_caller]
fn refused(damage: impl FnOnce(&mut Vec<u8>)) -> String {
    let world = with_three(true);
    world.disk.damage(&path(2, ".json"), damage);
    let files = world.disk.files();
    let error = covered(&world).unwrap_err();
    let in_run = world.start_sink().end().unwrap_err();
    assert!(!in_run.is_recoverable() && matches!(&in_run, SinkError::Spool { .. }), "{in_run:?}");
    assert!(world.disk.files() == files, "nothing is touched");
    error.to_string()
}

#[test]
fn an_entry_that_is_not_what_was_written_is_refused_by_name() {
    let name = format!("{:020}.json", 2);
    for (damage, expected) in [
        (Box::new(|bytes: &mut Vec<u8>| bytes[60] ^= 1) as Box<dyn FnOnce(&mut Vec<u8>)>, "is damaged"),
        (Box::new(|bytes: &mut Vec<u8>| bytes.truncate(100)), "is damaged"),
        (Box::new(|bytes: &mut Vec<u8>| *bytes = b"{}".to_vec()), "is no entry of this output's spool"),
        (Box::new(newer), "has version 2 of the format"),
    ] {
        let message = refused(damage);
        assert!(message.contains(&name) && message.contains(expected), "{message}");
    }
}

/// Makes an entry one of a later version.
fn newer(bytes: &mut Vec<u8>) {
    let text = String::from_utf8(bytes.clone()).unwrap();
    let line = text.lines().next().unwrap().replace("\"version\":1", "\"version\":2") + "\n";
    let hash = xxhash(line.as_bytes());
    *bytes = format!("{line}{{\"xxh3\":\"{hash:016x}\"}}\n").into_bytes();
}

fn xxhash(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

#[test]
fn the_spool_of_another_output_is_refused() {
    let world = with_three(true);
    let names = logweir_sinks::SinkNames { pipeline: "tests", output: Some("other") };
    let sink = logweir_sinks::UploadSink::open_on(
        Arc::new(world.disk.clone()),
        Arc::new(world.bucket.clone()),
        world.config.clone(),
        world.frame.clone(),
        &names,
        SPOOL.into(),
        UploadStats::new(),
    );
    let error = crate::running::Running::start(Box::new(sink.unwrap())).end().unwrap_err();
    assert_eq!(error.kind(), "foreign");
}

#[test]
fn what_never_came_to_be_a_batch_is_removed() {
    let world = World::of_events(30);
    for name in [path(7, ".log.gz"), path(7, ".json.new"), Path::new(SPOOL).join("notes.txt")] {
        logweir_sinks::Disk::open(&world.disk, &name).unwrap();
    }
    world.start().end().unwrap();
    world.check_each_once();
    let spooled = world.spooled();
    assert!(spooled.contains(&"notes.txt".to_owned()) && spooled.len() <= 2, "{spooled:?}");
}

#[test]
fn a_spool_that_another_sink_has_is_waited_for() {
    let world = World::of_events(30);
    world.bucket.always(Answer::Stalls);
    let first = world.start();
    poll_until("an entry", DEADLINE, || (world.n_spooled(".json") > 0).then_some(()));
    assert!(matches!(covered(&world), Err(SpoolError::InUse { .. })));
    let second = world.start_sink();
    assert_eq!(second.held(), "in_use");
    world.bucket.always(Answer::Taken);
    first.give_up().unwrap_or_default();
    second.goes_on();
    second.end().unwrap();
    assert!(!world.bucket.objects().is_empty());
}
