//! What was read is known again where only a copy of it is left, and nothing else is taken for it.

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use logweir_sources::Rotation;
use logweir_testkit::compress::{gzip, zstandard};
use logweir_testkit::process::poll_until;

use super::world::{Run, World, assert_once, line, lines};

#[test]
fn copying_and_emptying_gives_each_line_once() {
    let world = World::new();
    world.append("x.log", lines(0..100));
    let mut run = world.start();
    run.settle();
    world.copy("x.log", "x.log.1");
    world.append("x.log", lines(100..105));
    run.settle();
    world.empty("x.log");
    world.append("x.log", lines(105..110));
    run.settle();
    assert_eq!((run.stats.rotations(Rotation::Truncated), run.stats.rotations(Rotation::Copied)), (1, 1));
    assert_eq!((run.stats.n_reread(), run.stats.n_lost()), (0, 0));
    assert_once(&run.stop(), &lines(0..110));
    let checkpoint = fs::read_to_string(world.scratch.path("state/test.checkpoint")).unwrap();
    assert!(checkpoint.contains("x.log.1\""), "the copy is known on its own by now: {checkpoint}");
}

#[test]
fn what_was_copied_and_never_read_from_the_original_is_read_from_the_copy() {
    let world = World::new();
    world.append("x.log", lines(0..100));
    let mut run = world.start();
    run.settle();
    run.stop();
    world.append("x.log", lines(100..200));
    world.copy("x.log", "x.log.1");
    world.write("x.log", lines(200..210));
    let mut run = world.start();
    run.settle();
    assert_once(&run.stop(), &lines(100..210));
}

#[test]
fn a_file_that_was_copied_and_emptied_while_down_and_is_longer_than_before_is_read_from_its_beginning() {
    let world = World::new();
    world.append("x.log", lines(0..10));
    let mut run = world.start();
    run.settle();
    assert_eq!(run.stop(), lines(0..10));
    world.copy("x.log", "x.log.1");
    world.write("x.log", lines(10..300));
    let mut run = world.start();
    run.settle();
    assert_eq!(run.stats.rotations(Rotation::Truncated), 1);
    assert_once(&run.stop(), &lines(10..300));
}

#[test]
fn copying_across_a_restart_gives_each_line_once() {
    let world = World::new();
    world.append("x.log", lines(0..100));
    let mut run = world.start();
    run.settle();
    world.copy("x.log", "x.log.1");
    run.settle();
    let mut got = run.stop();
    let mut run = world.start();
    world.append("x.log", lines(100..110));
    run.settle();
    world.empty("x.log");
    world.append("x.log", lines(110..120));
    run.settle();
    got += &run.stop();
    assert_once(&got, &lines(0..120));
}

#[test]
fn a_stale_writer_leaves_zeros_that_are_skipped_and_counted() {
    let world = World::new();
    // It does not append: it writes on where it was.
    let mut writer = fs::File::create(world.path("x.log")).unwrap();
    writer.write_all(lines(0..50).as_bytes()).unwrap();
    let mut run = world.start();
    run.settle();
    for number in 1..=3 {
        let n_bytes = lines(0..50 * number).len() as u64;
        world.copy("x.log", &format!("x.log.{number}"));
        world.empty("x.log");
        run.settle();
        let n_before = run.stats.n_skipped_nuls();
        writer.write_all(lines(50 * number..50 * (number + 1)).as_bytes()).unwrap();
        run.settle();
        assert_eq!(run.stats.n_skipped_nuls() - n_before, n_bytes, "the hole before what is written on");
    }
    let mut got = run.stop();
    writer.write_all(lines(200..210).as_bytes()).unwrap();
    let mut run = world.start();
    run.settle();
    assert_eq!(run.stats.n_skipped_nuls(), 0, "once");
    got += &run.stop();
    assert_once(&got, &lines(0..210));
}

#[test]
fn room_that_is_reserved_is_not_read_before_it_is_written_to() {
    let world = World::new();
    let file = fs::File::create(world.path("x.log")).unwrap();
    file.set_len(1 << 30).unwrap();
    let mut run = world.start();
    run.settle();
    assert!(run.got.is_empty());
    world.append("x.log", lines(0..5));
    run.settle();
    assert_eq!(run.stats.n_skipped_nuls(), 1 << 30);
    assert_eq!(run.stop(), lines(0..5));
}

