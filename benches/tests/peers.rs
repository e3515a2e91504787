//! The peers: programs of the test's own run in their place, so that it is the same on every machine.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{Stage, run};
use logweir_testkit::process::{Ran, Run};
use logweir_testkit::scratch::Scratch;

const BYTES: &str = "300000";

/// Makes a program out of what the shell runs.
fn program(scratch: &Scratch, name: &str, script: &str) {
    fs::create_dir_all(scratch.path("bin")).expect("a directory of ours");
    let path = scratch.write(format!("bin/{name}"), format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("a file of ours");
}

fn peers(scratch: &Scratch) -> Ran {
    let path = std::env::var("PATH").expect("there is a PATH");
    peers_with(scratch, format!("{}:{path}", scratch.path("bin").display()).into())
}

fn peers_with(scratch: &Scratch, path: OsString) -> Ran {
    Run::new(env!("CARGO_BIN_EXE_bench"))
        .args(["peers", "--bytes", BYTES, "--runs", "2", "--json", "peers.json", "--logweir"])
        .args([scratch.path("bin/logweir"), "--dir".into(), scratch.path("data")])
        .env("PATH", path)
        .dir(scratch.dir())
        .output()
}

/// Returns the row of a program that does a job, from what is before the job to what is behind it.
fn row<'t>(table: &'t str, name: &str, job: &str) -> &'t str {
    let start = format!("| {name} | {job} |");
    table
        .lines()
        .find(|line| line.starts_with(&start))
        .unwrap_or_else(|| panic!("no row `{start}`:\n{table}"))
}

/// Makes the programs: logweir writes what it is given, jq a copy, grep what is right with other white space and
/// Fluent Bit in another order, and Vector fails.
fn programs(scratch: &Scratch) {
    let drop = r#"sed '/"Outcome":"exception"/d' in.ndjson"#;
    program(scratch, "logweir", &format!("cp '{}'/$3.made out.ndjson", scratch.dir().display()));
    program(scratch, "jq", "[ \"$1\" = --version ] && echo jq-test && exit\ncat in.ndjson");
    program(scratch, "grep", &format!("{drop} | sed 's/,\"Outcome\"/, \"Outcome\"/'"));
    program(scratch, "vector", "echo 'no such luck' >&2\nexit 78");
    program(scratch, "fluent-bit", &format!("[ \"$1\" = --version ] || {drop} | sort > out.ndjson"));
}

#[test]
fn each_is_shown_with_what_it_wrote_and_only_logweir_must_be_right() {
    let scratch = Scratch::new();
    programs(&scratch);
    for name in ["logweir-filter.yaml.made", "logweir-truncate.yaml.made"] {
        scratch.write(name, b"");
    }
    let ran = peers(&scratch);
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains(" missing"), "{}", ran.stderr_text());

    let events = scratch.read(format!("data/mix-{BYTES}.ndjson"));
    let filter = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#.to_owned();
    let truncate = Stage::Truncate { limit: 16_384, unit: Unit::Chars };
    let filtered = run(&[Stage::Filter(filter.clone())], None, &events, 4 << 20);
    let truncated = run(&[Stage::Filter(filter), truncate], None, &events, 4 << 20);
    assert!(filtered.filtered > 0 && truncated.truncated > 0, "the workload has something to do");
    scratch.write("logweir-filter.yaml.made", &filtered.output);
    scratch.write("logweir-truncate.yaml.made", &truncated.output);
    let ran = peers(&scratch);
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());

    let table = String::from_utf8(ran.stdout).unwrap();
    let (n_read, n_written, n_dropped) = (filtered.read, filtered.written, filtered.filtered);
    let n_cut = truncated.truncated;
    for (name, job, end) in [
        ("cat", "copy", format!("| {n_read} | equal |")),
        ("logweir", "filter", format!("| {n_written} | equal |")),
        ("logweir", "filter + truncate", format!("| {n_written} | equal |")),
        ("grep", "filter", format!("| {n_written} | equal |")),
        ("jq", "filter", format!("| {n_read} | {n_dropped} too many |")),
        ("jq", "filter + truncate", format!("| {n_read} | {n_cut} differ, {n_dropped} too many |")),
        ("Fluent Bit", "filter", format!("| {n_written} | equal |")),
        ("Vector", "filter", "| failed, see below |".to_owned()),
    ] {
        let row = row(&table, name, job);
        assert!(row.ends_with(&end), "{row} does not end in {end}");
    }
    assert!(table.contains(": jq-test\n"), "{table}");
    assert!(table.contains("failed: no such luck\n"), "{table}");

    let json = String::from_utf8(scratch.read("peers.json")).unwrap();
    assert!(json.contains(&format!("\"too_many\": {n_dropped}")), "{json}");
    assert!(!scratch.path("data/peers/whole/out.ndjson").exists(), "what was written is removed");
}

#[test]
fn a_program_that_is_not_there_is_said_and_fails_nothing() {
    let scratch = Scratch::new();
    programs(&scratch);
    for name in ["vector", "fluent-bit", "jq", "grep"] {
        fs::remove_file(scratch.path("bin").join(name)).expect("it was written");
    }
    // Of what the machine has, only what the bench itself cannot do without.
    for name in ["sh", "timeout", "cat", "cp"] {
        let path =
            ["/usr/bin", "/bin"].iter().map(|dir| Path::new(dir).join(name)).find(|path| path.exists());
        symlink(path.expect("every machine has it"), scratch.path("bin").join(name)).expect("a link of ours");
    }
    let ran = peers_with(&scratch, scratch.path("bin").into());
    let table = String::from_utf8(ran.stdout).unwrap();
    for (name, job) in
        [("Vector", "filter"), ("Vector", "filter + truncate"), ("Fluent Bit", "filter"), ("jq", "filter")]
    {
        assert!(row(&table, name, job).ends_with("| not on PATH |"), "{table}");
    }
    assert!(row(&table, "cat", "copy").ends_with("| equal |"), "{table}");
}
