//! Which files are read, and what becomes of those that cannot be.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::rig::{Ran, Rig, start, start_beside};
use flate2::Compression;
use flate2::write::GzEncoder;
use logweir_event::FileId;
use logweir_sources::{FileSource, FileSourceConfig, SourceError};
use logweir_testkit::compress::{gzip, zstandard};
use logweir_testkit::samples::EVENTS;
use logweir_testkit::scratch::Scratch;

const CHUNK_BYTES: usize = 1 << 14;

fn read(scratch: &Scratch, include: &[&str], exclude: &[&str]) -> Rig {
    let within =
        |names: &[&str]| names.iter().map(|name| scratch.path(name).to_str().unwrap().to_owned()).collect();
    let config = FileSourceConfig { include: within(include), exclude: within(exclude) };
    start(FileSource::new(&config).unwrap(), CHUNK_BYTES, 1 << 20)
}

/// Checks that one file failed with an error that contains all of `what`, and returns what was read.
fn check_failed(ran: Ran, what: &[&str]) -> Vec<u8> {
    assert_eq!(ran.reported.len(), 1, "{:?}", ran.reported);
    for text in what {
        assert!(ran.reported[0].contains(text), "{:?} lacks {text:?}", ran.reported[0]);
    }
    assert!(matches!(ran.result, Err(SourceError::SomeFailed { n: 1 })));
    ran.bytes
}

fn whole_lines(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1)]
}

#[test]
fn files_are_read_once_in_the_byte_order_of_their_paths() {
    let scratch = Scratch::new();
    for name in ["b.ndjson", "a.ndjson", "a/z.ndjson", "a-b.ndjson", "skip.ndjson", "other.txt"] {
        scratch.write(name, format!("{name}\n"));
    }
    std::os::unix::fs::symlink(scratch.path("b.ndjson"), scratch.path("c.ndjson")).unwrap();
    let ran = read(&scratch, &["*.ndjson", "b.*", "*/z.ndjson", "a.ndjson"], &["skip*"]).finish();
    assert_eq!(String::from_utf8(ran.bytes).unwrap(), "a-b.ndjson\na.ndjson\na/z.ndjson\nb.ndjson\n");
    assert!(ran.result.is_ok() && ran.reported.is_empty());
}

#[test]
fn what_the_process_writes_is_not_read_under_any_name() {
    let scratch = Scratch::new();
    scratch.write("in.ndjson", "{}\n");
    scratch.write("out.ndjson", "{}\n");
    std::fs::hard_link(scratch.path("out.ndjson"), scratch.path("other.ndjson")).unwrap();
    std::os::unix::fs::symlink("out.ndjson", scratch.path("link.ndjson")).unwrap();
    let own = FileId::from(&std::fs::metadata(scratch.path("out.ndjson")).unwrap());
    let include = vec![scratch.path("*.ndjson").to_str().unwrap().to_owned()];
    let source = FileSource::new(&FileSourceConfig { include, exclude: Vec::new() }).unwrap();
    let ran = start_beside([own].into(), source, CHUNK_BYTES, 1 << 20).finish();
    assert_eq!(ran.bytes, b"{}\n");
    assert_eq!(ran.reported.len(), 3, "{:?}", ran.reported);
    assert!(
        ran.reported.iter().all(|error| error.contains("written to by this process")),
        "{:?}",
        ran.reported
    );
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_read() {
    let scratch = Scratch::new();
    scratch.write("good.ndjson", "{}\n");
    let _socket = std::os::unix::net::UnixListener::bind(scratch.path("socket")).unwrap();
    std::fs::create_dir(scratch.path("directory")).unwrap();
    let cases = [
        ("absent.ndjson", "cannot open"),
        ("absent*", "no file matches"),
        ("directory", "is a directory"),
        ("socket", "is a socket"),
    ];
    for (name, what) in cases {
        let bytes = check_failed(read(&scratch, &[name, "good.ndjson"], &[]).finish(), &[name, what]);
        assert_eq!(bytes, b"{}\n");
    }
}

#[test]
fn a_forbidden_file_is_named() {
    let scratch = Scratch::new();
    let path = scratch.write("secret.ndjson", "{}\n");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(&path).is_ok() {
        return; // Who is root may read everything.
    }
    check_failed(read(&scratch, &["secret.ndjson"], &[]).finish(), &["secret.ndjson", "denied"]);
}

#[test]
fn a_pattern_that_is_none_is_refused_before_anything_is_read() {
    let config = FileSourceConfig { include: vec!["logs/***".to_owned()], exclude: Vec::new() };
    assert!(
        matches!(FileSource::new(&config), Err(SourceError::Pattern { pattern, .. }) if pattern == "logs/***")
    );
}

#[test]
fn a_name_that_looks_like_a_glob_is_a_name() {
    let scratch = Scratch::new();
    scratch.write("a[1].ndjson", "{}\n");
    assert_eq!(read(&scratch, &["a[1].ndjson"], &[]).finish().bytes, b"{}\n");
}

#[test]
fn compression_is_recognised_by_content() {
    let half = whole_lines(&EVENTS[..EVENTS.len() / 2]).len();
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"abc"].concat();
    let cases = [
        ("gzip, one member", gzip(EVENTS)),
        ("gzip, two members", [gzip(&EVENTS[..half]), gzip(&EVENTS[half..])].concat()),
        ("gzip, an empty member", [gzip(b""), gzip(EVENTS)].concat()),
        ("gzip, padded with zeros", [gzip(EVENTS), vec![0; 512]].concat()),
        ("Zstandard, one frame", zstandard(EVENTS)),
        ("Zstandard, two frames", [zstandard(&EVENTS[..half]), zstandard(&EVENTS[half..])].concat()),
        ("Zstandard, skippable frames", [skippable.clone(), zstandard(EVENTS), skippable].concat()),
        ("not compressed", EVENTS.to_vec()),
    ];
    for (name, bytes) in cases {
        let scratch = Scratch::new();
        scratch.write("events.ndjson.bak", bytes);
        let ran = read(&scratch, &["*"], &[]).finish();
        assert!(ran.result.is_ok() && ran.bytes == EVENTS, "{name}: {:?}", ran.reported);
    }
}

