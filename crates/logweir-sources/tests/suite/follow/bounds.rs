//! How much is open and held at once, and what happens when there is no more to be had.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, Instant};

use logweir_sources::Pace;
use logweir_testkit::compress::gzip;
use logweir_testkit::process::{peak_rss_bytes, poll_until};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::world::{World, assert_once, lines};

/// What says that a test is alone in its process.
const ALONE: &str = "LOGWEIR_TEST_ALONE";

/// So long are deleted files held where there are many, and all else goes at its usual pace.
const QUICK: Duration = Duration::from_millis(50);

/// Runs a test in a process of its own, because it measures or changes the process; returns whether this is that one.
fn is_alone(test: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("follow::bounds::{test}"), "--nocapture"])
        .env(ALONE, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

/// Returns how many files this process has open.
fn n_open() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn ten_thousand_files_take_few_descriptors_and_little_memory() {
    if !is_alone("ten_thousand_files_take_few_descriptors_and_little_memory") {
        return;
    }
    let mut world = World::new();
    world.config.open_files = 64;
    world.pace = Pace { search_every: Duration::from_millis(200), deleted_after: QUICK, ..Pace::default() };
    let name = |id: u32| format!("{id}.log");
    (0..10_000).for_each(|id| world.append(&name(id), lines(id..id + 1)));
    let (n_before, rss_before) = (n_open(), peak_rss_bytes(std::process::id()).unwrap());
    let mut run = world.start();
    run.take(10_000);
    assert!(n_open() <= n_before + 64 + 16, "{} descriptors", n_open() - n_before);
    // Again, now that all are known, and with some that go.
    (0..10_000).for_each(|id| world.append(&name(id), lines(10_000 + id..10_001 + id)));
    run.take(20_000);
    (0..100).for_each(|id| world.remove(&name(id)));
    run.settle();
    assert!(n_open() <= n_before + 64 + 64 + 16, "{} descriptors", n_open() - n_before);
    let rss = peak_rss_bytes(std::process::id()).unwrap() - rss_before;
    assert!(rss < 80 << 20, "{rss} bytes");
    let mut got = run.stop();
    let mut run = world.start();
    run.settle();
    got += &run.stop();
    assert_once(&got, &lines(0..20_000));
}

#[test]
fn without_descriptors_it_waits_and_then_goes_on() {
    if !is_alone("without_descriptors_it_waits_and_then_goes_on") {
        return;
    }
    let world = World::new();
    world.append("a.log", lines(0..10));
    world.scratch.write("b.log", lines(10..20));
    let mut run = world.start();
    run.settle();
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(n_open() as u64 + 20), ..limit }).unwrap();
    let mut hoard: Vec<File> = Vec::new();
    fs::rename(world.scratch.path("b.log"), world.path("b.log")).unwrap();
    let condition = run.rig.condition.clone();
    let mut names = ["b.log", "c.log"];
    run.take_until("it is told", |_| {
        // Whoever had a file open for a moment gives it back, and somebody may be quicker to take it.
        hoard.extend(std::iter::from_fn(|| File::open("/dev/null").ok()));
        world.rename(names[0], names[1]);
        names.swap(0, 1);
        condition.troubles().iter().any(|trouble| trouble.kind == "list")
    });
    drop(hoard);
    run.take(20);
    run.take_until("the trouble is over", |_| condition.troubles().is_empty());
    assert_once(&run.stop(), &lines(0..20));
}

#[test]
fn with_few_descriptors_it_makes_do_by_closing_others() {
    if !is_alone("with_few_descriptors_it_makes_do_by_closing_others") {
        return;
    }
    let mut world = World::new();
    world.config.open_files = 1000;
    (0..200).for_each(|id| world.append(&format!("{id}.log"), lines(id..id + 1)));
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(n_open() as u64 + 60), ..limit }).unwrap();
    let mut run = world.start();
    run.take(200);
    run.take_until("no trouble is left", |run| run.rig.condition.troubles().is_empty());
    assert_once(&run.stop(), &lines(0..200));
}

#[test]
fn a_compressed_file_that_cannot_be_opened_for_a_while_is_read_afterwards() {
    if !is_alone("a_compressed_file_that_cannot_be_opened_for_a_while_is_read_afterwards") {
        return;
    }
    let world = World::new();
    world.append("x.gz", gzip(lines(0..80_000).as_bytes()));
    world.append("y.gz", gzip(lines(80_000..80_010).as_bytes()));
    let mut run = world.start();
    // In the first turns of the one, the other is found to be compressed; it has to wait, as one is read at a time.
    while run.got.len() < 5 << 19 {
        let chunk = poll_until("a chunk", Duration::from_secs(10), || run.next());
        run.deliver(chunk);
    }
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(3), ..limit }).unwrap();
    let condition = run.rig.condition.clone();
    run.take_until("it cannot be read", |_| {
        ["read", "decompress"].iter().any(|kind| condition.counts().contains_key(kind))
    });
    setrlimit(Resource::Nofile, limit).unwrap();
    run.settle();
    run.take_until("the trouble is over", |_| condition.troubles().is_empty());
    assert_once(&run.stop(), &lines(0..80_010));
}

