//! Whenever the process is killed, or the power lost, the bucket comes to have each event once.

use std::path::Path;
use std::sync::Arc;

use logweir_sinks::{Spool, UploadStats};
use logweir_testkit::process::poll_until;
use proptest::prelude::*;

use super::batching::{Case, cases};
use super::bucket::Answer;
use super::world::{SPOOL, World};
use crate::fake_disk::FakeDisk;
use crate::running::DEADLINE;

/// What a run ends in.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The process is killed: the system still has all that was written.
    Killed,
    /// What was not synced is lost, save so many bytes of each file.
    PowerLost(usize),
}

/// Runs until the disk dies, if it does before all is done; returns whether it died.
fn run_until_dead(world: &World) -> bool {
    // It may die before the source is opened.
    let Ok(_) = Spool::covered_on(Arc::new(world.disk.clone()), Path::new(SPOOL)) else { return true };
    let running = world.start();
    // The sink has been given everything, so to wait for its end is to give it no more.
    let ending = running.give_no_more();
    poll_until("the end", DEADLINE, || (world.disk.is_dead() || ending.has_ended()).then_some(()));
    let is_dead = world.disk.is_dead();
    if is_dead {
        ending.abort();
    }
    let result = ending.join();
    assert!(is_dead || result.is_ok(), "{result:?}");
    is_dead
}

/// Ends a run after so many changes of the disk, and runs again; returns whether the first run was ended.
fn crash_and_go_on(case: &Case, n_changes: usize, end: End) -> bool {
    let mut world = case.world(FakeDisk::dying_after(n_changes));
    let is_dead = run_until_dead(&world);
    check_nothing_promised_in_vain(&world);
    if let End::PowerLost(n_lucky) = end {
        world.disk.lose_power(n_lucky);
    }
    world.disk.revive();
    world.bucket.always(Answer::Taken);
    world.stats = UploadStats::new();
    world.start().end().unwrap();
    world.check_each_once();
    assert!(world.source.is_all_delivered());
    is_dead
}

/// Checks that all that was acked is in the bucket.
fn check_nothing_promised_in_vain(world: &World) {
    let n_delivered = world.delivered().concat().len() as u64;
    let settled = world.source.settled();
    assert!(settled.written <= n_delivered, "{settled:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_event_is_there_once_after_a_kill(case in cases(), n_changes in 0..150usize) {
        crash_and_go_on(&case, n_changes, End::Killed);
    }

    #[test]
    fn each_event_is_there_once_after_a_loss_of_power(
        case in cases(),
        n_changes in 0..150usize,
        n_lucky in 0..100usize,
    ) {
        crash_and_go_on(&case, n_changes, End::PowerLost(n_lucky));
    }

    #[test]
    fn each_event_is_there_once_after_many_kills(case in cases(), changes in proptest::collection::vec(1..60usize, 1..6)) {
        let world = case.world(FakeDisk::default());
        for n_changes in changes {
            world.disk.die_after(n_changes);
            run_until_dead(&world);
            world.disk.revive();
        }
        world.start().end().unwrap();
        world.check_each_once();
    }
}

#[test]
fn at_every_change_of_the_disk_a_run_may_be_stopped() {
    for end in [End::Killed, End::PowerLost(0), End::PowerLost(1000)] {
        let mut n_changes = 0;
        loop {
            let world_of = |disk| {
                let mut world = World::on(disk, World::of_events(25).source);
                world.cuts.chunks = vec![4];
                world
            };
            let mut world = world_of(FakeDisk::dying_after(n_changes));
            let is_dead = run_until_dead(&world);
            check_nothing_promised_in_vain(&world);
            if let End::PowerLost(n_lucky) = end {
                world.disk.lose_power(n_lucky);
            }
            world.disk.revive();
            world.stats = UploadStats::new();
            world.start().end().unwrap();
            world.check_each_once();
            if !is_dead {
                assert!(n_changes > 30, "{n_changes}");
                break;
            }
            n_changes += 1;
        }
    }
}
