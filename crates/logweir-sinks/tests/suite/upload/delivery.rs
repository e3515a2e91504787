//! What is not taken is tried again, held, dropped or kept, as it is to be.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use logweir_event::Settled;
use logweir_sinks::{OnReject, SinkError, UploadOutcome, UploadStats};
use logweir_testkit::process::poll_until;

use super::bucket::Answer;
use super::source::{Line, Source};
use super::world::{World, line};
use crate::fake_disk::{FakeDisk, Plan};
use crate::running::{DEADLINE, Running};

/// Starts a run whose destination does not answer, and ends it once so many batches are kept.
fn keep(world: &World, n_batches: u64) {
    world.bucket.always(Answer::Stalls);
    let running = world.start();
    wait_for_batches(world, n_batches);
    let is_tried = || world.bucket.attempts().len() as u64 >= n_batches.min(4);
    poll_until("attempts", DEADLINE, || is_tried().then_some(()));
    running.give_up().unwrap();
    world.bucket.always(Answer::Taken);
}

fn wait_for_batches(world: &World, n_batches: u64) {
    let n_entries = || world.n_spooled(".json") as u64;
    poll_until("batches in the spool", DEADLINE, || (n_entries() >= n_batches).then_some(()));
}

fn wait_for_trouble(running: &Running, kind: &str) -> String {
    let message = || running.troubles().into_iter().find(|trouble| trouble.kind == kind);
    poll_until(kind, DEADLINE, message).message
}

#[test]
fn while_the_destination_is_down_only_the_oldest_batch_is_tried_and_it_says_so() {
    let world = World::of_events(200);
    world.bucket.always(Answer::Fails(503));
    let running = world.start();
    let message = wait_for_trouble(&running, "upload");
    assert!(message.starts_with("circuit open since 20"), "{message}");
    assert!(
        message.contains("batches (") && message.ends_with("last error: the bucket says 503 (status 503)")
    );
    let stats = world.stats.snapshot();
    assert!(stats.is_circuit_open && stats.last_error.is_some() && stats.last_complete.is_none());
    assert_eq!(stats.error_message.as_deref(), Some("the bucket says 503"));
    // Those that were on their way when it opened have come to an end by then.
    let n_attempts = world.bucket.attempts().len() + 8;
    let attempts = || Some(world.bucket.attempts()).filter(|attempts| attempts.len() > n_attempts + 5);
    let attempts = poll_until("more attempts", DEADLINE, attempts);
    let keys: BTreeSet<_> = attempts[n_attempts..].iter().map(|upload| &upload.key).collect();
    assert_eq!(keys, BTreeSet::from([&attempts[0].key]));

    world.bucket.always(Answer::Taken);
    running.goes_on();
    running.end().unwrap();
    world.check_each_once();
    let stats = world.stats.snapshot();
    assert_eq!((stats.last_error, stats.error_message.as_ref(), stats.is_circuit_open), (None, None, false));
    assert!(stats.retries() >= 10 && stats.attempts[&(UploadOutcome::Ok, 200)] == 20);
    assert_eq!(stats.durations.count(), stats.retries() + 20);
    let last_ms = 1_763_800_000_000 + 199 * 250;
    assert_eq!(stats.last_complete, Some(std::time::UNIX_EPOCH + Duration::from_millis(last_ms)));
}

#[test]
fn what_is_refused_is_held_until_somebody_mends_it_and_holds_up_nothing_else() {
    let world = World::of_events(60);
    world.bucket.always(Answer::Refused);
    let running = world.start();
    let message = wait_for_trouble(&running, "rejected");
    assert!(message.contains("refuses logs/") && message.contains("403"), "{message}");
    assert!(world.source.settled() == Settled::default());
    world.bucket.always(Answer::Taken);
    running.goes_on();
    running.end().unwrap();
    world.check_each_once();
    assert_eq!(world.stats.snapshot().batches_rejected, 0);
}

#[test]
fn what_is_refused_is_dropped_and_counted_where_that_is_configured() {
    let mut world = World::of_events(60);
    world.config.delivery.on_reject = OnReject::Drop;
    world.config.delivery.max_uploads = 1;
    world.bucket.script([Answer::Taken, Answer::Refused]);
    world.start().end().unwrap();
    let settled = world.source.settled();
    assert_eq!((settled.written, settled.rejected, settled.undelivered), (50, 10, 0));
    assert!(world.source.is_all_delivered(), "to read them again would change nothing");
    let stats = world.stats.snapshot();
    assert_eq!((stats.events_uploaded, stats.events_rejected, stats.batches_rejected), (50, 10, 1));
    assert_eq!(stats.attempts[&(UploadOutcome::Rejected, 403)], 1);
    assert_eq!(stats.spool_bytes, 0);
}

