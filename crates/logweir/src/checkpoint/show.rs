//! Checkpoints for people and for programs.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use indicatif::{HumanCount, HumanDuration};
use logweir_pipeline::{Checkpoint, FileCheckpoint, Listed, with_causes};
use serde::Serialize;

use super::lookup::{Lookup, Whereabouts};

/// Returns the checkpoints as tables, without a line feed at the end.
pub(crate) fn tables(listed: &[Listed], lookup: &mut Lookup) -> String {
    let mut out = String::new();
    for listed in listed {
        write_table(&mut out, listed, lookup).expect("a string takes everything");
    }
    out.truncate(out.trim_end().len());
    out
}

fn write_table(out: &mut String, listed: &Listed, lookup: &mut Lookup) -> std::fmt::Result {
    let name = visible(&listed.name);
    let files = match &listed.checkpoint {
        Err(error) => {
            let error = visible(&with_causes(error));
            return writeln!(out, "{name}: {error}\n");
        }
        Ok(Checkpoint { files }) => files,
    };
    let committed = listed.committed.and_then(|time| time.elapsed().ok());
    let committed =
        committed.map(|age| format!(", committed {} ago", HumanDuration(age))).unwrap_or_default();
    writeln!(out, "{name}: {} {}{committed}", files.len(), if files.len() == 1 { "file" } else { "files" })?;
    if !files.is_empty() {
        writeln!(out, "  {:>19} {:>19} {:>19}  file", "delivered", "size", "lag")?;
    }
    for file in files {
        let now = lookup.find(file);
        let [size, lag] = [now.size(), now.lag(file)].map(count);
        writeln!(out, "  {:>19} {size:>19} {lag:>19}  {}", count(Some(file.offset)), described(file, &now))?;
    }
    writeln!(out)
}

/// Returns the number of bytes for people; `-` if it is not known.
fn count(n_bytes: Option<u64>) -> String {
    n_bytes.map_or_else(|| "-".to_owned(), |n_bytes| HumanCount(n_bytes).to_string())
}

/// Returns a file's path and what is to be said of it.
fn described(file: &FileCheckpoint, now: &Whereabouts) -> String {
    let mut text = shown(&file.path);
    match now {
        Whereabouts::There { .. } => {}
        Whereabouts::Moved { path, .. } => {
            let _ = write!(text, ", now {}", shown(path));
        }
        Whereabouts::Rewritten { .. } => text.push_str(", written anew since"),
        Whereabouts::Hidden => text.push_str(", which cannot be looked at"),
        Whereabouts::Gone => text.push_str(", gone"),
    }
    if let (Whereabouts::Gone, Some(since)) = (now, file.gone_since) {
        let since = UNIX_EPOCH.checked_add(Duration::from_secs(since));
        if let Some(age) = since.and_then(|since| SystemTime::now().duration_since(since).ok()) {
            let _ = write!(text, " for {}", HumanDuration(age));
        }
    }
    if file.is_compressed {
        text.push_str(" (compressed: what was delivered is counted decompressed)");
    }
    text
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy())
}

/// Returns a text in which nothing moves the cursor or begins a line.
fn visible(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// Returns the checkpoints as one JSON object on one line, without a line feed.
pub(crate) fn json(listed: &[Listed], lookup: &mut Lookup) -> String {
    let checkpoints = listed.iter().map(|listed| CheckpointJson::new(listed, lookup)).collect();
    serde_json::to_string(&ListJson { checkpoints }).expect("numbers and strings can be written as JSON")
}

#[derive(Serialize)]
struct ListJson {
    checkpoints: Vec<CheckpointJson>,
}

#[derive(Serialize)]
struct CheckpointJson {
    pipeline: String,
    checkpoint: String,
    /// In seconds since the Unix epoch.
    committed: Option<u64>,
    /// Of one that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<Vec<FileJson>>,
    /// Of one that cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct FileJson {
    path: String,
    device: u64,
    inode: u64,
    offset: u64,
    compressed: bool,
    state: &'static str,
    /// Where it is now, if it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<String>,
    size: Option<u64>,
    lag: Option<u64>,
    /// In seconds since the Unix epoch.
    gone_since: Option<u64>,
}

impl CheckpointJson {
    fn new(listed: &Listed, lookup: &mut Lookup) -> Self {
        let committed = listed.committed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let files = listed.checkpoint.as_ref().ok().map(|checkpoint| {
            let files = checkpoint.files.iter();
            files.map(|file| FileJson::new(file, &lookup.find(file))).collect()
        });
        Self {
            pipeline: listed.name.clone(),
            checkpoint: listed.path.to_string_lossy().into_owned(),
            committed: committed.map(|since| since.as_secs()),
            files,
            error: listed.checkpoint.as_ref().err().map(|error| with_causes(error)),
        }
    }
}

impl FileJson {
    fn new(file: &FileCheckpoint, now: &Whereabouts) -> Self {
        let (state, path) = match now {
            Whereabouts::There { .. } => ("there", None),
            Whereabouts::Moved { path, .. } => ("moved", Some(path.to_string_lossy().into_owned())),
            Whereabouts::Rewritten { .. } => ("rewritten", None),
            Whereabouts::Gone => ("gone", None),
            Whereabouts::Hidden => ("hidden", None),
        };
        Self {
            path: file.path.to_string_lossy().into_owned(),
            device: file.device,
            inode: file.inode,
            offset: file.offset,
            compressed: file.is_compressed,
            state,
            now: path,
            size: now.size(),
            lag: now.lag(file),
            gone_since: file.gone_since,
        }
    }
}
