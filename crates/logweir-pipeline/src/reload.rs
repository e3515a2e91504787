//! Whether another configuration may take the place of the running one.

use std::sync::Arc;

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
    match configs.iter().find(|config| has_other_outputs(config, &statuses)) {
        Some(config) => Err(ReloadError::OtherOutputs { pipeline: config.name.clone() }),
        None => Ok(()),
    }
}

/// Returns whether a pipeline had a `sink` and is to have `outputs`, or the other way round.
fn has_other_outputs(config: &PipelineConfig, statuses: &[Arc<Status>]) -> bool {
    let Some(status) = statuses.iter().find(|status| status.name == config.name) else { return false };
    let accounts = status.ledger.accounts();
    accounts.single_output().is_some() != config.outputs.iter().any(|output| output.name.is_none())
}