#[test]
fn the_same_content_in_two_new_files_is_read_twice() {
    let world = World::new();
    world.append("access.log", lines(0..100));
    let mut run = world.start();
    run.take(100);
    world.append("errors.log", lines(0..100));
    run.take(200);
    run.settle();
    assert_eq!(run.stop(), lines(0..100).repeat(2));
}

#[test]
fn a_file_and_its_like_are_both_read_at_the_first_start() {
    let world = World::new();
    world.append("a.log", lines(0..100));
    world.append("a.log.1", lines(0..100));
    let mut run = world.start();
    run.settle();
    assert_eq!(run.stop().len(), 2 * lines(0..100).len());
}

#[test]
fn a_new_file_that_begins_like_a_rotated_one_is_not_taken_for_it() {
    let world = World::new();
    // As if each began with the same head.
    let head = "{\"version\":1}\n".repeat(40);
    world.append("x.log", head.clone() + &lines(0..100));
    let mut run = world.start();
    run.settle();
    world.rename("x.log", "x.log.1");
    world.append("x.log", &head);
    run.settle();
    world.append("x.log", line(100, 50));
    run.settle();
    world.rename("x.log", "x.log.2");
    world.append("x.log", head.clone() + &line(101, 50));
    run.settle();
    assert_once(&run.stop(), &(head.repeat(3) + &lines(0..100) + &line(100, 50) + &line(101, 50)));
}

#[test]
fn what_follows_the_same_beginning_in_a_file_of_a_rotated_name_is_read() {
    let world = World::new();
    let head = "{\"version\":1}\n".repeat(40);
    world.append("x.log", &head);
    let mut run = world.start();
    run.settle();
    world.append("x.log", lines(0..100));
    run.settle();
    world.remove("x.log");
    run.take_until("it is let go", |run| run.stats.n_files() == 0);
    // It was never seen under its first name, and is shorter than the one before.
    world.append("x.log.1", head.clone() + &lines(100..110));
    run.settle();
    assert_eq!(run.stats.n_reread(), 1, "only its beginning is known to be the same");
    let got = run.stop();
    assert!(got.starts_with(&(head + &lines(0..100))) && got.ends_with(&lines(100..110)), "{got}");
}

#[test]
fn a_file_that_lost_its_end_and_grew_again_is_not_read_on_in_the_middle() {
    let world = World::new();
    world.append("x.log", lines(0..50));
    let mut run = world.start();
    run.settle();
    world.append("x.log", lines(50..100));
    run.settle();
    // The last quarter is cut off, and something else written in its place.
    let n_kept = lines(0..75).len() as u64;
    fs::File::options().write(true).open(world.path("x.log")).unwrap().set_len(n_kept).unwrap();
    world.append("x.log", lines(100..110));
    run.settle();
    assert_eq!(run.stats.n_reread(), 1, "some of it came again");
    let got = run.stop();
    let repeated = got.strip_prefix(&lines(0..100)).unwrap().strip_suffix(&lines(100..110)).unwrap();
    assert!(lines(0..75).ends_with(repeated), "and nothing else did: {repeated}");
}

#[test]
fn a_compressed_file_of_one_that_was_read_is_not_read_again() {
    let world = World::new();
    world.append("x.log", lines(0..100));
    world.append("y.log", lines(100..200));
    let mut run = world.start();
    run.settle();
    for (name, compress) in [("x.log", gzip as fn(&[u8]) -> Vec<u8>), ("y.log", zstandard)] {
        let rotated = format!("{name}.1");
        world.rename(name, &rotated);
        let ending = if name == "x.log" { "gz" } else { "zst" };
        let bytes = compress(&fs::read(world.path(&rotated)).unwrap());
        for piece in bytes.chunks(bytes.len() / 3 + 1) {
            world.append(&format!("{rotated}.{ending}"), piece);
            run.settle();
        }
        world.remove(&rotated);
        run.take_until("it is known again", |run| run.stats.rotations(Rotation::Deleted) > 0);
        run.settle();
        world.rename(&format!("{rotated}.{ending}"), &format!("{name}.2.{ending}"));
        run.settle();
    }
    let mut got = run.stop();
    // And not by the next run either.
    let mut run = world.start();
    run.settle();
    got += &run.stop();
    assert_once(&got, &lines(0..200));
}

#[test]
fn a_compressed_file_goes_on_where_the_original_was_left_when_it_went() {
    let world = World::new();
    world.append("x.log", lines(0..100));
    let mut run = world.start();
    run.settle();
    let mut got = run.stop();
    world.append("x.log", lines(100..150));
    world.append("x.log.1.gz", gzip(lines(0..150).as_bytes()));
    world.remove("x.log");
    let mut run = world.start();
    run.settle();
    assert_eq!((run.stats.rotations(Rotation::Compressed), run.stats.n_reread()), (1, 0));
    got += &run.stop();
    assert_eq!(got, lines(0..150));
}

