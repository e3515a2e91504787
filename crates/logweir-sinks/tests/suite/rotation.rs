//! Which files there are, what they are called, and that none leads out of its directory.

use std::os::unix::fs::symlink;
use std::time::Duration;

use logweir_sinks::{
    AckLevel, Compression, FileMode, FileSink, FileSinkConfig, PathTemplate, Rotation, SinkError, SinkNames,
    Tail,
};
use logweir_testkit::process::poll_until;
use logweir_testkit::scratch::Scratch;

use crate::books::{Books, NAMES, open, plain};
use crate::running::{DEADLINE, Running};

/// Returns the files below a directory by their names in it, with what is in them.
fn files(scratch: &Scratch) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut dirs = vec![scratch.dir().to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let name = path.strip_prefix(scratch.dir()).unwrap().to_str().unwrap().to_owned();
            files.push((name, String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()));
        }
    }
    files.sort();
    files
}

fn template(scratch: &Scratch, rest: &str) -> FileSinkConfig {
    let path = format!("{}/{rest}", scratch.dir().display());
    FileSinkConfig::new(PathTemplate::parse(&path).unwrap())
}

fn rotated(scratch: &Scratch, max_bytes: u64) -> FileSinkConfig {
    let rotate = Rotation { max_bytes: Some(max_bytes), every: None };
    FileSinkConfig { rotate, ..plain(scratch.path("events.ndjson")) }
}

/// Runs a sink on payloads, one of each text.
fn run(config: FileSinkConfig, payloads: &[&str]) {
    let running = Running::start(Box::new(open(config).unwrap()));
    let books = Books::new();
    for payload in payloads {
        running.give(books.payload(&[payload]));
    }
    running.end().unwrap();
    assert_eq!(books.settled().len(), payloads.len());
}

