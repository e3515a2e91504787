//! `logweir checkpoint`: what people see of checkpoints, and how they have everything read again.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logweir_pipeline::{Checkpoint, CheckpointStore, FileCheckpoint, Fingerprint, StateDir};
use logweir_testkit::process::Ran;
use logweir_testkit::scratch::Scratch;
use serde_json::Value;

use crate::rig::logweir;

const HEAD: &[u8] = b"{\"n\":1}\n";

/// Runs a command in a scratch directory.
fn checkpoint(scratch: &Scratch, args: &[&str]) -> Ran {
    logweir(["checkpoint"].iter().chain(args).copied()).dir(scratch.dir()).output()
}

/// Returns what a command that ends with this code prints.
#[track_caller]
fn printed(scratch: &Scratch, args: &[&str], code: i32) -> String {
    let ran = checkpoint(scratch, args);
    assert_eq!((ran.code(), ran.stderr_text().as_str()), (Some(code), ""), "{args:?}");
    String::from_utf8(ran.stdout).unwrap()
}

/// Returns what a command that fails says.
#[track_caller]
fn complaint(scratch: &Scratch, args: &[&str], code: i32) -> String {
    let ran = checkpoint(scratch, args);
    assert_eq!((ran.code(), ran.stdout.as_slice()), (Some(code), &b""[..]), "{args:?}");
    ran.stderr_text()
}

fn commit(scratch: &Scratch, pipeline: &str, files: Vec<FileCheckpoint>) -> Arc<StateDir> {
    let dir = StateDir::open(&scratch.path("state")).unwrap();
    let (mut store, _) = CheckpointStore::open(dir.clone(), pipeline).unwrap();
    store.commit(&Checkpoint { files }).unwrap();
    dir
}

/// Returns the checkpoint of a file of which `offset` bytes were delivered.
fn delivered(path: &Path, offset: u64) -> FileCheckpoint {
    let (metadata, content) = (fs::metadata(path).unwrap(), fs::read(path).unwrap());
    FileCheckpoint {
        path: path.to_owned(),
        device: metadata.dev(),
        inode: metadata.ino(),
        offset,
        head: Fingerprint::of(&content[..content.len().min(8)]),
        tail: Fingerprint::of(&content[offset.saturating_sub(4) as usize..offset as usize]),
        is_compressed: false,
        finished_bytes: None,
        gone_since: None,
    }
}

/// Makes a pipeline's checkpoint of one file in every state that there is.
fn every_state(scratch: &Scratch) {
    let write = |name: &str| scratch.write(name, HEAD.repeat(1_000));
    let paths =
        ["there", "done", "rotated", "emptied", "rewritten", "grown", "gone", "gz", "gz.done"].map(write);
    let mut files: Vec<_> = paths.iter().map(|path| delivered(path, 1_600)).collect();
    files[1].offset = 8_000;
    files[1].tail = Fingerprint::default();
    fs::rename(&paths[2], scratch.path("rotated.1")).unwrap();
    scratch.write("rotated", "another file");
    for (i, bytes) in
        [(3, b"".to_vec()), (4, vec![b'x'; 5_000]), (5, [HEAD.to_vec(), vec![b'x'; 9_000]].concat())]
    {
        fs::write(&paths[i], bytes).unwrap();
    }
    fs::remove_file(&paths[6]).unwrap();
    // Nobody else may be given its number, so that it stays gone.
    files[6].inode = u64::MAX;
    files[6].gone_since = Some(1_700_000_000);
    for file in &mut files[7..] {
        file.is_compressed = true;
    }
    files[8].finished_bytes = Some(8_000);
    commit(scratch, "shop", files);
}

