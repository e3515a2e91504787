//! The verdict: the bench runs a program in logweir's place, and says whether what it wrote is right.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{Outcome, Stage, run};
use logweir_testkit::process::{Ran, Run};
use logweir_testkit::scratch::Scratch;

const BYTES: &str = "300000";

/// Makes a program that writes, whatever it is asked, this output and this summary.
fn program(scratch: &Scratch, output: &[u8], summary: &str) {
    scratch.write("made.ndjson", output);
    scratch.write("made.json", format!("a line of log\n{summary}\n"));
    let dir = scratch.dir().display();
    let script = format!("#!/bin/sh\ncp '{dir}/made.ndjson' output.ndjson\ncat '{dir}/made.json' >&2\n");
    let path = scratch.write("logweir", script);
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("a file of ours");
}

fn bench(scratch: &Scratch) -> Ran {
    let args = ["--only", "mix", "--bytes", BYTES, "--runs", "2", "--out", "results.md", "--logweir"];
    Run::new(env!("CARGO_BIN_EXE_bench"))
        .args(args)
        .args([scratch.path("logweir"), "--dir".into(), scratch.path("data")])
        .dir(scratch.dir())
        .output()
}

fn input(scratch: &Scratch) -> Vec<u8> {
    scratch.read(Path::new("data").join(format!("mix-{BYTES}.ndjson")))
}

fn summary(made: &Outcome, n_bytes_in: usize) -> String {
    let Outcome { read, written, filtered, truncated, .. } = made;
    let characters: u64 = made.truncated_characters.iter().sum();
    let n_bytes_out = made.output.len();
    format!(
        r#"{{"pipelines":[{{"name":"p","read":{read},"written":{written},"filtered":{filtered},"sampled_out":0,"malformed":{{"not_utf8":0,"not_json":0,"not_object":0}},"oversized":0,"failed":0,"truncated":{truncated},"truncated_characters":{characters},"bytes_in":{n_bytes_in},"bytes_out":{n_bytes_out},"seconds":0.1,"balanced":true}}]}}"#
    )
}

#[test]
fn a_program_that_writes_what_is_right_gets_its_row_and_one_that_does_not_fails() {
    let scratch = Scratch::new();
    let nothing = summary(&Outcome::default(), 0);
    program(&scratch, b"", &nothing);
    let ran = bench(&scratch);
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("mix: WRONG"), "{}", ran.stderr_text());

    // The input is now there, and is used again.
    let events = input(&scratch);
    let filter = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#.to_owned();
    let stages = [Stage::Filter(filter), Stage::Truncate { limit: 16_384, unit: Unit::Chars }];
    let made = run(&stages, None, &events, 4 << 20);
    assert!(made.filtered > 0 && made.truncated > 0, "the workload has something to do");
    program(&scratch, &made.output, &summary(&made, events.len()));
    let ran = bench(&scratch);
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let table = String::from_utf8(ran.stdout).unwrap();
    assert!(table.contains(&format!("\n| mix | {} | ", made.read)), "{table}");
    assert!(scratch.read("results.md").ends_with(table.as_bytes()));
    assert_eq!(input(&scratch), events);
    assert!(!scratch.path("data/output.ndjson").exists(), "what was written is removed");
}

#[test]
fn a_damaged_input_is_made_again() {
    let scratch = Scratch::new();
    program(&scratch, b"", &summary(&Outcome::default(), 0));
    bench(&scratch);
    let events = input(&scratch);
    let mut damaged = events.clone();
    damaged[1000] ^= 1;
    scratch.write(format!("data/mix-{BYTES}.ndjson"), damaged);
    bench(&scratch);
    assert_eq!(input(&scratch), events);
}

#[test]
fn a_program_that_fails_is_shown_with_what_it_said() {
    let scratch = Scratch::new();
    let path = scratch.write("logweir", "#!/bin/sh\necho 'no such luck' >&2\nexit 2\n");
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("a file of ours");
    let ran = bench(&scratch);
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stderr_text().contains("no such luck"), "{}", ran.stderr_text());
}
