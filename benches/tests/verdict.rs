//! The verdict: the bench runs a program in logweir's place, and says whether what it wrote is right.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use logweir_testkit::compress::gzip;
use logweir_testkit::generate::{self, Workload};
use logweir_testkit::oracle::truncate::Unit;
use logweir_testkit::oracle::{Outcome, Stage, run};
use logweir_testkit::process::{Ran, Run};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

const BYTES: &str = "300000";

/// Makes a program that writes, whatever it is asked, this output and this summary.
fn program(scratch: &Scratch, output: &[u8], summary: &str) {
    scripted(scratch, "cp '{dir}/made.ndjson' output.ndjson", output, summary);
}

/// Makes a program that runs a line of shell, in which `{dir}/made.ndjson` holds an output, and ends with a summary.
fn scripted(scratch: &Scratch, line: &str, output: &[u8], summary: &str) {
    scratch.write("made.ndjson", output);
    scratch.write("made.json", format!("a line of log\n{summary}\n"));
    let script = format!("#!/bin/sh\n{line}\ncat '{{dir}}/made.json' >&2\n");
    let path = scratch.write("logweir", script.replace("{dir}", &scratch.dir().display().to_string()));
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("a file of ours");
}

fn bench(scratch: &Scratch) -> Ran {
    bench_only(scratch, "mix")
}

fn bench_only(scratch: &Scratch, rows: &str) -> Ran {
    Run::new(env!("CARGO_BIN_EXE_bench"))
        .args(["--short", "--only", rows, "--bytes", BYTES, "--runs", "2"])
        .args(["--out", "results.md", "--json", "results/all.json", "--logweir"])
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
        r#"{{"pipelines":[{{"name":"p","read":{read},"written":{written},"filtered":{filtered},"sampled_out":0,"malformed":{{"not_utf8":0,"not_json":0,"not_object":0}},"oversized":0,"failed":0,"returned":0,"truncated":{truncated},"truncated_characters":{characters},"bytes_in":{n_bytes_in},"bytes_out":{n_bytes_out},"seconds":0.1,"balanced":true}}]}}"#
    )
}

/// What the main job makes of events.
fn made_of(events: &[u8]) -> Outcome {
    let filter = r#"{"where":{"key":"Outcome","operator":"!eq","value":"exception"}}"#.to_owned();
    let stages = [Stage::Filter(filter), Stage::Truncate { limit: 16_384, unit: Unit::Chars }];
    let made = run(&stages, None, events, 4 << 20);
    assert!(made.filtered > 0 && made.truncated > 0, "the workload has something to do");
    made
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
    let made = made_of(&events);
    program(&scratch, &made.output, &summary(&made, events.len()));
    let ran = bench(&scratch);
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let table = String::from_utf8(ran.stdout).unwrap();
    assert!(table.contains(&format!("\n| mix | {} | ", made.read)), "{table}");
    assert!(scratch.read("results.md").ends_with(table.as_bytes()));
    let json: Value = serde_json::from_slice(&scratch.read("results/all.json")).unwrap();
    let row = &json["cases"][0];
    assert_eq!((row["name"].as_str(), row["n_events"].as_u64()), (Some("mix"), Some(made.read)));
    assert_eq!(row["n_bytes_in"].as_u64(), Some(events.len() as u64));
    assert_eq!(row["wrong"], Value::Null);
    let ratio = &row["figures"]["wall_over_cat"];
    assert_eq!(ratio["runs"].as_array().map(Vec::len), Some(2));
    assert_eq!(ratio["bar"]["at_most"].as_f64(), Some(1.8));
    assert_eq!(ratio["met"].as_bool(), ratio["value"].as_f64().map(|value| value <= 1.8));
    assert!(row["logweir"][1]["wall_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
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

#[test]
fn a_copy_is_wrong_in_pipes_and_under_the_clock_too_and_its_figures_are_shown() {
    let scratch = Scratch::new();
    scripted(&scratch, "cat", b"", &summary(&Outcome::default(), 0));
    let ran = bench_only(&scratch, "pipes,latency,start");
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stderr_text().ends_with("the output is wrong: pipes, latency\n"), "{}", ran.stderr_text());
    let table = String::from_utf8(ran.stdout).unwrap();
    for row in ["pipes | rate", "latency | steady p99", "latency | alone max", "start | first output"] {
        assert!(table.contains(&format!("\n| {row} | ")), "{row}: {table}");
    }
}

#[test]
fn a_program_that_writes_what_is_right_into_a_pipe_gets_its_row() {
    let scratch = Scratch::new();
    scripted(&scratch, "cat", b"", &summary(&Outcome::default(), 0));
    bench_only(&scratch, "pipes");
    let events = input(&scratch);
    let made = made_of(&events);
    let line = "cat > read.ndjson\ncat '{dir}/made.ndjson'";
    scripted(&scratch, line, &made.output, &summary(&made, events.len()));
    let ran = bench_only(&scratch, "pipes");
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    assert_eq!(scratch.read("data/read.ndjson"), events, "the feeder has brought all of the input");
}

#[test]
fn memory_of_a_program_that_reads_only_some_is_wrong() {
    let scratch = Scratch::new();
    let once = Outcome { read: 7, written: 7, ..Outcome::default() };
    scripted(&scratch, "cat", b"", &summary(&once, 0));
    let ran = bench_only(&scratch, "memory");
    assert_eq!(ran.code(), Some(1));
    assert!(ran.stderr_text().contains("memory: WRONG: 10 times the input"), "{}", ran.stderr_text());
}

/// In logweir's place: writes what was made for the file that it is to read, at once; if it is to follow, it ends when
/// it is told to, else by itself.
const FOLLOWER: &str = r#"
grep -q live.ndjson pipeline.yaml && made=added || made=there
trap "cat '{dir}'/$made.json >&2; exit 0" TERM
[ -e '{dir}'/$made.ndjson ] && cp '{dir}'/$made.ndjson output.ndjson
while grep -q 'read: follow' pipeline.yaml; do sleep 0.01; done
[ -e '{dir}'/$made.json ] && cat '{dir}'/$made.json >&2 && exit 0
"#;

/// Runs `follow` with a follower that has made right what is wanted for the input, and for one event before it.
fn follower() -> (Scratch, Outcome, usize) {
    let scratch = Scratch::new();
    scripted(&scratch, FOLLOWER, b"", &summary(&Outcome::default(), 0));
    bench_only(&scratch, "follow");
    let events = input(&scratch);
    let mut added = Vec::new();
    generate::write(Workload::Small, 1, 1, &mut added).expect("a vector takes everything");
    added.extend_from_slice(&events);
    for (name, events) in [("there", &events), ("added", &added)] {
        let made = made_of(events);
        scratch.write(format!("{name}.ndjson"), &made.output);
        scratch.write(format!("{name}.json"), summary(&made, events.len()));
    }
    (scratch, made_of(&added), added.len())
}

#[test]
fn a_program_that_follows_right_gets_its_figures() {
    let (scratch, _, _) = follower();
    let ran = bench_only(&scratch, "follow");
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let table = String::from_utf8(ran.stdout).unwrap();
    for row in ["there over once", "rate there", "added over once", "rate once beside"] {
        assert!(table.contains(&format!("\n| follow | {row} | ")), "{row}: {table}");
    }
    assert!(!scratch.path("data/output.ndjson").exists(), "what was written is removed");
    assert!(!scratch.path("data/live.ndjson").exists(), "what was added to is removed");
}

#[test]
fn a_program_that_follows_wrong_or_gives_events_back_is_found_out() {
    let (scratch, made, n_bytes) = follower();
    let mut changed = made.output.clone();
    *changed.iter_mut().rev().nth(3).expect("there is output") ^= 1;
    scratch.write("added.ndjson", changed);
    let ran = bench_only(&scratch, "follow");
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("follow: WRONG: event "), "{}", ran.stderr_text());

    scratch.write("added.ndjson", &made.output);
    let returned = summary(&made, n_bytes).replace("\"returned\":0", "\"returned\":1");
    scratch.write("added.json", returned);
    let ran = bench_only(&scratch, "follow");
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("`returned` is 1"), "{}", ran.stderr_text());
}

