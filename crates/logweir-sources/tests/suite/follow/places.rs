//! Where files lie, how they come and go there, and how that is learned.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::time::{Duration, Instant};

use logweir_event::FileId;
use logweir_sources::{CheckpointStore, FollowSource, Pace, Rotation, StateDir};
use logweir_testkit::process::poll_until;

use super::world::{Run, World, assert_once, line, lines};
use crate::rig;

const HOUR: Duration = Duration::from_secs(3600);

/// The number of ext4 in statfs(2).
const EXT4: i64 = 0xEF53;

/// Returns a world in which only what the system tells is learned.
fn told() -> World {
    let mut world = World::new();
    world.pace = Pace { search_every: HOUR, search_every_untold: HOUR, ..world.pace };
    world
}

/// Takes lines that come in whatever order.
fn take_all(mut run: Run, expected: &str) {
    run.take(expected.lines().count());
    assert_once(&run.stop(), expected);
}

#[test]
fn what_the_system_tells_is_enough() {
    let world = told();
    world.append("a.log", lines(0..10));
    let mut run = world.start();
    run.take(10);
    world.append("a.log", lines(10..20));
    run.take(20);
    world.append("b.log", lines(20..30));
    run.take(30);
    world.rename("a.log", "a.log.1");
    world.append("a.log", lines(30..40));
    run.take(40);
    world.append("a.log.1", lines(40..50));
    run.take(50);
    world.empty("a.log");
    world.append("a.log", lines(50..60));
    run.take(60);
    // As many bytes as there were.
    world.append("c.log", line(60, 100));
    run.take(61);
    world.write("c.log", line(61, 100));
    take_all(run, &(lines(0..60) + &line(60, 100) + &line(61, 100)));
}

#[test]
fn what_the_system_tells_of_relative_paths_is_enough() {
    let mut world = told();
    let up = "../".repeat(std::env::current_dir().unwrap().components().count() - 1);
    let dir = world.scratch.path("logs");
    let relative = up + dir.strip_prefix("/").unwrap().to_str().unwrap();
    for include in [format!("{relative}/*.log"), format!("./{relative}/*.log")] {
        world.config.include = vec![include];
        world.append("a.log", lines(0..10));
        let mut run = world.start();
        run.take(10);
        world.append("a.log", lines(10..20));
        take_all(run, &lines(0..20));
        fs::remove_dir_all(world.scratch.path("state")).unwrap();
        world.remove("a.log");
    }
}

#[test]
fn what_the_system_tells_is_enough_where_a_link_leads() {
    let world = told();
    let target = world.scratch.write("elsewhere/1", lines(0..10));
    symlink(&target, world.path("x.log")).unwrap();
    let mut run = world.start();
    run.take(10);
    let mut writer = fs::File::options().append(true).open(&target).unwrap();
    writer.write_all(lines(10..20).as_bytes()).unwrap();
    run.take(20);
    // The link is made to lead to another file; the old one is read on for a while.
    let target = world.scratch.write("elsewhere/2", lines(20..30));
    symlink(&target, world.scratch.path("new")).unwrap();
    fs::rename(world.scratch.path("new"), world.path("x.log")).unwrap();
    writer.write_all(lines(30..40).as_bytes()).unwrap();
    run.take(40);
    assert_eq!(run.stats.rotations(Rotation::Replaced), 1);
    take_all(run, &lines(0..40));
}

#[test]
fn a_directory_that_is_removed_and_made_again_is_watched_again() {
    let world = told();
    let mut run = world.start();
    for round in 0..6 {
        world.append("x.log", lines(10 * round..10 * round + 5));
        run.take(10 * round as usize + 5);
        world.append("x.log", lines(10 * round + 5..10 * round + 10));
        run.take(10 * round as usize + 10);
        if round % 2 == 0 {
            fs::remove_dir_all(world.scratch.path("logs")).unwrap();
        } else {
            fs::rename(world.scratch.path("logs"), world.scratch.path(format!("old{round}"))).unwrap();
        }
        fs::create_dir(world.scratch.path("logs")).unwrap();
    }
    take_all(run, &lines(0..60));
}