#[test]
fn compressed_files_on_their_own_are_read_once() {
    let world = World::new();
    world.append("x.gz", gzip(lines(0..1000).as_bytes()));
    world.append("y.zst", zstandard(lines(1000..2000).as_bytes()));
    let mut run = world.start();
    run.settle();
    let mut got = run.stop();
    let mut run = world.start();
    run.settle();
    world.append("z.gz", gzip((lines(2000..2100) + "{\"unfinished\":").as_bytes()));
    run.settle();
    got += &run.stop();
    assert_once(&got, &(lines(0..2100) + "{\"unfinished\":"));
}

#[test]
fn a_file_and_its_compressed_form_are_one_even_if_both_are_new() {
    let world = World::new();
    world.append("x.log", lines(0..100));
    world.append("x.log.1.gz", gzip(lines(0..100).as_bytes()));
    world.append("y.log.1", lines(100..200));
    world.append("y.log.1.zst", zstandard(lines(100..200).as_bytes()));
    let mut run = world.start();
    run.settle();
    assert_once(&run.stop(), &lines(0..200));
}

#[test]
fn a_compressed_file_is_read_on_inside_after_a_restart() {
    let mut world = World::new();
    world.limits.chunk_bytes = 1 << 12;
    let text = lines(0..50_000);
    world.append("x.gz", gzip(text.as_bytes()));
    let mut run = world.start();
    for _ in 0..5 {
        let chunk = poll_until("a chunk", Duration::from_secs(10), || run.next());
        run.deliver(chunk);
    }
    let mut got = run.stop();
    assert!(got.len() < text.len(), "it was stopped in the middle");
    let mut run = world.start();
    run.settle();
    got += &run.stop();
    assert_eq!(got, text);
}

#[test]
fn damage_inside_a_compressed_file_loses_nothing_before_it_and_stops_nothing_else() {
    let world = World::new();
    let text = lines(0..20_000);
    let mut bytes = gzip(text.as_bytes());
    let middle = bytes.len() / 2;
    bytes[middle..middle + 100].fill(0xff);
    world.append("x.gz", bytes);
    world.append("y.log", lines(20_000..20_010));
    let mut run = world.start();
    run.settle();
    assert!(run.rig.condition.counts()["decompress"] > 0, "it is counted");
    assert!(run.rig.condition.troubles().is_empty(), "and nothing is waited for");
    world.append("y.log", lines(20_010..20_020));
    run.settle();
    let got = run.stop();
    let from_damaged = got.replace(&lines(20_000..20_010), "").replace(&lines(20_010..20_020), "");
    assert!(got.len() - from_damaged.len() == lines(20_000..20_020).len());
    // A decoder may take the damage for data and notice only at the end.
    let n_same = from_damaged.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
    assert!(n_same > text.len() / 3, "{n_same} bytes before the damage came");
}

#[test]
fn files_that_were_empty_and_their_copies_are_one() {
    let world = World::new();
    let names = || (0..20).map(|id| (format!("{id}.log"), format!("{id}.log.1")));
    names().for_each(|(original, _)| world.append(&original, ""));
    let mut run = world.start();
    run.settle();
    names().for_each(|(_, copy)| world.append(&copy, ""));
    run.settle();
    // Nothing else is looked into before all of this is taken.
    let others = lines(1000..30_000);
    world.append("others", &others);
    take_one_by_one(&mut run, 1);
    for (id, (original, copy)) in (0..).zip(names()) {
        world.append(&original, lines(id..id + 1));
        world.append(&copy, lines(id..id + 1));
    }
    run.settle();
    assert_once(&run.stop(), &(lines(0..20) + &others));
}

#[test]
fn a_copy_of_an_unfinished_line_waits_for_the_original() {
    let world = World::new();
    world.append("a.log", "{\"id\":1,\"begun\":");
    let mut run = world.start();
    run.settle();
    world.append("a.log.1", "{\"id\":1,\"begun\":");
    run.settle();
    let rest = "true}\n".to_owned() + &lines(2..5);
    world.append("a.log", &rest);
    run.settle();
    world.append("a.log.1", &rest);
    run.settle();
    world.empty("a.log");
    world.append("a.log", lines(5..6));
    run.settle();
    assert_once(&run.stop(), &("{\"id\":1,\"begun\":".to_owned() + &rest + &lines(5..6)));
}