#[test]
fn events_that_are_refused_of_a_batch_that_is_taken_are_counted() {
    let world = World::of_events(10);
    world.bucket.script([Answer::TakenWithout(3)]);
    world.start().end().unwrap();
    let stats = world.stats.snapshot();
    assert_eq!((stats.events_uploaded, stats.events_rejected), (7, 3));
}

#[test]
fn only_so_many_are_uploaded_at_once_the_oldest_first() {
    let world = World::of_events(100);
    world.bucket.script(vec![Answer::Stalls; 4]);
    let running = world.start();
    wait_for_batches(&world, 10);
    let attempts = || Some(world.bucket.attempts()).filter(|attempts| attempts.len() == 4);
    let attempts = poll_until("four attempts", DEADLINE, attempts);
    let paths: BTreeSet<_> = attempts.iter().map(|upload| upload.path.to_str().unwrap()).collect();
    assert!(paths.iter().zip(1..).all(|(path, n)| path.ends_with(&format!("{n}.log.gz"))), "{paths:?}");
    running.give_up().unwrap();
    assert_eq!((world.bucket.most_at_once(), world.bucket.attempts().len()), (4, 4));
    assert_eq!(world.source.settled().kept, 100);
}

#[test]
fn acks_come_in_order_though_uploads_do_not() {
    let world = World::of_events(50);
    world.bucket.script([Answer::Stalls]);
    let running = world.start();
    poll_until("four objects", DEADLINE, || (world.bucket.objects().len() == 4).then_some(()));
    let done = || world.n_spooled(".done");
    poll_until("four are done", DEADLINE, || (done() == 4).then_some(()));
    assert_eq!(world.source.settled(), Settled::default());
    assert_eq!(world.stats.snapshot().last_complete, None, "the first one is missing");
    running.give_up().unwrap();
    let settled = world.source.settled();
    assert_eq!((settled.written, settled.kept, settled.undelivered), (40, 10, 0));
    // Only the one that was not uploaded is uploaded by the next run.
    world.start().end().unwrap();
    world.check_each_once();
    assert_eq!(world.bucket.attempts().len(), 6);
}

#[test]
fn what_is_kept_is_uploaded_by_the_next_run_under_the_same_keys_even_without_new_events() {
    for is_replayable in [true, false] {
        let lines = (0..30).map(line).collect();
        let mut world = World::new(Source::new(vec![lines], is_replayable));
        keep(&world, 3);
        assert_eq!(world.source.settled().kept, 30);
        let keys: BTreeSet<_> = world.bucket.attempts().into_iter().map(|upload| upload.key).collect();
        assert!(world.bucket.objects().is_empty() && keys.len() == 3);

        world.stats = UploadStats::new();
        world.source.begin(world.covered());
        let n_left = world.source.payloads(&world.cuts).len();
        assert_eq!(n_left, if is_replayable { 0 } else { 10 });
        world.start_sink().end().unwrap();
        world.check_each_once();
        assert!(world.bucket.objects().into_keys().eq(keys));
        let stats = world.stats.snapshot();
        assert_eq!((stats.events_recovered, stats.events_uploaded), (30, 30));
        // Where nothing can be read again, nobody asks from where to go on.
        assert_eq!(world.spooled().len(), usize::from(is_replayable));
    }
}

#[test]
fn what_is_not_in_a_batch_when_there_is_no_time_left_is_not_delivered() {
    let world = World::of_events(25);
    world.bucket.always(Answer::Stalls);
    let running = world.start();
    wait_for_batches(&world, 2);
    let all_taken = || (world.stats.snapshot().spool_batches == 3).then_some(());
    poll_until("the third batch", DEADLINE, all_taken);
    let error = running.give_up();
    assert!(matches!(error, Err(SinkError::GivenUp { n_events: 1..=5 })), "{error:?}");
    let settled = world.source.settled();
    assert_eq!((settled.kept, settled.undelivered), (20, 5));
    world.bucket.always(Answer::Taken);
    world.start().end().unwrap();
    world.check_each_once();
}

