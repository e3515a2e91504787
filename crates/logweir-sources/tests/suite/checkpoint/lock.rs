//! A state directory belongs to one process, and in it each checkpoint to one store.

use std::env;
use std::fs;
use std::io::Read as _;
use std::time::Duration;

use logweir_testkit::process::{Run, poll_until};

use super::*;

/// Where a process that was started by a test finds the directory it is to work with.
const DIR: &str = "LOGWEIR_TEST_STATE_DIR";

#[test]
fn another_process_that_has_it_is_named_and_its_end_frees_it() {
    if let Some(dir) = env::var_os(DIR) {
        let _locked = StateDir::open(Path::new(&dir)).unwrap();
        println!("locked");
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let scratch = Scratch::new();
    let name = "checkpoint::lock::another_process_that_has_it_is_named_and_its_end_frees_it";
    let run = Run::new(env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]);
    let other = run.env(DIR, scratch.dir()).hold_stdin().start();
    poll_until("the other process has the lock", Duration::from_secs(60), || {
        String::from_utf8_lossy(&other.stdout_so_far()).contains("locked").then_some(())
    });
    let error = StateDir::open(scratch.dir()).unwrap_err();
    let pid = other.pid();
    assert!(matches!(&error, CheckpointError::InUse { pid: Some(named), .. } if *named == pid), "{error}");
    let message = error.to_string();
    for part in [scratch.dir().to_str().unwrap(), &format!("process {pid}"), "`state_dir`"] {
        assert!(message.contains(part), "{message}");
    }
    // Dropping kills it, as SIGKILL would.
    drop(other);
    assert_eq!(open(scratch.dir()).1, None);
}

#[test]
fn it_is_locked_as_long_as_a_store_is_open() {
    let scratch = Scratch::new();
    let (store, _) = open(scratch.dir());
    let error = StateDir::open(scratch.dir()).unwrap_err();
    assert!(
        matches!(error, CheckpointError::InUse { pid, .. } if pid == Some(std::process::id())),
        "{error}"
    );
    drop(store);
    open(scratch.dir());
}

#[test]
fn a_lock_file_that_says_nothing_of_use_is_no_hindrance() {
    let scratch = Scratch::new();
    let path = scratch.write("lock", "99999999999999999999 x\n".repeat(100));
    drop(StateDir::open(scratch.dir()).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
    let locked = StateDir::open(scratch.dir()).unwrap();
    fs::write(&path, "\u{1f642}".repeat(100)).unwrap();
    let error = StateDir::open(scratch.dir()).unwrap_err();
    assert!(matches!(error, CheckpointError::InUse { pid: None, .. }), "{error}");
    drop(locked);
}

#[test]
fn a_checkpoint_has_one_store_at_a_time() {
    let scratch = Scratch::new();
    let dir = StateDir::open(scratch.dir()).unwrap();
    let (store, _) = CheckpointStore::open(dir.clone(), "a").unwrap();
    assert!(matches!(refused(&dir), CheckpointError::AlreadyOpen { name } if name == "a"));
    CheckpointStore::open(dir.clone(), "b").unwrap();
    drop(store);
    CheckpointStore::open(dir, "a").unwrap();
}

#[test]
fn stores_commit_beside_each_other() {
    let scratch = Scratch::new();
    let dir = StateDir::open(scratch.dir()).unwrap();
    std::thread::scope(|scope| {
        for name in ["a", "b", "c"] {
            let (mut store, _) = CheckpointStore::open(dir.clone(), name).unwrap();
            scope.spawn(move || (0..20).for_each(|number| store.commit(&numbered(number)).unwrap()));
        }
    });
    for name in ["a", "b", "c"] {
        assert_eq!(CheckpointStore::open(dir.clone(), name).unwrap().1, Some(numbered(19)));
    }
}

#[test]
fn a_directory_that_was_removed_is_made_and_locked_again() {
    let scratch = Scratch::new();
    let dir = scratch.path("state");
    let (mut store, _) = open(&dir);
    for remove in [|dir: &Path| fs::remove_dir_all(dir), |dir: &Path| fs::remove_file(dir.join("lock"))] {
        remove(&dir).unwrap();
        store.commit(&numbered(1)).unwrap();
        assert_eq!(StateDir::open(&dir).unwrap_err().kind(), "in_use");
    }
    drop(store);
    assert_eq!(open(&dir).1, Some(numbered(1)));
}

#[test]
fn a_directory_that_another_has_made_again_is_left_to_it() {
    let scratch = Scratch::new();
    let (mut store, _) = open(scratch.dir());
    fs::remove_file(scratch.path("lock")).unwrap();
    let (mut other, _) = open(scratch.dir());
    other.commit(&numbered(2)).unwrap();
    assert!(matches!(store.commit(&numbered(1)), Err(CheckpointError::InUse { .. })));
    drop(other);
    assert_eq!(open(scratch.dir()).1, Some(numbered(2)));
    store.commit(&numbered(1)).unwrap();
}
