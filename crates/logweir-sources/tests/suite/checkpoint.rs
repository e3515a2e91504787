//! What is committed is what the next start finds, whatever happens in between.

mod damage;
mod lock;
mod people;
mod room;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logweir_sources::{Checkpoint, CheckpointError, CheckpointStore, FileCheckpoint, Fingerprint, StateDir};
use logweir_testkit::scratch::Scratch;
use proptest::prelude::*;
use twox_hash::XxHash3_64;

/// Returns a checkpoint of a few files that tells which it is.
fn numbered(number: u64) -> Checkpoint {
    let file = |i: u64| FileCheckpoint {
        path: PathBuf::from(format!("/var/log/workers/{i}.ndjson")),
        device: 64_769,
        inode: 1_000 + i,
        offset: number * 1_000 + i,
        head: Fingerprint::of(format!("{{\"head\":{i}}}").as_bytes()),
        tail: Fingerprint::of(format!("{{\"tail\":{number}}}").as_bytes()),
        is_compressed: i == 1,
        finished_bytes: None,
        gone_since: (i == 2).then_some(1_794_870_000),
    };
    Checkpoint { files: (0..3).map(file).collect() }
}

/// Opens a state directory and the store of pipeline `a` in it.
fn open(dir: &Path) -> (CheckpointStore, Option<Checkpoint>) {
    CheckpointStore::open(StateDir::open(dir).unwrap(), "a").unwrap()
}

/// Returns the error that the store of pipeline `a` is not opened with.
#[track_caller]
fn refused(dir: &Arc<StateDir>) -> CheckpointError {
    CheckpointStore::open(dir.clone(), "a").map(|(_, checkpoint)| checkpoint).expect_err("a refusal")
}

/// Commits, and closes the store and its directory again.
fn commit(dir: &Path, checkpoint: &Checkpoint) {
    open(dir).0.commit(checkpoint).unwrap();
}

/// Returns the text of a checkpoint with a right last line, given the lines before it.
fn with_trailer(body: &str, n_files: usize) -> String {
    let hash = XxHash3_64::oneshot(body.as_bytes());
    format!("{body}{{\"files\":{n_files},\"xxh3\":\"{hash:016x}\"}}\n")
}