#[test]
fn short_files_are_what_they_are() {
    for bytes in [&b""[..], b"{", b"\x1f", b"P", b"P*M", b"(\xb5/", b"\xef\xbb", b"\n"] {
        let scratch = Scratch::new();
        scratch.write("short", bytes);
        let ran = read(&scratch, &["short"], &[]).finish();
        assert!(ran.result.is_ok() && ran.bytes == bytes, "{bytes:?}");
    }
}

#[test]
fn truncated_compressed_files_give_all_before_their_end() {
    for compressed in [gzip(EVENTS), zstandard(EVENTS)] {
        for cut in [5, compressed.len() / 3, compressed.len() - 9, compressed.len() - 1] {
            let scratch = Scratch::new();
            scratch.write("1.cut", &compressed[..cut]);
            scratch.write("2.good", "{}\n");
            let bytes = check_failed(
                read(&scratch, &["*"], &[]).finish(),
                &["1.cut", "cannot decompress", "in the middle"],
            );
            let before = bytes.strip_suffix(b"{}\n").expect("the next file is read");
            assert!(EVENTS.starts_with(before), "cut at {cut}");
            // Deflate and Zstandard hold back little: a block of the latter is at most 128 KiB.
            let n_least = (EVENTS.len() * cut / compressed.len()).saturating_sub(300 << 10);
            assert!(before.len() >= n_least, "{} of {n_least} bytes", before.len());
        }
    }
}

#[test]
fn damage_in_the_second_part_loses_nothing_of_the_first() {
    for (name, mut bytes) in [("gzip", gzip(EVENTS)), ("Zstandard", zstandard(EVENTS))] {
        // A part that begins as it should, and goes on with what no decoder takes.
        let n_head = if name == "gzip" { 10 } else { 6 };
        let second = bytes[..n_head].to_vec();
        bytes.extend(second);
        bytes.extend([0xff; 64]);
        let scratch = Scratch::new();
        scratch.write("damaged", bytes);
        let read = check_failed(read(&scratch, &["damaged"], &[]).finish(), &["cannot decompress", "byte"]);
        assert!(read.starts_with(EVENTS), "{name}: {} of {} bytes", read.len(), EVENTS.len());
    }
}

#[test]
fn damage_within_a_step_loses_nothing_decoded_before_it() {
    let content = [b"{}\n".repeat(1000), b"{\"unfinished".to_vec()].concat();
    // Flushed, so that a block ends where the damage begins.
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(&content).unwrap();
    gzip.flush().unwrap();
    let mut zstandard = zstd::Encoder::new(Vec::new(), 3).unwrap();
    zstandard.write_all(&content).unwrap();
    zstandard.flush().unwrap();
    for (name, begun) in [("gzip", gzip.get_ref()), ("Zstandard", zstandard.get_ref())] {
        let scratch = Scratch::new();
        scratch.write("damaged", [begun.as_slice(), &[0xff; 64]].concat());
        let what = ["cannot decompress", "beyond byte 3012 "];
        let read = check_failed(read(&scratch, &["damaged"], &[]).finish(), &what);
        assert!(read == content, "{name}");
    }
}

#[test]
fn a_window_beyond_the_limit_is_refused() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.window_log(28).unwrap();
    encoder.include_contentsize(false).unwrap();
    encoder.write_all(EVENTS).unwrap();
    let scratch = Scratch::new();
    scratch.write("wide.zst", encoder.finish().unwrap());
    let bytes = check_failed(read(&scratch, &["wide.zst"], &[]).finish(), &["wide.zst", "2^27"]);
    assert!(bytes.is_empty());
}

#[test]
fn a_file_that_shrinks_while_it_is_read_is_named() {
    let scratch = Scratch::new();
    let path = scratch.write("1.shrinks", b"{\"a\":1}\n".repeat(100_000));
    scratch.write("2.good", "{\"last\":1}\n");
    let mut rig = read(&scratch, &["1.shrinks", "2.good"], &[]);
    // The channels hold less than the file, so it is still being read.
    let first = rig.chunk().expect("a chunk").ack;
    std::fs::File::options().write(true).open(&path).unwrap().set_len(10).unwrap();
    first.deliver();
    let bytes = check_failed(rig.finish(), &["1.shrinks", "800000 bytes when it was opened"]);
    assert!(bytes.ends_with(b"{\"last\":1}\n"));
}

#[test]
fn devices_are_read_like_pipes() {
    let config = FileSourceConfig { include: vec!["/dev/null".to_owned()], exclude: Vec::new() };
    let ran = start(FileSource::new(&config).unwrap(), CHUNK_BYTES, 1 << 20).finish();
    assert!(ran.result.is_ok() && ran.bytes.is_empty());
    assert!(Path::new("/dev/null").exists());
}
