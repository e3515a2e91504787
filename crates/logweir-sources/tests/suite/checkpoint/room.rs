//! A commit that the system fails leaves the checkpoint that was there, and may be repeated.

use std::env;
use std::process::Command;

use logweir_testkit::process::{Ran, Run};

use super::*;

/// Where a process that was started by a test finds the directory it is to work with.
const DIR: &str = "LOGWEIR_TEST_STATE_DIR";

/// Returns a checkpoint of about a megabyte.
fn large() -> Checkpoint {
    let files = numbered(9).files.into_iter().cycle().take(4_000).collect();
    Checkpoint { files }
}

/// Runs a test of this file again in a process of its own, by a shell that prepares it.
fn again(test: &str, shell: &[&str], script: &str, dir: &Path) -> Ran {
    let test = format!("checkpoint::room::{test}");
    let myself = env::current_exe().unwrap().into_os_string().into_string().unwrap();
    let args = [&shell[1..], &["-c", script, &myself, "--exact", &test, "--nocapture"]].concat();
    Run::new(shell[0]).args(args).env(DIR, dir).output()
}

/// Checks that the test ran, and well.
#[track_caller]
fn check(ran: &Ran) {
    let stdout = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.code() == Some(0) && stdout.contains("1 passed"), "{stdout}{}", ran.stderr_text());
}

/// Checks that the store cannot commit, that this changes nothing, and that it can once there is a way.
fn check_held(dir: &Path, store: &mut CheckpointStore, step: &str, checkpoint: &Checkpoint) {
    let before = std::fs::read(dir.join("a.checkpoint")).unwrap();
    for _ in 0..3 {
        let error = store.commit(checkpoint).unwrap_err();
        assert!(matches!(&error, CheckpointError::Write { step: found, .. } if *found == step), "{error:?}");
        assert!(error.to_string().contains("comes twice after a crash"), "{error}");
        assert_eq!(std::fs::read(dir.join("a.checkpoint")).unwrap(), before);
        assert_eq!(names_in(dir), ["a.checkpoint", "lock"]);
    }
}

#[test]
fn beyond_the_size_that_files_may_have() {
    if let Some(dir) = env::var_os(DIR).map(PathBuf::from) {
        let (mut store, _) = open(&dir);
        store.commit(&numbered(1)).unwrap();
        check_held(&dir, &mut store, "write", &large());
        return store.commit(&numbered(2)).unwrap();
    }
    let scratch = Scratch::new();
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"";
    check(&again("beyond_the_size_that_files_may_have", &["sh"], script, scratch.dir()));
    assert_eq!(open(scratch.dir()).1, Some(numbered(2)));
}

#[test]
fn on_a_full_disk_and_on_one_that_is_read_only() {
    if let Some(dir) = env::var_os(DIR).map(PathBuf::from) {
        let (mut store, _) = open(&dir);
        store.commit(&numbered(1)).unwrap();
        check_held(&dir, &mut store, "write", &large());
        store.commit(&numbered(2)).unwrap();
        let mount = |how: &str| {
            let status = Command::new("mount").args(["-o", how]).arg(&dir).status();
            assert!(status.unwrap().success());
        };
        drop(store);
        mount("remount,ro");
        let error = StateDir::open(&dir).unwrap_err();
        assert!(error.kind() == "lock" && error.to_string().contains(dir.to_str().unwrap()), "{error}");
        mount("remount,rw");
        assert_eq!(open(&dir).1, Some(numbered(2)));
        return;
    }
    let scratch = Scratch::new();
    // A file system of 256 KiB that only the process sees; as another user than root, by being root for oneself.
    let mount = format!("mount -t tmpfs -o size=256k none '{}'", scratch.dir().display());
    let ways = [&["unshare", "-m", "sh"][..], &["unshare", "-rm", "sh"]];
    let may_mount = |way: &&&[&str]| {
        Command::new(way[0])
            .args(&way[1..])
            .args(["-c", &mount])
            .output()
            .is_ok_and(|run| run.status.success())
    };
    let Some(way) = ways.iter().find(may_mount) else {
        return; // Nothing can be mounted here.
    };
    let test = "on_a_full_disk_and_on_one_that_is_read_only";
    check(&again(test, way, &format!("{mount} && exec \"$0\" \"$@\""), scratch.dir()));
}

#[test]
fn where_something_else_has_the_name() {
    let scratch = Scratch::new();
    let (mut store, _) = open(scratch.dir());
    for name in ["a.checkpoint.new", "a.checkpoint"] {
        scratch.write(format!("{name}/in the way"), "");
        let error = store.commit(&numbered(1)).unwrap_err();
        assert!(
            matches!(&error, CheckpointError::Write { path, .. } if *path == scratch.path(name)),
            "{error}"
        );
        std::fs::remove_dir_all(scratch.path(name)).unwrap();
        store.commit(&numbered(1)).unwrap();
        std::fs::remove_file(scratch.path("a.checkpoint")).unwrap();
    }
    assert_eq!(names_in(scratch.dir()), ["lock"]);
}
