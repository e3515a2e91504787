//! Configurations that are broken in the ways in which people break them. Each message says what is wrong, where, and how to
//! mend it; the snapshot is there to be read.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::rig::logweir;

#[test]
fn every_broken_configuration_is_refused_with_how_to_mend_it() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken");
    let names = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert!(names.len() >= 20, "{names:?}");
    let mut all = String::new();
    for name in names {
        let ran = logweir(["check", &name]).dir(&dir).without_env("LOGWEIR_").output();
        let stderr = ran.stderr_text();
        assert_eq!(ran.code(), Some(2), "{name} is not refused: {stderr}");
        assert_eq!(ran.stdout, b"", "{name}");
        assert!(stderr.contains(&name), "{name} is not named: {stderr}");
        writeln!(all, "==== {name}\n{stderr}").unwrap();
    }
    insta::assert_snapshot!("broken_configurations", all);
}
