//! Lines that are not finished yet, never will be, or are too long; and where reading begins.

use std::time::Duration;

use logweir_sources::StartAt;
use logweir_testkit::compress::gzip;
use logweir_testkit::process::poll_until;

use super::world::{World, assert_once, line, lines};

/// The longest event that the rig lets through.
const MAX_EVENT_BYTES: usize = 4 << 20;

#[test]
fn an_unfinished_line_comes_once_when_it_is_finished() {
    let world = World::new();
    let text = line(1, 3000);
    let mut run = world.start();
    world.append("x.log", lines(0..1));
    for piece in text.as_bytes().chunks(700) {
        assert_eq!(run.got, lines(0..1).as_bytes().get(..run.got.len()).unwrap());
        world.append("x.log", piece);
        run.settle();
    }
    assert_eq!(run.stop(), lines(0..1) + &text);
}

#[test]
fn a_line_is_skipped_that_is_longer_than_an_event_may_be_and_than_a_read() {
    let mut world = World::new();
    (world.limits.max_event_bytes, world.limits.chunk_bytes) = (400, 64);
    let mut run = world.start();
    // The second grows while it is read.
    world.append("x.log", lines(0..1) + &line(1, 3000) + &lines(2..3));
    run.take(2);
    for piece in line(3, 3000).as_bytes().chunks(700) {
        world.append("x.log", piece);
        run.settle();
    }
    world.append("x.log", lines(4..5));
    run.take(3);
    assert_eq!(run.n_oversized, 2);
    assert_eq!(run.stop(), lines(0..1) + &lines(2..3) + &lines(4..5));
}

#[test]
fn an_unfinished_line_across_restarts_comes_once_when_it_is_finished() {
    let world = World::new();
    let text = line(1, 400_000);
    world.append("x.log", lines(0..1));
    let mut got = String::new();
    for piece in text.as_bytes().chunks(100_000) {
        world.append("x.log", piece);
        let mut run = world.start();
        run.settle();
        got += &run.stop();
    }
    assert!(got == lines(0..1) + &text);
}

#[test]
fn the_unfinished_last_line_of_a_deleted_file_comes() {
    for n_bytes in [10, 100_000] {
        let world = World::new();
        let unfinished = line(1, n_bytes).trim_end().to_owned();
        world.append("x.log", lines(0..1) + &unfinished);
        let mut run = world.start();
        run.settle();
        assert_eq!(run.got, lines(0..1).into_bytes());
        world.remove("x.log");
        run.take(2);
        assert_eq!(run.stats.n_lost(), 0);
        assert_eq!(run.stop(), lines(0..1) + &unfinished + "\n");
    }
}

#[test]
fn the_unfinished_last_line_of_an_emptied_file_is_counted() {
    for n_bytes in [10, 100_000] {
        let world = World::new();
        world.append("x.log", lines(0..1) + line(1, n_bytes).trim_end());
        world.append("y.log", line(1, n_bytes).trim_end());
        world.append("z.log", line(1, n_bytes).trim_end());
        let mut run = world.start();
        run.settle();
        world.empty("x.log");
        run.settle();
        world.append("x.log", lines(2..3));
        // Shorter than what was there, in one go.
        world.write("y.log", lines(3..4));
        // And longer, with an end of a line only before the place to which that was searched for.
        world.write("z.log", lines(4..5) + &"x".repeat(200_000));
        run.settle();
        assert_eq!((run.stats.n_unfinished(), run.stats.n_lost()), (3, 0));
        assert_once(&run.stop(), &(lines(0..1) + &lines(2..5)));
    }
}

#[test]
fn a_file_written_anew_with_as_many_bytes_is_read_again() {
    let world = World::new();
    world.append("x.log", line(10, 100) + "{\"unf");
    let mut run = world.start();
    run.settle();
    for id in 11..20 {
        world.write("x.log", line(id, 100) + "{\"unf");
        run.settle();
    }
    assert_eq!(run.stop(), (10..20).map(|id| line(id, 100)).collect::<String>());
}

#[test]
fn too_long_lines_are_counted_and_skipped_across_turns_and_restarts() {
    let world = World::new();
    world.append("y.log", lines(100..200));
    let too_long = "x".repeat(MAX_EVENT_BYTES + 1);
    let mut run = world.start();
    let longest = "y".repeat(MAX_EVENT_BYTES);
    world.append("x.log", lines(0..1) + &too_long + "\r\n" + &lines(1..2) + &longest + "\r\n");
    run.settle();
    assert_eq!(run.n_oversized, 1);
    // In pieces, with restarts between.
    let mut got = String::new();
    for piece in (too_long.clone() + &too_long).as_bytes().chunks(1_500_000) {
        world.append("x.log", piece);
        run.settle();
        assert_eq!(run.n_oversized, u64::from(got.is_empty()), "not before its end");
        got += &run.stop();
        run = world.start();
    }
    world.append("x.log", "\n".to_owned() + &lines(2..3));
    run.settle();
    assert_eq!(run.n_oversized, 1);
    got += &run.stop();
    assert_once(&got, &(lines(0..3) + &longest + "\n" + &lines(100..200)));
}

#[test]
fn an_endless_line_takes_neither_memory_nor_time_from_others() {
    let world = World::new();
    world.append("x.log", lines(0..1));
    let mut run = world.start();
    run.settle();
    let n_before = n_bytes_read();
    for id in 1..=160 {
        world.append("x.log", "x".repeat(256 << 10));
        world.append("y.log", lines(id..id + 1));
        run.take(id as usize + 1);
        assert!(run.rig.pool.held() <= MAX_EVENT_BYTES + (2 << 20), "{} bytes", run.rig.pool.held());
    }
    run.settle();
    // Each byte is looked at once or twice, where reading all again each time would take 3 GB; other tests read, too.
    assert!(n_bytes_read() - n_before < 1 << 30, "{} bytes", n_bytes_read() - n_before);
    world.append("x.log", "\n".to_owned() + &lines(161..162));
    run.settle();
    assert_eq!(run.n_oversized, 1);
    assert_once(&run.stop(), &lines(0..162));
}

