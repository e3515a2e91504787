//! Malformed lines are kept byte for byte, and none is ever lost for want of room.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;

use logweir_testkit::process::{Running, Signal, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::rig::{
    Feeder, SOON, admin, check_first_events, endless_events, failed, pipeline, sample, succeeded,
    watched_pipeline,
};

const HOLDING: &str = "logweir_dead_letter_holding{pipeline=\"pipeline\"}";
/// Fills a dead-letter file of [`SMALL`]'s size so far that there is no room for another.
const MALFORMED: &str = "this line is no event, and it is a long one\n";
/// Little memory, so that what a pipeline can take while it holds is little too.
const SMALL: &str = "source: {stdin: {}}\nsink: {stdout: {}}\n\
                     dead_letter: {file: {path: dead.ndjson, max_bytes: 64}}\n\
                     limits: {decoders: 2, chunk_bytes: 16 KiB, held_bytes: 256 KiB}\n\
                     shutdown: {deadline: 200 ms}\n";

/// More than [`SMALL`] can take: what is held, what waits for its turn, and the pipe.
const MAX_TAKEN: u64 = 2 << 20;

#[test]
fn malformed_lines_are_kept_byte_for_byte_and_others_are_not() {
    let mut input = b"{}\n\xff\xfe not UTF-8 \xc3\n{\"a\":1,}\r\n  \n[1,2]\n".to_vec();
    input.extend_from_slice(&vec![b'x'; 2000]);
    input.extend_from_slice(b"\n{\"ok\":1}\n\"last, without an ending\"");
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nsink: {stdout: {}}\ndead_letter: {file: {path: dead/letters.ndjson}}\n\
                limits: {max_event_bytes: 1 KiB}\n";
    let ran = pipeline(&scratch, yaml).stdin(input).output();
    let summary = succeeded(&ran);
    assert_eq!(ran.stdout, b"{}\n{\"ok\":1}\n");
    let kept = b"\xff\xfe not UTF-8 \xc3\n{\"a\":1,}\r\n[1,2]\n\"last, without an ending\"\n";
    assert_eq!(scratch.read("dead/letters.ndjson"), kept);
    let reasons = ["malformed.not_utf8", "malformed.not_json", "malformed.not_object", "oversized"];
    assert_eq!(reasons.map(|reason| summary.count(reason)), [1, 1, 2, 1]);
}

#[test]
fn lines_of_one_run_stand_behind_those_of_the_last_in_their_order() {
    let scratch = Scratch::new();
    let yaml = "source: {stdin: {}}\nsink: {\"null\": {}}\ndead_letter: {file: {path: dead.ndjson}}\n\
                limits: {decoders: 3, chunk_bytes: 4 KiB}\n";
    let lines =
        |from: u32| (from..from + 4000).map(|n| format!("malformed {n}\n")).collect::<Vec<_>>().concat();
    for from in [0, 4000] {
        let ran = pipeline(&scratch, yaml).stdin(lines(from)).output();
        assert_eq!(succeeded(&ran).count("malformed.not_json"), 4000);
    }
    assert!(scratch.read("dead.ndjson") == (lines(0) + &lines(4000)).as_bytes());
}

#[test]
fn a_dead_letter_file_that_cannot_be_opened_stops_the_start() {
    let scratch = Scratch::new();
    scratch.write("file", "");
    let yaml = "source: {stdin: {}}\nsink: {stdout: {}}\ndead_letter: {file: {path: file/dead.ndjson}}\n";
    let ran = pipeline(&scratch, yaml).stdin("{}\n").output();
    assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(1), &b""[..]));
    assert!(
        ran.stderr_text().contains("dead_letter") && ran.stderr_text().contains("file"),
        "{}",
        ran.stderr_text()
    );
}

/// Starts [`SMALL`] with two malformed lines, of which the file takes one, and good events behind them; waits until
/// it holds.
fn start_held(scratch: &Scratch, n_blocks: usize) -> (Running, Feeder, SocketAddr) {
    let mut running = watched_pipeline(scratch, SMALL).hold_stdin().start();
    let mut stdin = running.take_stdin().unwrap();
    let address = admin(&running);
    stdin.write_all(MALFORMED.repeat(2).as_bytes()).unwrap();
    poll_until("the full dead-letter file holds", SOON, || (sample(address, HOLDING) == 1).then_some(()));
    assert_eq!(scratch.read("dead.ndjson"), MALFORMED.as_bytes());
    (running, Feeder::start(stdin, endless_events().take(n_blocks)), address)
}

#[test]
fn a_full_dead_letter_file_holds_the_source_until_there_is_room() {
    const N_BLOCKS: usize = 600;
    let scratch = Scratch::new();
    let (running, feeder, address) = start_held(&scratch, N_BLOCKS);
    let n_taken = feeder.wait_until_stalled();
    assert!(n_taken < MAX_TAKEN, "{n_taken} bytes were taken while it held");
    assert_eq!(sample(address, HOLDING), 1);
    assert_eq!(sample(address, "logweir_dead_letter_lines_total{pipeline=\"pipeline\"}"), 1);

    File::options().write(true).open(scratch.path("dead.ndjson")).unwrap().set_len(0).unwrap();
    poll_until("it goes on", SOON, || (sample(address, HOLDING) == 0).then_some(()));
    drop(feeder.finish());
    let ran = running.wait();
    let summary = succeeded(&ran);
    assert_eq!(check_first_events(&ran.stdout), N_BLOCKS as u64 * 100);
    assert_eq!((summary.count("malformed.not_json"), summary.count("written")), (2, N_BLOCKS as u64 * 100));
    assert_eq!(scratch.read("dead.ndjson"), MALFORMED.as_bytes());
}

#[test]
fn a_signal_ends_a_run_that_is_held_and_it_was_no_success() {
    let scratch = Scratch::new();
    let (running, feeder, _) = start_held(&scratch, 600);
    feeder.wait_until_stalled();
    running.signal(Signal::TERM);
    let ran = running.wait();
    let summary = failed(&ran);
    assert!(ran.stderr_text().contains("dead.ndjson"), "{}", ran.stderr_text());
    // What was read goes out whole, the events behind the line that could not be kept included.
    assert_eq!(check_first_events(&ran.stdout), summary.count("written"));
    assert_eq!(summary.count("failed"), 0);
    // The two, and perhaps a line that the signal cut.
    assert!((2..=3).contains(&summary.count("malformed.not_json")), "{}", summary.0);
    assert!(feeder.finish().is_none(), "it read all that was offered");
}

#[test]
fn a_line_that_can_never_fit_says_so() {
    let scratch = Scratch::new();
    let mut running = watched_pipeline(&scratch, SMALL).hold_stdin().start();
    let mut stdin = running.take_stdin().unwrap();
    let address = admin(&running);
    stdin.write_all(format!("{:x<80}\n", "").as_bytes()).unwrap();
    poll_until("it holds", SOON, || (sample(address, HOLDING) == 1).then_some(()));
    running.signal(Signal::INT);
    let ran = running.wait();
    failed(&ran);
    assert!(ran.stderr_text().contains("a line of 81 bytes can never fit"), "{}", ran.stderr_text());
}