#[test]
fn deleted_files_with_unread_bytes_are_held_beyond_the_bound() {
    let mut world = World::new();
    world.config.open_files = 2;
    world.pace = Pace { deleted_after: Duration::from_secs(3600), ..world.pace };
    let mut run = world.start();
    // Each is known and open when it goes, and is written to when it is gone.
    let mut writers: Vec<File> = Vec::new();
    for id in 0..6 {
        let name = format!("{id}.log");
        world.append(&name, lines(10 * id..10 * id + 5));
        run.take(6 * id as usize + 5);
        writers.push(File::options().append(true).open(world.path(&name)).unwrap());
        world.remove(&name);
        let n_gone = u64::from(id) + 1;
        run.take_until("it is missed", |run| {
            run.stats.rotations(logweir_sources::Rotation::Deleted) == n_gone
        });
        std::io::Write::write_all(&mut writers[id as usize], lines(10 * id + 5..10 * id + 6).as_bytes())
            .unwrap();
    }
    // Those that live are read nevertheless.
    world.append("x.log", lines(60..70));
    run.take_until("the rest comes", |run| String::from_utf8_lossy(&run.got).contains(&lines(60..70)));
    run.take_until("few are open", |run| run.stats.n_open() <= 4);
    assert!(
        run.got.len()
            >= lines(60..70).len() + (0..6).map(|id| lines(10 * id..10 * id + 5).len()).sum::<usize>()
    );
    drop(run.stop());
}

#[test]
fn nothing_is_lost_while_nobody_takes_and_files_are_rotated_and_deleted() {
    let world = World::new();
    let mut run = world.start();
    let mut expected = String::new();
    let searched = |run: &super::world::Run| {
        let n_before = run.stats.looked().0;
        let has_looked = || (run.stats.looked().0 > n_before + 2).then_some(());
        poll_until("it looks around while it waits", Duration::from_secs(10), has_looked);
    };
    for round in 0..6_u32 {
        let text = lines(3000 * round..3000 * (round + 1));
        world.append("x.log", &text);
        expected += &text;
        searched(&run);
        if world.path("x.log.1").exists() {
            world.remove("x.log.1");
        }
        world.rename("x.log", "x.log.1");
        searched(&run);
    }
    run.settle();
    assert_eq!(run.stats.n_lost(), 0);
    assert_once(&run.stop(), &expected);
}

#[test]
fn a_huge_file_and_many_small_ones_take_turns() {
    let mut world = World::new();
    world.config.open_files = 8;
    world.append("a-huge.log", lines(100_000..103_000).repeat(200));
    (0..500).for_each(|id| world.append(&format!("small-{id}.log"), format!("{{\"small\":{id}}}\n")));
    let mut run = world.start();
    let (mut n_small, mut n_bytes) = (0, 0);
    while n_small < 500 {
        let chunk = poll_until("a chunk", Duration::from_secs(10), || run.next());
        n_small += usize::from(chunk.bytes.starts_with(b"{\"small\""));
        n_bytes += chunk.bytes.len();
        chunk.ack.deliver();
        assert!(n_bytes < 8 << 20, "after {n_bytes} bytes only {n_small} small ones have come");
    }
    drop(run.stop());
}

#[test]
fn what_is_remembered_of_files_that_are_gone_is_bounded() {
    let mut world = World::new();
    world.pace = Pace { deleted_after: Duration::from_millis(1), ..world.pace };
    let mut run = world.start();
    for round in 0..30 {
        let ids = 100 * round..100 * (round + 1);
        ids.for_each(|id| world.append(&format!("{round}-{}", id % 100), lines(id..id + 1)));
        run.take((round as usize + 1) * 100);
        (0..100).for_each(|id| world.remove(&format!("{round}-{id}")));
        run.take_until("they are let go", |run| run.stats.n_files() == 0);
    }
    world.append("x.log", lines(0..1));
    run.settle();
    run.stop();
    let n_files = || {
        let text = fs::read_to_string(world.scratch.path("state/test.checkpoint")).unwrap();
        text.lines().filter(|line| line.contains("\"inode\"")).count()
    };
    assert!((900..=1001).contains(&n_files()), "{} files", n_files());
    let mut run = world.start();
    run.settle();
    assert!(run.stop().is_empty());
    assert!((900..=1001).contains(&n_files()), "{} files", n_files());
}

#[test]
fn many_files_of_the_last_run_are_all_known_again_though_some_go() {
    let mut world = World::new();
    world.pace = Pace { search_every: Duration::from_millis(100), deleted_after: QUICK, ..Pace::default() };
    (0..3000).for_each(|id| world.append(&format!("{id}.log"), lines(id..id + 1)));
    let mut run = world.start();
    run.settle();
    let mut got = run.stop();
    // Some are emptied and some deleted while the others are still to be looked at.
    (0..50).for_each(|id| world.remove(&format!("{id}.log")));
    (50..100).for_each(|id| world.write(&format!("{id}.log"), lines(5000 + id..5001 + id)));
    (100..3000).for_each(|id| world.append(&format!("{id}.log"), lines(10_000 + id..10_001 + id)));
    let mut run = world.start();
    run.settle();
    got += &run.stop();
    assert_once(&got, &(lines(0..3000) + &lines(5050..5100) + &lines(10_100..13_000)));
}

#[test]
fn a_stop_comes_through_whatever_it_is_doing() {
    let world = World::new();
    world.append("x.gz", gzip(lines(0..50_000).as_bytes()));
    world.append("y.log", "x".repeat(8 << 20));
    world.append("z.log", lines(0..10_000));
    for n_chunks in 0..30 {
        let mut run = world.start();
        let mut n_taken = 0;
        let since = Instant::now();
        while n_taken < n_chunks && since.elapsed() < Duration::from_millis(100) {
            if let Some(chunk) = run.next() {
                run.deliver(chunk);
                n_taken += 1;
            }
        }
        let since = Instant::now();
        drop(run.stop());
        assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    }
}
