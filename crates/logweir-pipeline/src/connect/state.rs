//! The directory of positions, and of what waits to be uploaded.

use std::path::Path;

use logweir_event::with_causes;
use logweir_sources::{list_checkpoints, state_dir_holder};

use super::places::room_in;
use super::{About, size};
use crate::config::{PipelineConfig, SinkConfig};

/// Looks at the state directory of a pipeline.
pub(super) fn look(pipeline: &PipelineConfig, directory: &Path, about: &mut About<'_>) {
    let shown = directory.display();
    let room = match room_in(directory) {
        Ok(room) => room,
        Err((message, help)) => return about.fail(message, help),
    };
    let spooled = pipeline.outputs.iter().map(|output| match &output.sink {
        SinkConfig::Upload(config) => config.spool.max_bytes,
        _ => 0,
    });
    let wanted = spooled.fold(0, u64::saturating_add);
    if let Some(n_free) = room.little(wanted) {
        let help = if wanted > 0 {
            format!("what waits to be uploaded may take {}: free some, or lower `spool_bytes`", size(wanted))
        } else {
            String::from("free some, or name a directory on another disk")
        };
        about.warn(format!("{shown}: {} are free on its disk", size(n_free)), help);
    }
    if room.is_missing {
        return about.ok(format!("{shown}: will be made in {}", room.existing.display()));
    }
    match state_dir_holder(directory) {
        Some(process) => about.warn(
            format!("{shown}: process {process} works with it"),
            "if that is logweir with this pipeline, all is well; a second one cannot start beside it",
        ),
        None => about.ok(format!("{shown}: can be written, and nobody works with it")),
    }
    checkpoint(pipeline, directory, about);
}

fn checkpoint(pipeline: &PipelineConfig, directory: &Path, about: &mut About<'_>) {
    if !pipeline.source.is_replayable() {
        return;
    }
    let listed = match list_checkpoints(directory) {
        Ok(listed) => listed,
        Err(error) => {
            let help = "let the user that logweir runs as read the directory";
            return about.fail(with_causes(&error), help);
        }
    };
    let n_others = listed.len();
    match listed.into_iter().find(|listed| listed.name == pipeline.name).map(|found| found.checkpoint) {
        Some(Ok(checkpoint)) => about.ok(match checkpoint.files.len() {
            1 => String::from("the checkpoint has the position of 1 file"),
            n => format!("the checkpoint has the positions of {n} files"),
        }),
        Some(Err(error)) => {
            let help = format!(
                "`logweir checkpoint reset {} {}` moves it aside; all files are read again then",
                directory.display(),
                pipeline.name
            );
            about.fail(with_causes(&error), help);
        }
        None if n_others > 0 => about.warn(
            "there is no checkpoint of this pipeline, but there are others: it begins anew",
            "if it was renamed, give it its old name back, and start it again",
        ),
        None => about.ok("there is no checkpoint yet: the pipeline begins anew"),
    }
}
