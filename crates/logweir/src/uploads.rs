//! What `/uploads` says: how each output that uploads fares, in the words that Logpush has for its jobs.

use std::time::SystemTime;

use jiff::{Timestamp, Unit};
use logweir_pipeline::{Board, UploadSnapshot};
use serde::Serialize;

/// Returns a JSON object with an item for each output that uploads, ending in a line feed.
pub(crate) fn uploads(board: &Board) -> String {
    let mut outputs = Vec::new();
    for status in board.statuses() {
        let uploads = status.all_uploads().into_iter();
        outputs.extend(uploads.map(|(output, upload)| OutputJson::new(&status.name, output, &upload)));
    }
    let json = serde_json::to_string_pretty(&UploadsJson { uploads: outputs });
    json.expect("numbers and strings can be written as JSON") + "\n"
}

#[derive(Serialize)]
struct UploadsJson {
    uploads: Vec<OutputJson>,
}

#[derive(Serialize)]
struct OutputJson {
    pipeline: String,
    /// `null` for a pipeline's single sink.
    output: Option<String>,
    /// When the last event happened of the last batch that was delivered with all before it.
    last_complete: Option<String>,
    /// When an upload failed last; `null` once one has succeeded since.
    last_error: Option<String>,
    /// What went wrong then; `null` once one has succeeded since.
    error_message: Option<String>,
    circuit_open: bool,
    spool_batches: u64,
    spool_bytes: u64,
}

impl OutputJson {
    fn new(pipeline: &str, output: Option<String>, upload: &UploadSnapshot) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            output,
            last_complete: upload.last_complete.and_then(rfc3339),
            last_error: upload.last_error.and_then(rfc3339),
            error_message: upload.error_message.clone(),
            circuit_open: upload.is_circuit_open,
            spool_batches: upload.spool_batches,
            spool_bytes: upload.spool_bytes,
        }
    }
}

/// Returns a time as of RFC 3339, to the second as Logpush has it.
fn rfc3339(time: SystemTime) -> Option<String> {
    Some(Timestamp::try_from(time).ok()?.round(Unit::Second).ok()?.to_string())
}
