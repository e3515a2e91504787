//! Version 1 of the format, the oldest.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::{FORMAT, Unreadable, hex, not_understood};
use crate::checkpoint::{Checkpoint, FileCheckpoint};
use crate::fingerprint::{Fingerprint, WINDOW_BYTES};

/// The first line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    format: Cow<'a, str>,
    version: u64,
    /// The version of the program that wrote it, for people.
    program: Cow<'a, str>,
    pipeline: Cow<'a, str>,
}

/// A line for a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileLine<'a> {
    /// The path for people, and for programs too unless `path_hex` is there.
    path: Cow<'a, str>,
    /// The bytes of a path that is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_hex: Option<String>,
    device: u64,
    inode: u64,
    offset: u64,
    head: FingerprintText,
    tail: FingerprintText,
    is_compressed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gone_since: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FingerprintText {
    n_bytes: u32,
    hash: String,
}

/// The last line.
#[derive(Serialize)]
struct Trailer {
    files: usize,
    xxh3: String,
}

/// Returns the text of a pipeline's checkpoint.
pub(super) fn encode(pipeline: &str, checkpoint: &Checkpoint) -> Vec<u8> {
    let mut bytes = Vec::new();
    let header = Header {
        format: FORMAT.into(),
        version: 1,
        program: env!("CARGO_PKG_VERSION").into(),
        pipeline: pipeline.into(),
    };
    push_line(&mut bytes, &header);
    for file in &checkpoint.files {
        push_line(&mut bytes, &FileLine::from(file));
    }
    let trailer = trailer_of(&bytes, checkpoint.files.len());
    bytes.extend(trailer);
    bytes
}

fn push_line(bytes: &mut Vec<u8>, line: &impl Serialize) {
    serde_json::to_writer(&mut *bytes, line).expect("numbers and strings can be written as JSON");
    bytes.push(b'\n');
}

/// Returns the checkpoint of a text whose checksum fits: `body` is all before its last line, `trailer`.
pub(super) fn decode(pipeline: &str, body: &[u8], trailer: &[u8]) -> Result<Checkpoint, Unreadable> {
    let mut lines = body.split_inclusive(|&byte| byte == b'\n');
    let header = lines.next().unwrap_or_default();
    let header: Header<'_> = serde_json::from_slice(header).map_err(not_understood("the header"))?;
    if header.pipeline != pipeline {
        return Err(Unreadable::Foreign(format!("it is that of pipeline {:?}", header.pipeline)));
    }
    let mut files = Vec::new();
    for line in lines {
        let file = serde_json::from_slice::<FileLine<'_>>(line).and_then(FileCheckpoint::try_from);
        files.push(file.map_err(not_understood(&format!("line {}", files.len() + 2)))?);
    }
    // The checksum does not cover its own line, so that has to be the very one that would be written.
    if trailer != trailer_of(body, files.len()).trim_ascii_end() {
        return Err(Unreadable::Damaged(format!("its last line is not that of {} files", files.len())));
    }
    Ok(Checkpoint { files })
}

/// Returns the last line of a text, given all before it.
fn trailer_of(body: &[u8], n_files: usize) -> Vec<u8> {
    let mut line = Vec::new();
    push_line(&mut line, &Trailer { files: n_files, xxh3: hex(xxh3_64(body)) });
    line
}

impl<'a> From<&'a FileCheckpoint> for FileLine<'a> {
    fn from(file: &'a FileCheckpoint) -> Self {
        let path = file.path.to_string_lossy();
        let is_exact = path.as_bytes() == file.path.as_os_str().as_bytes();
        let path_hex = (!is_exact).then(|| bytes_to_hex(file.path.as_os_str().as_bytes()));
        Self {
            path,
            path_hex,
            device: file.device,
            inode: file.inode,
            offset: file.offset,
            head: file.head.into(),
            tail: file.tail.into(),
            is_compressed: file.is_compressed,
            finished_bytes: file.finished_bytes,
            gone_since: file.gone_since,
        }
    }
}

impl TryFrom<FileLine<'_>> for FileCheckpoint {
    type Error = serde_json::Error;

    fn try_from(line: FileLine<'_>) -> Result<Self, serde_json::Error> {
        let path = match &line.path_hex {
            Some(hex) => hex_to_bytes(hex).map(OsString::from_vec).map(PathBuf::from),
            None => Some(PathBuf::from(&*line.path)),
        };
        let path = path.ok_or_else(|| serde_json::Error::custom("`path_hex` holds no bytes"))?;
        Ok(Self {
            path,
            device: line.device,
            inode: line.inode,
            offset: line.offset,
            head: line.head.try_into()?,
            tail: line.tail.try_into()?,
            is_compressed: line.is_compressed,
            finished_bytes: line.finished_bytes,
            gone_since: line.gone_since,
        })
    }
}

impl From<Fingerprint> for FingerprintText {
    fn from(fingerprint: Fingerprint) -> Self {
        Self { n_bytes: fingerprint.n_bytes, hash: hex(fingerprint.hash) }
    }
}

impl TryFrom<FingerprintText> for Fingerprint {
    type Error = serde_json::Error;

    fn try_from(text: FingerprintText) -> Result<Self, serde_json::Error> {
        let FingerprintText { n_bytes, hash } = text;
        if n_bytes as usize > WINDOW_BYTES {
            return Err(serde_json::Error::custom("a fingerprint is of too many bytes"));
        }
        let hash = u64::from_str_radix(&hash, 16).map_err(serde_json::Error::custom)?;
        Ok(Self { n_bytes, hash })
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