#[test]
fn people_see_each_file_and_how_far_it_is_behind() {
    let scratch = Scratch::new();
    every_state(&scratch);
    let text = printed(&scratch, &["list", "state"], 0);
    let mut lines = text.lines();
    let head = lines.next().unwrap();
    assert!(head.starts_with("shop: 9 files, committed ") && head.ends_with(" ago"), "{text}");
    let dir = scratch.dir().display().to_string();
    let rows: Vec<String> = lines.map(|line| line.replace(&dir, "DIR")).collect();
    let gone = rows[7].split(", gone for ").nth(1).expect("since when it is gone");
    assert!(gone.ends_with("years"), "{gone}");
    let expected = [
        "            delivered                size                 lag  file",
        "                1,600               8,000               6,400  DIR/there",
        "                8,000               8,000                   0  DIR/done",
        "                1,600               8,000               6,400  DIR/rotated, now DIR/rotated.1",
        "                1,600                   0                   0  DIR/emptied, written anew since",
        "                1,600               5,000               5,000  DIR/rewritten, written anew since",
        "                1,600               9,008               9,008  DIR/grown, written anew since",
        &format!("                1,600                   -                   -  DIR/gone, gone for {gone}"),
        "                1,600               8,000                   -  DIR/gz (compressed: what was delivered is \
         counted decompressed)",
        "                1,600               8,000                   0  DIR/gz.done (compressed: what was delivered is \
         counted decompressed)",
    ];
    assert_eq!(rows, expected);
}

#[test]
fn programs_get_the_same_as_json() {
    let scratch = Scratch::new();
    every_state(&scratch);
    let text = printed(&scratch, &["list", "--json", "--state-dir", "state"], 0);
    assert_eq!(text.lines().count(), 1);
    let json: Value = serde_json::from_str(&text).unwrap();
    let [shop] = &json["checkpoints"].as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!((&shop["pipeline"], &shop["checkpoint"]), (&"shop".into(), &"state/shop.checkpoint".into()));
    assert!(shop["committed"].as_u64().unwrap() > 1_700_000_000 && shop.get("error").is_none(), "{shop}");
    let files = shop["files"].as_array().unwrap();
    let states: Vec<_> = files.iter().map(|file| file["state"].as_str().unwrap()).collect();
    let expected =
        ["there", "there", "moved", "rewritten", "rewritten", "rewritten", "gone", "there", "there"];
    assert_eq!(states, expected);
    let lags: Vec<_> = files.iter().map(|file| file["lag"].as_u64()).collect();
    let expected =
        [Some(6_400), Some(0), Some(6_400), Some(0), Some(5_000), Some(9_008), None, None, Some(0)];
    assert_eq!(lags, expected);
    assert_eq!(files[2]["now"], scratch.path("rotated.1").to_str().unwrap());
    assert_eq!((&files[6]["gone_since"], &files[0]["gone_since"]), (&1_700_000_000_u64.into(), &Value::Null));
    let metadata = fs::metadata(scratch.path("there")).unwrap();
    assert_eq!(
        (files[0]["device"].as_u64(), files[0]["inode"].as_u64()),
        (Some(metadata.dev()), Some(metadata.ino()))
    );
    assert_eq!((&files[0]["offset"], &files[0]["size"]), (&1_600.into(), &8_000.into()));
    assert_eq!((&files[7]["compressed"], &files[0]["compressed"]), (&true.into(), &false.into()));
}

#[test]
fn listing_disturbs_nobody_and_needs_no_lock() {
    let scratch = Scratch::new();
    let file = scratch.write("a.ndjson", HEAD);
    let _in_use = commit(&scratch, "shop", vec![delivered(&file, 8)]);
    let text = printed(&scratch, &["list", "state"], 0);
    assert!(text.starts_with("shop: 1 file, committed "), "{text}");
    assert!(text.contains("a.ndjson\n"), "{text}");
}

