//! Memory is bounded by `limits`, whatever is offered and however slowly it is taken.
//!
//! The bound checked is that of the defaults with two decoders: 32 MiB of chunks on their way, each decoder's scratch
//! (a copy and a tape of its chunk), one buffer that may grow to `max_event_bytes`, and the program itself.
#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use logweir_testkit::process::{Running, peak_rss_bytes, poll_until};
use logweir_testkit::scratch::Scratch;

use crate::rig::{
    Feeder, SOON, admin, endless_events, event, n_lines, pipeline, sample, succeeded, watched_pipeline,
};

const MIB: u64 = 1 << 20;
/// What a pipeline with the default limits and two decoders stays under.
const MAX_RSS_BYTES: u64 = 64 * MIB;

const PASS: &str = "source: {stdin: {}}\nsink: {stdout: {}}\nlimits: {decoders: 2}\n";

#[track_caller]
fn check_peak(running: &Running) {
    let peak = peak_rss_bytes(running.pid()).expect("the process runs");
    assert!(peak < MAX_RSS_BYTES, "{} MiB", peak / MIB);
}

#[test]
fn a_slow_reader_holds_memory_flat() {
    const N_BLOCKS: u64 = 13_000;
    let n_bytes: u64 = (0..N_BLOCKS * 100).map(|n| event(n).len() as u64).sum();
    assert!(n_bytes > 200 * MIB, "{n_bytes}");
    let scratch = Scratch::new();
    let mut running = pipeline(&scratch, PASS).hold_stdin().hold_stdout().start();
    let feeder = Feeder::start(running.take_stdin().unwrap(), endless_events().take(N_BLOCKS as usize));
    let mut stdout = running.take_stdout().unwrap();
    let n_taken = feeder.wait_until_stalled();
    assert!(n_taken < 40 * MIB, "{} MiB were taken although nobody reads", n_taken / MIB);

    // Small reads, each with a look at the bytes, are slower than what writes.
    let mut buffer = vec![0; 32 << 10];
    let (mut n_read, mut n_events) = (0, 0);
    while n_read < n_bytes {
        let n = stdout.read(&mut buffer).unwrap();
        assert!(n > 0, "it ended after {n_read} bytes");
        n_read += n as u64;
        n_events += n_lines(&buffer[..n]) as u64;
    }
    check_peak(&running);
    drop(feeder.finish());
    assert_eq!(n_events, N_BLOCKS * 100);
    assert_eq!(succeeded(&running.wait()).count("written"), n_events);
}

#[test]
fn what_is_written_at_many_times_its_length_is_bounded_too() {
    const N_BLOCKS: usize = 1_000;
    const N_BLOCK: usize = 10_000;
    let scratch = Scratch::new();
    let names = (0..40).map(|i| format!("AFieldThatNoEventHas{i}")).collect::<Vec<_>>().join(", ");
    let yaml = format!("{PASS}encode: {{field_names: [{names}]}}\n");
    let mut running = pipeline(&scratch, &yaml).hold_stdin().hold_stdout().start();
    let block = b"{}\n".repeat(N_BLOCK);
    let feeder = Feeder::start(running.take_stdin().unwrap(), std::iter::repeat_n(block, N_BLOCKS));
    feeder.wait_until_stalled();
    check_peak(&running);
    // More than a gigabyte would be written; the reader leaves.
    drop(running.take_stdout());
    drop(feeder.finish());
    let ran = running.wait();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    crate::rig::summaries(&ran)[0].check_balanced();
}

#[test]
fn a_file_that_is_read_faster_than_it_is_written_holds_memory_flat() {
    let scratch = Scratch::new();
    let bytes: Vec<u8> = endless_events().take(5000).flatten().collect();
    scratch.write("in.ndjson", &bytes);
    let yaml = "source: {file: {include: [in.ndjson], read: once}}\nsink: {stdout: {}}\n\
                limits: {decoders: 2, channel_batches: 1024}\n";
    let mut running = watched_pipeline(&scratch, yaml).hold_stdout().start();
    let address = admin(&running);
    let mut stdout = running.take_stdout().unwrap();
    let held = || sample(address, "logweir_held_bytes{pipeline=\"pipeline\"}");
    // Nobody reads, and the channels have room for far more chunks than may be held.
    poll_until("as much is held as may be", SOON, || (held() > 31 * MIB).then_some(()));
    assert!(held() <= 32 * MIB, "{}", held());

    let mut out = vec![0; bytes.len() - MIB as usize];
    stdout.read_exact(&mut out).unwrap();
    check_peak(&running);
    stdout.read_to_end(&mut out).unwrap();
    assert_eq!(succeeded(&running.wait()).count("written"), 500_000);
    assert!(out == bytes, "what came out is not what went in");
}

