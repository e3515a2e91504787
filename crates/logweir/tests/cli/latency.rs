//! What has been read goes on at once; nothing waits for more input.

use std::io::Write as _;

use logweir_testkit::process::poll_until;
use logweir_testkit::scratch::Scratch;

use crate::rig::{SOON, pipeline, succeeded};

/// Checks that each of these lines comes out before the next is given, and returns what else is said at the end.
fn check_at_once(yaml: &str, pairs: &[(&str, &str)]) {
    let scratch = Scratch::new();
    let mut running = pipeline(&scratch, yaml).hold_stdin().start();
    let mut stdin = running.take_stdin().unwrap();
    let mut expected = String::new();
    for (line, written) in pairs {
        stdin.write_all(line.as_bytes()).unwrap();
        expected.push_str(written);
        poll_until("an event comes out while the input is open", SOON, || {
            (running.stdout_so_far() == expected.as_bytes()).then_some(())
        });
    }
    drop(stdin);
    let ran = running.wait();
    assert_eq!(succeeded(&ran).count("written"), pairs.len() as u64);
}

#[test]
fn an_event_comes_out_while_the_input_is_open() {
    let yaml = "source: {stdin: {}}\nsink: {stdout: {}}\nlimits: {decoders: 1}\n";
    check_at_once(yaml, &[("{\"n\":1}\n", "{\"n\":1}\n"), ("{\"n\":2}\n", "{\"n\":2}\n")]);
}

#[test]
fn no_decoder_waits_for_its_turn_while_the_others_are_idle() {
    let yaml = "source: {stdin: {}}\nsink: {stdout: {}}\nlimits: {decoders: 3}\n";
    let lines: Vec<String> = (0..10).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let pairs: Vec<_> = lines.iter().map(|line| (line.as_str(), line.as_str())).collect();
    check_at_once(yaml, &pairs);
}

#[test]
fn stages_hold_nothing_back() {
    let yaml = "source: {stdin: {}}\nstages: [{truncate: {limit: 3}}]\nencode: {field_names: [Logs]}\n\
                sink: {stdout: {}}\n";
    let cut = "{\"Logs\":[{\"Message\":\"abc<<<Logpush: messages truncated>>>\"}]}\n";
    check_at_once(yaml, &[("{\"Logs\":[{\"Message\":\"abcd\"}]}\n", cut), ("{}\n", "{\"Logs\":null}\n")]);
}

#[test]
fn a_line_is_not_passed_on_before_its_end() {
    let scratch = Scratch::new();
    let mut running = pipeline(&scratch, "source: {stdin: {}}\nsink: {stdout: {}}\n").hold_stdin().start();
    let mut stdin = running.take_stdin().unwrap();
    for piece in ["{\"n\":1}\n{\"n\":", "2}\n"] {
        stdin.write_all(piece.as_bytes()).unwrap();
        let n_lines = if piece.starts_with('{') { 1 } else { 2 };
        let out = poll_until("whole lines come out", SOON, || {
            let out = String::from_utf8(running.stdout_so_far()).unwrap();
            (out.lines().count() >= n_lines).then_some(out)
        });
        assert!(out.ends_with("}\n"), "{out}");
    }
    drop(stdin);
    assert_eq!(succeeded(&running.wait()).count("written"), 2);
}
