//! What positions mean beyond a process, to those who keep more than has been delivered.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use logweir_event::{Chunk, Position, Reached};
use logweir_sources::{Checkpoint, read_covering};
use logweir_testkit::process::poll_until;

use super::world::{Run, World, lines};

const SOON: Duration = Duration::from_secs(20);

/// Returns the place behind the line in which byte `at` of a chunk is.
fn behind_line_at(chunk: &Chunk, at: usize) -> Reached {
    let end = at + chunk.bytes[at..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let offset = chunk.end.offset - (chunk.bytes.len() - end) as u64;
    let before = chunk.bytes.slice(end.saturating_sub(256)..end);
    Reached { position: Position { offset, ..chunk.end }, before }
}

fn end(chunk: &Chunk) -> Reached {
    behind_line_at(chunk, chunk.bytes.len() - 1)
}

/// Takes the next chunk that has bytes.
fn next(run: &mut Run) -> Chunk {
    poll_until("a chunk comes", SOON, || run.next().filter(|chunk| !chunk.bytes.is_empty()))
}

fn covering(run: &Run, reached: &[Reached]) -> Checkpoint {
    let bytes = run.positions.covering(reached).expect("what is followed can be read again");
    read_covering("test", &bytes, Path::new("kept")).unwrap()
}

/// Reads lines from where `checkpoint` says, in a new run, to their end.
fn rest(world: &World, checkpoint: Checkpoint) -> String {
    let mut run = world.start_from(Some(checkpoint));
    run.settle();
    run.stop()
}

#[test]
fn what_is_covered_is_not_read_again_wherever_that_ends() {
    let content = lines(0..400);
    for at in (0..content.len() - 1).step_by(777) {
        let world = World::new();
        world.append("a.log", &content);
        let mut run = world.start();
        let chunk = next(&mut run);
        assert_eq!(chunk.bytes, content.as_bytes());
        let reached = behind_line_at(&chunk, at);
        let checkpoint = covering(&run, std::slice::from_ref(&reached));
        drop(chunk);
        run.crash();
        assert_eq!(
            rest(&world, checkpoint),
            content[reached.position.offset as usize..],
            "from byte {at} on"
        );
    }
}

#[test]
fn a_compressed_file_goes_on_behind_what_is_covered() {
    let (world, content) = (World::new(), lines(0..3000));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content.as_bytes()).unwrap();
    world.write("a.log.gz", encoder.finish().unwrap());
    let mut run = world.start();
    let chunk = next(&mut run);
    let reached = behind_line_at(&chunk, chunk.bytes.len() / 2);
    let checkpoint = covering(&run, std::slice::from_ref(&reached));
    drop(chunk);
    run.crash();
    assert_eq!(rest(&world, checkpoint), content[reached.position.offset as usize..]);
}

#[test]
fn a_covered_file_is_known_again_when_it_was_rotated() {
    let world = World::new();
    world.append("a.log", lines(0..50));
    let mut run = world.start();
    let chunk = next(&mut run);
    let checkpoint = covering(&run, &[behind_line_at(&chunk, chunk.bytes.len() / 2)]);
    let left = chunk.bytes.len() - checkpoint.files[0].offset as usize;
    drop(chunk);
    run.crash();
    world.rename("a.log", "a.log.1");
    world.append("a.log", lines(50..60));
    let got = rest(&world, checkpoint);
    let content = lines(0..50);
    super::world::assert_once(&got, &(content[content.len() - left..].to_owned() + &lines(50..60)));
}

#[test]
fn what_is_committed_is_told_of_each_input() {
    let world = World::new();
    world.append("a.log", lines(0..10));
    let mut run = world.start();
    let first = next(&mut run);
    let (a, first_end) = (first.end, end(&first));
    let place = behind_line_at(&first, 0).position;
    assert!(!run.positions.is_committed(&[place]), "nothing is delivered");
    run.deliver(first);
    poll_until("it is committed", SOON, || run.positions.is_committed(&[a, place]).then_some(()));
    assert!(!run.positions.is_committed(&[Position { offset: a.offset + 1, ..a }]));

    world.append("b.log", lines(10..20));
    let second = next(&mut run);
    assert_ne!(run.positions.identity(a.input), run.positions.identity(second.end.input));
    assert!(!run.positions.is_committed(&[a, second.end]));
    // What is covered goes before what is delivered, and takes nothing back.
    let checkpoint = covering(&run, &[end(&second)]);
    let mut offsets: Vec<_> = checkpoint.files.iter().map(|file| file.offset).collect();
    offsets.sort_unstable();
    assert_eq!(offsets, [a.offset, second.end.offset]);
    assert_eq!(covering(&run, &[Reached { position: place, ..first_end }]).files[0].offset, a.offset);
    run.deliver(second);
    run.stop();
}