#[test]
fn what_cannot_be_read_is_shown_in_its_place_and_fails_the_command() {
    let scratch = Scratch::new();
    commit(&scratch, "good", Vec::new());
    scratch.write("state/bad.checkpoint", "{\"format\":\"logweir checkpoint\",\"version\":1,");
    let text = printed(&scratch, &["list", "state"], 1);
    assert!(text.starts_with("bad: state/bad.checkpoint is damaged: "), "{text}");
    assert!(
        text.contains("`logweir checkpoint reset state bad`") && text.contains("\ngood: 0 files"),
        "{text}"
    );
    let json: Value = serde_json::from_str(&printed(&scratch, &["list", "state", "--json"], 1)).unwrap();
    let [bad, good] = &json["checkpoints"].as_array().unwrap()[..] else { panic!("{json}") };
    assert!(bad["error"].as_str().unwrap().contains("is damaged") && bad.get("files").is_none(), "{bad}");
    assert_eq!((&good["files"], good.get("error")), (&Value::Array(Vec::new()), None));
}

#[test]
fn names_cannot_play_with_the_terminal() {
    let scratch = Scratch::new();
    let file = scratch.write("a\u{1b}[2J\nshop: fine.ndjson", HEAD);
    commit(&scratch, "shop", vec![delivered(&file, 8)]);
    let text = printed(&scratch, &["list", "state"], 0);
    assert!(text.contains(r"a\u{1b}[2J\nshop: fine.ndjson"), "{text}");
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn an_empty_directory_has_none_and_a_missing_one_is_said_to_be_missing() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.path("state")).unwrap();
    assert_eq!(printed(&scratch, &["list", "state"], 0), "there are no checkpoints in state\n");
    assert_eq!(printed(&scratch, &["list", "--json", "state"], 0), "{\"checkpoints\":[]}\n");
    let error = complaint(&scratch, &["list", "missing"], 1);
    assert!(error.starts_with("cannot list the checkpoints in missing: No such file"), "{error}");
}

#[test]
fn reset_moves_a_checkpoint_aside_and_says_where_it_is() {
    let scratch = Scratch::new();
    commit(&scratch, "shop", Vec::new());
    let content = scratch.read("state/shop.checkpoint");
    let text = printed(&scratch, &["reset", "state", "shop"], 0);
    assert!(text.starts_with("shop: its next start reads everything again from the beginning\n"), "{text}");
    let aside = text.trim_end().rsplit(' ').next().map(PathBuf::from).unwrap();
    assert!(aside.to_str().unwrap().starts_with("state/shop.checkpoint.reset-"), "{text}");
    assert_eq!(scratch.read(aside), content);
    assert!(!scratch.path("state/shop.checkpoint").exists());
    let error = complaint(&scratch, &["reset", "state", "shop"], 1);
    assert_eq!(error, "there is no checkpoint of \"shop\" in state; there are none at all\n");
}

#[test]
fn reset_is_refused_while_the_directory_is_in_use() {
    let scratch = Scratch::new();
    let in_use = commit(&scratch, "shop", Vec::new());
    let error = complaint(&scratch, &["reset", "state", "shop"], 1);
    let expected = format!("the state directory state is in use by process {}", std::process::id());
    assert!(error.starts_with(&expected), "{error}");
    assert!(scratch.path("state/shop.checkpoint").exists());
    drop(in_use);
    printed(&scratch, &["reset", "state", "shop"], 0);
}

#[test]
fn wrong_usage_ends_with_2() {
    let scratch = Scratch::new();
    for args in [
        &[][..],
        &["list"],
        &["list", "a", "b"],
        &["list", "a", "--state-dir", "b"],
        &["list", "a", "--nonsense"],
        &["reset"],
        &["reset", "state"],
        &["remove", "state"],
    ] {
        assert!(complaint(&scratch, args, 2).contains("--help"), "{args:?}");
    }
}

#[test]
fn the_commands_have_help() {
    let scratch = Scratch::new();
    for (args, parts) in [
        (&["--help"][..], &["Usage: logweir checkpoint", "list ", "reset "][..]),
        (
            &["list", "--help"],
            &["Usage: logweir checkpoint list", "--state-dir <DIR>", "--json", "Exit code 1"],
        ),
        (&["reset", "--help"], &["Usage: logweir checkpoint reset", "<DIR> <NAME>", "is kept"]),
    ] {
        let help = printed(&scratch, args, 0);
        for part in parts {
            assert!(help.contains(part), "{help}");
        }
    }
}