#[test]
fn directories_that_come_later_are_found_at_any_depth() {
    let mut world = told();
    let path = |glob: &str| world.scratch.path(glob).display().to_string();
    world.config.include = vec![path("logs/*/deep/*.log"), path("not-yet/*/x.log"), path("any/**/*.log")];
    let mut run = world.start();
    world.scratch.write("logs/one/deep/x.log", lines(0..10));
    world.scratch.write("logs/two/deep/x.log", lines(10..20));
    world.scratch.write("not-yet/one/x.log", lines(20..30));
    world.scratch.write("any/a/b/c/d/x.log", lines(30..40));
    world.scratch.write("any/x.log", lines(40..50));
    run.take(50);
    world.scratch.write("any/a/b/y.log", lines(50..60));
    take_all(run, &lines(0..60));
}

#[test]
fn where_nothing_is_told_all_is_looked_at() {
    let mut world = World::new();
    world.pace = Pace { is_told: false, search_every: HOUR, ..world.pace };
    world.append("a.log", lines(0..10));
    let mut run = world.start();
    run.take(10);
    world.append("a.log", lines(10..20));
    run.take(20);
    world.append("b.log", lines(20..30));
    run.take(30);
    world.empty("a.log");
    world.append("a.log", lines(30..31));
    take_all(run, &lines(0..31));
}

#[test]
fn files_moved_away_and_back_are_read_on() {
    let world = World::new();
    world.append("x.log", lines(0..10));
    world.append("y.log", lines(100..110));
    let away = |name: &str| world.scratch.path(name);
    let mut run = world.start();
    run.settle();
    for name in ["x.log", "y.log"] {
        fs::rename(world.path(name), away(name)).unwrap();
    }
    run.settle();
    assert_eq!(run.stats.rotations(Rotation::MovedAway), 2);
    // One comes back soon, the other when nobody has it open any more.
    fs::rename(away("x.log"), world.path("x.log")).unwrap();
    world.append("x.log", lines(10..20));
    run.take_until("the other is let go", |run| run.stats.n_files() == 1);
    fs::rename(away("y.log"), world.path("y.log")).unwrap();
    world.append("y.log", lines(110..120));
    run.settle();
    let mut got = run.stop();
    let checkpoint = fs::read_to_string(world.scratch.path("state/test.checkpoint")).unwrap();
    assert!(!checkpoint.contains("\"gone_since\":1"), "both are there: {checkpoint}");
    let mut run = world.start();
    run.settle();
    got += &run.stop();
    assert_once(&got, &(lines(0..20) + &lines(100..120)));
}

#[test]
fn what_is_in_the_way_of_a_file_holds_up_nothing_else() {
    let mut world = World::new();
    world.config.open_files = 1;
    let glob = world.scratch.path("logs/*/*.log").display().to_string();
    world.config.include = vec![glob, world.scratch.path("logs/a/x.log").display().to_string()];
    world.scratch.write("logs/a/x.log", lines(0..10));
    world.scratch.write("logs/b/y.log", lines(20..30));
    let mut run = world.start();
    run.settle();
    // A link to itself in place of the directory: its name is there and leads nowhere.
    fs::rename(world.scratch.path("logs/a"), world.scratch.path("kept")).unwrap();
    symlink("a", world.scratch.path("logs/a")).unwrap();
    world.append("b/y.log", lines(30..40));
    run.settle();
    fs::remove_file(world.scratch.path("logs/a")).unwrap();
    fs::rename(world.scratch.path("kept"), world.scratch.path("logs/a")).unwrap();
    world.append("a/x.log", lines(10..20));
    run.settle();
    assert_eq!(run.stats.n_lost(), 0);
    assert_once(&run.stop(), &lines(0..40));
}

