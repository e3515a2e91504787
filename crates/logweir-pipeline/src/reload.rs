//! Whether another configuration may take the place of the running one.

use std::path::Path;

use crate::board::Board;
use crate::config::PipelineConfig;
use crate::status::Status;

/// Why a configuration cannot take the place of the running one. The process goes on as it is.
#[derive(thiserror::Error, Clone, PartialEq, Eq, Debug)]
pub enum ReloadError {
    /// A pipeline that runs reads what cannot be read again.
    #[error(
        "pipeline `{pipeline}` is running and reads its source once: only pipelines that follow files can be reloaded"
    )]
    RunsOnce {
        /// The pipeline.
        pipeline: String,
    },
    /// A pipeline of the new configuration reads what cannot be read again, or has been read.
    #[error(
        "pipeline `{pipeline}` would read its source once: only pipelines that follow files can be reloaded"
    )]
    WouldRunOnce {
        /// The pipeline.
        pipeline: String,
    },
    /// A pipeline has `sink` in one configuration and `outputs` in the other: its numbers could not go on.
    #[error("pipeline `{pipeline}` changes between `sink` and `outputs`: restart, or give it another name")]
    OtherOutputs {
        /// The pipeline.
        pipeline: String,
    },
    /// A pipeline is to keep its state elsewhere: how far its files were delivered, and what waits to be uploaded, would
    /// stay behind.
    #[error(
        "pipeline `{pipeline}` gets another `state_dir`, and its positions and batches are in the old one: stop the process, \
         move the directory, and start it again"
    )]
    OtherStateDir {
        /// The pipeline.
        pipeline: String,
    },
}

/// Checks whether the pipelines of a new configuration may take the place of those that run.
///
/// # Errors
///
/// Why not; see [`ReloadError`].
pub fn check_reload(board: &Board, configs: &[PipelineConfig]) -> Result<(), ReloadError> {
    let statuses = board.statuses();
    if let Some(status) = statuses.iter().find(|status| !status.is_gone() && !status.ledger.is_replayable()) {
        return Err(ReloadError::RunsOnce { pipeline: status.name.clone() });
    }
    if let Some(config) = configs.iter().find(|config| !config.source.is_replayable()) {
        return Err(ReloadError::WouldRunOnce { pipeline: config.name.clone() });
    }
    for config in configs {
        let Some(status) = statuses.iter().find(|status| status.name == config.name) else { continue };
        if has_other_outputs(config, status) {
            return Err(ReloadError::OtherOutputs { pipeline: config.name.clone() });
        }
        if !status.is_gone() && has_other_state_dir(config, status) {
            return Err(ReloadError::OtherStateDir { pipeline: config.name.clone() });
        }
    }
    Ok(())
}

/// Returns whether a pipeline had a `sink` and is to have `outputs`, or the other way round.
fn has_other_outputs(config: &PipelineConfig, status: &Status) -> bool {
    let accounts = status.ledger.accounts();
    accounts.single_output().is_some() != config.outputs.iter().any(|output| output.name.is_none())
}

/// Returns whether a pipeline is to keep its state in another directory, and not only under another name of the same.
fn has_other_state_dir(config: &PipelineConfig, status: &Status) -> bool {
    let (Some(outline), Some(new)) = (status.outline(), &config.state_dir) else { return false };
    let canonical = |path: &Path| path.canonicalize().ok();
    outline
        .state_dir
        .is_some_and(|old| old != *new && (canonical(&old).is_none() || canonical(&old) != canonical(new)))
}