/// Runs `upload` with a program that puts these objects where they belong.
fn deliver(scratch: &Scratch, objects: &[Vec<u8>], made: &Outcome, n_bytes_in: usize) -> Ran {
    let copies = objects.iter().enumerate().map(|(n, object)| {
        scratch.write(format!("made-{n}.gz"), object);
        format!("cp '{{dir}}'/made-{n}.gz objects/2026112{n}_x.log.gz")
    });
    let line = copies.collect::<Vec<_>>().join("\n");
    scripted(scratch, &line, b"", &summary(made, n_bytes_in));
    bench_only(scratch, "upload")
}

#[test]
fn a_program_that_delivers_right_gets_its_figures_and_one_that_does_not_is_found_out() {
    let scratch = Scratch::new();
    let ran = deliver(&scratch, &[], &Outcome::default(), 0);
    assert_eq!(ran.code(), Some(1), "{}", ran.stderr_text());
    assert!(ran.stderr_text().contains("upload: WRONG: event 1 "), "{}", ran.stderr_text());

    let events = input(&scratch);
    let made = made_of(&events);
    let at = made.output.len() / 2;
    let at = at + made.output[at..].iter().position(|&byte| byte == b'\n').expect("an event ends") + 1;
    let (first, second) = made.output.split_at(at);
    let ran = deliver(&scratch, &[gzip(first), gzip(second)], &made, events.len());
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    let table = String::from_utf8(ran.stdout).expect("a table is text");
    for row in ["rate over alone", "core rate alone", "rate libdeflate", "cpu", "compression", "peak rss"] {
        assert!(table.contains(&format!("\n| upload | {row} | ")), "{row}: {table}");
    }
    for name in ["objects", "compressed.gz", "state"] {
        assert!(!scratch.path("data").join(name).exists(), "{name} is removed");
    }

    for (objects, says) in [
        (vec![gzip(first)], "has changed or is missing"),
        (vec![gzip(second), gzip(first)], "event 1 of the input"),
        (vec![gzip(first), gzip(second), gzip(b"{}\n")], "behind that of the last event"),
        (vec![[gzip(first), gzip(second)].concat()], "more than one gzip member"),
        (vec![made.output.clone()], "20261120_x.log.gz: "),
    ] {
        let ran = deliver(&scratch, &objects, &made, events.len());
        assert_eq!(ran.code(), Some(1), "{says}: {}", ran.stderr_text());
        assert!(ran.stderr_text().contains("upload: WRONG: "), "{}", ran.stderr_text());
        assert!(ran.stderr_text().contains(says), "{says}: {}", ran.stderr_text());
    }
}
