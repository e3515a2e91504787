//! The files that a source would read.

use logweir_event::with_causes;
use logweir_sources::{FileSourceConfig, Look};

use super::{About, size};
use crate::config::{PipelineConfig, SourceConfig};

/// Looks for the files of a source.
pub(super) fn look(pipeline: &PipelineConfig, about: &mut About<'_>) {
    let config = match &pipeline.source {
        SourceConfig::Stdin => return about.ok("the standard input, which is read as it comes"),
        SourceConfig::File(config) => config.clone(),
        SourceConfig::Follow(follow) => {
            FileSourceConfig { include: follow.include.clone(), exclude: follow.exclude.clone() }
        }
    };
    match logweir_sources::look(&config) {
        Ok(looks) => looks.iter().for_each(|found| judge(found, pipeline.source.is_replayable(), about)),
        Err(error) => about.fail(with_causes(&error), "write a pattern as `/var/log/workers/*.ndjson`"),
    }
}

fn judge(look: &Look, is_followed: bool, about: &mut About<'_>) {
    let Look { pattern, n_files, n_bytes, n_errors, errors } = look;
    let found = match n_files {
        1 => format!("{pattern}: 1 file, {}", size(*n_bytes)),
        n => format!("{pattern}: {n} files, {}", size(*n_bytes)),
    };
    for error in errors {
        let help = "let the user that logweir runs as read it, or leave it out with `exclude`";
        about.fail(format!("{pattern}: {error}"), help);
    }
    if *n_errors > errors.len() {
        let message = format!("{pattern}: {} more like these", n_errors - errors.len());
        about.fail(message, "what is wrong with the first may be wrong with all");
    }
    if *n_files > 0 {
        about.ok(found);
    } else if *n_errors > 0 {
        // That has been told.
    } else if is_followed {
        let help = "nothing is wrong if files are still to come; else look at the pattern, and at who may list the \
                    directories";
        about.warn(format!("{pattern}: there is no such file now"), help);
    } else {
        about.fail(
            format!("{pattern}: there is no such file"),
            "files that are read once have to be there: look at the pattern, and at the working directory",
        );
    }
}
