//! What a run that was stopped has left is mended by the next, and nothing is destroyed.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};

use logweir_sinks::{AckLevel, Compression, FileSinkConfig, PathTemplate, Rotation, SinkError, Tail};
use logweir_testkit::compress::{gzip, zstandard};
use logweir_testkit::scratch::Scratch;
use proptest::prelude::*;

use crate::books::{Books, open, plain};
use crate::running::Running;

const GZIP: Compression = Compression::Gzip { level: 6 };
const ZSTD: Compression = Compression::Zstd { level: 3 };

/// Runs a sink on one payload.
fn run(config: FileSinkConfig, payload: &str) -> Result<(), SinkError> {
    let running = Running::start(Box::new(open(config).unwrap()));
    running.give(Books::new().payload(&[payload]));
    running.end()
}

fn set_aside(config: FileSinkConfig) -> FileSinkConfig {
    FileSinkConfig { tail: Tail::SetAside, ack: AckLevel::Synced, ..config }
}

/// Returns what is in a file, decompressed.
fn content(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    match compression {
        Compression::None => text.extend_from_slice(bytes),
        Compression::Gzip { .. } => {
            flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut text).unwrap();
        }
        Compression::Zstd { .. } => text = zstd::decode_all(bytes).unwrap(),
    }
    text
}

fn member(compression: Compression, text: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => text.to_vec(),
        Compression::Gzip { .. } => gzip(text),
        // As the sink makes them: with a checksum, without which a byte that has become zero would go unseen.
        Compression::Zstd { level } => {
            let mut encoder = zstd::Encoder::new(Vec::new(), level).unwrap();
            encoder.include_checksum(true).unwrap();
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
    }
}

#[test]
fn a_torn_event_is_set_aside_each_time() {
    let scratch = Scratch::new();
    let path = scratch.write("out", "{\"old\":1}\n{\"torn");
    run(set_aside(plain(path.clone())), "{\"new\":1}\n").unwrap();
    assert_eq!(scratch.read("out"), b"{\"old\":1}\n{\"new\":1}\n");
    assert_eq!(scratch.read("out.torn"), b"{\"torn");
    OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"again").unwrap();
    run(set_aside(plain(path)), "{\"new\":2}\n").unwrap();
    assert_eq!(scratch.read("out"), b"{\"old\":1}\n{\"new\":1}\n{\"new\":2}\n");
    assert_eq!(scratch.read("out.torn"), b"{\"torn{\"again");
}

#[test]
fn a_torn_event_longer_than_what_is_looked_at_at_once_is_set_aside_whole() {
    let scratch = Scratch::new();
    let torn = "x".repeat(300_000);
    let path = scratch.write("out", format!("{{}}\n{torn}"));
    run(set_aside(plain(path)), "{}\n").unwrap();
    assert_eq!(scratch.read("out"), b"{}\n{}\n");
    assert!(scratch.read("out.torn") == torn.as_bytes());
    let path = scratch.write("all", &torn);
    run(set_aside(plain(path)), "{}\n").unwrap();
    assert_eq!((scratch.read("all"), scratch.read("all.torn").len()), (b"{}\n".to_vec(), 300_000));
}

#[test]
fn what_is_compressed_in_another_way_is_refused_and_left_alone() {
    for (compression, before) in [(GZIP, b"{}\n".to_vec()), (ZSTD, gzip(b"{}\n")), (GZIP, zstandard(b"{}\n"))]
    {
        let scratch = Scratch::new();
        let path = scratch.write("out", &before);
        let config = FileSinkConfig { compression, ..plain(path) };
        let result = run(config, "{}\n");
        assert!(matches!(result, Err(SinkError::Refused { .. })), "{result:?}");
        assert_eq!(scratch.read("out"), before);
        assert!(!scratch.path("out.torn").exists());
    }
}