#[test]
fn a_file_that_cannot_be_read_is_tried_again_seldom_and_holds_up_nothing_else() {
    let mut world = World::new();
    // It has a size, and reading it fails, everywhere where there is such a device.
    let unreadable = "/sys/class/net/lo/speed";
    if fs::read(unreadable).is_ok() || fs::metadata(unreadable).map_or(0, |metadata| metadata.len()) == 0 {
        return;
    }
    world.pace.retry_at_most = Duration::from_millis(200);
    symlink(unreadable, world.path("unreadable")).unwrap();
    world.append("x.log", lines(0..10));
    let mut run = world.start();
    run.take(10);
    let condition = run.rig.condition.clone();
    run.take_until("a trouble", |_| condition.troubles().iter().any(|trouble| trouble.kind == "read"));
    let told = condition.troubles().remove(0).message;
    assert!(told.starts_with("cannot read ") && told.contains("/unreadable: "), "{told}");
    let (n_before, since) = (condition.counts()["read"], Instant::now());
    run.take_until("some time passes", |_| since.elapsed() > Duration::from_secs(1));
    let n_tried = condition.counts()["read"] - n_before;
    assert!((1..12).contains(&n_tried), "{n_tried} times in a second");
    // It is replaced by one that can be read.
    world.remove("unreadable");
    world.append("unreadable", lines(10..20));
    run.take(20);
    run.take_until("the trouble is over", |_| condition.troubles().is_empty());
    assert_once(&run.stop(), &lines(0..20));
}

#[test]
fn what_the_process_writes_is_refused_under_any_name() {
    let world = World::new();
    world.append("out.log", lines(0..10));
    symlink(world.path("out.log"), world.path("link.log")).unwrap();
    let own = FileId::from(&fs::metadata(world.path("out.log")).unwrap());
    let dir = StateDir::open(&world.scratch.path("state")).unwrap();
    let (store, checkpoint) = CheckpointStore::open(dir, "test").unwrap();
    let (source, _) = FollowSource::with_pace(&world.config, store, checkpoint, world.pace).unwrap();
    let stats = source.stats();
    let mut rig = rig::start_beside([own].into(), source, 1 << 16, 1 << 20);
    world.append("x.log", lines(10..20));
    let chunk = poll_until("what others write", Duration::from_secs(10), || rig.try_chunk());
    assert_eq!(chunk.bytes, lines(10..20));
    drop(chunk.bytes);
    chunk.ack.deliver();
    world.append("out.log", lines(20..30));
    world.rename("out.log", "out.log.1");
    let n_before = stats.looked().0;
    let has_looked = || (stats.looked().0 > n_before + 2).then_some(());
    poll_until("it has looked again", Duration::from_secs(10), has_looked);
    assert!(rig.try_chunk().is_none());
    assert!(rig.stop().bytes.is_empty());
}

#[test]
fn an_inode_that_comes_back_is_another_file() {
    for is_live in [true, false] {
        // Others may take the number first.
        let is_back = (0..50).any(|_| another_file_in_its_place(is_live));
        let file_system = rustix::fs::statfs(World::new().scratch.dir()).unwrap().f_type;
        assert!(is_back || file_system != EXT4, "ext4 gives numbers again");
    }
}

/// Puts another file in the place of one that was read; returns whether it has the same inode.
fn another_file_in_its_place(is_live: bool) -> bool {
    let mut world = World::new();
    // So that it is not held open, and its inode is free.
    world.config.open_files = 1;
    world.pace = Pace { search_every: Duration::from_millis(100), ..world.pace };
    world.append("x.log", lines(0..10));
    let mut run = world.start();
    run.take(10);
    world.append("y.log", lines(10..11));
    run.take(11);
    run.settle();
    let inode = fs::metadata(world.path("x.log")).unwrap().ino();
    let (mut got, run) = if is_live { (String::new(), Some(run)) } else { (run.stop(), None) };
    world.remove("x.log");
    world.append("x.log", lines(20..30));
    let is_back = fs::metadata(world.path("x.log")).unwrap().ino() == inode;
    let mut run = run.unwrap_or_else(|| world.start());
    run.settle();
    got += &run.stop();
    assert_once(&got, &(lines(0..11) + &lines(20..30)));
    is_back
}

#[test]
fn a_name_that_leads_to_one_file_after_another_gives_the_lines_of_all() {
    let world = World::new();
    let mut run = world.start();
    for id in 0..50 {
        let new = world.scratch.write("new", lines(id..id + 1));
        fs::rename(new, world.path("x.log")).unwrap();
        run.settle();
    }
    assert_eq!(run.stats.rotations(Rotation::Replaced), 49);
    assert_once(&run.stop(), &lines(0..50));
}
