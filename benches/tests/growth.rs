//! The books of what `growth` runs: a program that claims the wrong ones is found out.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use logweir_testkit::process::{Ran, Run};
use logweir_testkit::scratch::Scratch;

const BYTES: &str = "300000";

/// Runs it with a program that does nothing and says this of its only pipeline.
fn growth(scratch: &Scratch, ledger: &str) -> Ran {
    let script = format!("#!/bin/sh\necho '{{\"pipelines\":[{ledger}]}}' >&2\n");
    let logweir = scratch.write("logweir", script);
    fs::set_permissions(&logweir, Permissions::from_mode(0o755)).expect("a file of ours");
    Run::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--short", "--only", "growth", "--bytes", BYTES, "--runs", "1", "--logweir"])
        .args([logweir, "--dir".into(), scratch.path("data")])
        .dir(scratch.dir())
        .output()
}

#[test]
fn a_program_that_reads_nothing_is_wrong_and_so_is_one_that_only_copies() {
    let scratch = Scratch::new();
    let ran = growth(&scratch, r#"{"read":0,"bytes_in":0,"bytes_out":0,"balanced":true}"#);
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("growth: WRONG: no_stages: read 0 events"), "{}", ran.stderr_text());

    let events = scratch.read(format!("data/mix-{BYTES}.ndjson"));
    let (n_events, n_bytes) = (memchr::memchr_iter(b'\n', &events).count(), events.len());
    let copied =
        format!(r#"{{"read":{n_events},"bytes_in":{n_bytes},"bytes_out":{n_bytes},"balanced":true}}"#);
    let ran = growth(&scratch, &copied);
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    let wrong = format!("growth: WRONG: sample_event: {n_bytes} bytes written of {n_bytes}");
    assert!(ran.stderr_text().contains(&wrong), "{}", ran.stderr_text());
    let table = String::from_utf8(ran.stdout).unwrap();
    for row in ["no stages", "filter 16 fields", "outputs 4", "decoders 4 rate", "heavy events"] {
        assert!(table.contains(&format!("\n| growth | {row} | ")), "{row}: {table}");
    }
}
