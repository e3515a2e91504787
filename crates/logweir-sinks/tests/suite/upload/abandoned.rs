//! Spools that nobody uses any more.

use std::fs;

use logweir_sinks::{Spool, SpoolError};
use logweir_testkit::scratch::Scratch;

const BATCH: &str = "00000000000000000007";

#[test]
fn what_is_delivered_is_removed() {
    let scratch = Scratch::new();
    let dir = scratch.path("p.spool");
    Spool::abandon(&dir).unwrap();
    assert!(!dir.exists());
    fs::create_dir(&dir).unwrap();
    for name in ["lock", &format!("{BATCH}.done")] {
        scratch.write(format!("p.spool/{name}"), "{}");
    }
    Spool::abandon(&dir).unwrap();
    assert!(!dir.exists());
}

#[test]
fn a_batch_that_waits_is_not_left_behind() {
    let scratch = Scratch::new();
    let dir = scratch.path("p.spool");
    fs::create_dir(&dir).unwrap();
    for name in ["lock", &format!("{BATCH}.json"), &format!("{BATCH}.log.gz")] {
        scratch.write(format!("p.spool/{name}"), "{}");
    }
    let error = Spool::abandon(&dir).unwrap_err();
    assert!(matches!(error, SpoolError::Abandoned { .. }), "{error}");
    assert!(error.to_string().contains("run the pipeline as it was"), "{error}");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 3, "all of it is still there");
}

#[test]
fn what_was_put_aside_stays_for_people() {
    let scratch = Scratch::new();
    let dir = scratch.path("p.spool");
    fs::create_dir(&dir).unwrap();
    for name in ["lock", &format!("{BATCH}.json.damaged")] {
        scratch.write(format!("p.spool/{name}"), "{}");
    }
    Spool::abandon(&dir).unwrap();
    let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [format!("{BATCH}.json.damaged").as_str()]);
}
