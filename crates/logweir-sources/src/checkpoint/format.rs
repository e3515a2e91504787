//! A checkpoint as text.
//!
//! One JSON object a line, for people and `grep` to read: a header, which names the format, its version and the
//! pipeline; the files; and a trailer with the XXH3-64 of all bytes before it. In every version the first line begins
//! with the format and the version and the last one holds the checksum, so that what is damaged, foreign or of a later
//! version can be told apart for ever.

mod v1;

use std::path::Path;

use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64;

use super::Checkpoint;
use super::error::CheckpointError;

/// The name of the format.
const FORMAT: &str = "logweir checkpoint";
/// What every checkpoint begins with, in any version.
const BEGINNING: &str = r#"{"format":"logweir checkpoint","version":"#;
/// The latest version, the one that is written.
const VERSION: u64 = 1;

/// Why a text is no checkpoint of a pipeline.
pub(super) enum Unreadable {
    Damaged(String),
    Foreign(String),
    Newer { version: u64 },
}

impl Unreadable {
    /// Returns the error of a checkpoint that was to be read from `path`.
    pub(super) fn at(self, path: &Path) -> CheckpointError {
        let path = path.to_owned();
        match self {
            Self::Damaged(what) => CheckpointError::Damaged { path, what },
            Self::Foreign(what) => CheckpointError::Foreign { path, what },
            Self::Newer { version } => CheckpointError::Newer { path, version, known: VERSION },
        }
    }
}

/// The keys of the first line that every version has.
#[derive(Deserialize)]
struct AnyHeader {
    version: u64,
}

/// The key of the last line that every version has.
#[derive(Deserialize)]
struct AnyTrailer {
    xxh3: String,
}

/// Returns the text of a pipeline's checkpoint, in the latest version.
pub(super) fn encode(pipeline: &str, checkpoint: &Checkpoint) -> Vec<u8> {
    v1::encode(pipeline, checkpoint)
}

/// Returns the checkpoint that a text holds, if it is a whole one of this pipeline.
pub(super) fn decode(pipeline: &str, bytes: &[u8]) -> Result<Checkpoint, Unreadable> {
    if !bytes.starts_with(BEGINNING.as_bytes()) {
        if BEGINNING.as_bytes().starts_with(bytes) {
            return Err(cut_short());
        }
        return Err(Unreadable::Foreign("it does not begin like a checkpoint".to_owned()));
    }
    let (body, trailer) = split_trailer(bytes)?;
    let header = body.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let AnyHeader { version } = serde_json::from_slice(header).map_err(not_understood("the header"))?;
    match version {
        1 => v1::decode(pipeline, body, trailer),
        0 => Err(Unreadable::Damaged("there is no version 0 of the format".to_owned())),
        _ => Err(Unreadable::Newer { version }),
    }
}

/// Returns what comes before the last line, and that line, whose checksum fits.
fn split_trailer(bytes: &[u8]) -> Result<(&[u8], &[u8]), Unreadable> {
    let lines = bytes.strip_suffix(b"\n").ok_or_else(cut_short)?;
    let start = lines.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    let (body, trailer) = (&bytes[..start], &lines[start..]);
    let AnyTrailer { xxh3 } = serde_json::from_slice(trailer).map_err(|_| cut_short())?;
    let actual = hex(xxh3_64(body));
    if xxh3 != actual {
        let what = format!("its checksum is {actual} where {xxh3} stands, so that some of it was changed");
        return Err(Unreadable::Damaged(what));
    }
    Ok((body, trailer))
}

fn cut_short() -> Unreadable {
    Unreadable::Damaged("the line with the checksum is not at its end, so that it was cut short".to_owned())
}

/// Returns what says that a part cannot be understood although the checksum fits.
fn not_understood(part: &str) -> impl FnOnce(serde_json::Error) -> Unreadable {
    move |error| Unreadable::Damaged(format!("{part} is not understood: {error}"))
}

/// Returns a hash as 16 hex digits: as a number some readers of JSON would round it.
fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}
