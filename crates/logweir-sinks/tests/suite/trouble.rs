//! What passes is waited out: nothing is lost, doubled or torn.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use logweir_event::{Settled, Verdict};
use logweir_sinks::{AckLevel, FileSink, FileSinkConfig, SinkError, Tail};
use logweir_testkit::process::poll_until;
use logweir_testkit::scratch::Scratch;

use crate::books::{Books, NAMES, all_written, open, plain, undelivered};
use crate::fake_disk::{FakeDisk, Plan};
use crate::running::{DEADLINE, Running};

fn synced(path: impl Into<PathBuf>) -> FileSinkConfig {
    FileSinkConfig { ack: AckLevel::Synced, sync_every: Duration::from_millis(2), ..plain(path) }
}

fn on(disk: &FakeDisk, config: FileSinkConfig) -> Running {
    Running::start(Box::new(FileSink::open_on(Arc::new(disk.clone()), config, &NAMES).unwrap()))
}

fn wait_for_verdicts(books: &Books, n: usize) {
    poll_until("acks", DEADLINE, || (books.verdicts().len() >= n).then_some(()));
}

#[test]
fn a_full_disk_is_waited_for() {
    for config in [plain("out"), synced("out")] {
        let disk = FakeDisk::new(Plan { capacity: Some(20), ..Plan::default() });
        let books = Books::new();
        let running = on(&disk, config);
        running.give(books.payload(&["{\"event\":1}\n", "{\"event\":2}\n"]));
        assert_eq!(running.held(), "full");
        assert!(books.verdicts().is_empty());
        assert_eq!(disk.files(), [("out".into(), b"{\"event\":1}\n".to_vec())], "nothing torn stays");
        disk.make_room(None);
        running.goes_on();
        running.end().unwrap();
        assert_eq!(disk.files(), [("out".into(), b"{\"event\":1}\n{\"event\":2}\n".to_vec())]);
        assert_eq!(books.settled(), [all_written(2, 24)]);
    }
}

#[test]
fn when_the_time_is_over_the_books_are_right() {
    let cases = [
        (
            plain("out"),
            Settled { written: 1, undelivered: 1, bytes: 12, ..Settled::default() },
            "{\"event\":1}\n",
        ),
        (
            synced("out"),
            Settled { written: 1, undelivered: 1, bytes: 12, ..Settled::default() },
            "{\"event\":1}\n",
        ),
        // What is read again is taken back altogether, or its beginning would be there twice.
        (FileSinkConfig { tail: Tail::SetAside, ..synced("out") }, undelivered(2), ""),
    ];
    for (config, settled, left) in cases {
        let disk = FakeDisk::new(Plan { capacity: Some(20), ..Plan::default() });
        let books = Books::new();
        let running = on(&disk, config);
        running.give(books.payload(&["{\"event\":1}\n{\"event\"", ":2}\n"]));
        running.give(books.payload(&["{\"event\":3}\n"]));
        running.held();
        let result = running.give_up();
        assert!(
            matches!(&result, Err(SinkError::Write { source, .. }) if source.kind() == ErrorKind::StorageFull),
            "{result:?}"
        );
        assert_eq!(books.settled(), [settled, undelivered(1)]);
        assert_eq!(books.verdicts(), [Verdict::NotDelivered; 2]);
        assert_eq!(disk.files(), [("out".into(), left.as_bytes().to_vec())]);
    }
}

#[test]
fn a_full_device_is_waited_for_until_the_time_is_over() {
    let books = Books::new();
    let running = Running::start(Box::new(open(plain("/dev/full")).unwrap()));
    running.give(books.payload(&["{}\n"]));
    running.give(books.payload(&["{}\n"]));
    assert_eq!(running.held(), "full");
    let result = running.give_up();
    let Err(SinkError::Write { path, source }) = result else { panic!("{result:?}") };
    assert_eq!((path.to_str(), source.kind()), (Some("/dev/full"), ErrorKind::StorageFull));
    assert_eq!(books.settled(), [undelivered(1); 2]);
    assert_eq!(books.verdicts(), [Verdict::NotDelivered; 2]);
}

