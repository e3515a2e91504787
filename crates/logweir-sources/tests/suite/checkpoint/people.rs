//! What people can do with checkpoints: look at them, and have everything read again.

use std::fs;
use std::time::{Duration, SystemTime};

use logweir_sources::{Listed, list_checkpoints, reset_checkpoint};

use super::*;

fn names(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|listed| listed.name.as_str()).collect()
}

#[test]
fn all_are_listed_while_a_process_works_with_them() {
    let scratch = Scratch::new();
    let dir = StateDir::open(scratch.dir()).unwrap();
    let (mut b, _) = CheckpointStore::open(dir.clone(), "b").unwrap();
    let (mut a, _) = CheckpointStore::open(dir.clone(), "a.checkpoint").unwrap();
    a.commit(&numbered(1)).unwrap();
    b.commit(&numbered(2)).unwrap();
    scratch.write("cut.checkpoint", &scratch.read("b.checkpoint")[..100]);
    scratch.write("other.checkpoint", scratch.read("b.checkpoint"));
    scratch.write("not a name.checkpoint", "");
    fs::create_dir(scratch.path("directory.checkpoint")).unwrap();
    for name in ["b.checkpoint.new", "b.checkpoint.reset-1", "notes.txt"] {
        scratch.write(name, "");
    }
    let before = names_in(scratch.dir());

    let listed = list_checkpoints(scratch.dir()).unwrap();
    assert_eq!(names(&listed), ["a.checkpoint", "b", "cut", "directory", "not a name", "other"]);
    let found: Vec<_> =
        listed.iter().map(|listed| listed.checkpoint.as_ref().map_err(CheckpointError::kind)).collect();
    let (first, second) = (numbered(1), numbered(2));
    assert_eq!(found, [Ok(&first), Ok(&second), Err("damaged"), Err("read"), Err("name"), Err("foreign")]);
    assert_eq!(listed[1].path, scratch.path("b.checkpoint"));
    let age = SystemTime::now().duration_since(listed[1].committed.unwrap()).unwrap_or_default();
    assert!(age < Duration::from_secs(600), "{age:?}");
    assert_eq!(names_in(scratch.dir()), before, "nothing is changed");
    b.commit(&numbered(3)).unwrap();
}

#[test]
fn an_empty_directory_has_none_and_a_missing_one_is_an_error() {
    let scratch = Scratch::new();
    assert!(list_checkpoints(scratch.dir()).unwrap().is_empty());
    assert_eq!(names_in(scratch.dir()), [""; 0]);
    let missing = scratch.path("missing");
    let error = list_checkpoints(&missing).unwrap_err();
    assert!(error.kind() == "list" && error.to_string().contains(missing.to_str().unwrap()), "{error}");
}

#[test]
fn reset_moves_it_aside_and_keeps_it() {
    let scratch = Scratch::new();
    let mut aside = Vec::new();
    for number in 0..3 {
        commit(scratch.dir(), &numbered(number));
        let content = scratch.read("a.checkpoint");
        let path = reset_checkpoint(scratch.dir(), "a").unwrap().checkpoint;
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let time = name.strip_prefix("a.checkpoint.reset-").expect("the name says what it is");
        assert!(time.split('.').next().unwrap().parse::<u64>().unwrap() > 1_700_000_000, "{name}");
        assert_eq!(scratch.read(&name), content);
        assert_eq!(open(scratch.dir()).1, None);
        aside.push(name);
    }
    aside.sort_unstable();
    aside.push("lock".to_owned());
    assert_eq!(names_in(scratch.dir()), aside, "several within a second do not replace each other");
    fs::rename(scratch.path(&aside[0]), scratch.path("a.checkpoint")).unwrap();
    assert_eq!(open(scratch.dir()).1, Some(numbered(0)), "it can be put back");
}

#[test]
fn reset_helps_against_damage() {
    let scratch = Scratch::new();
    scratch.write("a.checkpoint", "damaged");
    refused(&StateDir::open(scratch.dir()).unwrap());
    reset_checkpoint(scratch.dir(), "a").unwrap();
    assert_eq!(open(scratch.dir()).1, None);
}

#[test]
fn reset_takes_what_is_spooled_along() {
    let scratch = Scratch::new();
    commit(scratch.dir(), &numbered(1));
    let spool = logweir_sources::spool_dir(scratch.dir(), "a");
    fs::create_dir(&spool).unwrap();
    fs::write(spool.join("1.json"), "{}").unwrap();
    let reset = reset_checkpoint(scratch.dir(), "a").unwrap();
    let aside = reset.spool.expect("there was a spool");
    assert!(!spool.exists());
    assert!(
        aside.file_name().unwrap().to_str().unwrap().starts_with("a.spool.reset-"),
        "{}",
        aside.display()
    );
    assert_eq!(fs::read(aside.join("1.json")).unwrap(), b"{}");
    commit(scratch.dir(), &numbered(2));
    assert_eq!(reset_checkpoint(scratch.dir(), "a").unwrap().spool, None);
}

#[test]
fn reset_is_refused_while_a_process_works_with_the_directory() {
    let scratch = Scratch::new();
    let (mut store, _) = open(scratch.dir());
    store.commit(&numbered(1)).unwrap();
    let error = reset_checkpoint(scratch.dir(), "a").unwrap_err();
    assert!(error.to_string().contains(&format!("in use by process {}", std::process::id())), "{error}");
    drop(store);
    assert_eq!(open(scratch.dir()).1, Some(numbered(1)));
}

#[test]
fn reset_of_what_is_not_there_says_what_is_and_makes_nothing() {
    let scratch = Scratch::new();
    let missing = |name: &str| reset_checkpoint(scratch.dir(), name).unwrap_err().to_string();
    assert!(missing("b").contains("no checkpoint of \"b\"") && missing("b").contains("none at all"));
    assert_eq!(names_in(scratch.dir()), [""; 0]);
    commit(scratch.dir(), &numbered(1));
    assert!(missing("b").ends_with("there are those of a"), "{}", missing("b"));
    assert!(missing("../a").contains("cannot name a checkpoint"));
    let absent = scratch.path("absent");
    assert_eq!(reset_checkpoint(&absent, "a").unwrap_err().kind(), "list");
    assert!(!absent.exists());
}
