//! Compressed files are recognised by what is in them, and damage costs no whole line before it.

use logweir_testkit::compress::{gzip, zstandard};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;

use crate::rig::{failed, pipeline, succeeded};

const ALL: &str = "source: {file: {include: [\"in/*\"], read: once}}\nsink: {stdout: {}}\n";

/// Returns the events cut in two behind a line.
fn halves() -> (&'static [u8], &'static [u8]) {
    let at = EVENTS[..EVENTS.len() / 2].iter().rposition(|&byte| byte == b'\n').unwrap();
    EVENTS.split_at(at + 1)
}

#[test]
fn names_say_nothing_about_what_is_in_a_file() {
    let (first, second) = halves();
    let members = [gzip(first), gzip(second)].concat();
    let frames = [zstandard(first), zstandard(second)].concat();
    let scratch = Scratch::new();
    scratch.write("in/1.ndjson.gz", EVENTS);
    scratch.write("in/2.ndjson", members);
    scratch.write("in/3.gz", frames);
    scratch.write("in/4.zst", gzip(EVENTS));
    scratch.write("in/5.gz", gzip(EVENTS));
    scratch.write("in/6.zst", zstandard(EVENTS));
    let ran = pipeline(&scratch, ALL).output();
    let summary = succeeded(&ran);
    assert!(ran.stdout == EVENTS.repeat(6));
    assert_eq!((summary.count("written"), summary.count("bytes_in")), (6 * 176, 6 * EVENTS.len() as u64));
}

/// Checks that of a damaged file in the middle of three the whole lines before the damage come out, followed by the
/// next file.
#[track_caller]
fn check_damaged(damaged: &[u8], name: &str) {
    let scratch = Scratch::new();
    scratch.write("in/1.ndjson", "{\"first\":1}\n");
    scratch.write(format!("in/{name}"), damaged);
    scratch.write("in/3.ndjson", "{\"last\":1}\n");
    let ran = pipeline(&scratch, ALL).output();
    let summary = failed(&ran);
    assert!(ran.stderr_text().contains(name), "{}", ran.stderr_text());
    let written =
        ran.stdout.strip_prefix(b"{\"first\":1}\n").and_then(|out| out.strip_suffix(b"{\"last\":1}\n"));
    let written = written.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&ran.stdout)));
    assert!(EVENTS.starts_with(written) && written.ends_with(b"\n"), "not the first events");
    // What is left of the line that the damage cut is no event; it must not vanish either.
    let n_malformed = summary.count("malformed.not_json") + summary.count("malformed.not_utf8");
    assert_eq!(n_malformed, summary.count("read") - summary.count("written"));
    assert!(n_malformed <= 1, "{}", summary.0);
    assert!(summary.count("written") > 2 + 20, "only {} lines before the damage", summary.count("written"));
}

#[test]
fn a_gzip_file_that_ends_too_early_gives_the_lines_before() {
    let whole = gzip(EVENTS);
    check_damaged(&whole[..whole.len() / 2], "2.gz");
}

#[test]
fn a_gzip_file_without_its_checksum_gives_all_its_lines() {
    let whole = gzip(EVENTS);
    let scratch = Scratch::new();
    scratch.write("in/a.gz", &whole[..whole.len() - 8]);
    let ran = pipeline(&scratch, ALL).output();
    assert_eq!(failed(&ran).count("written"), 176);
    assert!(ran.stdout == EVENTS && ran.stderr_text().contains("a.gz"), "{}", ran.stderr_text());
}

#[test]
fn a_second_member_that_is_cut_costs_nothing_of_the_first() {
    let (first, second) = halves();
    let second = gzip(second);
    check_damaged(&[gzip(first), second[..second.len() / 3].to_vec()].concat(), "2.gz");
}

#[test]
fn a_zstandard_file_that_ends_too_early_gives_the_lines_before() {
    // Small frames: what a frame's unfinished block would have said is not known.
    let frames: Vec<u8> = EVENTS.split_inclusive(|&byte| byte == b'\n').flat_map(zstandard).collect();
    check_damaged(&frames[..frames.len() / 2], "2.zst");
}

#[test]
fn garbage_behind_a_gzip_magic_is_an_error_and_no_event() {
    let scratch = Scratch::new();
    scratch.write("in/bad.gz", b"\x1f\x8b garbage, not gzip\n{}\n");
    let ran = pipeline(&scratch, ALL).output();
    assert_eq!(failed(&ran).count("written"), 0);
    assert!(ran.stderr_text().contains("bad.gz"), "{}", ran.stderr_text());
}

#[test]
fn an_empty_file_and_an_empty_member_are_no_events() {
    let scratch = Scratch::new();
    scratch.write("in/1.ndjson", "");
    scratch.write("in/2.gz", gzip(b""));
    scratch.write("in/3.zst", zstandard(b""));
    assert_eq!(succeeded(&pipeline(&scratch, ALL).output()).count("read"), 0);
}