/// Returns how many bytes this process has read.
fn n_bytes_read() -> u64 {
    let text = std::fs::read_to_string("/proc/self/io").unwrap();
    text.lines().find_map(|line| line.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}

#[test]
fn the_unfinished_too_long_line_of_a_deleted_file_is_counted() {
    let world = World::new();
    world.append("x.log", lines(0..1) + &"x".repeat(2 * MAX_EVENT_BYTES));
    let mut run = world.start();
    run.settle();
    world.remove("x.log");
    run.take_until("it is counted", |run| run.n_oversized == 1);
    assert_eq!(run.stats.n_lost(), 0);
    assert_eq!(run.stop(), lines(0..1));
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_where_they_belong() {
    let world = World::new();
    world.append("x.log", "\u{feff}".to_owned() + &lines(0..10).replace('\n', "\r\n"));
    let mut run = world.start();
    run.settle();
    world.append("x.log", "\u{feff}\r\n");
    run.settle();
    let mut got = run.stop();
    world.append("x.log", "\u{feff}{}\r\n");
    let mut run = world.start();
    run.settle();
    got += &run.stop();
    assert_eq!(got, lines(0..10).replace('\n', "\r\n") + "\u{feff}\r\n\u{feff}{}\r\n");
}

#[test]
fn a_byte_order_mark_in_pieces_is_still_none_of_the_line() {
    let world = World::new();
    let mut run = world.start();
    for piece in ["\u{feff}".as_bytes().split_at(1).0, "\u{feff}".as_bytes().split_at(1).1, b"{}\n"] {
        world.append("x.log", piece);
        run.settle();
    }
    assert_eq!(run.stop(), "{}\n");
}

#[test]
fn reading_starts_at_the_end_of_what_is_there_at_the_very_first_start_only() {
    let mut world = World::new();
    world.config.start_at = StartAt::End;
    world.append("x.log", lines(0..10) + &line(10, 30)[..15]);
    world.append("empty.log", "");
    world.append("old.gz", gzip(lines(500..600).as_bytes()));
    let mut run = world.start();
    run.settle();
    world.append("x.log", &line(10, 30)[15..]);
    world.append("x.log", lines(11..12));
    world.append("empty.log", lines(12..13));
    world.append("new.log", lines(13..14));
    world.append("new.gz", gzip(lines(14..15).as_bytes()));
    run.settle();
    let mut got = run.stop();
    world.append("x.log", lines(15..16));
    world.append("while-down.log", lines(16..17));
    let mut run = world.start();
    run.settle();
    got += &run.stop();
    assert_once(&got, &(line(10, 30) + &lines(11..17)));
}

#[test]
fn what_comes_after_the_first_search_is_behind_the_end_at_which_reading_starts() {
    let mut world = World::new();
    world.config.start_at = StartAt::End;
    world.config.open_files = 2;
    // Nobody takes anything, and nothing is read before somebody does.
    for file in 0..5 {
        world.append(&format!("{file}.log"), lines(0..10_000));
    }
    let mut run = world.start();
    poll_until("the first search", Duration::from_secs(10), || (run.stats.looked().0 > 0).then_some(()));
    for file in 0..5 {
        world.append(&format!("{file}.log"), lines(file * 10..file * 10 + 10));
    }
    run.settle();
    assert_once(&run.stop(), &lines(0..50));
}

#[test]
fn the_clock_of_the_day_has_no_say() {
    let world = World::new();
    let year = Duration::from_secs(365 * 24 * 3600);
    let now = std::time::SystemTime::now();
    let mut run = world.start();
    for (index, time) in [now + year, now - year, std::time::UNIX_EPOCH, now].into_iter().enumerate() {
        let id = index as u32;
        let name = format!("{index}.log");
        world.append(&name, line(2 * id, 30));
        world.append(&format!("{index}.gz"), gzip(line(100 + id, 30).as_bytes()));
        for name in [name.clone(), format!("{index}.gz")] {
            let file = std::fs::File::options().append(true).open(world.path(&name)).unwrap();
            file.set_modified(time).unwrap();
        }
        run.settle();
        world.append(&name, line(2 * id + 1, 30));
        run.settle();
    }
    let got = run.stop();
    let expected = (0..8).chain(100..104).map(|id| line(id, 30)).collect::<String>();
    assert_once(&got, &expected);
}

#[test]
fn a_file_that_grows_faster_than_it_is_taken_starves_nobody() {
    let world = World::new();
    let block = lines(1000..3000);
    world.append("huge.log", block.repeat(100));
    let mut run = world.start();
    let (mut n_taken, mut n_small) = (0, 0);
    while n_small < 20 {
        let chunk = poll_until("a chunk", Duration::from_secs(10), || run.next());
        n_taken += chunk.bytes.len();
        n_small += usize::from(chunk.bytes.starts_with(b"{\"small\""));
        chunk.ack.deliver();
        // Twice as much as a chunk takes.
        world.append("huge.log", &block);
        if n_taken > 1 << 20 {
            (0..20).filter(|id| !world.path(&format!("{id}.log")).exists()).for_each(|id| {
                world.append(&format!("{id}.log"), "{\"small\":1}\n");
            });
        }
        assert!(n_taken < 30 << 20, "only {n_small} small ones came");
    }
    drop(run.stop());
}
