//! Files that are renamed, copied, emptied and deleted.

use std::fs::{self, File};

use super::world::{World, assert_once, lines};

#[test]
fn what_is_appended_comes_and_a_restart_goes_on() {
    let world = World::new();
    world.append("a.log", lines(0..100));
    let mut run = world.start();
    run.take(100);
    world.append("a.log", lines(100..200));
    run.take(200);
    world.append("b.log", lines(200..300));
    run.take(300);
    assert_eq!(run.stop(), lines(0..300));
    world.append("a.log", lines(300..310));
    let mut run = world.start();
    run.take(10);
    run.settle();
    assert_eq!(run.stop(), lines(300..310));
}

#[test]
fn renamed_emptied_and_deleted_files_are_read_on() {
    let world = World::new();
    world.append("a.log", lines(0..100));
    let mut run = world.start();
    run.take(100);
    // Renamed, a line written under the new name, another in a new file.
    world.rename("a.log", "a.log.1");
    world.append("a.log.1", lines(100..101));
    world.append("a.log", lines(101..102));
    run.take(102);
    // Copied and emptied.
    fs::copy(world.path("a.log"), world.path("a.log.2")).unwrap();
    File::options().write(true).open(world.path("a.log")).unwrap().set_len(0).unwrap();
    world.append("a.log", lines(102..104));
    run.take(104);
    // Deleted with an unfinished last line.
    world.append("a.log", "{\"id\":104}");
    run.settle();
    world.remove("a.log");
    run.take_until("the unfinished line comes", |run| run.got.ends_with(b"104}\n"));
    assert_once(&run.stop(), &(lines(0..104) + "{\"id\":104}"));
}
