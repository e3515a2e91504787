//! When checkpoints are written.

use std::fs;
use std::time::Duration;

use logweir_testkit::process::poll_until;

use super::world::{World, lines};

const SOON: Duration = Duration::from_secs(20);

/// Returns what the checkpoint file holds; nothing if there is none.
fn checkpoint(world: &World) -> String {
    fs::read_to_string(world.scratch.path("state/test.checkpoint")).unwrap_or_default()
}

#[test]
fn what_is_delivered_first_is_written_soon() {
    let mut world = World::new();
    world.pace.commit_every = Duration::from_secs(3600);
    world.append("a.log", lines(0..3));
    let n_bytes = fs::metadata(world.path("a.log")).unwrap().len();
    let mut run = world.start();
    // That the file was found is written before anything is delivered, and keeps nothing else from being written.
    poll_until("the file is in the checkpoint", SOON, || checkpoint(&world).contains("a.log").then_some(()));
    run.take(3);
    let offset = format!("\"offset\":{n_bytes},");
    poll_until("what was delivered is in it", SOON, || checkpoint(&world).contains(&offset).then_some(()));
    run.crash();
}

#[test]
fn a_checkpoint_that_was_removed_is_written_again() {
    let world = World::new();
    world.append("a.log", lines(0..100));
    let mut run = world.start();
    run.take(100);
    poll_until("there is a checkpoint", SOON, || checkpoint(&world).contains("a.log").then_some(()));
    for removed in ["state/test.checkpoint", "state"] {
        let path = world.scratch.path(removed);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        poll_until("it is written again", SOON, || checkpoint(&world).contains("a.log").then_some(()));
    }
    assert_eq!(run.stop(), lines(0..100));
    assert_eq!(world.start().stop(), "", "nothing comes twice");
}
