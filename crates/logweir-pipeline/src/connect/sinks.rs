//! The files and directories that events are written to.

use std::path::Path;

use logweir_sinks::{DestinationConfig, DirectoryConfig, FileSinkConfig};
use rustix::fs::Access;

use super::places::{may, room_in};
use super::{About, Findings, size};
use crate::build::sink_component;
use crate::config::{PipelineConfig, SinkConfig};

/// Looks at where the outputs of a pipeline write on this machine, and its dead-letter file.
pub(super) fn look(pipeline: &PipelineConfig, findings: &mut Findings) {
    for output in &pipeline.outputs {
        let mut about = findings.about(sink_component(output));
        match &output.sink {
            SinkConfig::Stdout => about.ok("the standard output"),
            SinkConfig::Null => about.ok("nowhere: events are counted and forgotten"),
            SinkConfig::File(config) => file_sink(config, &mut about),
            SinkConfig::Upload(config) => {
                if let DestinationConfig::Directory(directory) = &config.destination {
                    self::directory(directory, &mut about);
                }
            }
        }
    }
    if let Some(dead_letter) = &pipeline.dead_letter {
        file(&dead_letter.path, &mut findings.about("dead_letter"));
    }
}

fn file_sink(config: &FileSinkConfig, about: &mut About<'_>) {
    match config.path.as_fixed() {
        Some(path) => file(path, about),
        None => in_directory(config.path.base(), &config.path.to_string(), about),
    }
}

fn file(path: &Path, about: &mut About<'_>) {
    let shown = path.display();
    let Ok(metadata) = path.metadata() else {
        return in_directory(path.parent().unwrap_or(Path::new("")), &shown.to_string(), about);
    };
    if metadata.is_dir() {
        return about.fail(format!("{shown} is a directory"), "name a file in it");
    }
    match may(path, Access::WRITE_OK) {
        Err(error) => {
            let help = "let the user that logweir runs as write it, or name another file";
            about.fail(format!("{shown} cannot be written: {error}"), help);
        }
        Ok(()) if metadata.is_file() => {
            in_directory(
                path.parent().unwrap_or(Path::new("")),
                &format!("{shown}: is there, {}", size(metadata.len())),
                about,
            );
        }
        Ok(()) => about.ok(format!("{shown}: is there, and no regular file")),
    }
}

/// Looks whether files can be made in a directory; `what` is written there.
fn in_directory(directory: &Path, what: &str, about: &mut About<'_>) {
    let room = match room_in(directory) {
        Ok(room) => room,
        Err((message, help)) => return about.fail(message, help),
    };
    if let Some(n_free) = room.little(0) {
        let help =
            "free some before it is full: logweir then waits, and nothing is lost that can be read again";
        about.warn(format!("{what}: {} are free on its disk", size(n_free)), help);
    }
    let free = room.n_free.map(|n_free| format!(", {} free", size(n_free))).unwrap_or_default();
    if room.is_missing {
        about.ok(format!("{what}: its directory will be made in {}{free}", room.existing.display()));
    } else {
        about.ok(format!("{what}: can be written{free}"));
    }
}

/// Looks at a directory that stands for a bucket, which is never made.
fn directory(config: &DirectoryConfig, about: &mut About<'_>) {
    let root = config.root.display().to_string();
    if config.root.symlink_metadata().is_err() {
        return about
            .fail(format!("there is no directory {root}"), "make it: like a bucket, it has to be there");
    }
    in_directory(&config.root, &root, about);
}