#[test]
fn files_end_before_they_exceed_their_size_and_events_are_never_split() {
    let scratch = Scratch::new();
    // 4 and 4 fit, 8 more do not but fit into a file of their own; 16 fit into none and are parted between events; the
    // event of 13 fits nowhere and has a file for itself.
    let payloads = ["111\n", "222\n", "333\n444\n", "a\nb\nc\nd\ne\nf\ng\nh\n", "too long for 10\n", "5\n"];
    run(rotated(&scratch, 10), &payloads);
    let expected = [
        ("events.1.ndjson", "333\n444\na\n"),
        ("events.2.ndjson", "b\nc\nd\ne\nf\n"),
        ("events.3.ndjson", "g\nh\n"),
        ("events.4.ndjson", "too long for 10\n"),
        ("events.5.ndjson", "5\n"),
        ("events.ndjson", "111\n222\n"),
    ];
    assert_eq!(files(&scratch), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    // The next run overwrites nothing.
    run(rotated(&scratch, 10), &["6\n"]);
    assert_eq!(files(&scratch)[5], ("events.6.ndjson".to_owned(), "6\n".to_owned()));
}

#[test]
fn a_file_that_is_not_complete_is_called_so() {
    let scratch = Scratch::new();
    let config = rotated(&scratch, 10);
    let sink = open(config).unwrap();
    let running = Running::start(Box::new(sink));
    let books = Books::new();
    running.give(books.payload(&["111\n"]));
    poll_until("an ack", DEADLINE, || (!books.verdicts().is_empty()).then_some(()));
    assert_eq!(files(&scratch), [("events.ndjson.part".to_owned(), "111\n".to_owned())]);
    running.end().unwrap();
    assert_eq!(files(&scratch), [("events.ndjson".to_owned(), "111\n".to_owned())]);
}

#[test]
fn where_nothing_is_written_there_is_no_file() {
    let scratch = Scratch::new();
    run(rotated(&scratch, 10), &[]);
    assert_eq!(files(&scratch), []);
}

#[test]
fn a_file_is_complete_when_it_is_old_enough_though_nothing_comes() {
    for (ack, compression) in
        [(AckLevel::Written, Compression::None), (AckLevel::Synced, Compression::Gzip { level: 1 })]
    {
        let scratch = Scratch::new();
        let rotate = Rotation { max_bytes: None, every: Some(Duration::from_millis(20)) };
        let config = FileSinkConfig {
            rotate,
            ack,
            compression,
            sync_every: Duration::from_millis(1),
            ..plain(scratch.path("it"))
        };
        let running = Running::start(Box::new(open(config).unwrap()));
        running.give(Books::new().payload(&["{}\n"]));
        poll_until("the file to be complete", DEADLINE, || scratch.path("it").exists().then_some(()));
        running.give(Books::new().payload(&["{}\n"]));
        poll_until("the next to be complete", DEADLINE, || scratch.path("it.1").exists().then_some(()));
        running.end().unwrap();
        assert_eq!(files(&scratch).len(), 2);
    }
}

#[test]
fn the_time_in_a_path_begins_another_file() {
    let scratch = Scratch::new();
    let config = template(&scratch, "{DATE}/{DATE:%H%M%S}/{pipeline}.ndjson");
    let running = Running::start(Box::new(open(config).unwrap()));
    let books = Books::new();
    let mut n_given = 0;
    poll_until("three seconds", DEADLINE, || {
        running.give(books.payload(&["{}\n"]));
        n_given += 1;
        (files(&scratch).len() > 2).then_some(())
    });
    running.end().unwrap();
    let files = files(&scratch);
    assert!(files.iter().all(|(name, _)| name.ends_with("/tests.ndjson") && name.len() == 28), "{files:?}");
    assert_eq!(files.iter().map(|(_, text)| text.lines().count()).sum::<usize>(), n_given);
}

#[test]
fn compressed_files_keep_to_their_size_too() {
    let scratch = Scratch::new();
    let event = |n: usize| {
        let noise: String =
            (0..60).map(|i| char::from(b'a' + ((n * 7919 + i * i * 31 + n * i) % 26) as u8)).collect();
        format!("{{\"n\":{n},\"noise\":\"{noise}\"}}\n")
    };
    let compression = Compression::Gzip { level: 9 };
    let rotate = Rotation { max_bytes: Some(400), every: None };
    let config = FileSinkConfig { compression, rotate, ..plain(scratch.path("it.ndjson.gz")) };
    let payloads: Vec<String> = (0..100).map(event).collect();
    run(config, &payloads.iter().map(String::as_str).collect::<Vec<_>>());
    let sizes: Vec<u64> = std::fs::read_dir(scratch.dir())
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .collect();
    assert!(sizes.len() > 3 && sizes.iter().all(|&n_bytes| n_bytes <= 400), "{sizes:?}");
    assert!(crate::rigs::read_files(scratch.dir()) == payloads.concat().as_bytes());
}

/// Returns why a configuration is refused.
fn refusal(config: FileSinkConfig, names: &SinkNames<'_>) -> String {
    match FileSink::open(config, names) {
        Err(SinkError::Refused { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let scratch = Scratch::new();
    let overwrite = FileMode::Overwrite;
    let by_output = template(&scratch, "{output}.ndjson");
    let by_pipeline = template(&scratch, "{pipeline}/out.ndjson");
    let odd = |pipeline| SinkNames { pipeline, output: None };
    let cases = [
        (by_output, NAMES, "has no name"),
        (FileSinkConfig { mode: overwrite, ..template(&scratch, "{DATE}") }, NAMES, "can be overwritten"),
        (FileSinkConfig { mode: overwrite, ..by_pipeline.clone() }, NAMES, "can be overwritten"),
        (FileSinkConfig { mode: overwrite, ..rotated(&scratch, 10) }, NAMES, "can be overwritten"),
        (by_pipeline.clone(), odd(".."), "leads out"),
        (by_pipeline.clone(), odd("a/../.."), "leads out"),
        (by_pipeline, odd("/etc"), "leads out"),
        (FileSinkConfig { compression: Compression::Gzip { level: 10 }, ..plain("x") }, NAMES, "1 to 9"),
        (FileSinkConfig { compression: Compression::Zstd { level: 0 }, ..plain("x") }, NAMES, "1 to 19"),
        (
            FileSinkConfig { compression: Compression::Zstd { level: 1 }, ..plain("/dev/null") },
            NAMES,
            "as it is",
        ),
    ];
    for (config, names, reason) in cases {
        let path = config.path.to_string();
        let refused = refusal(config, &names);
        assert!(refused.contains(reason), "{path}: {refused}");
    }
    assert_eq!(files(&scratch), []);
}

#[test]
fn behind_the_first_token_no_link_is_followed() {
    let (scratch, outside) = (Scratch::new(), Scratch::new());
    // Into the base directory a link may lead.
    std::fs::create_dir(scratch.path("real")).unwrap();
    symlink(scratch.path("real"), scratch.path("base")).unwrap();
    let config = || template(&scratch, "base/{pipeline}/{output}.ndjson");
    let names = SinkNames { pipeline: "web", output: Some("all") };
    drop(FileSink::open(config(), &names).unwrap());
    assert_eq!(files(&scratch), [("real/web/all.ndjson".to_owned(), String::new())]);

    for link in ["real/web", "real/web/all.ndjson"] {
        let path = scratch.path(link);
        if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) }.unwrap();
        symlink(outside.path("x"), &path).unwrap();
        std::fs::create_dir_all(outside.path("x")).unwrap();
        assert!(matches!(FileSink::open(config(), &names), Err(SinkError::Open { .. })), "{link}");
        std::fs::remove_file(&path).unwrap();
        drop(FileSink::open(config(), &names).unwrap());
    }
    assert_eq!(files(&outside), []);
}

#[test]
fn a_link_put_in_the_way_later_is_not_followed_either() {
    let (scratch, outside) = (Scratch::new(), Scratch::new());
    let books = Books::new();
    let running = Running::start(Box::new(open(template(&scratch, "{DATE}/{pipeline}.ndjson")).unwrap()));
    let dir = std::fs::read_dir(scratch.dir()).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_dir(&dir).unwrap();
    symlink(outside.dir(), &dir).unwrap();
    running.give(books.payload(&["{}\n"]));
    assert_eq!(running.held(), "open");
    std::fs::remove_file(&dir).unwrap();
    running.goes_on();
    running.end().unwrap();
    assert_eq!((files(&outside).len(), files(&scratch).len()), (0, 1));
}

#[test]
fn a_link_put_where_a_part_file_is_to_be_is_not_followed() {
    let (scratch, books) = (Scratch::new(), Books::new());
    let victim = scratch.write("victim", "{}\nnot ours");
    symlink(&victim, scratch.path("events.ndjson.part")).unwrap();
    let running = Running::start(Box::new(open(rotated(&scratch, 10)).unwrap()));
    running.give(books.payload(&["{}\n"]));
    assert_eq!(running.held(), "open");
    assert_eq!(scratch.read("victim"), b"{}\nnot ours");
    std::fs::remove_file(scratch.path("events.ndjson.part")).unwrap();
    // A name that a link has already is not the next one that is free.
    symlink(&victim, scratch.path("events.ndjson")).unwrap();
    running.goes_on();
    running.end().unwrap();
    assert_eq!(scratch.read("victim"), b"{}\nnot ours");
    assert_eq!(scratch.read("events.1.ndjson"), b"{}\n");
}

#[test]
fn rotated_files_of_a_path_without_a_directory_are_in_the_working_directory() {
    for path in ["rotated-here.ndjson", "./rotated-there.ndjson"] {
        let rotate = Rotation { max_bytes: Some(10), every: None };
        run(FileSinkConfig { rotate, ..plain(path) }, &["{}\n"]);
        let written = std::fs::read(path);
        std::fs::remove_file(path).unwrap();
        assert_eq!(written.unwrap(), b"{}\n");
    }
}

#[test]
fn a_link_put_where_a_torn_event_is_to_go_is_not_followed_but_the_configured_one_is() {
    let scratch = Scratch::new();
    let (real, victim) = (scratch.write("real", "{}\n{\"torn"), scratch.write("victim", "not ours"));
    symlink(&real, scratch.path("out")).unwrap();
    symlink(&victim, scratch.path("out.torn")).unwrap();
    let config = FileSinkConfig { tail: Tail::SetAside, ..plain(scratch.path("out")) };
    let running = Running::start(Box::new(open(config).unwrap()));
    running.give(Books::new().payload(&["{}\n"]));
    assert_eq!(running.held(), "open");
    assert_eq!((scratch.read("victim"), scratch.read("real")), (b"not ours".into(), b"{}\n{\"torn".into()));
    std::fs::remove_file(scratch.path("out.torn")).unwrap();
    running.goes_on();
    running.end().unwrap();
    assert_eq!((scratch.read("out.torn"), scratch.read("real")), (b"{\"torn".into(), b"{}\n{}\n".into()));
}