#[test]
fn files_that_an_earlier_run_has_not_completed_are_completed() {
    let scratch = Scratch::new();
    let template = format!("{}/{{DATE:%Y}}/{{DATE:%m%d}}.ndjson", scratch.dir().display());
    let config = set_aside(FileSinkConfig::new(PathTemplate::parse(&template).unwrap()));
    scratch.write("2020/0101.ndjson.part", "{\"n\":1}\n{\"n\":2");
    scratch.write("2020/0102.ndjson", "{\"n\":3}\n");
    scratch.write("2020/0102.ndjson.part", "{\"n\":4}\n");
    scratch.write("2020/0103.ndjson.part", "");
    let foreign = ["2020/other.ndjson.part", "2020/sub/0101.ndjson.part", "2020/0101.ndjson.bak.part"];
    for name in foreign {
        scratch.write(name, "{\"torn");
    }
    // Somebody still writes this one.
    let busy = scratch.write("2020/0104.ndjson.part", "{\"busy");
    let lock = std::fs::File::open(&busy).unwrap();
    lock.lock().unwrap();
    run(config, "{\"new\":1}\n").unwrap();
    assert_eq!(scratch.read("2020/0101.ndjson"), b"{\"n\":1}\n");
    assert_eq!(scratch.read("2020/0101.ndjson.torn"), b"{\"n\":2");
    assert_eq!(scratch.read("2020/0102.ndjson"), b"{\"n\":3}\n");
    assert_eq!(scratch.read("2020/0102.1.ndjson"), b"{\"n\":4}\n");
    assert_eq!(scratch.read("2020/0104.ndjson.part"), b"{\"busy");
    for name in foreign {
        assert_eq!(scratch.read(name), b"{\"torn", "{name}");
    }
    assert!(
        !scratch.path("2020/0101.ndjson.part").exists() && !scratch.path("2020/0102.ndjson.part").exists()
    );
}

#[test]
fn a_rotated_file_that_was_not_completed_is_completed_first() {
    let scratch = Scratch::new();
    scratch.write("out.ndjson.part", "{\"n\":1}\n{\"n\":2");
    let rotate = Rotation { max_bytes: Some(1000), every: None };
    let config = FileSinkConfig { rotate, ..set_aside(plain(scratch.path("out.ndjson"))) };
    run(config, "{\"n\":2}\n").unwrap();
    assert_eq!(scratch.read("out.ndjson"), b"{\"n\":1}\n");
    assert_eq!(scratch.read("out.1.ndjson"), b"{\"n\":2}\n");
    assert_eq!(scratch.read("out.ndjson.torn"), b"{\"n\":2");
}

#[test]
fn large_members_are_found_to_their_end() {
    // What comes out of these is far more than is looked at at once, and an end falls just there.
    for n_bytes in [(128 << 10) - 1, 128 << 10, 256 << 10, 5_000_000] {
        for compression in [GZIP, ZSTD] {
            let scratch = Scratch::new();
            let mut text = vec![b'x'; n_bytes];
            text[n_bytes - 1] = b'\n';
            let whole = [member(compression, &text), member(compression, b"{}\n")].concat();
            let path = scratch.write("out", [&whole[..], &member(compression, &text)[..10]].concat());
            run(set_aside(FileSinkConfig { compression, ..plain(path) }), "{\"new\":1}\n").unwrap();
            let expected = [&text[..], b"{}\n{\"new\":1}\n"].concat();
            assert!(content(compression, &scratch.read("out")) == expected, "{compression:?}, {n_bytes}");
            assert_eq!(scratch.read("out.torn").len(), 10);
        }
    }
}

fn compressions() -> impl Strategy<Value = Compression> {
    prop_oneof![Just(Compression::None), Just(GZIP), Just(ZSTD)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wherever_a_file_was_torn_its_good_part_stays(
        compression in compressions(),
        lengths in proptest::collection::vec(1..400usize, 1..6),
        noise in proptest::collection::vec(0..=255u8, 400),
        cut in any::<proptest::sample::Index>(),
        zeros in 0..50usize,
    ) {
        let text = |(i, &n): (usize, &usize)| {
            let noise: String = noise[..n].iter().map(|byte| char::from(b'!' + byte % 90)).collect();
            format!("{i}{noise}\n").into_bytes()
        };
        let texts: Vec<Vec<u8>> = lengths.iter().enumerate().map(text).collect();
        let members: Vec<Vec<u8>> = texts.iter().map(|text| member(compression, text)).collect();
        let bytes = members.concat();
        let cut = cut.index(bytes.len());
        let mut left = bytes[..cut].to_vec();
        // A disk may have the length without the bytes.
        left.extend(vec![0; zeros]);
        let (mut n_whole, mut end) = (0, 0);
        // The zeros may happen to be what was cut off.
        while n_whole < members.len() && left[end..].starts_with(&members[n_whole]) {
            end += members[n_whole].len();
            n_whole += 1;
        }
        // What is too short to tell is taken for torn.
        prop_assume!(compression == Compression::None || cut >= 4 || zeros == 0);
        let scratch = Scratch::new();
        let path = scratch.write("out", &left);
        run(set_aside(FileSinkConfig { compression, ..plain(path) }), "{\"new\":1}\n").unwrap();
        let mut expected = texts[..n_whole].concat();
        expected.extend(b"{\"new\":1}\n");
        prop_assert_eq!(content(compression, &scratch.read("out")), expected);
        let torn = if scratch.path("out.torn").exists() { scratch.read("out.torn") } else { Vec::new() };
        prop_assert_eq!(torn, &left[end..]);
    }
}