#[test]
fn a_file_that_is_moved_away_is_complete_and_another_is_begun() {
    for config in [plain("out"), synced("out")] {
        let (disk, books) = (FakeDisk::default(), Books::new());
        let is_synced = config.ack == AckLevel::Synced;
        let running = on(&disk, config);
        running.give(books.payload(&["{\"event\":1}\n"]));
        wait_for_verdicts(&books, 1);
        disk.steal("out", "out.1");
        // Where nothing is synced it is looked at once a second.
        let mut n_given = 1;
        poll_until("the file anew", DEADLINE, || {
            n_given += 1;
            running.give(books.payload(&["{\"event\":2}\n"]));
            wait_for_verdicts(&books, n_given);
            disk.files().iter().any(|(path, _)| path.to_str() == Some("out")).then_some(())
        });
        running.end().unwrap();
        let files = disk.files();
        let n_lines: usize =
            files.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).lines().count()).sum();
        assert_eq!((files.len(), n_lines), (2, n_given));
        if is_synced {
            assert_eq!(disk.durable_files(), files, "all of it is on the disk, under its name");
        }
    }
}

#[test]
fn a_file_that_somebody_empties_is_gone_on_with() {
    let (disk, books) = (FakeDisk::default(), Books::new());
    let running = on(&disk, FileSinkConfig { tail: Tail::SetAside, ..synced("out") });
    running.give(books.payload(&["{\"event\":1}\n{\"event\":2}\n"]));
    wait_for_verdicts(&books, 1);
    disk.truncate("out", 0);
    running.give(books.payload(&["{\"event\":3}\n"]));
    wait_for_verdicts(&books, 2);
    disk.fail_next_sync();
    running.give(books.payload(&["{\"event\":4}\n"]));
    let result = running.end();
    assert!(result.is_err_and(|error| error.is_recoverable()));
    assert_eq!(
        disk.files(),
        [("out".into(), b"{\"event\":3}\n".to_vec())],
        "only what was not acked is cut off"
    );
}

#[test]
fn a_file_emptied_while_its_disk_is_full_is_gone_on_with() {
    let (disk, books) = (FakeDisk::new(Plan { capacity: Some(16), ..Plan::default() }), Books::new());
    let running = on(&disk, plain("out"));
    running.give(books.payload(&["{\"event\":1}\n{\"event\":2}\n{\"event\":3}\n"]));
    running.held();
    disk.truncate("out", 0);
    disk.make_room(Some(30));
    running.end().unwrap();
    assert_eq!(disk.files(), [("out".into(), b"{\"event\":2}\n{\"event\":3}\n".to_vec())]);
}

#[test]
fn a_removed_directory_is_made_again() {
    let (scratch, books) = (Scratch::new(), Books::new());
    let running = Running::start(Box::new(open(synced(scratch.path("sub/out"))).unwrap()));
    running.give(books.payload(&["{\"event\":1}\n"]));
    wait_for_verdicts(&books, 1);
    std::fs::remove_dir_all(scratch.path("sub")).unwrap();
    let mut n_given = 1;
    poll_until("the file anew", DEADLINE, || {
        n_given += 1;
        running.give(books.payload(&["{\"event\":2}\n"]));
        wait_for_verdicts(&books, n_given);
        scratch.path("sub/out").exists().then_some(())
    });
    running.end().unwrap();
}