#[test]
fn a_line_of_a_gigabyte_costs_one_drop_and_no_memory() {
    let scratch = Scratch::new();
    let mut running = watched_pipeline(&scratch, PASS).hold_stdin().start();
    let address = admin(&running);
    let block = vec![b'x'; 1 << 20];
    let feeder = Feeder::start(running.take_stdin().unwrap(), std::iter::repeat_n(block, 1 << 10));
    let mut stdin = feeder.finish().expect("it reads everything");
    stdin.write_all(b"\n{}\n").unwrap();
    poll_until("the line is behind", SOON, || {
        (sample(address, "logweir_events_written_total{pipeline=\"pipeline\"}") == 1).then_some(())
    });
    check_peak(&running);
    drop(stdin);
    let ran = running.wait();
    let summary = succeeded(&ran);
    assert_eq!((ran.stdout.as_slice(), summary.count("oversized")), (&b"{}\n"[..], 1));
    assert_eq!((summary.count("read"), summary.count("bytes_in")), (2, (1 << 30) + 4));
}

/// Returns many megabytes in few kilobytes: `block` again and again.
fn bomb(block: &[u8], n_blocks: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..n_blocks {
        encoder.write_all(block).unwrap();
    }
    encoder.finish().unwrap()
}

/// Checks that a bomb of `n_bytes` bytes, as gzip and as Zstandard, is read within the bound; `count` must then be
/// `expected`.
#[track_caller]
fn check_bomb(bytes: &[u8], n_bytes: u64, count: &str, expected: u64) {
    let scratch = Scratch::new();
    scratch.write("bomb", bytes);
    // The standard input keeps a second pipeline, and so the process, alive until its memory has been looked at.
    scratch.write("other.yaml", "source: {stdin: {}}\nsink: {\"null\": {}}\nlimits: {decoders: 1}\n");
    let yaml = "source: {file: {include: [bomb], read: once}}\nsink: {\"null\": {}}\nlimits: {decoders: 2}";
    scratch.write("bomb.yaml", format!("{yaml}\nadmin: {{listen: \"127.0.0.1:0\"}}\n"));
    let args = ["run", "--log-format", "json", "--summary", "json", "bomb.yaml", "other.yaml"];
    let mut running = crate::rig::logweir(args).dir(scratch.dir()).hold_stdin().start();
    let address = admin(&running);
    poll_until("the bomb has been read", SOON, || {
        let has_read = sample(address, "logweir_bytes_read_total{pipeline=\"bomb\"}") == n_bytes;
        let has_written = sample(address, "logweir_events_in_flight{pipeline=\"bomb\"}") == 0;
        (has_read && has_written).then_some(())
    });
    check_peak(&running);
    drop(running.take_stdin());
    let ran = running.wait();
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let summaries = crate::rig::summaries(&ran);
    summaries[0].check_balanced();
    assert_eq!(summaries[0].count(count), expected, "{}", summaries[0].0);
}

#[test]
fn a_compressed_line_without_an_end_is_one_drop() {
    const N_BLOCKS: usize = 400;
    let block = vec![b'x'; 1 << 20];
    let n_bytes = N_BLOCKS as u64 * MIB;
    check_bomb(&bomb(&block, N_BLOCKS), n_bytes, "oversized", 1);
    let zstd = zstd::encode_all(block.repeat(N_BLOCKS).as_slice(), 1).unwrap();
    check_bomb(&zstd, n_bytes, "oversized", 1);
}

#[test]
fn compressed_events_by_the_million_are_read_as_they_are_written() {
    const N_BLOCKS: usize = 300;
    let event = format!("{{\"Logs\":[{{\"Message\":[\"{:x<1000}\"]}}]}}\n", "");
    let block = event.repeat(1000).into_bytes();
    check_bomb(&bomb(&block, N_BLOCKS), (block.len() * N_BLOCKS) as u64, "written", 300_000);
}

#[test]
fn blank_lines_by_the_megabyte_are_nothing() {
    const N_BLOCKS: usize = 200;
    let block = " \t \r\n".repeat(200_000).into_bytes();
    check_bomb(&bomb(&block, N_BLOCKS), (block.len() * N_BLOCKS) as u64, "read", 0);
}