fn names_in(dir: &Path) -> Vec<String> {
    let found =
        std::fs::read_dir(dir).unwrap().map(|found| found.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = found.collect();
    names.sort_unstable();
    names
}

#[test]
fn the_first_start_has_none_and_each_later_one_the_last() {
    let scratch = Scratch::new();
    assert_eq!(open(scratch.dir()).1, None);
    assert_eq!(open(scratch.dir()).1, None, "nothing was committed");
    for number in 1..4 {
        let (mut store, _) = open(scratch.dir());
        store.commit(&numbered(number + 100)).unwrap();
        store.commit(&numbered(number)).unwrap();
        drop(store);
        assert_eq!(open(scratch.dir()).1, Some(numbered(number)));
    }
    commit(scratch.dir(), &Checkpoint::default());
    assert_eq!(open(scratch.dir()).1, Some(Checkpoint::default()), "no files is not no checkpoint");
    assert_eq!(names_in(scratch.dir()), ["a.checkpoint", "lock"]);
}

#[test]
fn the_text_of_version_1_stays_as_it_is() {
    let scratch = Scratch::new();
    let odd = PathBuf::from(OsString::from_vec(b"/logs/\xff\"\n.gz".to_vec()));
    let files = vec![
        FileCheckpoint {
            path: PathBuf::from("/logs/caf\u{e9}.ndjson"),
            device: 64_769,
            inode: u64::MAX,
            offset: 1 << 60,
            head: Fingerprint { n_bytes: 256, hash: 0x0123_4567_89ab_cdef },
            tail: Fingerprint { n_bytes: 0, hash: 0 },
            is_compressed: false,
            finished_bytes: None,
            gone_since: None,
        },
        FileCheckpoint {
            path: odd,
            device: 0,
            inode: 1,
            offset: 0,
            head: Fingerprint { n_bytes: 1, hash: u64::MAX },
            tail: Fingerprint { n_bytes: 2, hash: 1 },
            is_compressed: true,
            finished_bytes: None,
            gone_since: Some(1_794_870_000),
        },
    ];
    let header = r#"{"format":"logweir checkpoint","version":1,"program":"PROGRAM","pipeline":"a"}"#;
    let lines = [
        &header.replace("PROGRAM", env!("CARGO_PKG_VERSION")),
        concat!(
            r#"{"path":"/logs/café.ndjson","device":64769,"inode":18446744073709551615,"offset":1152921504606846976,"#,
            r#""head":{"n_bytes":256,"hash":"0123456789abcdef"},"tail":{"n_bytes":0,"hash":"0000000000000000"},"#,
            r#""is_compressed":false}"#,
        ),
        concat!(
            r#"{"path":"/logs/�\"\n.gz","path_hex":"2f6c6f67732fff220a2e677a","device":0,"inode":1,"offset":0,"#,
            r#""head":{"n_bytes":1,"hash":"ffffffffffffffff"},"tail":{"n_bytes":2,"hash":"0000000000000001"},"#,
            r#""is_compressed":true,"gone_since":1794870000}"#,
        ),
    ];
    let text = with_trailer(&(lines.join("\n") + "\n"), 2);
    scratch.write("a.checkpoint", &text);
    assert_eq!(open(scratch.dir()).1.unwrap().files, files);
    commit(scratch.dir(), &Checkpoint { files });
    assert_eq!(String::from_utf8(scratch.read("a.checkpoint")).unwrap(), text);
}

#[test]
fn the_one_in_the_documentation_is_one() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/checkpoints.md");
    let text = std::fs::read_to_string(docs).unwrap();
    let (_, text) = text.split_once("```json\n").expect("an example");
    let (text, _) = text.split_once("```").expect("its end");
    let scratch = Scratch::new();
    scratch.write("shop.checkpoint", text);
    let dir = StateDir::open(scratch.dir()).unwrap();
    let (mut store, checkpoint) = CheckpointStore::open(dir, "shop").unwrap();
    let checkpoint = checkpoint.expect("it is a checkpoint");
    assert_eq!(checkpoint.files.len(), 2);
    store.commit(&checkpoint).unwrap();
    let written = String::from_utf8(scratch.read("shop.checkpoint")).unwrap();
    let files = |text: &str| text.lines().skip(1).take(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(files(&written), files(text));
}

#[test]
fn a_fingerprint_is_the_hash_that_others_know() {
    let content: Vec<u8> = (0..=255).collect();
    for n in [0, 1, 16, 128, 240, 241, 256] {
        let expected = Fingerprint { n_bytes: n as u32, hash: XxHash3_64::oneshot(&content[..n]) };
        assert_eq!(Fingerprint::of(&content[..n]), expected);
    }
}

#[test]
fn directories_are_made_for_their_owner_only() {
    let scratch = Scratch::new();
    let dir = scratch.path("state/of/mine");
    commit(&dir, &numbered(1));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(["state", "state/of", "state/of/mine"].map(|name| mode(&scratch.path(name))), [0o700; 3]);
    assert_eq!(["a.checkpoint", "lock"].map(|name| mode(&dir.join(name))), [0o600; 2]);
}

#[test]
fn what_cannot_be_a_directory_is_named() {
    let scratch = Scratch::new();
    scratch.write("file", "");
    for path in [scratch.path("file"), scratch.path("file/state"), PathBuf::from("/proc/state")] {
        let error = StateDir::open(&path).unwrap_err();
        assert!(
            matches!(&error, CheckpointError::Directory { directory, .. } if *directory == path),
            "{error}"
        );
    }
}

#[test]
fn many_files_are_committed_and_found() {
    let scratch = Scratch::new();
    let one = numbered(1).files.remove(2);
    let file = |i| FileCheckpoint { inode: i, path: PathBuf::from(format!("/logs/{i}")), ..one.clone() };
    let checkpoint = Checkpoint { files: (0..10_000).map(file).collect() };
    commit(scratch.dir(), &checkpoint);
    assert_eq!(open(scratch.dir()).1, Some(checkpoint));
}

#[test]
fn every_name_has_a_checkpoint_of_its_own() {
    let scratch = Scratch::new();
    let longest = "x".repeat(200);
    let names =
        ["a", "lock", "a.checkpoint", "a.checkpoint.new", "a.checkpoint.reset-1", "...", "-", &longest];
    let dir = StateDir::open(scratch.dir()).unwrap();
    let mut stores = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let (mut store, checkpoint) = CheckpointStore::open(dir.clone(), name).unwrap();
        assert_eq!(checkpoint, None, "{name}");
        store.commit(&numbered(number as u64)).unwrap();
        stores.push(store);
    }
    drop((stores, dir));
    // What looks like a leftover is removed, and must be none of them.
    let dir = StateDir::open(scratch.dir()).unwrap();
    for (number, name) in names.iter().enumerate() {
        let (_, checkpoint) = CheckpointStore::open(dir.clone(), name).unwrap();
        assert_eq!(checkpoint, Some(numbered(number as u64)), "{name}");
    }
}

#[test]
fn a_name_that_could_be_a_path_is_refused() {
    let scratch = Scratch::new();
    let dir = StateDir::open(scratch.dir()).unwrap();
    for name in ["", ".", "..", "a/b", "/etc/passwd", "a b", "caf\u{e9}", "a\0", &"x".repeat(201)] {
        let refused = CheckpointStore::open(dir.clone(), name).map(drop).unwrap_err();
        assert!(matches!(&refused, CheckpointError::Name { .. }), "{refused}");
    }
    assert_eq!(names_in(scratch.dir()), ["lock"]);
}

fn fingerprint() -> impl Strategy<Value = Fingerprint> {
    (0..=256u32, any::<u64>()).prop_map(|(n_bytes, hash)| Fingerprint { n_bytes, hash })
}

fn file() -> impl Strategy<Value = FileCheckpoint> {
    let path = prop_oneof![
        any::<String>().prop_map(PathBuf::from),
        any::<Vec<u8>>().prop_map(|bytes| PathBuf::from(OsString::from_vec(bytes))),
        // Valid text around bytes that are none.
        ("[a-z/]{0,8}", 0x80..=0xffu8, "\\PC{0,4}").prop_map(|(before, byte, after)| {
            PathBuf::from(OsString::from_vec([before.as_bytes(), &[byte], after.as_bytes()].concat()))
        }),
    ];
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<Option<u64>>());
    (path, numbers, fingerprint(), fingerprint(), any::<bool>()).prop_map(
        |(path, (device, inode, offset, gone_since), head, tail, is_compressed)| FileCheckpoint {
            path,
            device,
            inode,
            offset,
            head,
            tail,
            is_compressed,
            finished_bytes: is_compressed.then_some(offset),
            gone_since,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_checkpoint_comes_back(files in proptest::collection::vec(file(), 0..12)) {
        let scratch = Scratch::new();
        let checkpoint = Checkpoint { files };
        commit(scratch.dir(), &checkpoint);
        prop_assert_eq!(open(scratch.dir()).1, Some(checkpoint));
    }
}