#[test]
fn a_compressed_file_does_not_wait_for_an_unfinished_line_that_it_does_not_hold() {
    let world = World::new();
    world.append("x.log", "{\"id\":1,\"begun\":");
    let mut run = world.start();
    run.settle();
    world.append("x.log.1.gz", gzip(lines(10..20).as_bytes()));
    run.settle();
    assert_eq!(run.got, lines(10..20).into_bytes());
    world.append("x.log", "true}\n");
    run.settle();
    assert_once(&run.stop(), &("{\"id\":1,\"begun\":true}\n".to_owned() + &lines(10..20)));
}

#[test]
fn a_compressed_copy_of_an_unfinished_line_waits_for_the_original() {
    let world = World::new();
    world.append("x.log", "{\"id\":1,\"begun\":");
    let mut run = world.start();
    run.settle();
    world.append("x.log.1.gz", gzip(b"{\"id\":1,\"begun\":"));
    run.settle();
    assert!(run.got.is_empty(), "it is not taken for whole");
    world.append("x.log", "true}\n".to_owned() + &lines(2..5));
    run.settle();
    world.remove("x.log");
    run.take_until("it is let go", |run| run.stats.n_files() == 1);
    run.settle();
    assert_once(&run.stop(), &("{\"id\":1,\"begun\":true}\n".to_owned() + &lines(2..5)));
}

#[test]
fn a_file_beside_an_unfinished_line_that_it_does_not_hold_is_no_copy() {
    let world = World::new();
    world.append("x.log", "{\"id\":1,\"begun\":");
    let mut run = world.start();
    run.settle();
    world.append("x.log.1", lines(20..30));
    run.settle();
    assert_eq!(run.stats.rotations(Rotation::Copied), 0);
    assert_eq!(run.stop(), lines(20..30));
}

#[test]
fn a_compressed_file_that_begins_like_a_shorter_one_is_read() {
    let world = World::new();
    let head = "{\"version\":1}\n";
    world.append("x.log", head);
    let mut run = world.start();
    run.settle();
    world.append("x.log.1.gz", gzip((head.to_owned() + &lines(0..10)).as_bytes()));
    run.settle();
    assert_eq!(run.got, (head.to_owned() + &lines(0..10)).into_bytes());
    world.append("x.log", lines(10..20));
    run.settle();
    assert_once(&run.stop(), &(head.to_owned() + &lines(0..20)));
}

#[test]
fn what_an_original_that_went_still_held_comes_from_its_compressed_form_after_a_crash() {
    // As if each began with the same head, so that the longer one may be what was compressed, too.
    let head = "{\"version\":1}\n".repeat(40);
    let longer = head.clone() + &lines(0..80_000);
    let shorter = head + &lines(100_000..160_000);
    let world = World::new();
    world.append("x.log.2", &longer);
    let mut run = world.start();
    run.settle();
    world.append("x.log.1", &shorter);
    take_one_by_one(&mut run, longer.len() + 1);
    // It is held open, and not read on as long as nothing is taken.
    world.append("x.log.1.gz", gzip(shorter.as_bytes()));
    world.remove("x.log.1");
    let (n_searches, _) = run.stats.looked();
    poll_until("it is gone for long", Duration::from_secs(10), || {
        let is_gone = run.stats.rotations(Rotation::Deleted) > 0;
        (is_gone && run.stats.looked().0 > n_searches + 5).then_some(())
    });
    // Others have a turn before all of it is read.
    take_one_by_one(&mut run, longer.len() + (5 << 19));
    let n_bytes = run.got.len() - longer.len();
    assert!(n_bytes < shorter.len());
    poll_until("it is kept", Duration::from_secs(10), || {
        let checkpoint = fs::read_to_string(world.scratch.path("state/test.checkpoint")).unwrap();
        checkpoint.contains(&format!("\"offset\":{n_bytes},")).then_some(())
    });
    let mut got = run.crash();
    let mut run = world.start();
    run.settle();
    got += &run.stop();
    assert_once(&got, &(longer + &shorter));
}

/// Takes and delivers one chunk after the other, until so many bytes have come in all.
fn take_one_by_one(run: &mut Run, n_bytes: usize) {
    while run.got.len() < n_bytes {
        let chunk = poll_until("a chunk", Duration::from_secs(10), || run.next());
        run.deliver(chunk);
    }
}
