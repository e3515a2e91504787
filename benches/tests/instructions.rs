//! The guard on instructions: a program in valgrind's place says what was counted, and the guard what that means.

#![cfg(target_os = "linux")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use logweir_testkit::process::{Ran, Run};
use logweir_testkit::scratch::Scratch;

/// Runs the lane as valgrind does, or in its place a program that changes nothing.
const VALGRIND: &str = r#"#!/bin/sh
for arg; do
    case $arg in
    --version) echo valgrind-0; exit ;;
    --callgrind-out-file=*) echo "totals: $TOTAL" >"${arg#*=}" ;;
    --*) ;;
    *) break ;;
    esac
    shift
done
exec ${INSTEAD:-"$@"}
"#;

struct Guard(Scratch);

impl Guard {
    fn new() -> Self {
        let scratch = Scratch::new();
        let path = scratch.write("bin/valgrind", VALGRIND);
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("a file of ours");
        Self(scratch)
    }

    /// Runs the guard where so many instructions are counted for each workload.
    fn run(&self, total: u64, instead: &str, args: &[&str]) -> Ran {
        let path = std::env::var("PATH").expect("there is a path");
        Run::new(env!("CARGO_BIN_EXE_instructions"))
            .args(["--figures", "figures.json", "--dir", "profiles"])
            .args(args.iter().copied())
            .env("PATH", format!("{}:{path}", self.0.path("bin").display()))
            .env("TOTAL", total.to_string())
            .env("INSTEAD", instead)
            .dir(self.0.dir())
            .output()
    }

    #[track_caller]
    fn check(&self, total: u64, code: i32, says: &[&str]) {
        let ran = self.run(total, "", &[]);
        let text = ran.stderr_text();
        assert_eq!(ran.code(), Some(code), "{text}");
        assert!(says.iter().all(|part| text.contains(part)), "{text}");
    }
}

#[test]
fn what_is_recorded_is_held_in_both_directions() {
    let guard = Guard::new();
    guard.check(1_000_000, 1, &["figures.json"]);
    let ran = guard.run(1_000_000, "", &["--record"]);
    assert_eq!(ran.code(), Some(0), "{}", ran.stderr_text());
    guard.check(1_000_000, 0, &[]);
    guard.check(1_060_000, 1, &["mix takes", "real takes", "6.0 % more", "just instructions --record"]);
    guard.check(940_000, 1, &["small takes", "heavy takes", "6.0 % fewer", "just instructions --record"]);
}

#[test]
fn a_lane_that_does_too_little_is_not_counted() {
    let guard = Guard::new();
    for (total, instead, says) in [(1_000, "cat", "mix: the output is wrong"), (0, "", "nothing was counted")]
    {
        let ran = guard.run(total, instead, &["--record"]);
        assert_eq!(ran.code(), Some(1));
        assert!(ran.stderr_text().contains(says), "{}", ran.stderr_text());
        assert!(!guard.0.path("figures.json").exists(), "nothing is recorded");
    }
}
