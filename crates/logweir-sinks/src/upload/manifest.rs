//! The entry of a batch as text.
//!
//! Two lines of JSON, for people and `grep` to read: what the batch is, which begins with the format and its version; and
//! the XXH3-64 of that line. In every version the first line begins like this and the last one holds the checksum, so
//! that what is damaged, foreign or of a later version can be told apart for ever.

use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::error::SpoolError;
use crate::file::Compression;

/// The name of the format.
const FORMAT: &str = "logweir spooled batch";
/// What every entry begins with, in any version.
const BEGINNING: &str = r#"{"format":"logweir spooled batch","version":"#;
/// The latest version, the one that is written.
const VERSION: u64 = 1;

/// Whose spool it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) pipeline: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) output: Option<String>,
}

/// What a batch is: all that it takes to upload it, and to go on behind it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    /// What it is called at the destination.
    pub(super) key: String,
    /// The form that its events have: that of the envelope they are in.
    pub(super) form: String,
    pub(super) compression: Compression,
    /// The size of its file.
    pub(super) n_bytes: u64,
    /// The XXH3-128 of its file.
    pub(super) hash: u128,
    /// The size of what is compressed in it.
    pub(super) n_raw_bytes: u64,
    pub(super) n_events: u64,
    /// When its first event happened, or was read if it does not say, in milliseconds since 1970.
    pub(super) first_ms: i64,
    /// The same of its last event.
    pub(super) last_ms: i64,
    /// From where the source is to read once it and all before it is safe; `None` if nothing can be read again.
    pub(super) covering: Option<Vec<u8>>,
}

/// Why a text is no entry of a spool.
pub(super) enum Unreadable {
    Damaged(String),
    Foreign(String),
    Newer { version: u64 },
}

impl Unreadable {
    /// Returns the error of an entry that was to be read from `path`.
    pub(super) fn at(self, path: &Path) -> SpoolError {
        let path = path.to_owned();
        match self {
            Self::Damaged(what) => SpoolError::Damaged { path, what },
            Self::Foreign(what) => SpoolError::Foreign { path, what },
            Self::Newer { version } => SpoolError::Newer { path, version, known: VERSION },
        }
    }
}

/// The keys of the first line that every version has.
#[derive(Deserialize)]
struct AnyHeader {
    version: u64,
}

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchLine {
    format: String,
    version: u64,
    /// The version of the program that wrote it, for people.
    program: String,
    pipeline: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    output: Option<String>,
    key: String,
    form: String,
    compression: CompressionText,
    bytes: u64,
    xxh3_128: String,
    raw_bytes: u64,
    events: u64,
    first_ms: i64,
    last_ms: i64,
    /// As hex digits; left out where nothing can be read again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    covering: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum CompressionText {
    None,
    Gzip { level: u32 },
    Zstd { level: i32 },
}

/// The last line.
#[derive(Serialize, Deserialize)]
struct Trailer {
    xxh3: String,
}

/// Returns the text of an entry in the spool of `owner`, in the latest version.
pub(super) fn encode(owner: &Owner, entry: &Entry) -> Vec<u8> {
    let mut bytes = Vec::new();
    let line = BatchLine {
        format: FORMAT.to_owned(),
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        pipeline: owner.pipeline.clone(),
        output: owner.output.clone(),
        key: entry.key.clone(),
        form: entry.form.clone(),
        compression: entry.compression.into(),
        bytes: entry.n_bytes,
        xxh3_128: format!("{:032x}", entry.hash),
        raw_bytes: entry.n_raw_bytes,
        events: entry.n_events,
        first_ms: entry.first_ms,
        last_ms: entry.last_ms,
        covering: entry.covering.as_deref().map(bytes_to_hex),
    };
    push_line(&mut bytes, &line);
    let trailer = trailer_of(&bytes);
    bytes.extend(trailer);
    bytes
}

/// Returns the entry that a text holds, if it is a whole one of anybody's spool, and whose.
pub(super) fn decode(bytes: &[u8]) -> Result<(Owner, Entry), Unreadable> {
    if !bytes.starts_with(BEGINNING.as_bytes()) {
        if BEGINNING.as_bytes().starts_with(bytes) {
            return Err(cut_short());
        }
        return Err(Unreadable::Foreign("it does not begin like an entry".to_owned()));
    }
    let (line, trailer) = split_trailer(bytes)?;
    let AnyHeader { version } = serde_json::from_slice(line).map_err(not_understood)?;
    match version {
        1 => {}
        0 => return Err(Unreadable::Damaged("there is no version 0 of the format".to_owned())),
        _ => return Err(Unreadable::Newer { version }),
    }
    // The checksum does not cover its own line, so that has to be the very one that would be written.
    if trailer != trailer_of(line) {
        return Err(Unreadable::Damaged("its last line is not that of an entry".to_owned()));
    }
    let line: BatchLine = serde_json::from_slice(line).map_err(not_understood)?;
    read(line).ok_or_else(|| Unreadable::Damaged("its hex digits are none".to_owned()))
}

