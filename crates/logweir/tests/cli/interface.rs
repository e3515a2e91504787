//! The commands, their exit codes, and what they say.

use logweir_testkit::oracle::same_lines;
use logweir_testkit::process::{Ran, Run, poll_until};
use logweir_testkit::samples::{EVENTS, EXAMPLE_IN, EXAMPLE_OUT};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use crate::rig::{SOON, Summary, failed, logweir, n_lines, pipeline, succeeded, summary};

const EXAMPLE: &str = "source: {stdin: {}}\nstages: [{truncate: {limit: 50}}]\nsink: {stdout: {}}\n";

/// Runs [`EXAMPLE`] with these options over `input`.
fn run_example(options: &[&str], input: &[u8]) -> Ran {
    let scratch = Scratch::new();
    scratch.write("p.yaml", EXAMPLE);
    let args = ["run"].iter().chain(options).chain(&["p.yaml"]).copied();
    logweir(args).dir(scratch.dir()).stdin(input).output()
}

/// Checks a file that holds two faults, through a command.
fn check_refused(command: &str) -> String {
    let scratch = Scratch::new();
    scratch.write("bad.yaml", "source: {stdin: {}}\nstages:\n  - truncat: {}\nsnk: {stdout: {}}\n");
    let ran = logweir([command, "bad.yaml"]).dir(scratch.dir()).stdin(EXAMPLE_IN).output();
    assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(2), &b""[..]));
    ran.stderr_text()
}

#[test]
fn the_example_of_the_documentation_comes_out_and_nothing_is_said() {
    let ran = run_example(&["--quiet"], EXAMPLE_IN);
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(0), ""));
    same_lines(&ran.stdout, EXAMPLE_OUT).unwrap();
}

#[test]
fn the_summary_is_the_last_line_of_stderr_quiet_or_not() {
    let quiet = run_example(&["--quiet", "--summary", "json"], EXAMPLE_IN);
    assert_eq!(n_lines(&quiet.stderr), 1, "{}", quiet.stderr_text());
    for ran in [quiet, run_example(&["--summary", "json"], EXAMPLE_IN)] {
        let summary = succeeded(&ran);
        let counts = ["read", "written", "truncated", "truncated_characters", "bytes_in"];
        assert_eq!(counts.map(|key| summary.count(key)), [1, 1, 1, 54, EXAMPLE_IN.len() as u64]);
        assert_eq!(summary.count("bytes_out"), ran.stdout.len() as u64);
        assert_eq!(summary.0["name"], "p");
    }
}

#[test]
fn the_summary_has_the_documented_keys_and_no_others() {
    let one = succeeded(&run_example(&["--summary", "json"], EXAMPLE_IN));
    let keys = "balanced bytes_in bytes_out failed filtered kept malformed name oversized read returned sampled_out \
                seconds truncated truncated_characters written";
    assert_eq!(one.keys().join(" "), keys);
    let malformed = Summary(one.0["malformed"].clone());
    assert_eq!(malformed.keys().join(" "), "not_json not_object not_utf8");
    assert!(one.0["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{}", one.0);

    let scratch = Scratch::new();
    let outputs = "[{name: a, sink: {stdout: {}}}, {name: b, sink: {\"null\": {}}}]";
    let ran =
        pipeline(&scratch, &format!("source: {{stdin: {{}}}}\noutputs: {outputs}")).stdin(EVENTS).output();
    let several = summary(&ran);
    let keys = "balanced bytes_in filtered forwarded malformed name outputs oversized read sampled_out seconds \
                truncated truncated_characters";
    assert_eq!(several.keys().join(" "), keys);
    let keys = "absent balanced bytes_out failed filtered kept name received returned sampled_out truncated \
                truncated_characters written";
    assert_eq!(several.output("a").keys().join(" "), keys);
    assert_eq!(several.output("b").keys().join(" "), keys);
}

#[test]
fn people_get_a_table_and_no_escape_codes_in_a_file() {
    let ran = run_example(&[], EXAMPLE_IN);
    let stderr = ran.stderr_text();
    assert_eq!(ran.code(), Some(0), "{stderr}");
    for row in ["p: ", "read", "written", "filtered", "sampled out", "malformed", "oversized", "failed"] {
        assert!(stderr.contains(row), "{row}: {stderr}");
    }
    assert!(stderr.contains("truncated                  1  54 characters"), "{stderr}");

    // Something to log: nobody can read a file that is not there.
    let scratch = Scratch::new();
    scratch.write("p.yaml", "source: {file: {include: [absent], read: once}}\nsink: {stdout: {}}\n");
    let ran = logweir(["run", "p.yaml"]).dir(scratch.dir()).output();
    assert!(ran.stderr_text().contains("ERROR"), "{}", ran.stderr_text());
    assert!(!ran.stderr.contains(&0x1b), "{:?}", ran.stderr_text());
}

#[test]
fn logs_are_json_where_asked_for() {
    let scratch = Scratch::new();
    let ran =
        pipeline(&scratch, "source: {file: {include: [absent], read: once}}\nsink: {stdout: {}}\n").output();
    assert!(failed(&ran).count("read") == 0);
    let args = ["run", "--log-format", "json", "--summary", "json", "pipeline.yaml"];
    let ran = logweir(args).dir(scratch.dir()).output();
    let lines: Vec<Value> =
        ran.stderr_text().lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let error = lines.iter().find(|line| line["level"] == "ERROR").expect("an error is logged");
    assert!(error["error"].as_str().unwrap().contains("absent"), "{error}");
    assert_eq!((&error["pipeline"], &error["component"]), (&"pipeline".into(), &"source.file".into()));
}

#[test]
fn quiet_hides_what_is_below_a_warning_whatever_the_environment_asks_for() {
    let scratch = Scratch::new();
    scratch.write("p.yaml", EXAMPLE);
    let run = |options: &[&str]| {
        let args = ["run"].iter().chain(options).chain(&["p.yaml"]).copied();
        logweir(args).dir(scratch.dir()).env("RUST_LOG", "trace").stdin(EXAMPLE_IN).output().stderr_text()
    };
    assert_eq!(run(&["--quiet"]), "");
    assert!(!run(&[]).is_empty());
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [
        &[][..],
        &["run"],
        &["check"],
        &["nonsense"],
        &["run", "--nonsense", "p.yaml"],
        &["run", "--summary", "yaml", "p.yaml"],
    ] {
        let ran = logweir(args.iter().copied()).output();
        assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(2), &b""[..]), "{args:?}");
        assert!(ran.stderr_text().contains("--help"), "{args:?}: {}", ran.stderr_text());
    }
}