#[test]
fn a_directory_that_is_renamed_is_no_failing_disk_but_made_again() {
    let (scratch, books) = (Scratch::new(), Books::new());
    // The name of the file is not yet synced when its directory is renamed.
    let config = FileSinkConfig { sync_every: Duration::from_secs(3600), ..synced(scratch.path("sub/out")) };
    let running = Running::start(Box::new(open(config).unwrap()));
    running.give(books.payload(&["{\"event\":1}\n"]));
    poll_until("an event in the file", DEADLINE, || (!scratch.read("sub/out").is_empty()).then_some(()));
    std::fs::rename(scratch.path("sub"), scratch.path("moved")).unwrap();
    let mut n_given = 1;
    poll_until("the file anew", DEADLINE, || {
        n_given += 1;
        running.give(books.payload(&["{\"event\":2}\n"]));
        scratch.path("sub/out").exists().then_some(())
    });
    running.end().unwrap();
    assert_eq!(books.verdicts(), vec![Verdict::Delivered; n_given]);
    let written = [scratch.read("moved/out"), scratch.read("sub/out")].concat();
    assert_eq!(String::from_utf8(written).unwrap().lines().count(), n_given);
}

#[test]
fn what_a_removed_file_has_taken_is_not_acked_but_read_again() {
    let (disk, books) = (FakeDisk::default(), Books::new());
    // Never looked at again, and synced only at the end: what is removed is found out by the sync alone.
    let config = FileSinkConfig { sync_every: Duration::from_secs(3600), ..synced("out") };
    let running = on(&disk, config.clone());
    running.give(books.payload(&["{\"event\":1}\n"]));
    let is_written = || disk.files().iter().any(|(_, bytes)| !bytes.is_empty()).then_some(());
    poll_until("an event in the file", DEADLINE, is_written);
    disk.unlink("out");
    let result = running.end();
    assert!(result.as_ref().is_err_and(SinkError::is_recoverable), "{result:?}");
    assert_eq!(books.verdicts(), [Verdict::NotDelivered]);
    let running = on(&disk, config);
    running.give(books.payload(&["{\"event\":1}\n"]));
    running.end().unwrap();
    assert_eq!(disk.durable_files(), [("out".into(), b"{\"event\":1}\n".to_vec())]);
    assert_eq!(books.verdicts(), [Verdict::NotDelivered, Verdict::Delivered]);
}

#[test]
fn what_a_removed_real_file_has_taken_is_not_acked() {
    let (scratch, books) = (Scratch::new(), Books::new());
    let config = FileSinkConfig { sync_every: Duration::from_secs(3600), ..synced(scratch.path("out")) };
    let running = Running::start(Box::new(open(config).unwrap()));
    running.give(books.payload(&["{}\n"]));
    poll_until("an event in the file", DEADLINE, || (!scratch.read("out").is_empty()).then_some(()));
    std::fs::remove_file(scratch.path("out")).unwrap();
    let result = running.end();
    assert!(result.as_ref().is_err_and(SinkError::is_recoverable), "{result:?}");
    assert_eq!(books.verdicts(), [Verdict::NotDelivered]);
}

#[test]
fn what_stands_where_the_directory_was_holds_the_sink_up_and_nothing_is_lost() {
    let put_file: fn(&Path) = |path| std::fs::write(path, "").unwrap();
    let put_loop: fn(&Path) = |path| std::os::unix::fs::symlink(path, path).unwrap();
    for put in [put_file, put_loop] {
        let (scratch, books) = (Scratch::new(), Books::new());
        let running = Running::start(Box::new(open(synced(scratch.path("sub/out"))).unwrap()));
        running.give(books.payload(&["{\"event\":1}\n"]));
        wait_for_verdicts(&books, 1);
        std::fs::remove_dir_all(scratch.path("sub")).unwrap();
        put(&scratch.path("sub"));
        running.give(books.payload(&["{\"event\":2}\n"]));
        assert_eq!(running.held(), "open");
        assert_eq!(books.verdicts().len(), 1, "nothing is acked that no file has");
        std::fs::remove_file(scratch.path("sub")).unwrap();
        running.goes_on();
        running.end().unwrap();
        assert_eq!(scratch.read("sub/out"), b"{\"event\":2}\n");
    }
}

