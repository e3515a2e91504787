//! `logweir selftest`: pipelines that are killed lose nothing, and it says so.

use logweir_testkit::process::{Ran, Signal, poll_until};
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use crate::rig::{SOON, logweir};

/// Returns what a run that passes prints as JSON.
#[track_caller]
fn passed(ran: &Ran) -> Value {
    let stdout = String::from_utf8_lossy(&ran.stdout);
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(0), ""), "{stdout}");
    let report: Value = serde_json::from_slice(&ran.stdout).expect("one JSON object");
    let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("{key}: {report}"));
    assert_eq!((&report["passed"], &report["kept_in"]), (&Value::Bool(true), &Value::Null), "{report}");
    assert_eq!(["lost", "altered", "bytes_taken_back"].map(number), [0; 3], "{report}");
    assert!(number("written") > 0 && number("delivered") == number("written"), "{report}");
    let in_flight = report["in_flight"]["events"].as_u64().unwrap();
    assert!(number("duplicated") <= in_flight, "only what was in flight may come twice: {report}");
    report
}

fn n_files(scratch: &Scratch) -> usize {
    std::fs::read_dir(scratch.dir()).unwrap().count()
}

#[test]
fn nothing_is_lost_when_a_pipeline_is_killed() {
    let scratch = Scratch::new();
    let args = ["selftest", "--crash", "--kills", "5", "--seed", "3", "--json", "--dir", "."];
    let report = passed(&logweir(args).dir(scratch.dir()).output());
    assert_eq!((&report["kills"], &report["seed"]), (&5.into(), &3.into()));
    assert_eq!(n_files(&scratch), 0, "nothing is left behind");
}

#[test]
fn a_signal_stops_the_killing_and_all_is_still_delivered() {
    let scratch = Scratch::new();
    let args = ["selftest", "--crash", "--for", "5m", "--json", "--dir", "."];
    let running = logweir(args).dir(scratch.dir()).start();
    poll_until("the pipeline has delivered something", SOON, || {
        let run = std::fs::read_dir(scratch.dir()).unwrap().next()?.unwrap().path();
        std::fs::metadata(run.join("out.ndjson")).is_ok_and(|out| out.len() > 0).then_some(())
    });
    running.signal(Signal::TERM);
    passed(&running.wait());
    assert_eq!(n_files(&scratch), 0, "nothing is left behind");
}

#[test]
fn people_get_a_table_with_the_seed() {
    let scratch = Scratch::new();
    let args = ["selftest", "--crash", "--kills", "1", "--seed", "7", "--dir", "."];
    let ran = logweir(args).dir(scratch.dir()).output();
    let table = String::from_utf8(ran.stdout).unwrap();
    assert!(table.starts_with("crash selftest with seed 7: nothing was lost in "), "{table}");
    for row in [
        "kills                      1\n",
        "rotations",
        "written",
        "delivered",
        "lost                       0\n",
    ] {
        assert!(table.contains(row), "{row}: {table}");
    }
}

#[test]
fn a_pipeline_that_cannot_run_is_reported_and_all_is_kept() {
    let scratch = Scratch::new();
    // No file may have a single byte, the first one written neither.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    let logweir = env!("CARGO_BIN_EXE_logweir");
    let args = ["-c", script, logweir, "selftest", "--crash", "--kills", "3", "--dir", "."];
    let ran = logweir_testkit::process::Run::new("sh").args(args).dir(scratch.dir()).output();
    assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(1), &b""[..]));
    let stderr = ran.stderr_text();
    assert!(
        stderr.contains("failed; everything is kept in ") && stderr.contains("cannot write to "),
        "{stderr}"
    );
    assert_eq!(n_files(&scratch), 1);
}

#[test]
fn wrong_usage_ends_with_2() {
    for args in [
        &[][..],
        &["--kills", "5"],
        &["--crash", "--kills", "0"],
        &["--crash", "--for", "60"],
        &["--crash", "--for", "0s"],
        &["--crash", "--seed", "x"],
        &["--crash", "more"],
    ] {
        let ran = logweir(["selftest"].iter().chain(args).copied()).output();
        assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(2), &b""[..]), "{args:?}");
        assert!(ran.stderr_text().contains("--help"), "{args:?}: {}", ran.stderr_text());
    }
}

#[test]
fn it_has_help() {
    let ran = logweir(["selftest", "--help"]).output();
    let help = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0));
    let usage = "Usage: logweir selftest [OPTIONS] --crash";
    for part in
        [usage, "--for <DURATION>", "--kills <N>", "--dir <DIR>", "--seed <SEED>", "--json", "Exit code 0"]
    {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let scratch = Scratch::new();
    let ran = logweir(["selftest", "--crash", "--dir", "missing"]).dir(scratch.dir()).output();
    assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(1), &b""[..]));
    let stderr = ran.stderr_text();
    assert!(stderr.starts_with("cannot make a directory in missing: "), "{stderr}");
}
