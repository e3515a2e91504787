//! `logweir selftest`: what it takes and what it says.

use logweir_testkit::scratch::Scratch;

use crate::rig::logweir;

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
