//! The corpus: small files, each named for what it shows of RFC 8259.

use std::fs;
use std::path::PathBuf;

use logweir_event::Malformed;
use logweir_json::check;

use crate::readers::{KEYS, Readers, oracle};

/// Returns the files of a folder of the corpus, name and content.
pub(crate) fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "corpus", folder].iter().collect();
    let read = |file: Result<fs::DirEntry, _>| {
        let path = file.unwrap().path();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
    };
    fs::read_dir(folder).unwrap().map(read).collect()
}

/// Reads a text alone and between two other events, and returns what all agree on.
fn read(name: &str, text: &[u8]) -> Result<(), Malformed> {
    let mut readers = Readers::new(KEYS);
    let alone = readers.read(text, (0..text.len()).into());
    assert_eq!(alone, oracle(text, 0, KEYS), "{name}");

    let neighbour = b"{\"a\":\"\\\\\"}\n";
    let chunk = [neighbour, text, neighbour].concat();
    let between = readers.read(&chunk, (neighbour.len()..neighbour.len() + text.len()).into());
    assert_eq!(between, oracle(text, neighbour.len(), KEYS), "{name}");
    alone.0.map(|_| ())
}

#[test]
fn legal_texts_are_read() {
    let files = files("legal");
    assert!(files.len() >= 60);
    for (name, text) in files {
        let value = check(&text).unwrap_or_else(|illegal| panic!("{name}: {illegal}"));
        let is_object = text[value].starts_with(b"{");
        let expected = if is_object { Ok(()) } else { Err(Malformed::NotObject) };
        assert_eq!(read(&name, &text), expected, "{name}");
    }
}

#[test]
fn illegal_texts_are_refused_for_the_right_reason() {
    let files = files("illegal");
    assert!(files.len() >= 60);
    for (name, text) in files {
        let illegal = check(&text).expect_err(&name);
        assert!(illegal.at <= text.len(), "{name}: {illegal}");
        let reason = if name.starts_with("not_utf8") { Malformed::NotUtf8 } else { Malformed::NotJson };
        assert_eq!(read(&name, &text), Err(reason), "{name}");
    }
}

#[test]
fn a_person_is_told_where_and_what() {
    let cases: [(&[u8], &str); 8] = [
        (b"{\"a\":1,}", "expected a name in double quotes at byte 7"),
        (b"{\"a\" 1}", "expected `:` at byte 5"),
        (b"[1 2]", "expected `,` or `]` at byte 3"),
        (b"{\"a\":1", "expected `,` or `}` at byte 6"),
        (b" nul", "expected null at byte 1"),
        (b"-x", "expected a digit at byte 1"),
        (b"\"\\u12x4\"", "expected four hexadecimal digits at byte 5"),
        (b"1 \xff", "expected UTF-8 at byte 2"),
    ];
    for (text, told) in cases {
        assert_eq!(check(text).unwrap_err().to_string(), told);
    }
}