fn read(line: BatchLine) -> Option<(Owner, Entry)> {
    let covering = match line.covering {
        None => None,
        Some(hex) => Some(hex_to_bytes(&hex)?),
    };
    let entry = Entry {
        key: line.key,
        form: line.form,
        compression: line.compression.into(),
        n_bytes: line.bytes,
        hash: u128::from_str_radix(&line.xxh3_128, 16).ok()?,
        n_raw_bytes: line.raw_bytes,
        n_events: line.events,
        first_ms: line.first_ms,
        last_ms: line.last_ms,
        covering,
    };
    Some((Owner { pipeline: line.pipeline, output: line.output }, entry))
}

/// Returns the first line, and the last one, whose checksum fits.
fn split_trailer(bytes: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let lines = bytes.strip_suffix(b"\n").ok_or_else(cut_short)?;
    let start = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let (line, trailer) = bytes.split_at(start);
    let Trailer { xxh3 } = serde_json::from_slice(trailer).map_err(|_| cut_short())?;
    let actual = hash_text(line);
    if xxh3 != actual {
        let what = format!("its checksum is {actual} where {xxh3} stands, so that some of it was changed");
        return Err(Unreadable::Damaged(what));
    }
    Ok((line, trailer))
}

/// Returns the last line of a text, given all before it.
fn trailer_of(line: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_line(&mut bytes, &Trailer { xxh3: hash_text(line) });
    bytes
}

fn push_line(bytes: &mut Vec<u8>, line: &impl Serialize) {
    serde_json::to_writer(&mut *bytes, line).expect("numbers and strings can be written as JSON");
    bytes.push(b'\n');
}

fn cut_short() -> Unreadable {
    Unreadable::Damaged("the line with the checksum is not at its end, so that it was cut short".to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` gives it")]
fn not_understood(error: serde_json::Error) -> Unreadable {
    Unreadable::Damaged(format!("it is not understood: {error}"))
}

/// Returns a hash as hex digits: as a number some readers of JSON would round it.
fn hash_text(bytes: &[u8]) -> String {
    format!("{:016x}", xxh3_64(bytes))
}

impl From<Compression> for CompressionText {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Gzip { level } => Self::Gzip { level },
            Compression::Zstd { level } => Self::Zstd { level },
        }
    }
}

impl From<CompressionText> for Compression {
    fn from(text: CompressionText) -> Self {
        match text {
            CompressionText::None => Self::None,
            CompressionText::Gzip { level } => Self::Gzip { level },
            CompressionText::Zstd { level } => Self::Zstd { level },
        }
    }
}

fn bytes_to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).expect("four bits are a digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

fn hex_to_bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner() -> Owner {
        Owner { pipeline: "main".to_owned(), output: Some("errors".to_owned()) }
    }

    fn entry(key: String, number: u64, time: i64, covering: Option<Vec<u8>>) -> Entry {
        let compression = match number % 3 {
            0 => Compression::None,
            1 => Compression::Gzip { level: 1 },
            _ => Compression::Zstd { level: 19 },
        };
        Entry {
            key,
            form: "plain".to_owned(),
            compression,
            n_bytes: number,
            hash: u128::from(number) << 70 | 1,
            n_raw_bytes: u64::MAX - number,
            n_events: number / 2,
            first_ms: time,
            last_ms: time.saturating_add(1),
            covering,
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(key: String, n: u64, time: i64, covering: Option<Vec<u8>>) {
            let entry = entry(key, n, time, covering);
            let read = decode(&encode(&owner(), &entry)).ok();
            prop_assert_eq!(read, Some((owner(), entry)));
        }

        #[test]
        fn no_changed_byte_goes_unseen(n: u64, at: prop::sample::Index, change in 1..=255u8) {
            let mut bytes = encode(&owner(), &entry("a/b.log.gz".to_owned(), n, 0, Some(vec![7; 40])));
            let at = at.index(bytes.len());
            bytes[at] ^= change;
            prop_assert!(decode(&bytes).is_err());
        }

        #[test]
        fn nothing_that_was_cut_short_is_read(n: u64, at: prop::sample::Index) {
            let bytes = encode(&owner(), &entry("a".to_owned(), n, 0, None));
            let damaged = matches!(decode(&bytes[..at.index(bytes.len())]), Err(Unreadable::Damaged(_)));
            prop_assert!(damaged);
        }
    }

    #[test]
    fn what_is_foreign_or_newer_is_told_apart() {
        assert!(matches!(decode(b"{\"format\":\"else\"}\n"), Err(Unreadable::Foreign(_))));
        let mut newer = format!("{BEGINNING}2,\"what\":[\"ever\"]}}\n").into_bytes();
        newer.extend(trailer_of(&newer.clone()));
        assert!(matches!(decode(&newer), Err(Unreadable::Newer { version: 2 })));
    }
}