#[test]
fn a_file_that_is_not_there_ends_with_2_and_is_named() {
    for command in ["run", "check"] {
        let ran = logweir([command, "no-such-file.yaml"]).output();
        assert_eq!(ran.code(), Some(2));
        assert!(ran.stderr_text().contains("no-such-file.yaml"), "{}", ran.stderr_text());
    }
}

#[test]
fn check_shows_every_problem_at_its_place() {
    let expected = "\
bad.yaml:3:5: unknown key `truncat`
  3 |   - truncat: {}
    |     ^^^^^^^
help: did you mean `truncate`?

bad.yaml:4:1: unknown key `snk`
  4 | snk: {stdout: {}}
    | ^^^
help: did you mean `sink`?
";
    assert_eq!(check_refused("check"), expected);
}

#[test]
fn run_starts_nothing_when_check_would_refuse() {
    assert_eq!(check_refused("run"), check_refused("check"));
}

#[test]
fn check_says_that_a_good_file_is_fine() {
    let scratch = Scratch::new();
    scratch.write("p.yaml", EXAMPLE);
    let ran = logweir(["check", "p.yaml"]).dir(scratch.dir()).output();
    assert_eq!(
        (ran.code(), ran.stdout.as_slice(), ran.stderr.as_slice()),
        (Some(0), &b"p: fine\n"[..], &b""[..])
    );
}

#[test]
fn check_refuses_files_that_cannot_run_together() {
    let scratch = Scratch::new();
    for name in ["a.yaml", "b.yaml"] {
        scratch.write(name, "source: {stdin: {}}\nsink: {file: {path: out.ndjson}}\n");
    }
    let check = |files: &[&str]| logweir(["check"].iter().chain(files).copied()).dir(scratch.dir()).output();
    assert_eq!(check(&["a.yaml"]).code(), Some(0));
    let ran = check(&["a.yaml", "b.yaml"]);
    assert_eq!(ran.code(), Some(2));
    assert!(
        ran.stderr_text().contains("b.yaml:1:") && ran.stderr_text().contains("b.yaml:2:"),
        "{}",
        ran.stderr_text()
    );
}

#[test]
fn schema_prints_a_json_schema() {
    let ran = logweir(["schema"]).output();
    assert_eq!((ran.code(), ran.stderr.as_slice()), (Some(0), &b""[..]));
    let schema: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(
        schema["$schema"].as_str().is_some_and(|id| id.contains("json-schema.org")),
        "{}",
        schema["$schema"]
    );
    assert!(schema["properties"]["source"].is_object(), "{schema}");
}

#[test]
fn the_version_is_told_and_every_command_has_help() {
    let ran = logweir(["--version"]).output();
    let version = format!("logweir {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((ran.code(), String::from_utf8(ran.stdout).unwrap()), (Some(0), version));
    for args in [&["--help"][..], &["run", "--help"], &["check", "--help"], &["schema", "--help"]] {
        let ran = logweir(args.iter().copied()).output();
        assert_eq!(ran.code(), Some(0), "{args:?}");
        assert!(String::from_utf8_lossy(&ran.stdout).contains("Usage: logweir"), "{args:?}");
    }
    let help = String::from_utf8(logweir(["run", "--help"]).output().stdout).unwrap();
    for option in ["--quiet", "--summary", "--log-format"] {
        assert!(help.contains(option), "{help}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn the_limit_on_open_files_is_raised_as_far_as_it_may_be() {
    let scratch = Scratch::new();
    scratch.write("p.yaml", "source: {stdin: {}}\nsink: {stdout: {}}\n");
    let script = "ulimit -Sn 64; ulimit -Hn 300; exec \"$0\" run --quiet p.yaml";
    let mut running = Run::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_logweir")])
        .dir(scratch.dir())
        .hold_stdin()
        .start();
    let limits = format!("/proc/{}/limits", running.pid());
    poll_until("the limit is raised", SOON, || {
        let limits = std::fs::read_to_string(&limits).ok()?;
        let line = limits.lines().find(|line| line.starts_with("Max open files"))?;
        let [soft, hard] = [3, 4].map(|nth| line.split_whitespace().nth(nth).map(str::to_owned));
        (soft == hard && hard.as_deref() == Some("300")).then_some(())
    });
    drop(running.take_stdin());
    assert_eq!(running.wait().code(), Some(0));
}
