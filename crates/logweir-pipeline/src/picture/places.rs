//! Where events come from and go to, in words, and what a crash means there.

use logweir_sinks::{AckLevel, DeadLetterConfig, DestinationConfig, FileSinkConfig, UploadSinkConfig};
use logweir_sources::StartAt;

use super::{Part, grouped};
use crate::build::{sink_component, source_component, upload_dir};
use crate::config::{OutputConfig, PipelineConfig, SinkConfig, SourceConfig};

/// Says where the events come from.
pub(super) fn source(config: &PipelineConfig) -> Part {
    let phrases = match &config.source {
        SourceConfig::Stdin => vec![
            String::from("reads the standard input to its end"),
            String::from("after a crash: what was read and not yet delivered is not read again"),
        ],
        SourceConfig::File(file) => vec![
            format!("reads once {}", patterns(&file.include, &file.exclude)),
            String::from("after a crash: the next start reads all of it again, from the beginning"),
        ],
        SourceConfig::Follow(follow) => {
            let start = match follow.start_at {
                StartAt::Beginning => "new files from their beginning",
                StartAt::End => "files that are there at the first start from their end",
            };
            let state_dir = config.state_dir.as_deref().unwrap_or_else(|| ".".as_ref()).display();
            vec![
                format!("follows {}, {start}", patterns(&follow.include, &follow.exclude)),
                format!(
                    "after a crash: reads on from the positions in {state_dir}; nothing is lost, and what was being \
                     delivered may come again"
                ),
            ]
        }
    };
    Part { title: source_component(&config.source).to_owned(), phrases, cost: None }
}

fn patterns(include: &[String], exclude: &[String]) -> String {
    let included = include.join(", ");
    if exclude.is_empty() { included } else { format!("{included}, save {}", exclude.join(", ")) }
}

/// Says where the events of an output go.
pub(super) fn sink(config: &PipelineConfig, output: &OutputConfig) -> Part {
    let is_replayable = config.source.is_replayable();
    let phrases = match &output.sink {
        SinkConfig::Stdout => vec![
            String::from("writes to the standard output"),
            String::from("delivered means: the system has taken it"),
        ],
        SinkConfig::Null => vec![String::from("counts the events and forgets them")],
        SinkConfig::File(file) => file_sink(file, is_replayable),
        SinkConfig::Upload(upload) => upload_sink(config, output, upload),
    };
    Part { title: sink_component(output), phrases, cost: None }
}

fn file_sink(file: &FileSinkConfig, is_replayable: bool) -> Vec<String> {
    let again = if is_replayable { "; after a crash the last events may be in it twice" } else { "" };
    let delivered = match file.ack {
        AckLevel::Synced => format!(
            "delivered means: on the disk, synced at least every {} ms, so that a loss of power loses nothing that \
             counts as delivered{again}",
            file.sync_every.as_millis()
        ),
        AckLevel::Written => {
            format!(
                "delivered means: the system has taken it; a loss of power may lose the last seconds{again}"
            )
        }
    };
    vec![format!("writes to {}", file.path), delivered]
}

fn upload_sink(config: &PipelineConfig, output: &OutputConfig, upload: &UploadSinkConfig) -> Vec<String> {
    let batch = &upload.batch;
    let spool = upload_dir(config, output);
    let again = match upload.destination {
        DestinationConfig::S3(_)
        | DestinationConfig::Gs(_)
        | DestinationConfig::Azure(_)
        | DestinationConfig::Directory(_) => "uploads it again under the same name, so that it is there once",
        _ => "posts it again, so that it may come twice",
    };
    vec![
        format!("uploads batches to {}", upload.destination),
        format!(
            "each of {} events at most, or what comes within {} s; they wait in {}",
            grouped(batch.max_events),
            batch.max_interval.as_secs_f64(),
            spool.display()
        ),
        format!("after a crash: a batch that is whole waits there; the next start {again}"),
    ]
}

/// Says where lines go that are no events.
pub(super) fn dead_letter(config: &DeadLetterConfig) -> Part {
    let bound = match config.max_bytes {
        Some(n_bytes) => format!(", up to {} bytes in all", grouped(n_bytes)),
        None => String::from(", without a bound"),
    };
    let phrases = vec![format!("lines that are no events go to {}{bound}", config.path.display())];
    Part { title: String::from("dead_letter"), phrases, cost: None }
}