#[test]
fn a_path_that_cannot_be_looked_at_is_gone_on_with_only_while_the_file_has_a_name() {
    let (disk, books) = (FakeDisk::default(), Books::new());
    let running = on(&disk, synced("out"));
    running.give(books.payload(&["{\"event\":1}\n"]));
    wait_for_verdicts(&books, 1);
    disk.hide(true);
    running.give(books.payload(&["{\"event\":2}\n"]));
    wait_for_verdicts(&books, 2);
    disk.unlink("out");
    running.give(books.payload(&["{\"event\":3}\n"]));
    assert_eq!(running.held(), "open");
    assert_eq!(books.verdicts().len(), 2);
    disk.hide(false);
    running.goes_on();
    running.end().unwrap();
    assert_eq!(disk.files(), [("out".into(), b"{\"event\":3}\n".to_vec())]);
}

/// Tells the process in a namespace of its own where its full disk is.
const DISK: &str = "LOGWEIR_TEST_FULL_DISK";

/// Runs the test again in a process that has a file system of 1 MiB of its own, if the system lets us; returns
/// its directory in that process.
fn small_disk(test: &str) -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os(DISK) {
        return Some(dir.into());
    }
    let scratch = Scratch::new();
    let script = "mount -t tmpfs -o size=1m none \"$1\" || exit 99; exec \"$0\" --exact \"$2\"";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(scratch.dir())
        .arg(test)
        .env(DISK, scratch.dir())
        .output();
    match output.map(|output| (output.status, String::from_utf8_lossy(&output.stdout).into_owned())) {
        Ok((status, stdout)) if status.success() => assert!(stdout.contains("1 passed"), "{stdout}"),
        // Without the right to have namespaces there is no such disk; the disk in memory has the same faults.
        Ok((status, stdout)) => assert!(!stdout.contains("running"), "{status}: {stdout}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
    }
    None
}

#[test]
fn a_real_disk_that_is_full_is_waited_for() {
    let Some(dir) = small_disk("trouble::a_real_disk_that_is_full_is_waited_for") else { return };
    let ballast = dir.join("ballast");
    std::fs::write(&ballast, vec![b'x'; 512 << 10]).unwrap();
    let books = Books::new();
    let running = Running::start(Box::new(open(synced(dir.join("out"))).unwrap()));
    let event = |n: usize| format!("{{\"event\":{n},\"pad\":\"{}\"}}\n", "y".repeat(n % 300));
    let events: Vec<String> = (0..5000).map(event).collect();
    for payload in events.chunks(100) {
        running.give(books.payload(&[&payload.concat()]));
    }
    assert_eq!(running.held(), "full");
    let held = std::fs::read(dir.join("out")).unwrap();
    assert!(held.ends_with(b"\n") && events.concat().as_bytes().starts_with(&held));
    assert!(books.verdicts().len() < 50);
    std::fs::remove_file(&ballast).unwrap();
    running.goes_on();
    running.end().unwrap();
    assert!(std::fs::read(dir.join("out")).unwrap() == events.concat().as_bytes());
    assert_eq!(books.verdicts(), [Verdict::Delivered; 50]);
}

#[test]
fn a_named_pipe_that_nobody_reads_is_said_to_be_one() {
    use rustix::fs::{CWD, Mode, mkfifoat};

    let (scratch, books) = (Scratch::new(), Books::new());
    let path = scratch.path("named.pipe");
    mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).unwrap();
    let running = Running::start(Box::new(open(plain(path.clone())).unwrap()));
    running.give(books.payload(&["{}\n"]));
    assert_eq!(running.held(), "open");
    let reading = std::thread::spawn(|| std::fs::read(path).unwrap());
    running.goes_on();
    running.end().unwrap();
    assert_eq!(reading.join().unwrap(), b"{}\n");
}