#[test]
fn a_spool_that_is_full_holds_the_source_and_says_so() {
    let mut world = World::of_events(400);
    world.config.batch.max_events = 7;
    world.config.spool.max_bytes = 70_000;
    world.config.compression = logweir_sinks::Compression::None;
    world.bucket.always(Answer::Fails(1102));
    let running = world.start();
    let message = wait_for_trouble(&running, "full");
    assert!(message.contains("of at most 70000"), "{message}");
    let stats = world.stats.snapshot();
    assert!(stats.spool_bytes <= 70_000 && stats.spool_bytes > 3_000, "{}", stats.spool_bytes);
    assert!(world.source.n_open() > 200, "the others wait before it");
    world.bucket.always(Answer::Taken);
    running.goes_on();
    running.end().unwrap();
    world.check_each_once();
}

#[test]
fn a_sink_that_waits_for_room_gives_up_when_there_is_no_time_left() {
    let mut world = World::of_events(400);
    world.config.spool.max_bytes = 0;
    world.bucket.always(Answer::Stalls);
    let running = world.start();
    wait_for_trouble(&running, "full");
    assert!(matches!(running.give_up(), Err(SinkError::GivenUp { .. })));
    let settled = world.source.settled();
    assert_eq!((settled.kept, settled.undelivered), (1, 399));
}

#[test]
fn a_destination_that_asks_to_be_left_alone_is() {
    let world = World::of_events(50);
    let pause = Duration::from_millis(150);
    world.bucket.script([Answer::FailsFor(pause)]);
    let since = Instant::now();
    world.start().end().unwrap();
    assert!(since.elapsed() >= pause);
    world.check_each_once();
}

#[test]
fn a_failed_sync_ends_it_and_what_was_in_the_batch_is_read_again() {
    let plan = Plan { syncs: [false, false, true].into(), ..Plan::default() };
    let mut world = World::on(FakeDisk::new(plan), World::of_events(30).source);
    world.cuts.chunks = vec![1];
    let error = world.start().end().unwrap_err();
    assert!(matches!(error, SinkError::Sync { .. }) && error.is_recoverable(), "{error:?}");
    world.start().end().unwrap();
    world.check_each_once();
}

#[test]
fn a_disk_that_is_full_is_waited_for() {
    let plan = Plan { capacity: Some(500), ..Plan::default() };
    let mut world = World::on(FakeDisk::new(plan), World::of_events(100).source);
    world.cuts.chunks = vec![1];
    world.bucket.always(Answer::Fails(503));
    let running = world.start();
    wait_for_trouble(&running, "full");
    world.disk.make_room(None);
    world.bucket.always(Answer::Taken);
    running.goes_on();
    running.end().unwrap();
    world.check_each_once();
    assert_eq!(world.source.settled().written, 100);
}

#[test]
fn entries_are_removed_once_the_source_knows_what_is_delivered() {
    let world = World::of_events(30);
    world.source.begin(None);
    let running = world.start_sink();
    running.give_all(world.source.payloads(&world.cuts));
    poll_until("an empty spool", DEADLINE, || {
        (world.bucket.objects().len() == 3 && world.spooled().is_empty()).then_some(())
    });
    running.end().unwrap();
}

#[test]
fn what_a_former_run_has_left_is_removed_once_the_source_knows_what_is_delivered() {
    let lines = (0..20).map(|n| Line { is_dropped: n >= 10, ..line(n) }).collect();
    let mut world = World::new(Source::new(vec![lines], true));
    world.cuts.chunks = vec![10];
    world.source.begin(None);
    world.bucket.always(Answer::Stalls);
    let running = world.start_sink();
    let first = world.source.payloads(&world.cuts).into_iter().next();
    running.give_all(first);
    wait_for_batches(&world, 1);
    running.give_up().unwrap();

    world.bucket.always(Answer::Taken);
    world.source.begin(world.covered());
    let running = world.start_sink();
    poll_until("the upload", DEADLINE, || (world.n_spooled(".done") == 1).then_some(()));
    running.give_all(world.source.payloads(&world.cuts));
    poll_until("an empty spool", DEADLINE, || world.spooled().is_empty().then_some(()));
    running.end().unwrap();
    world.check_each_once();
}
